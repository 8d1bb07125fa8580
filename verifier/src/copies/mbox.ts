/**
 * mbox files: many messages in one file, each behind a line that begins with `From ` (RFC 4155,
 * SPEC §10.2.5). The dialects differ in how they keep such a line inside a message apart: most put
 * `>` before it, and none says so. A message is given as it is stored, and `unescaped` takes one
 * `>` away; whoever compares tries both.
 */

import { latin1, withCrlf } from "./source.ts";

const CR = 13;
const LF = 10;
const ANGLE = 62;
const FROM = [70, 114, 111, 109, 32];
const MAX_LINE = 1000;
/** What a header begins with. */
const FIELD = /^(?:[!-9;-~]{1,200}[ \t]{0,8}:|>From )/;
/** A line that ends in a date, by RFC 4155, Appendix A. */
const DATED =
  /^From [^\n]{0,900}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-3]?[0-9] [0-2]?[0-9]:[0-9]{2}(?::[0-9]{2})?(?: [^\n]{0,40})? [0-9]{4}[ \t\r]*\n$/;

function beginsWithFrom(bytes: Uint8Array, at: number): boolean {
  return FROM.every((octet, i) => bytes[at + i] === octet);
}

/** Where the line `From …` that begins here ends, if a field follows; -1 for no such line. */
function fromLineEnd(bytes: Uint8Array, at: number): number {
  if (!beginsWithFrom(bytes, at)) return -1;
  const end = bytes.subarray(at, at + FROM.length + MAX_LINE + 1).indexOf(LF) + at + 1;
  if (end === at) return -1;
  return FIELD.test(latin1(bytes.subarray(end, end + 210))) ? end : -1;
}

export function isMbox(bytes: Uint8Array): boolean {
  return fromLineEnd(bytes, 0) >= 0;
}

/** A line without its line end, as text. */
function lineText(bytes: Uint8Array, at: number, end: number): string {
  return latin1(bytes.subarray(at, bytes[end - 2] === CR ? end - 2 : end - 1));
}

/**
 * The messages of an mbox in turn, with CRLF line ends. A message ends before the empty line that
 * the next separator, or the end of the file, has before it.
 */
export function* messages(bytes: Uint8Array): Generator<Uint8Array> {
  const begun = fromLineEnd(bytes, 0);
  if (begun < 0) return;
  const first = lineText(bytes, 0, begun);
  let start = begun;
  for (let at = bytes.indexOf(LF, start) + 1; at > 0; at = bytes.indexOf(LF, at) + 1) {
    const empty = emptyLineBefore(bytes, at);
    if (empty < start) continue;
    const end = fromLineEnd(bytes, at);
    if (end < 0) continue;
    const line = lineText(bytes, at, end);
    if (line !== first && !DATED.test(`${line}\n`)) continue;
    yield withCrlf(bytes.subarray(start, empty));
    start = end;
  }
  yield withCrlf(bytes.subarray(start, lastEmptyLine(bytes, start)));
}

/** Where the empty line begins that stands before the line at `at`, behind a line end; else -1. */
function emptyLineBefore(bytes: Uint8Array, at: number): number {
  const begins = bytes[at - 2] === CR ? at - 2 : at - 1;
  return bytes[begins - 1] === LF ? begins : -1;
}

/** The end of the last message: the file's, without one empty line there. */
function lastEmptyLine(bytes: Uint8Array, start: number): number {
  if (bytes[bytes.length - 1] !== LF) return bytes.length;
  const empty = emptyLineBefore(bytes, bytes.length);
  return empty > start ? empty : bytes.length;
}

/** Whether a line begins with one `>` or more and `From `. */
function isMarked(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== ANGLE) return false;
  let from = at;
  while (bytes[from] === ANGLE) from++;
  return beginsWithFrom(bytes, from);
}

/** A stored message with one `>` taken from each marked line; undefined if there is none. */
export function unescaped(bytes: Uint8Array): Uint8Array | undefined {
  const marks: number[] = [];
  let at = 0;
  do {
    if (isMarked(bytes, at)) marks.push(at);
    at = bytes.indexOf(LF, at) + 1;
  } while (at > 0);
  if (marks.length === 0) return undefined;
  const plain = new Uint8Array(bytes.length - marks.length);
  let from = 0;
  let to = 0;
  for (const mark of marks) {
    plain.set(bytes.subarray(from, mark), to);
    to += mark - from;
    from = mark + 1;
  }
  plain.set(bytes.subarray(from), to);
  return plain;
}

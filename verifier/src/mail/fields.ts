/** A header, read line by line (SPEC §3.2.1). */

import { asciiLower } from "./charsets.ts";
import type { Defects } from "./header_text.ts";
import { joined } from "../bytes.ts";
import { characters, CR, isBlank, LF } from "./octets.ts";

/** Name in lower case → the values of its occurrences, as characters; of the fields that rules read. */
export type Fields = ReadonlyMap<string, readonly string[]>;

/** Fields of which a second one is a defect. */
const SINGLE = new Set([
  ..."from to cc subject date message-id in-reply-to references content-type".split(" "),
  ..."content-transfer-encoding content-disposition content-id content-location".split(" "),
]);
const KEPT = new Set([...SINGLE, "disposition-notification-to", "bcc", "reply-to", "sender"]);
const NAME_MAX = Math.max(...[...KEPT].map((name) => name.length));

const COLON = 0x3a;

/** From an octet up to another. */
type Piece = readonly [start: number, end: number];

/** Name → for each occurrence the pieces of its value, one from each line. */
type Found = Map<string, Piece[][]>;

/** From `start` up to `next`; `end` is where its line end begins. */
export interface Line {
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

export interface Header<Delimiter> {
  readonly fields: Fields;
  /** Where the body begins. */
  readonly body: number;
  /** The delimiter line that ended the header; it begins at `body`. */
  readonly delimiter: Delimiter | undefined;
}

export interface HeaderPlace<Delimiter> {
  readonly isMessage: boolean;
  /** Most octets of all its lines. */
  readonly most: number;
  /** What the line is to the open multiparts, if it is one of their delimiter lines. */
  readonly delimiterAt: (line: Line) => Delimiter | undefined;
}

export function lineAt(octets: Uint8Array, start: number): Line {
  const feed = octets.indexOf(LF, start);
  if (feed < 0) return { start, end: octets.length, next: octets.length };
  const end = feed > start && octets[feed - 1] === CR ? feed - 1 : feed;
  return { start, end, next: feed + 1 };
}

/** The header that begins at `start`; undefined if it is larger than it may be. */
export function readHeader<Delimiter>(
  octets: Uint8Array,
  start: number,
  place: HeaderPlace<Delimiter>,
  defects: Defects,
): Header<Delimiter> | undefined {
  const found: Found = new Map();
  const ends = (body: number, delimiter?: Delimiter): Header<Delimiter> => ({
    fields: fieldsOf(octets, found),
    body,
    delimiter,
  });
  let pieces: Piece[] | undefined;
  let at = start;
  while (at < octets.length) {
    const line = lineAt(octets, at);
    if (line.next - start > place.most) return undefined;
    const delimiter = place.delimiterAt(line);
    if (delimiter !== undefined) {
      defects.add("header.no-separator");
      return ends(at, delimiter);
    }
    if (line.end === line.start) return ends(line.next);
    const colon = colonOf(octets, line);
    if (at > start && isBlank(octets[at]!)) {
      if (isBlankLine(octets, line)) defects.add("header.blank-line");
      pieces?.push([line.start, line.end]);
    } else if (colon >= 0) {
      if (isBlank(octets[colon - 1]!)) defects.add("header.blank-before-colon");
      pieces = beginField(octets, line, colon, found);
    } else if (at === start && place.isMessage && isMboxLine(octets, line)) {
      defects.add("header.mbox-line");
    } else {
      defects.add("header.no-separator");
      return ends(at);
    }
    at = line.next;
  }
  return ends(at);
}

/** Where the colon of a field stands, or -1. */
function colonOf(octets: Uint8Array, line: Line): number {
  let at = line.start;
  while (at < line.end && octets[at]! >= 0x21 && octets[at]! <= 0x7e && octets[at] !== COLON) at++;
  if (at === line.start) return -1;
  while (at < line.end && isBlank(octets[at]!)) at++;
  return at < line.end && octets[at] === COLON ? at : -1;
}

/** The pieces of this field's value, to be added to; undefined if no rule reads the field. */
function beginField(
  octets: Uint8Array,
  line: Line,
  colon: number,
  found: Found,
): Piece[] | undefined {
  let end = colon;
  while (isBlank(octets[end - 1]!)) end--;
  if (end - line.start > NAME_MAX) return undefined;
  const name = asciiLower(characters(octets.subarray(line.start, end)));
  if (!KEPT.has(name)) return undefined;
  const pieces: Piece[] = [[colon + 1, line.end]];
  const others = found.get(name);
  if (others === undefined) found.set(name, [pieces]);
  else others.push(pieces);
  return pieces;
}

/** Blanks alone, CRs aside. */
function isBlankLine(octets: Uint8Array, line: Line): boolean {
  for (let at = line.start; at < line.end; at++) {
    if (!isBlank(octets[at]!) && octets[at] !== CR) return false;
  }
  return true;
}

function isMboxLine(octets: Uint8Array, line: Line): boolean {
  const start = String.fromCharCode(
    ...octets.subarray(line.start, Math.min(line.start + 6, line.end)),
  );
  return start.startsWith("From ") || start === ">From ";
}

/** Values as characters; each octet is passed once, so long headers cost no more. */
function fieldsOf(octets: Uint8Array, found: Found): Fields {
  const fields = new Map<string, readonly string[]>();
  for (const [name, occurrences] of found) {
    const values = occurrences.map((pieces) =>
      characters(joined(pieces.map(([start, end]) => octets.subarray(start, end)))),
    );
    fields.set(name, values);
  }
  return fields;
}

export function noteDuplicates(fields: Fields, defects: Defects): void {
  for (const [name, values] of fields) {
    if (values.length > 1 && SINGLE.has(name)) defects.add("header.duplicate");
  }
}

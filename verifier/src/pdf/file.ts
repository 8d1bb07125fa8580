/**
 * A PDF file as a dossier may be one (SPEC §11.2): the grammar covers every byte, so that a reader that follows
 * the cross-reference tables and one that scans the file see the same objects. Refusals are Unreadable.
 */

import { Unreadable } from "../errors.ts";
import {
  CR,
  type Cursor,
  cursorOver,
  digits,
  expect,
  expectWord,
  fail,
  isBlank,
  isDigit,
  isSpace,
  LF,
  readDictionary,
  readValue,
  skipBlanks,
  skipSpace,
  startsWith,
} from "./tokens.ts";
import {
  type Dictionary,
  isInteger,
  type Pdf,
  type PdfObject,
  type Reference,
  type Revision,
} from "./values.ts";

const MAX_FILE_BYTES = 64 << 20;
const MAX_REVISIONS = 16;
const MAX_OBJECTS = 65_536;
const MAX_OBJECT_NUMBER = 8_388_607;

/** What is known of the file so far, from its start on. */
interface Reading {
  readonly cursor: Cursor;
  /** Offsets of the keywords `obj` and `trailer`, where they belong. */
  readonly keywords: Set<number>;
  objects: number;
  highest: number;
}

/** An object, and the offset of its number. */
interface Placed {
  readonly object: PdfObject;
  readonly offset: number;
}

export function readPdf(bytes: Uint8Array): Pdf {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new Unreadable(`a dossier has at most ${MAX_FILE_BYTES} bytes`);
  }
  const cursor = cursorOver(bytes);
  const reading: Reading = { cursor, keywords: new Set(), objects: 0, highest: 0 };
  readHeader(cursor);
  const revisions: Revision[] = [];
  let before: { table: number; root: Reference } | undefined;
  do {
    if (revisions.length === MAX_REVISIONS) fail("too many revisions", cursor.at);
    const { revision, table, root } = readRevision(reading, before);
    revisions.push(revision);
    before = { table, root };
  } while (cursor.at < bytes.length);
  findStrays(bytes, reading.keywords);
  return { bytes, root: before.root, revisions };
}

function readHeader(cursor: Cursor): void {
  const { bytes } = cursor;
  expect(cursor, "%PDF-1.");
  const version = bytes[cursor.at++] ?? 0;
  if (version < 0x34 || version > 0x37) fail("the header is another", 0);
  expect(cursor, "\n%");
  const start = cursor.at;
  while (cursor.at - start < 8 && (bytes[cursor.at] ?? 0) >= 0x80) cursor.at++;
  if (cursor.at - start < 4) fail("the header is another", 0);
  expect(cursor, "\n");
}

function readRevision(
  reading: Reading,
  before: { table: number; root: Reference } | undefined,
): { revision: Revision; table: number; root: Reference } {
  const { cursor } = reading;
  const placed = readObjects(reading);
  const table = cursor.at;
  readTable(cursor, placed);
  reading.keywords.add(cursor.at);
  expect(cursor, "trailer");
  skipBlanks(cursor);
  const trailer = readDictionary(cursor);
  const root = checkTrailer(trailer, reading.highest, before, cursor.at);
  skipBlanks(cursor);
  expect(cursor, "startxref");
  expectLineEnd(cursor);
  if (digits(cursor, 10) !== table) fail("startxref leads elsewhere", cursor.at);
  expectLineEnd(cursor);
  expect(cursor, "%%EOF");
  passLineEnd(cursor);
  const objects = new Map([...placed].map(([number, { object }]) => [number, object]));
  return { revision: { objects, trailer, end: cursor.at }, table, root };
}

/** LF or CRLF, if it stands here. */
function passLineEnd(cursor: Cursor): boolean {
  const { bytes, at } = cursor;
  if (bytes[at] === LF) cursor.at += 1;
  else if (bytes[at] === CR && bytes[at + 1] === LF) cursor.at += 2;
  return cursor.at > at;
}

function expectLineEnd(cursor: Cursor): void {
  if (!passLineEnd(cursor)) fail("no end of a line", cursor.at);
}

/** At most one CR, then at most one LF: what may part a stream from its keywords. */
function passBreak(cursor: Cursor): void {
  if (cursor.bytes[cursor.at] === CR) cursor.at++;
  if (cursor.bytes[cursor.at] === LF) cursor.at++;
}

function readObjects(reading: Reading): ReadonlyMap<number, Placed> {
  const { cursor } = reading;
  const placed = new Map<number, Placed>();
  skipSpace(cursor);
  while (isDigit(cursor.bytes[cursor.at])) {
    const offset = cursor.at;
    const object = readObject(reading);
    if (placed.has(object.number)) fail("an object twice in one revision", offset);
    if (++reading.objects > MAX_OBJECTS) fail("too many objects", offset);
    reading.highest = Math.max(reading.highest, object.number);
    placed.set(object.number, { object, offset });
    skipSpace(cursor);
  }
  return placed;
}

function readObject(reading: Reading): PdfObject {
  const { cursor } = reading;
  const start = cursor.at;
  const number = digits(cursor, 8);
  if (cursor.bytes[start] === 0x30 || number > MAX_OBJECT_NUMBER) {
    fail("an object number beyond bounds", start);
  }
  expect(cursor, " 0 ");
  reading.keywords.add(cursor.at);
  expectWord(cursor, "obj");
  const value = readValue(cursor);
  const data = value.kind === "dictionary" ? readStream(cursor, value) : undefined;
  skipBlanks(cursor);
  expect(cursor, "endobj");
  expectLineEnd(cursor);
  return { number, value, data };
}

const OUTSIDE = ["F", "FFilter", "FDecodeParms", "DP"];

/** The data of a stream, if what stands here is one's. */
function readStream(cursor: Cursor, dictionary: Dictionary): Uint8Array | undefined {
  const { bytes, at } = cursor;
  while (bytes[cursor.at] === 32 || bytes[cursor.at] === 9) cursor.at++;
  passBreak(cursor);
  if (!startsWith(cursor, "stream")) {
    cursor.at = at;
    return undefined;
  }
  cursor.at += "stream".length;
  expectLineEnd(cursor);
  if (OUTSIDE.some((key) => dictionary.entries.has(key))) {
    fail("a stream that is elsewhere, or filtered by other means", at);
  }
  const length = dictionary.entries.get("Length");
  const start = cursor.at;
  if (length?.kind !== "integer" || length.value < 0 || length.value > bytes.length - start) {
    fail("a stream without a length", at);
  }
  const end = start + Number(length.value);
  cursor.at = end;
  passBreak(cursor);
  expect(cursor, "endstream");
  if (!isBlank(bytes[cursor.at])) fail("endstream is not there", cursor.at);
  return bytes.subarray(start, end);
}

/** One classic table (ISO 32000-1 §7.5.4): its entries in use are the revision's objects, no more and no fewer. */
function readTable(cursor: Cursor, placed: ReadonlyMap<number, Placed>): void {
  expect(cursor, "xref");
  expectLineEnd(cursor);
  const listed = new Set<number>();
  let free = false;
  while (isDigit(cursor.bytes[cursor.at])) {
    const first = digits(cursor, 8);
    expect(cursor, " ");
    const entries = digits(cursor, 8);
    if (cursor.bytes[cursor.at] === 32) cursor.at++;
    expectLineEnd(cursor);
    if (entries === 0) fail("a section of the cross-reference table is empty", cursor.at);
    for (let number = first; number < first + entries; number++) {
      const { offset, used } = readEntry(cursor);
      if (!used) {
        if (number !== 0 || free) fail("an object that is declared free", cursor.at);
        free = true;
      } else {
        if (placed.get(number)?.offset !== offset) {
          fail("the cross-reference table leads elsewhere", cursor.at);
        }
        if (listed.has(number)) fail("an object twice in the cross-reference table", cursor.at);
        listed.add(number);
      }
    }
  }
  if (listed.size !== placed.size) fail("an object that no cross-reference table has", cursor.at);
}

/** Twenty bytes: ten digits, five digits, `n` or `f`, and a line end of two bytes. */
function readEntry(cursor: Cursor): { offset: number; used: boolean } {
  const { bytes, at } = cursor;
  const offset = fixedDigits(cursor, 10);
  expect(cursor, " ");
  const generation = fixedDigits(cursor, 5);
  expect(cursor, " ");
  const letter = bytes[cursor.at++];
  const [one, two] = [bytes[cursor.at++], bytes[cursor.at++]];
  const ended = (one === 32 && (two === LF || two === CR)) || (one === CR && two === LF);
  if ((letter !== 0x6e && letter !== 0x66) || !ended) {
    fail("an entry of the cross-reference table is malformed", at);
  }
  const used = letter === 0x6e;
  if (used && generation !== 0) fail("a generation other than 0", at);
  return { offset, used };
}

function fixedDigits(cursor: Cursor, length: number): number {
  const start = cursor.at;
  const value = digits(cursor, length);
  if (cursor.at - start !== length) fail("the cross-reference table is malformed", start);
  return value;
}

const TRAILER = new Set(["Root", "Size", "Info", "ID", "Prev"]);

function checkTrailer(
  trailer: Dictionary,
  highest: number,
  before: { table: number; root: Reference } | undefined,
  at: number,
): Reference {
  const { entries } = trailer;
  for (const key of entries.keys()) if (!TRAILER.has(key)) fail(`${key} in a trailer`, at);
  const size = entries.get("Size");
  if (!isInteger(size, highest + 1)) fail("a trailer's Size", at);
  const previous = entries.get("Prev");
  if (before === undefined) {
    if (previous !== undefined) fail("a trailer names a revision before the first", at);
  } else if (!isInteger(previous, before.table)) {
    fail("a trailer does not name the revision before", at);
  }
  const root = entries.get("Root");
  if (root?.kind !== "reference") fail("a trailer without a root", at);
  if (before !== undefined && root.number !== before.root.number) {
    fail("the revisions have no root in common", at);
  }
  return root;
}

/** Whoever scans the file finds no other object or trailer than those read (SPEC §11.2, 4). */
function findStrays(bytes: Uint8Array, keywords: ReadonlySet<number>): void {
  const cursor = cursorOver(bytes);
  for (let at = bytes.indexOf(0x6f); at >= 0; at = bytes.indexOf(0x6f, at + 1)) {
    cursor.at = at;
    if (startsWith(cursor, "obj") && !keywords.has(at) && followsNumbers(bytes, at)) {
      fail("what reads as an object, and is none", at);
    }
  }
  for (let at = bytes.indexOf(0x74); at >= 0; at = bytes.indexOf(0x74, at + 1)) {
    cursor.at = at;
    if (!startsWith(cursor, "trailer") || keywords.has(at)) continue;
    cursor.at += "trailer".length;
    skipSpace(cursor);
    if (startsWith(cursor, "<<")) fail("what reads as a trailer, and is none", at);
  }
}

/** Number, white space, number, white space, before this place. */
function followsNumbers(bytes: Uint8Array, place: number): boolean {
  let at = place;
  for (let pair = 0; pair < 2; pair++) {
    const end = at;
    while (at > 0 && isSpace(bytes[at - 1])) at--;
    if (at === end) return false;
    const number = at;
    while (at > 0 && isDigit(bytes[at - 1])) at--;
    if (at === number) return false;
  }
  return true;
}

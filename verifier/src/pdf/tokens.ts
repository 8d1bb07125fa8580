/** The values of a PDF, read one by one and strictly (SPEC §11.2, 7 to 9). */

import { Unreadable } from "../errors.ts";
import type { Dictionary, Value } from "./values.ts";

const MAX_NESTING = 32;
const MAX_VALUES = 500_000;
const MAX_NAME_BYTES = 127;

/** What a dossier has no use for, and what acts, hides or leads out of it (SPEC §11.2, 8). */
const FORBIDDEN = new Set(
  (
    "3D AA Action Alternates Collection Encrypt FileAttachment GoToE GoToR Hide ImportData JS " +
    "JavaScript Launch Movie OCProperties OPI ObjStm OpenAction RF Ref RichMedia Rendition Screen " +
    "SetOCGState Sound SubmitForm Thread Trans URI XFA XRef"
  ).split(" "),
);

const SPACE = 1;
const DELIMITER = 2;
const DIGIT = 4;
const KINDS = new Uint8Array(256);
for (const octet of [0, 9, 10, 12, 13, 32]) KINDS[octet] = SPACE;
for (const letter of "()<>[]{}/%") KINDS[letter.charCodeAt(0)] = DELIMITER;
for (const letter of "0123456789") KINDS[letter.charCodeAt(0)] = DIGIT;

export const LF = 10;
export const CR = 13;

export function isSpace(octet: number | undefined): boolean {
  return octet !== undefined && KINDS[octet] === SPACE;
}

export function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && KINDS[octet] === DIGIT;
}

/** White space between the parts of one thing: a narrower set than elsewhere. */
export function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === LF || octet === CR || octet === 9;
}

export function skipBlanks(cursor: Cursor): void {
  while (isBlank(cursor.bytes[cursor.at])) cursor.at++;
}

/** Neither white space nor a delimiter (ISO 32000-1 §7.2.2). */
function isRegular(octet: number | undefined): boolean {
  return octet !== undefined && (KINDS[octet]! & (SPACE | DELIMITER)) === 0;
}

/** Bytes whose number is not known before; each is copied a bounded number of times. */
class Growing {
  private bytes = new Uint8Array(64);
  private length = 0;

  emptied(): this {
    this.length = 0;
    return this;
  }

  push(octet: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = octet;
  }

  /** Made at once: a text put together letter by letter takes thirty times its room. */
  text(): string {
    return String.fromCharCode(...this.bytes.subarray(0, this.length));
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** A place in the file, what all of it has cost so far, and room for the string that is being read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  values: number;
  readonly content: Growing;
}

export function cursorOver(bytes: Uint8Array): Cursor {
  return { bytes, at: 0, values: 0, content: new Growing() };
}

export function fail(what: string, at: number): never {
  throw new Unreadable(`not the PDF of a dossier: ${what}, at byte ${at}`);
}

/** One value, or piece of a string, or escape more: memory and time are in proportion to them. */
function count(cursor: Cursor): void {
  cursor.values++;
  if (cursor.values > MAX_VALUES) fail("too many values", cursor.at);
}

export function skipSpace(cursor: Cursor): void {
  while (isSpace(cursor.bytes[cursor.at])) cursor.at++;
}

export function startsWith(cursor: Cursor, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    if (cursor.bytes[cursor.at + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** These very bytes. */
export function expect(cursor: Cursor, word: string): void {
  if (!startsWith(cursor, word)) fail(`${word.trim()} is not there`, cursor.at);
  cursor.at += word.length;
}

/** A word of regular characters that ends here. */
export function expectWord(cursor: Cursor, word: string): void {
  expect(cursor, word);
  if (isRegular(cursor.bytes[cursor.at])) fail(`${word} is not there`, cursor.at);
}

/** Digits alone, at most `most` of them (no more than 15, so that the number is exact). */
export function digits(cursor: Cursor, most: number): number {
  const start = cursor.at;
  let value = 0;
  while (isDigit(cursor.bytes[cursor.at]) && cursor.at - start <= most) {
    value = value * 10 + cursor.bytes[cursor.at]! - 48;
    cursor.at++;
  }
  if (cursor.at === start || cursor.at - start > most) fail("no number", start);
  return value;
}

/** The value at the cursor; `depth` counts the arrays and dictionaries around it. */
export function readValue(cursor: Cursor, depth = 0): Value {
  skipSpace(cursor);
  count(cursor);
  if (depth > MAX_NESTING) fail("nested too deep", cursor.at);
  const octet = cursor.bytes[cursor.at];
  switch (octet) {
    case 0x2f:
      return { kind: "name", name: readName(cursor) };
    case 0x28:
      return readLiteral(cursor);
    case 0x5b:
      return readArray(cursor, depth);
    case 0x3c:
      return cursor.bytes[cursor.at + 1] === 0x3c
        ? readDictionary(cursor, depth)
        : readHexadecimal(cursor);
    default:
      return readWord(cursor);
  }
}

function readArray(cursor: Cursor, depth: number): Value {
  cursor.at++;
  const items: Value[] = [];
  for (;;) {
    skipSpace(cursor);
    if (cursor.bytes[cursor.at] === 0x5d) break;
    items.push(readValue(cursor, depth + 1));
  }
  cursor.at++;
  return { kind: "array", items };
}

export function readDictionary(cursor: Cursor, depth = 0): Dictionary {
  expect(cursor, "<<");
  const entries = new Map<string, Value>();
  for (;;) {
    skipSpace(cursor);
    if (cursor.bytes[cursor.at] === 0x3e) break;
    const start = cursor.at;
    if (cursor.bytes[start] !== 0x2f) fail("a key is no name", start);
    const key = readName(cursor);
    if (entries.has(key)) fail("a key twice", start);
    entries.set(key, readValue(cursor, depth + 1));
  }
  expect(cursor, ">>");
  return { kind: "dictionary", entries };
}

function hexadecimal(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 48 && octet <= 57) return octet - 48;
  const letter = octet | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function readName(cursor: Cursor): string {
  const { bytes } = cursor;
  const start = cursor.at++;
  const content = cursor.content.emptied();
  for (let length = 0; isRegular(bytes[cursor.at]); length++) {
    let octet = bytes[cursor.at++]!;
    if (octet === 0x23) {
      const high = hexadecimal(bytes[cursor.at]);
      const low = hexadecimal(bytes[cursor.at + 1]);
      if (high < 0 || low < 0) fail("a name with a stray #", start);
      count(cursor);
      octet = high * 16 + low;
      cursor.at += 2;
    }
    if (octet < 0x21 || octet > 0x7e) fail("a name that is not printable ASCII", start);
    if (length === MAX_NAME_BYTES) fail("a name that is too long", start);
    content.push(octet);
  }
  const name = content.text();
  if (FORBIDDEN.has(name)) {
    throw new Unreadable(`the PDF has ${name}, which no dossier does`);
  }
  return name;
}

const ESCAPES = new Map([..."nrtbf()\\"].map((letter, at) => [letter.charCodeAt(0), at]));
const ESCAPED = [10, 13, 9, 8, 12, 0x28, 0x29, 0x5c];

/** ISO 32000-1 §7.3.4.2: balanced parentheses and escapes; line ends stay as they are. */
function readLiteral(cursor: Cursor): Value {
  const { bytes } = cursor;
  const start = cursor.at++;
  const content = cursor.content.emptied();
  let open = 1;
  for (;;) {
    const octet = bytes[cursor.at++];
    if (octet === undefined) fail("a string without an end", start);
    if (octet === 0x5c) {
      count(cursor);
      readEscape(cursor, content);
      continue;
    }
    if (octet === 0x28 || octet === 0x29) {
      count(cursor);
      open += octet === 0x28 ? 1 : -1;
      if (open === 0) break;
    }
    content.push(octet);
  }
  return { kind: "string", bytes: content.done(), hexadecimal: false, start, end: cursor.at };
}

function readEscape(cursor: Cursor, content: Growing): void {
  const { bytes } = cursor;
  const octet = bytes[cursor.at++];
  if (octet === undefined) fail("a string without an end", cursor.at);
  const letter = ESCAPES.get(octet);
  if (letter !== undefined) content.push(ESCAPED[letter]!);
  else if (octet === CR || octet === LF) {
    if (octet === CR && bytes[cursor.at] === LF) cursor.at++;
  } else if (octet >= 48 && octet <= 55) {
    let value = octet - 48;
    for (let more = 0; more < 2; more++) {
      const next = bytes[cursor.at];
      if (next === undefined || next < 48 || next > 55) break;
      value = value * 8 + next - 48;
      cursor.at++;
    }
    content.push(value & 255);
  } else content.push(octet);
}

function readHexadecimal(cursor: Cursor): Value {
  const { bytes } = cursor;
  const start = cursor.at++;
  const content = cursor.content.emptied();
  let half = -1;
  for (;;) {
    const octet = bytes[cursor.at++];
    if (octet === 0x3e) break;
    if (isBlank(octet)) continue;
    const digit = hexadecimal(octet);
    if (digit < 0) fail("a string that is not hexadecimal", start);
    if (half < 0) half = digit;
    else {
      content.push(half * 16 + digit);
      half = -1;
    }
  }
  if (half >= 0) content.push(half * 16);
  return { kind: "string", bytes: content.done(), hexadecimal: true, start, end: cursor.at };
}

const MAX_NUMBER_LETTERS = 38;
const INTEGER = /^[+-]?[0-9]{1,18}$/;
const REAL = /^[+-]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})$/;

/** A number, a reference, `true`, `false` or `null`. */
function readWord(cursor: Cursor): Value {
  const { bytes } = cursor;
  const start = cursor.at;
  while (isRegular(bytes[cursor.at]) && cursor.at - start <= MAX_NUMBER_LETTERS) cursor.at++;
  const word = String.fromCharCode(...bytes.subarray(start, cursor.at));
  if (word === "true" || word === "false") return { kind: "boolean", value: word === "true" };
  if (word === "null") return { kind: "null" };
  if (/^[0-9]{1,8}$/.test(word) && leadsOn(cursor)) {
    return { kind: "reference", number: Number(word) };
  }
  if (INTEGER.test(word)) return { kind: "integer", value: BigInt(word.replace("+", "")) };
  if (!REAL.test(word)) fail("what is no value", start);
  return { kind: "real", value: Number(word) };
}

/** Moves behind `0 R` if it stands here, blanks before each; else the cursor stays. */
function leadsOn(cursor: Cursor): boolean {
  const { bytes } = cursor;
  const before = cursor.at;
  for (const letter of [0x30, 0x52]) {
    const start = cursor.at;
    skipBlanks(cursor);
    if (cursor.at === start || bytes[cursor.at] !== letter || isRegular(bytes[cursor.at + 1])) {
      cursor.at = before;
      return false;
    }
    cursor.at++;
  }
  return true;
}

/**
 * Canonical JSON (SPEC §1.1), and the same values in any spelling for files that a person edits.
 * The reader is our own: JSON.parse takes duplicate keys, null and fractions without a word.
 */

import { compare, fromUtf8, utf8 } from "./bytes.ts";
import { Unreadable } from "./errors.ts";

/** A value of canonical JSON (SPEC §1.1). Objects that were read have no prototype. */
export type Json = string | number | boolean | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** The outermost value has depth 0. */
const DEEPEST = 16;
const LARGEST = 2 ** 53 - 1;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Where a text is being read. */
interface Cursor {
  readonly text: string;
  at: number;
}

/** The value whose canonical bytes these are; Unreadable for any others. */
export function readCanonical(bytes: Uint8Array): Json {
  const value = readJson(bytes);
  if (compare(canonical(value), bytes) !== 0) throw new Unreadable("not canonical JSON");
  return value;
}

/** The value in any spelling of JSON: no duplicate keys, no null, integers alone, ASCII keys, UTF-8. */
export function readJson(bytes: Uint8Array): Json {
  const cursor = { text: fromUtf8(bytes), at: 0 };
  skipSpace(cursor);
  const value = readValue(cursor, 0);
  skipSpace(cursor);
  if (cursor.at !== cursor.text.length) throw new Unreadable("not JSON");
  return value;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && !Array.isArray(value);
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
    cursor.at++;
  }
}

/** Passes over this character, white space before and after it; false if another stands there. */
function passed(cursor: Cursor, character: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at++;
  skipSpace(cursor);
  return true;
}

function expect(cursor: Cursor, character: string): void {
  if (!passed(cursor, character)) throw new Unreadable("not JSON");
}

function readValue(cursor: Cursor, depth: number): Json {
  if (depth > DEEPEST) throw new Unreadable("JSON is nested too deeply");
  const first = cursor.text[cursor.at];
  if (first === "{") return readObject(cursor, depth);
  if (first === "[") return readArray(cursor, depth);
  if (first === '"') return readString(cursor);
  if (first === "t") return readWord(cursor, "true", true);
  if (first === "f") return readWord(cursor, "false", false);
  return readInteger(cursor);
}

function readWord(cursor: Cursor, word: string, value: boolean): boolean {
  if (!cursor.text.startsWith(word, cursor.at)) throw new Unreadable("not JSON");
  cursor.at += word.length;
  return value;
}

function readObject(cursor: Cursor, depth: number): JsonObject {
  const members = Object.create(null) as JsonObject;
  expect(cursor, "{");
  if (passed(cursor, "}")) return members;
  do {
    if (cursor.text[cursor.at] !== '"') throw new Unreadable("not JSON");
    const key = readString(cursor);
    if (!/^[\x00-\x7f]*$/.test(key)) throw new Unreadable("a key is not ASCII");
    if (key in members) throw new Unreadable("a key stands twice in one object");
    expect(cursor, ":");
    members[key] = readValue(cursor, depth + 1);
  } while (passed(cursor, ","));
  if (cursor.text[cursor.at] !== "}") throw new Unreadable("not JSON");
  cursor.at++;
  return members;
}

function readArray(cursor: Cursor, depth: number): Json[] {
  const items: Json[] = [];
  expect(cursor, "[");
  if (passed(cursor, "]")) return items;
  do items.push(readValue(cursor, depth + 1));
  while (passed(cursor, ","));
  if (cursor.text[cursor.at] !== "]") throw new Unreadable("not JSON");
  cursor.at++;
  return items;
}

function readString(cursor: Cursor): string {
  const plain = /[^"\\\x00-\x1f]*/y;
  const pieces: string[] = [];
  cursor.at++;
  for (;;) {
    plain.lastIndex = cursor.at;
    const piece = plain.exec(cursor.text)?.[0] ?? "";
    pieces.push(piece);
    cursor.at += piece.length;
    const next = cursor.text[cursor.at++];
    if (next === '"') break;
    if (next !== "\\") throw new Unreadable("not JSON");
    pieces.push(readEscape(cursor));
  }
  const text = pieces.join("");
  if (hasLoneSurrogate(text)) throw new Unreadable("a string holds half of a surrogate pair");
  return text;
}

function readEscape(cursor: Cursor): string {
  const letter = cursor.text[cursor.at++] ?? "";
  if (letter !== "u") {
    const character = ESCAPES.get(letter);
    if (character === undefined) throw new Unreadable("not JSON");
    return character;
  }
  const digits = cursor.text.slice(cursor.at, cursor.at + 4);
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Unreadable("not JSON");
  cursor.at += 4;
  return String.fromCharCode(Number.parseInt(digits, 16));
}

const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** Whether a half of a surrogate pair stands in it by itself. */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

function readInteger(cursor: Cursor): number {
  const number = /-?(?:0|[1-9][0-9]*)/y;
  number.lastIndex = cursor.at;
  const digits = number.exec(cursor.text)?.[0];
  if (digits === undefined) throw new Unreadable("not JSON of strings, integers and truth values");
  cursor.at += digits.length;
  if (/[.eE]/.test(cursor.text[cursor.at] ?? "")) throw new Unreadable("a number with a fraction");
  const value = Number(digits);
  if (Math.abs(value) > LARGEST) throw new Unreadable("an integer is too large");
  return value === 0 ? 0 : value;
}

/** The bytes of RFC 8785; Unreadable for a value that §1.1 does not have. */
export function canonical(value: Json): Uint8Array {
  const pieces: string[] = [];
  write(value, pieces, 0);
  return utf8(pieces.join(""));
}

function write(value: Json, pieces: string[], depth: number): void {
  if (depth > DEEPEST) throw new Unreadable("JSON is nested too deeply");
  if (typeof value === "string") {
    if (hasLoneSurrogate(value)) throw new Unreadable("a string holds half of a surrogate pair");
    pieces.push(JSON.stringify(value));
  } else if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new Unreadable("not an integer of canonical JSON");
    pieces.push(String(value));
  } else if (typeof value === "boolean") pieces.push(String(value));
  else if (Array.isArray(value)) writeArray(value, pieces, depth);
  else writeObject(value, pieces, depth);
}

function writeArray(items: Json[], pieces: string[], depth: number): void {
  pieces.push("[");
  for (let place = 0; place < items.length; place++) {
    if (place > 0) pieces.push(",");
    write(items[place]!, pieces, depth + 1);
  }
  pieces.push("]");
}

/** Keys are ASCII, so the order of UTF-16 units is that of code points. */
function writeObject(members: JsonObject, pieces: string[], depth: number): void {
  pieces.push("{");
  Object.keys(members)
    .sort()
    .forEach((key, place) => {
      const value = members[key];
      if (value === undefined || !/^[\x00-\x7f]*$/.test(key)) throw new Unreadable("not JSON");
      if (place > 0) pieces.push(",");
      pieces.push(JSON.stringify(key), ":");
      write(value, pieces, depth + 1);
    });
  pieces.push("}");
}

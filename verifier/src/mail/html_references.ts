/** Character references in text and attributes of HTML (SPEC §3.12.2). */

import { WINDOWS_1252_HIGH } from "./charsets.ts";
import { CHARACTERS, LONGEST_WITHOUT_SEMICOLON, WITHOUT_SEMICOLON } from "./html_entities.ts";
import { isAssigned } from "./unicode14.ts";

/** Most code points in a reference, and in a token other than text. */
export const TOKEN_MAX = 65_536;

const AMPERSAND = "&";

/** `refused`: the text goes up to a reference that is not read. */
export interface Resolved {
  readonly text: string;
  readonly refused: boolean;
}

export function resolveReferences(raw: string, inAttribute: boolean): Resolved {
  let at = raw.indexOf(AMPERSAND);
  if (at < 0) return { text: raw, refused: false };
  if (!inAttribute) {
    const tooLong = longReference(raw);
    if (tooLong >= 0) return { ...resolveReferences(raw.slice(0, tooLong), false), refused: true };
  }
  const pieces: string[] = [];
  let kept = 0;
  for (; at >= 0; at = raw.indexOf(AMPERSAND, at)) {
    const found = raw[at + 1] === "#" ? readNumber(raw, at) : readName(raw, at, inAttribute);
    if (found === "refused") {
      pieces.push(raw.slice(kept, at));
      return { text: pieces.join(""), refused: true };
    }
    if (found.character !== undefined) {
      pieces.push(raw.slice(kept, at), found.character);
      kept = found.end;
    }
    at = found.end;
  }
  pieces.push(raw.slice(kept));
  return { text: pieces.join(""), refused: false };
}

/** Where `&` and 65,536 or more of `#`, letters and digits stand; -1 if nowhere. */
function longReference(raw: string): number {
  let start = -1;
  for (let i = 0; i < raw.length; i++) {
    const unit = raw.charCodeAt(i);
    if (unit === 0x26) start = i;
    else if (unit !== 0x23 && !isDigit(unit) && !isLetter(unit)) start = -1;
    if (start >= 0 && i - start >= TOKEN_MAX) return start;
  }
  return -1;
}

/** Where it ends, and the character; without one it is text as it stands. */
type Found = { end: number; character?: string } | "refused";

export function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

export function isLetter(unit: number): boolean {
  const lower = unit | 0x20;
  return unit < 0x80 && lower >= 0x61 && lower <= 0x7a;
}

function isHexadecimal(unit: number): boolean {
  return isDigit(unit) || (isLetter(unit) && (unit | 0x20) <= 0x66);
}

function readNumber(raw: string, start: number): Found {
  const hexadecimal = (raw.charCodeAt(start + 2) | 0x20) === 0x78;
  const first = start + (hexadecimal ? 3 : 2);
  const fits = hexadecimal ? isHexadecimal : isDigit;
  let end = first;
  // A value beyond Unicode stays beyond, and does not lose its exactness.
  let value = 0;
  for (; end < raw.length && fits(raw.charCodeAt(end)); end++) {
    const digit = Number.parseInt(raw[end]!, 16);
    value = Math.min(value * (hexadecimal ? 16 : 10) + digit, 0x110000);
  }
  if (end === first) return { end };
  if (raw[end] === ";") end++;

  if (value >= 0x80 && value <= 0x9f) value = WINDOWS_1252_HIGH[value - 0x80]!;
  const surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value === 0 || surrogate || value > 0x10ffff || !isAssigned(value)) return "refused";
  return { end, character: String.fromCodePoint(value) };
}

function readName(raw: string, start: number, inAttribute: boolean): Found {
  const first = start + 1;
  if (first >= raw.length || !isLetter(raw.charCodeAt(first))) return { end: first };
  let end = first + 1;
  while (end < raw.length && (isLetter(raw.charCodeAt(end)) || isDigit(raw.charCodeAt(end)))) end++;
  const closed = raw[end] === ";";

  const name = raw.slice(first, end);
  if (closed) {
    const character = CHARACTERS.get(name);
    return character === undefined ? "refused" : { end: end + 1, character };
  }
  if (inAttribute) {
    return WITHOUT_SEMICOLON.has(name) && raw[end] !== "=" ? "refused" : { end };
  }
  for (let length = 1; length <= Math.min(name.length, LONGEST_WITHOUT_SEMICOLON); length++) {
    if (WITHOUT_SEMICOLON.has(name.slice(0, length))) return "refused";
  }
  return { end };
}

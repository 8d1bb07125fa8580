/** The tokens of RTF (SPEC §10.6.4): only those that all readers take in the same way. */

import { Unreadable } from "../errors.ts";

export type RtfToken =
  | { readonly kind: "open" | "close" | "nothing"; readonly end: number }
  | {
      readonly kind: "word";
      readonly end: number;
      readonly word: string;
      readonly number: number | undefined;
    }
  | { readonly kind: "octet"; readonly end: number; readonly octet: number }
  /** What stands behind a backslash, other than a letter. */
  | { readonly kind: "symbol"; readonly end: number; readonly symbol: number }
  | { readonly kind: "literal"; readonly end: number; readonly text: string };

const WORD_MAX = 32;
const DIGITS_MAX = 9;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const BACKSLASH = 0x5c;
const APOSTROPHE = 0x27;
const HYPHEN = 0x2d;
const SP = 0x20;

/** The token at `at`. */
export function nextRtfToken(octets: Uint8Array, at: number): RtfToken {
  const octet = octets[at];
  if (octet === OPEN) return { kind: "open", end: at + 1 };
  if (octet === CLOSE) return { kind: "close", end: at + 1 };
  if (octet === BACKSLASH) return readControl(octets, at);
  if (octet !== undefined && isLineEnd(octet)) {
    let end = at + 1;
    while (end < octets.length && isLineEnd(octets[end]!)) end++;
    return { kind: "nothing", end };
  }
  return readLiteral(octets, at);
}

function isLineEnd(octet: number): boolean {
  return octet === 13 || octet === 10;
}

function isLower(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 0x61 && octet <= 0x7a;
}

function isLetter(octet: number | undefined): boolean {
  return octet !== undefined && isLower(octet | 0x20) && octet < 0x80;
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 0x30 && octet <= 0x39;
}

function refuse(): never {
  throw new Unreadable("the rich text holds what no reader is sure of");
}

function isLiteral(octet: number): boolean {
  if (octet === 9) return true;
  return octet >= SP && octet < 0x7f && ![OPEN, CLOSE, BACKSLASH].includes(octet);
}

function readLiteral(octets: Uint8Array, at: number): RtfToken {
  let end = at;
  let text = "";
  while (end < octets.length && isLiteral(octets[end]!))
    text += String.fromCharCode(octets[end++]!);
  return end > at ? { kind: "literal", end, text } : refuse();
}

function readControl(octets: Uint8Array, at: number): RtfToken {
  const next = octets[at + 1];
  if (next === undefined) return refuse();
  if (isLetter(next)) return readWord(octets, at + 1);
  if (next !== APOSTROPHE) return { kind: "symbol", end: at + 2, symbol: next };
  const digits = String.fromCharCode(octets[at + 2] ?? 0, octets[at + 3] ?? 0);
  if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return refuse();
  return { kind: "octet", end: at + 4, octet: Number.parseInt(digits, 16) };
}

/** Lower case letters, then perhaps a number, then perhaps one SP. */
function readWord(octets: Uint8Array, start: number): RtfToken {
  let at = start;
  while (isLower(octets[at])) at++;
  if (at === start || at - start > WORD_MAX || isLetter(octets[at])) return refuse();
  const word = String.fromCharCode(...octets.subarray(start, at));
  const sign = octets[at] === HYPHEN && isDigit(octets[at + 1]) ? 1 : 0;
  const first = at + sign;
  let end = first;
  while (isDigit(octets[end])) end++;
  if (end - first > DIGITS_MAX) return refuse();
  const digits = String.fromCharCode(...octets.subarray(at, end));
  const number = end > first ? Number(digits) : undefined;
  return { kind: "word", end: octets[end] === SP ? end + 1 : end, word, number };
}

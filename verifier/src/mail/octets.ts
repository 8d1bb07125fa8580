/**
 * Octets as the rules see them (SPEC §3): well-formed utf-8 is its characters, and every other octet
 * is a character by itself, here a lone surrogate from U+DC80 (octet 80) to U+DCFF, until a rule
 * decodes it. So nothing is lost, and patterns can look for characters.
 */

import { decodeReplacing, decodeStrictly } from "./charsets.ts";

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;

const ESCAPED = 0xdc00;
/** With the flag `u` this finds surrogates that are not one half of a pair. */
const LONE = /[\ud800-\udfff]/u;
const ENCODER = new TextEncoder();

export function isBlank(unit: number): boolean {
  return unit === SP || unit === TAB;
}

/** SP, TAB, CR or LF: white space of §3, which is less than that of §3.12.1. */
export function isSpace(unit: number): boolean {
  return unit === SP || unit === TAB || unit === CR || unit === LF;
}

/** Octets, each of them a character of its number. */
export function characters(octets: Uint8Array): string {
  return decodeStrictly(octets, "utf-8") ?? escape(octets);
}

function escape(octets: Uint8Array): string {
  const pieces: string[] = [];
  let kept = 0;
  for (let at = 0; at < octets.length;) {
    const length = sequenceLength(octets, at);
    if (length === 0) {
      if (at > kept) pieces.push(decodeStrictly(octets.subarray(kept, at), "utf-8") ?? "");
      pieces.push(String.fromCharCode(ESCAPED | octets[at]!));
      kept = at + 1;
    }
    at += length === 0 ? 1 : length;
  }
  pieces.push(decodeStrictly(octets.subarray(kept), "utf-8") ?? "");
  return pieces.join("");
}

/** How many octets the well-formed sequence has that begins here (Unicode 14.0, table 3-7); or 0. */
function sequenceLength(octets: Uint8Array, at: number): number {
  const first = octets[at]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    const octet = octets[at + i] ?? 0;
    if (octet < (i === 1 ? lowest : 0x80) || octet > (i === 1 ? highest : 0xbf)) return 0;
  }
  return length;
}

/** The octets of such characters, or of any text. */
export function octetsOf(text: string): Uint8Array {
  if (!LONE.test(text)) return ENCODER.encode(text);
  const octets = new Uint8Array(text.length * 3);
  let size = 0;
  let kept = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) i++;
    else if (unit >= 0xdc80 && unit <= 0xdcff) {
      size += ENCODER.encodeInto(text.slice(kept, i), octets.subarray(size)).written;
      octets[size++] = unit & 0xff;
      kept = i + 1;
    }
  }
  size += ENCODER.encodeInto(text.slice(kept), octets.subarray(size)).written;
  return octets.subarray(0, size);
}

/** "Decoded as utf-8 with replacement": text for people. */
export function replacing(value: string): { text: string; replaced: boolean } {
  if (!LONE.test(value)) return { text: value, replaced: false };
  return decodeReplacing(octetsOf(value), "utf-8");
}

/** Without SP and TAB at both ends. */
export function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

/** Without SP at both ends: what is left of white space once its runs are one SP each. */
export function trimSpaces(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && value.charCodeAt(start) === SP) start++;
  while (end > start && value.charCodeAt(end - 1) === SP) end--;
  return value.slice(start, end);
}

/** Each run of white space as one SP, none at the ends (§3.6.1, step 4). */
export function unifySpace(text: string): string {
  return trimSpaces(text.replace(/[ \t\r\n]+/g, " "));
}

/** The first so many code points. */
export function firstPoints(text: string, most: number): string {
  if (text.length <= most) return text;
  let end = 0;
  for (let points = 0; points < most && end < text.length; points++) {
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

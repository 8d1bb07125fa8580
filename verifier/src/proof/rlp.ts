/** RLP, strictly decoded (SPEC §6.4.2): each item has one accepted encoding. */

import { concat } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

export type Rlp = Uint8Array | readonly Rlp[];

/** The outermost item has depth 0. */
const DEEPEST = 8;
/** The longest length of a length that is still a number here. */
const LONGEST_LENGTH = 4;

/** Where one item's content stands, and whether it is a list. */
interface Span {
  readonly isList: boolean;
  readonly start: number;
  readonly end: number;
}

/** The one item that these bytes are. */
export function decodeRlp(bytes: Uint8Array): Rlp {
  const span = spanAt(bytes, 0, bytes.length);
  if (span.end !== bytes.length) throw new Unreadable("RLP: bytes behind the end");
  return contentOf(bytes, span, 0);
}

function contentOf(bytes: Uint8Array, span: Span, depth: number): Rlp {
  if (depth > DEEPEST) throw new Unreadable("RLP: nested too deeply");
  if (!span.isList) return bytes.slice(span.start, span.end);
  const items: Rlp[] = [];
  for (let at = span.start; at < span.end;) {
    const item = spanAt(bytes, at, span.end);
    items.push(contentOf(bytes, item, depth + 1));
    at = item.end;
  }
  return items;
}

/** The item that begins at `at` and must end by `limit`. */
function spanAt(bytes: Uint8Array, at: number, limit: number): Span {
  if (at >= limit) throw new Unreadable("RLP: cut short");
  const first = bytes[at]!;
  if (first < 0x80) return { isList: false, start: at, end: at + 1 };
  const isList = first >= 0xc0;
  const size = first - (isList ? 0xc0 : 0x80);
  const long = size > 55 ? size - 55 : 0;
  const start = at + 1 + long;
  const length = long > 0 ? longLength(bytes.subarray(at + 1, Math.min(start, limit)), long) : size;
  if (start + length > limit) throw new Unreadable("RLP: cut short");
  if (!isList && length === 1 && long === 0 && bytes[start]! < 0x80) {
    throw new Unreadable("RLP: a byte that stands for itself has a length");
  }
  return { isList, start, end: start + length };
}

function longLength(digits: Uint8Array, count: number): number {
  if (digits.length < count) throw new Unreadable("RLP: cut short");
  if (digits[0] === 0) throw new Unreadable("RLP: a length with a leading zero");
  if (count > LONGEST_LENGTH) throw new Unreadable("RLP: cut short");
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (length < 56) throw new Unreadable("RLP: a short length in the long form");
  return length;
}

export function encodeRlp(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array) {
    if (item.length === 1 && item[0]! < 0x80) return item;
    return concat(prefix(0x80, item.length), item);
  }
  const items = item.map(encodeRlp);
  const length = items.reduce((sum, piece) => sum + piece.length, 0);
  return concat(prefix(0xc0, length), ...items);
}

function prefix(base: number, length: number): Uint8Array {
  if (length < 56) return Uint8Array.of(base + length);
  const digits = numberBytes(length);
  return concat(Uint8Array.of(base + 55 + digits.length), digits);
}

/** A number's bytes, big-endian without a leading zero; none for nought. */
export function numberBytes(value: number): Uint8Array {
  const digits: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.from(digits);
}

/** A number of at most so many bytes. */
export function readNumber(item: Rlp | undefined, most: number): bigint {
  if (!(item instanceof Uint8Array)) throw new Unreadable("RLP: a number is due");
  if (item.length > most || item[0] === 0) throw new Unreadable("RLP: not a number of this size");
  return item.reduce((sum, digit) => sum * 256n + BigInt(digit), 0n);
}

/** A byte string of exactly this length. */
export function readBytes(item: Rlp | undefined, length: number): Uint8Array {
  if (!(item instanceof Uint8Array) || item.length !== length) {
    throw new Unreadable(`RLP: ${length} bytes are due`);
  }
  return item;
}

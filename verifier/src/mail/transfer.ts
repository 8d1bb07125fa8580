/** Transfer encodings (SPEC §3.3): base64 and quoted-printable, decoded over octets. */

import { CR, isBlank, isSpace, LF } from "./octets.ts";

export interface Decoded {
  readonly octets: Uint8Array;
  /** `transfer.…`: defects of the message, and notes of the part. */
  readonly defects: readonly string[];
}

const EQUALS = 0x3d;
const SPACE = 64;
const PADDING = 65;
const FOREIGN = 66;
/** Blanks in a row that are not removed before a line end, if there are more. */
const BLANKS_MAX = 65_536;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Uint8Array(256).map((_, octet) => {
  const value = ALPHABET.indexOf(String.fromCharCode(octet));
  if (value >= 0) return value;
  return isSpace(octet) ? SPACE : octet === EQUALS ? PADDING : FOREIGN;
});

/** Content by its encoding, in lower case; undefined is none. */
export function decodeTransfer(content: Uint8Array, encoding: string | undefined): Decoded {
  if (encoding === "base64") return decodeBase64(content);
  if (encoding === "quoted-printable") return decodeQuotedPrintable(content);
  return { octets: content, defects: isIdentity(encoding) ? [] : ["transfer.unknown"] };
}

export function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || /^(?:7bit|8bit|binary)$/.test(encoding);
}

/** §3.3.1. */
export function decodeBase64(content: Uint8Array): Decoded {
  const made = new Uint8Array(Math.ceil((content.length * 3) / 4));
  let size = 0;
  let held = 0;
  let count = 0;
  let paddings = 0;
  let foreign = false;
  let at = 0;
  for (; at < content.length && paddings === 0; at++) {
    const value = VALUES[content[at]!]!;
    if (value < 64) {
      held = (held << 6) | value;
      if ((++count & 3) === 0) {
        made[size++] = held >> 16;
        made[size++] = held >> 8;
        made[size++] = held;
        held = 0;
      }
    } else if (value === PADDING) paddings++;
    else if (value === FOREIGN) foreign = true;
  }
  let behind = false;
  for (; at < content.length; at++) {
    const value = VALUES[content[at]!]!;
    if (value === PADDING) paddings++;
    else if (value !== SPACE) behind = true;
  }
  const left = count & 3;
  if (left === 2) made[size++] = held >> 4;
  if (left === 3) {
    made[size++] = held >> 10;
    made[size++] = held >> 2;
  }
  const defects: string[] = [];
  if (behind) defects.push("transfer.base64-after-padding");
  if (foreign) defects.push("transfer.base64-foreign");
  if (!isPadded(left, held, paddings)) defects.push("transfer.base64-padding");
  return { octets: made.subarray(0, size), defects };
}

/** `held` holds the bits of the last `left` characters. */
function isPadded(left: number, held: number, paddings: number): boolean {
  if (left === 0) return paddings === 0;
  if (left === 2) return paddings === 2 && (held & 15) === 0;
  return left === 3 && paddings === 1 && (held & 3) === 0;
}

/** §3.3.2. */
export function decodeQuotedPrintable(content: Uint8Array): Decoded {
  const made = new Uint8Array(content.length);
  let size = 0;
  let malformed = false;
  for (let start = 0, next = 0; start < content.length; start = next) {
    const feed = content.indexOf(LF, start);
    next = feed < 0 ? content.length : feed + 1;
    const lineEnd = feed < 0 ? 0 : feed > start && content[feed - 1] === CR ? 2 : 1;
    let end = next - lineEnd;
    while (end > start && isBlank(content[end - 1]!)) end--;
    if (next - lineEnd - end > BLANKS_MAX) end = next - lineEnd;
    const soft = end > start && content[end - 1] === EQUALS;
    if (soft) end--;
    if (soft && lineEnd === 0) malformed = true;
    for (let i = start; i < end; i++) {
      const octet = content[i]!;
      made[size++] = octet;
      if (octet !== EQUALS) continue;
      const value = i + 2 < end ? hexValue(content[i + 1], content[i + 2]) : -1;
      if (value < 0) malformed = true;
      else {
        made[size - 1] = value;
        i += 2;
      }
    }
    if (!soft) for (let i = next - lineEnd; i < next; i++) made[size++] = content[i]!;
  }
  const defects = malformed ? ["transfer.qp-malformed"] : [];
  return { octets: made.subarray(0, size), defects };
}

/** The octet that two hexadecimal digits of either case spell, or -1. */
export function hexValue(high: number | undefined, low: number | undefined): number {
  const value = (digit(high) << 4) | digit(low);
  return value < 0 ? -1 : value;
}

function digit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

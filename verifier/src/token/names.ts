/** Distinguished names (RFC 5280 §4.1.2.4): reading them, comparing them, and RFC 4514's spelling. */

import { fromUtf8, toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { BIT_STRING, SET, Reader, only, sorted } from "./der.ts";

/** One attribute; `text` is the value's characters, whatever kind of string holds them. */
interface NamePart {
  readonly type: string;
  readonly tag: number;
  readonly text: string;
}

/** A Name as it stands in a certificate. */
export interface Name {
  readonly der: Uint8Array;
  readonly rdns: readonly (readonly NamePart[])[];
}

const PRINTABLE_STRING = 0x13;
const UNIVERSAL_STRING = 0x1c;
export const BMP_STRING = 0x1e;
/** OCTET STRING, UTF8, Numeric, T61, IA5 and Visible strings, UTCTime, GeneralizedTime: all read as UTF-8. */
const IN_UTF8: ReadonlySet<number> = new Set([0x04, 0x0c, 0x12, 0x14, 0x16, 0x17, 0x18, 0x1a]);
const UNIQUE_IDENTIFIER = "2.5.4.45";
const MOST_PARTS = 1000;

/** RFC 4514 §3. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.6", "C"],
  ["2.5.4.9", "STREET"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["0.9.2342.19200300.100.1.1", "UID"],
]);

/** The next element of `reader`, which must be a Name. */
export function readName(reader: Reader): Name {
  const der = reader.raw();
  return { der, rdns: only(der).each(MOST_PARTS, "parts of a name", readRdn) };
}

/** Attribute by attribute the same types and characters; the kind of string may differ. */
export function sameName(a: Name, b: Name): boolean {
  return plain(a) === plain(b);
}

/** RFC 4514 §2: the last part first, joined by commas. */
export function spellName(name: Name): string {
  const rdns = name.rdns.map((rdn) => rdn.map(spellPart).join("+"));
  return rdns.reverse().join(",");
}

/** A RelativeDistinguishedName under the tag given. */
export function readRdn(reader: Reader, tag: number = SET): readonly NamePart[] {
  const elements = reader.enter(tag).each(MOST_PARTS, "parts of a name", (part) => part.raw());
  const parts = elements.map(readPart);
  const known = new Set(parts.map(plainPart));
  if (elements.length === 0 || known.size < parts.length || !sorted(elements)) {
    throw new Unreadable("a relative distinguished name is empty, or not in order");
  }
  return parts;
}

function readPart(der: Uint8Array): NamePart {
  const reader = only(der);
  const type = reader.oid();
  const tag = reader.peek();
  const text = readText(type, tag, reader);
  reader.done();
  return { type, tag, text };
}

function readText(type: string, tag: number, reader: Reader): string {
  if (tag === BIT_STRING && type === UNIQUE_IDENTIFIER) {
    const { octets, unused } = reader.bitString();
    return String.fromCharCode(unused, ...octets.subarray(0, MOST_PARTS));
  }
  const content = reader.content(tag);
  if (IN_UTF8.has(tag)) return fromUtf8(content);
  if (tag === PRINTABLE_STRING) return printable(content);
  if (tag === BMP_STRING) return fromWide(content, 2);
  if (tag === UNIVERSAL_STRING) return fromWide(content, 4);
  throw new Unreadable("a name is written in a kind of string that is not known");
}

function printable(content: Uint8Array): string {
  const text = fromUtf8(content);
  if (!/^[A-Za-z0-9 '()+,./:=?-]*$/.test(text)) {
    throw new Unreadable("a PrintableString holds other characters");
  }
  return text;
}

/** UTF-16 or UTF-32, big-endian; Unreadable for surrogates that stand alone. */
export function fromWide(content: Uint8Array, width: number): string {
  if (content.length % width !== 0) throw new Unreadable("a string is cut short");
  let text = "";
  for (let at = 0; at < content.length; at += width) {
    let code = 0;
    for (let i = 0; i < width; i++) code = code * 256 + content[at + i]!;
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code > 0x10ffff || (width === 4 && surrogate)) throw new Unreadable("no such character");
    text += String.fromCodePoint(code);
  }
  if (/\p{Surrogate}/u.test(text)) throw new Unreadable("a surrogate stands alone");
  return text;
}

function plainPart(part: NamePart): string {
  return JSON.stringify([part.type, part.text]);
}

function plain(name: Name): string {
  return JSON.stringify(name.rdns.map((rdn) => rdn.map(plainPart).sort()));
}

function spellPart(part: NamePart): string {
  const value =
    part.tag === BIT_STRING
      ? `#${toHex(Uint8Array.from(part.text, (one) => one.charCodeAt(0)))}`
      : escaped(part.text);
  return `${SHORT.get(part.type) ?? part.type}=${value}`;
}

/** RFC 4514 §2.4. */
function escaped(text: string): string {
  const inside = text.replace(/[\\",+;<>]/g, "\\$&").replaceAll("\0", "\\00");
  return inside.replace(/^[# ]/, "\\$&").replace(/ $/, "\\ ");
}

/**
 * A strict reader of DER (X.690), as SPEC §5.2 asks: definite lengths in their shortest form, tags of
 * one octet, INTEGERs and OBJECT IDENTIFIERs in their shortest form, BOOLEANs 00 or FF, and nothing
 * behind the last element. The order of a SET OF is asked for where SPEC does. All raise Unreadable.
 */

import { compare, concat } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const ENUMERATED = 0x0a;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;

const MOST_BYTES = 1 << 20;
const DEEPEST = 24;
const MOST_INTEGER_OCTETS = 64;
const MOST_OID_OCTETS = 64;
const CONSTRUCTED = 0x20;

/** The identifier octet of the context-specific tag [number]. */
export function context(number: number, form: "constructed" | "primitive" = "constructed"): number {
  return 0x80 | number | (form === "constructed" ? CONSTRUCTED : 0);
}

/** A cursor over the elements of one level; `enter` gives one over the level below. */
export class Reader {
  readonly #data: Uint8Array;
  readonly #end: number;
  readonly #depth: number;
  #at: number;

  constructor(data: Uint8Array, start = 0, end = data.length, depth = 0) {
    if (data.length > MOST_BYTES) throw new Unreadable("DER: larger than 1 MiB");
    this.#data = data;
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
  }

  /** The identifier octet of the next element, 0 if there is none. */
  peek(): number {
    return this.#at < this.#end ? this.#data[this.#at]! : 0;
  }

  /** Asks that nothing follows on this level. */
  done(): void {
    if (this.#at !== this.#end) throw new Unreadable("DER: bytes left over");
  }

  /** The next element whole, identifier and length included. */
  raw(tag?: number): Uint8Array {
    const at = this.#at;
    return this.#data.subarray(at, this.#next(tag).end);
  }

  /** The content of the next element. */
  content(tag: number): Uint8Array {
    const { start, end } = this.#next(tag);
    return this.#data.subarray(start, end);
  }

  enter(tag: number = SEQUENCE): Reader {
    const { start, end } = this.#next(tag);
    if (this.#depth >= DEEPEST) throw new Unreadable("DER: nested too deep");
    return new Reader(this.#data, start, end, this.#depth + 1);
  }

  /** What `read` makes of each element up to the end of this level; Unreadable for more than `most`. */
  each<T>(most: number, what: string, read: (reader: Reader) => T): T[] {
    const found: T[] = [];
    while (this.peek() !== 0) {
      if (found.length === most) throw new Unreadable(`too many ${what}`);
      found.push(read(this));
    }
    this.done();
    return found;
  }

  integer(tag: number = INTEGER, mostOctets = MOST_INTEGER_OCTETS): bigint {
    const content = this.content(tag);
    if (content.length === 0 || content.length > mostOctets) {
      throw new Unreadable("DER: an INTEGER is empty or too large");
    }
    const first = (content[0]! << 1) | (content.length > 1 ? content[1]! >> 7 : 2);
    if (first === 0 || first === 0x1ff) {
      throw new Unreadable("DER: an INTEGER is not in its shortest form");
    }
    return BigInt.asIntN(8 * content.length, unsigned(content));
  }

  /** A NULL. */
  nothing(tag: number = NULL): void {
    if (this.content(tag).length > 0) throw new Unreadable("DER: a NULL that is not empty");
  }

  boolean(tag: number = BOOLEAN): boolean {
    const content = this.content(tag);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw new Unreadable("DER: a BOOLEAN is neither 00 nor FF");
    }
    return content[0] === 0xff;
  }

  /** An OBJECT IDENTIFIER, dotted. */
  oid(tag: number = OID): string {
    return dotted(this.content(tag));
  }

  /** A BIT STRING: its octets, and how many bits of the last are not used (all of them zero). */
  bitString(tag: number = BIT_STRING): { readonly octets: Uint8Array; readonly unused: number } {
    const content = this.content(tag);
    const unused = content[0] ?? 8;
    if (unused > (content.length > 1 ? 7 : 0)) {
      throw new Unreadable("DER: a BIT STRING is malformed");
    }
    if (content[content.length - 1]! & ((1 << unused) - 1) && content.length > 1) {
      throw new Unreadable("DER: a BIT STRING is padded with ones");
    }
    return { octets: content.subarray(1), unused };
  }

  /** The numbers of the bits set in a BIT STRING of at most 64 bits. */
  bits(tag: number = BIT_STRING): ReadonlySet<number> {
    const { octets } = this.bitString(tag);
    if (octets.length > 8) throw new Unreadable("DER: a BIT STRING is too long");
    const found = new Set<number>();
    for (let bit = 0; bit < 8 * octets.length; bit++) {
      if (octets[bit >> 3]! & (0x80 >> (bit & 7))) found.add(bit);
    }
    return found;
  }

  /** The bounds of the next element's content; moves behind the element. */
  #next(tag: number | undefined): { readonly start: number; readonly end: number } {
    const at = this.#at;
    if (at + 2 > this.#end) throw new Unreadable("DER: an element is missing or cut short");
    const found = this.#data[at]!;
    if (tag !== undefined && found !== tag) {
      throw new Unreadable(`DER: tag ${hex(found)} where ${hex(tag)} is due`);
    }
    if (found === 0 || (found & 0x1f) === 0x1f) {
      throw new Unreadable("DER: a tag that is not used here");
    }
    const { length, start } = this.#length(at + 1);
    if (start + length > this.#end) throw new Unreadable("DER: an element is cut short");
    this.#at = start + length;
    return { start, end: start + length };
  }

  /** X.690 §8.1.3 and §10.1. */
  #length(at: number): { readonly length: number; readonly start: number } {
    const first = this.#data[at]!;
    if (first < 0x80) return { length: first, start: at + 1 };
    const octets = first & 0x7f;
    if (octets === 0) throw new Unreadable("DER: indefinite length");
    const start = at + 1 + octets;
    if (octets > 3 || start > this.#end) throw new Unreadable("DER: a length is out of bounds");
    let length = 0;
    for (let i = at + 1; i < start; i++) length = (length << 8) | this.#data[i]!;
    if (length < 0x80 || length >> (8 * (octets - 1)) === 0) {
      throw new Unreadable("DER: a length is not in its shortest form");
    }
    return { length, start };
  }
}

/** A cursor inside the one element that `data` must consist of. */
export function only(data: Uint8Array, tag: number = SEQUENCE): Reader {
  const reader = new Reader(data);
  const inner = reader.enter(tag);
  reader.done();
  return inner;
}

/** What `read` makes of all of `data`. */
export function whole<T>(data: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(data);
  const found = read(reader);
  reader.done();
  return found;
}

/** The elements of a SET OF, which DER wants in ascending order (X.690 §11.6). */
export function sorted(elements: readonly Uint8Array[]): boolean {
  return elements.every((one, i) => i === 0 || compare(elements[i - 1]!, one) <= 0);
}

/** One element with this identifier octet around the parts. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  const length = content.length;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), content);
  const octets = [length >> 16, (length >> 8) & 0xff, length & 0xff];
  while (octets[0] === 0) octets.shift();
  return concat(Uint8Array.of(tag, 0x80 | octets.length, ...octets), content);
}

function hex(octet: number): string {
  return octet.toString(16).padStart(2, "0");
}

/** The octets as a big-endian number without a sign. */
export function unsigned(octets: Uint8Array): bigint {
  if (octets.length === 0) return 0n;
  return BigInt("0x" + Array.from(octets, hex).join(""));
}

function dotted(content: Uint8Array): string {
  const last = content[content.length - 1] ?? 0x80;
  if (content.length > MOST_OID_OCTETS || last & 0x80) {
    throw new Unreadable("DER: an OBJECT IDENTIFIER is malformed");
  }
  const arcs: bigint[] = [];
  let value = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) {
      throw new Unreadable("DER: an OBJECT IDENTIFIER is not in its shortest form");
    }
    value = (value << 7n) | BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(value);
      value = 0n;
    }
  }
  const both = arcs[0]!;
  const top = both < 80n ? both / 40n : 2n;
  return [top, both - 40n * top, ...arcs.slice(1)].join(".");
}

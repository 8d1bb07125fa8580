/** Properties of a file inside a winmail.dat (SPEC §3.18.3): its names, as far as they can be read. */

import { decodeReplacing } from "./charsets.ts";
import { bounded, normalised } from "./header_text.ts";
import { unifySpace } from "./octets.ts";

/** As text, or as octets of the code page; both without what stands behind the first NUL. */
export type TnefName = string | Uint8Array;

export interface TnefProperties {
  /** Those of 3707, then those of 3704; each up to the first text that is not empty. */
  readonly names: readonly TnefName[];
  /** Octets of the names in the code page, 64 added for each. */
  readonly held: number;
  /** All are read that the count speaks of, and none is another content. */
  readonly isWhole: boolean;
}

const PROPERTIES_MAX = 1000;
const NAME_MAX = 1024;
const LONG_NAME = 0x3707;
const SHORT_NAME = 0x3704;
const OTHER_CONTENT = 0x3701;
const FIRST_NAMED = 0x8000;
const SEVERAL = 0x1000;
const NARROW = 0x1e;
const WIDE = 0x1f;
const HELD_FOR_EACH = 64;
const FOUR = 4;

const FIXED = new Map<number, number>([
  ...[0x2, 0x3, 0x4, 0xa, 0xb].map((type) => [type, 4] as const),
  ...[0x5, 0x6, 0x7, 0x14, 0x40].map((type) => [type, 8] as const),
  [0x48, 16],
]);
const VARIABLE = [0xd, NARROW, WIDE, 0x102];

/** A place that moves on. */
interface Reader {
  readonly octets: Uint8Array;
  at: number;
}

/** Little-endian; octets behind the end are 0. */
function number(reader: Reader, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (reader.octets[reader.at + i] ?? 0);
  reader.at += size;
  return value;
}

/** Undefined where the end comes. */
function take(reader: Reader, size: number): Uint8Array | undefined {
  const start = reader.at;
  reader.at += size;
  return reader.at > reader.octets.length ? undefined : reader.octets.subarray(start, reader.at);
}

/** A length, so many octets, and what fills them up to a multiple of four. */
function counted(reader: Reader): Uint8Array | undefined {
  const length = number(reader, FOUR);
  const value = take(reader, length);
  reader.at += -length & 3;
  return value;
}

interface Property {
  readonly id: number;
  readonly type: number;
  /** Of a single one of a length of its own; otherwise of no meaning. */
  readonly value: Uint8Array;
}

export function readTnefProperties(octets: Uint8Array): TnefProperties {
  const reader: Reader = { octets, at: 0 };
  const count = number(reader, FOUR);
  const properties: Property[] = [];
  while (properties.length < Math.min(count, PROPERTIES_MAX)) {
    const property = readProperty(reader);
    if (property === undefined) break;
    properties.push(property);
  }
  const names = [...namesOf(properties, LONG_NAME), ...namesOf(properties, SHORT_NAME)];
  return {
    names,
    held: names.reduce(
      (sum, name) => sum + (typeof name === "string" ? 0 : name.length + HELD_FOR_EACH),
      0,
    ),
    isWhole:
      count === properties.length && !properties.some((property) => property.id === OTHER_CONTENT),
  };
}

/** Undefined where reading stops. */
function readProperty(reader: Reader): Property | undefined {
  const type = number(reader, 2);
  const id = number(reader, 2);
  if (id >= FIRST_NAMED) passName(reader);
  const isSeveral = type >= SEVERAL;
  const size = FIXED.get(type % SEVERAL);
  if (size === undefined && !VARIABLE.includes(type % SEVERAL)) return undefined;
  const values = isSeveral || size === undefined ? number(reader, FOUR) : 1;
  if (size === undefined && !isSeveral && values !== 1) return undefined;
  let value: Uint8Array | undefined = reader.octets.subarray(0, 0);
  if (size !== undefined) value = take(reader, size * values);
  else for (let i = 0; i < values && value !== undefined; i++) value = counted(reader);
  return value && { id, type, value };
}

/** The name that a property from 8000 on has of its own. */
function passName(reader: Reader): void {
  reader.at += 16;
  const kind = number(reader, FOUR);
  const length = number(reader, FOUR);
  if (kind !== 0) reader.at += length + (-length & 3);
}

function namesOf(properties: readonly Property[], id: number): TnefName[] {
  const names: TnefName[] = [];
  for (const property of properties) {
    if (property.id !== id) continue;
    if (property.type === NARROW && property.value[0] !== 0) names.push(beforeNul(property.value));
    const text = property.type === WIDE ? cleaned(decodeWide(property.value)) : "";
    if (text === "") continue;
    names.push(text);
    break;
  }
  return names;
}

export function narrowName(octets: Uint8Array, charset: string): string {
  return cleaned(decodeReplacing(octets, charset).text);
}

/** Steps 4 to 6 of §3.6.1, without defects. */
function cleaned(text: string): string {
  const defects = new Set<string>();
  return bounded(normalised(unifySpace(text), defects), defects, NAME_MAX);
}

export function beforeNul(octets: Uint8Array): Uint8Array {
  const end = octets.indexOf(0);
  return end < 0 ? octets : octets.subarray(0, end);
}

/** UTF-16, little-endian, up to the first NUL; what is not well-formed is U+FFFD. */
function decodeWide(octets: Uint8Array): string {
  const units: string[] = [];
  for (let at = 0; at + 1 < octets.length; at += 2) {
    const unit = octets[at]! | (octets[at + 1]! << 8);
    if (unit === 0) return wellFormed(units.join(""));
    units.push(String.fromCharCode(unit));
  }
  return wellFormed(units.join("")) + (octets.length % 2 === 0 ? "" : "\ufffd");
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/gu, "\ufffd");
}

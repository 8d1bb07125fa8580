/** Properties of a file inside a winmail.dat (SPEC §3.18.3): its names, as far as they can be read. */

/** In octets, to the first NUL; `isWide` is UTF-16, otherwise the code page of the file. */
export interface TnefName {
  readonly octets: Uint8Array;
  readonly isWide: boolean;
}

export interface TnefProperties {
  /** Those of 3707, then those of 3704, that are not empty; each up to the first that is wide. */
  readonly names: readonly TnefName[];
  /** Octets of type 1E that may be names, 64 added for each. */
  readonly narrow: number;
  /** All are read that the count speaks of, and none is another content. */
  readonly isWhole: boolean;
}

const PROPERTIES_MAX = 1000;
const LONG_NAME = 0x3707;
const SHORT_NAME = 0x3704;
const OTHER_CONTENT = 0x3701;
const FIRST_NAMED = 0x8000;
const SEVERAL = 0x1000;
const NARROW = 0x1e;
const WIDE = 0x1f;
const NARROW_COST = 64;

const FIXED = new Map([
  ...[0x2, 0x3, 0x4, 0xa, 0xb].map((type) => [type, 4] as const),
  ...[0x5, 0x6, 0x7, 0x14, 0x40].map((type) => [type, 8] as const),
  [0x48, 16] as const,
]);
const VARIABLE = [0xd, NARROW, WIDE, 0x102];

/** A place that moves on; `undefined` where the octets end. */
interface Reader {
  readonly octets: Uint8Array;
  at: number;
}

function take(reader: Reader, size: number): Uint8Array | undefined {
  if (size > reader.octets.length - reader.at) return undefined;
  reader.at += size;
  return reader.octets.subarray(reader.at - size, reader.at);
}

function number(reader: Reader, size: number): number | undefined {
  const octets = take(reader, size);
  return octets?.reduceRight((sum, octet) => sum * 256 + octet, 0);
}

/** A length, so many octets, and what fills them up to a multiple of four. */
function counted(reader: Reader): Uint8Array | undefined {
  const length = number(reader, 4);
  const value = length === undefined ? undefined : take(reader, length);
  return length === undefined || take(reader, -length & 3) === undefined ? undefined : value;
}

interface Property {
  readonly number: number;
  readonly type: number;
  /** Of types of a length of their own; otherwise empty. */
  readonly value: Uint8Array;
}

export function readTnefProperties(octets: Uint8Array): TnefProperties {
  const reader: Reader = { octets, at: 0 };
  const count = number(reader, 4);
  const most = Math.min(count ?? 0, PROPERTIES_MAX);
  const properties: Property[] = [];
  while (properties.length < most) {
    const property = readProperty(reader);
    if (property === undefined) break;
    properties.push(property);
  }
  const other = properties.some((property) => property.number === OTHER_CONTENT);
  const long = namesOf(properties, LONG_NAME);
  const short = namesOf(properties, SHORT_NAME);
  const narrow = [...long, ...short].filter((name) => !name.isWide);
  return {
    names: [...long, ...short],
    narrow: narrow.reduce((sum, name) => sum + name.octets.length + NARROW_COST, 0),
    isWhole: count === properties.length && !other,
  };
}

function readProperty(reader: Reader): Property | undefined {
  const type = number(reader, 2);
  const id = number(reader, 2);
  if (type === undefined || id === undefined) return undefined;
  if (id >= FIRST_NAMED && !passName(reader)) return undefined;
  const isSeveral = (type & SEVERAL) !== 0;
  const single = isSeveral ? type - SEVERAL : type;
  const size = FIXED.get(single);
  if (size === undefined && !VARIABLE.includes(single)) return undefined;
  const values = isSeveral || size === undefined ? number(reader, 4) : 1;
  if (values === undefined || (size === undefined && !isSeveral && values !== 1)) return undefined;
  if (size !== undefined) {
    const value = take(reader, size * values);
    return value && { number: id, type, value: value.subarray(0, 0) };
  }
  let value: Uint8Array | undefined = reader.octets.subarray(0, 0);
  for (let i = 0; i < values && value !== undefined; i++) value = counted(reader);
  return value && { number: id, type, value };
}

function passName(reader: Reader): boolean {
  const set = take(reader, 16);
  const kind = number(reader, 4);
  if (set === undefined || kind === undefined) return false;
  return (kind === 0 ? take(reader, 4) : counted(reader)) !== undefined;
}

function namesOf(properties: readonly Property[], id: number): TnefName[] {
  const names: TnefName[] = [];
  for (const { number, type, value } of properties) {
    if (number !== id || (type !== NARROW && type !== WIDE)) continue;
    const octets = beforeNul(value, type === WIDE ? 2 : 1);
    if (octets.length > 0) names.push({ octets, isWide: type === WIDE });
    if (octets.length > 0 && type === WIDE) break;
  }
  return names;
}

/** Up to the first NUL; `width` octets are a character. */
export function beforeNul(octets: Uint8Array, width: 1 | 2): Uint8Array {
  for (let at = 0; at < octets.length; at += width) {
    if (octets[at] === 0 && (width === 1 || octets[at + 1] === 0)) return octets.subarray(0, at);
  }
  return octets;
}

/** Values of JSON taken as what SPEC says they are: closed objects, bounded lists, bytes, times. Unreadable otherwise. */

import { fromBase64url } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Json, JsonObject } from "../json.ts";

/** Lengths of the months of a year that is no leap year. */
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** An object with all of `required`, perhaps some of `optional`, and nothing else. */
export function closed(
  value: Json | undefined,
  required: readonly string[],
  optional: readonly string[] = [],
): JsonObject {
  if (!isObject(value)) throw new Unreadable("an object is due");
  for (const key of required) {
    if (!Object.hasOwn(value, key)) throw new Unreadable(`the member ${key} is missing`);
  }
  for (const key of Object.keys(value)) {
    if (!required.includes(key) && !optional.includes(key))
      throw new Unreadable("an unknown member");
  }
  return value;
}

/** A list of at most so many items, each read by `read`. */
export function list<T>(
  value: Json | undefined,
  most: number,
  read: (item: Json) => T,
  least = 0,
): readonly T[] {
  if (!Array.isArray(value)) throw new Unreadable("a list is due");
  if (value.length > most) throw new Unreadable(`more than ${most} items`);
  if (value.length < least) throw new Unreadable("too few items");
  return value.map(read);
}

/** A string of at most so many code points. */
export function text(value: Json | undefined, most: number): string {
  if (typeof value !== "string") throw new Unreadable("a string is due");
  if (value.length > most && codePoints(value) > most) throw new Unreadable("a string is too long");
  return value;
}

function codePoints(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

export function oneOf<T extends string>(value: Json | undefined, choices: readonly T[]): T {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw new Unreadable("a value that is not one of those known");
  return chosen;
}

export function integer(value: Json | undefined, least: number, most = 2 ** 53 - 1): number {
  if (typeof value !== "number") throw new Unreadable("an integer is due");
  if (value < least || value > most) throw new Unreadable("an integer is out of range");
  return value;
}

export function truth(value: Json | undefined): boolean {
  if (typeof value !== "boolean") throw new Unreadable("true or false is due");
  return value;
}

/** Bytes as §1.2 spells them, at most so many. */
export function octets(value: Json | undefined, most: number, least = 0): Uint8Array {
  if (typeof value !== "string") throw new Unreadable("bytes are due");
  if (value.length > Math.ceil((most * 4) / 3)) throw new Unreadable("too many bytes");
  const bytes = fromBase64url(value);
  if (bytes.length < least) throw new Unreadable("too few bytes");
  return bytes;
}

/** A *digest* of §1.2: 32 bytes. */
export function digest(value: Json | undefined): Uint8Array {
  return octets(value, 32, 32);
}

/** A moment of §1.3, with three decimals, in the years 1970 to 9998. */
export function time(value: Json | undefined): string {
  if (typeof value !== "string" || !isInstant(value, /^.{19}\.[0-9]{3}Z$/)) {
    throw new Unreadable("not a time");
  }
  const year = Number(value.slice(0, 4));
  if (year < 1970 || year > 9998) throw new Unreadable("a time out of range");
  return value;
}

/** Whether a text is `YYYY-MM-DDTHH:MM:SS` of a day and a second that exist, and its end is as given. */
export function isInstant(value: string, ending: RegExp): boolean {
  const found = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})/.exec(value);
  if (found === null || !ending.test(value)) return false;
  const [year, month, day, hour, minute, second] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && leap ? 29 : DAYS[month - 1]!;
  return day <= days && hour <= 23 && minute <= 59 && second <= 59;
}

/**
 * Times of certificates, tokens and revocation data. A moment is the count of microseconds since 1970,
 * as a BigInt; certificates and lists have whole seconds.
 */

import { Unreadable } from "../errors.ts";
import { GENERALIZED_TIME, Reader, UTC_TIME } from "./der.ts";

export type Moment = bigint;

export const SECOND = 1_000_000n;
const MILLISECOND = 1_000n;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The moment that RFC 3161 §2.4.2 writes: seconds, a fraction of one to nine digits without a trailing
 * zero, cut to microseconds. */
export function readGenTime(reader: Reader): Moment {
  const match = /^([0-9]{14})(?:\.([0-9]{0,8}[1-9]))?Z$/.exec(
    text(reader.content(GENERALIZED_TIME)),
  );
  if (match === null) throw new Unreadable("DER: a GeneralizedTime is not in its one form");
  const fraction = (match[2] ?? "").padEnd(6, "0").slice(0, 6);
  return momentOf(match[1]!) + BigInt(fraction);
}

/** The year, from 0, of a moment. */
export function yearOf(moment: Moment): number {
  return Number(spell(moment).slice(0, 4));
}

/** A time as RFC 5280 §4.1.2.5 writes it: UTCTime or GeneralizedTime, whole seconds, Z. */
export function readTime(reader: Reader): { readonly moment: Moment; readonly tag: number } {
  const tag = reader.peek();
  if (tag !== UTC_TIME) return { moment: readGeneralizedTime(reader), tag };
  const match = /^([0-9]{2})([0-9]{10})Z$/.exec(text(reader.content(UTC_TIME)));
  if (match === null) throw new Unreadable("DER: a UTCTime is not in its one form");
  const century = Number(match[1]) < 50 ? "20" : "19";
  return { moment: momentOf(century + match[1]! + match[2]!), tag };
}

/** A GeneralizedTime of whole seconds. */
export function readGeneralizedTime(reader: Reader, tag: number = GENERALIZED_TIME): Moment {
  const match = /^([0-9]{14})Z$/.exec(text(reader.content(tag)));
  if (match === null) throw new Unreadable("DER: a GeneralizedTime is not in its one form");
  return momentOf(match[1]!);
}

/** As SPEC §1.3: `YYYY-MM-DDTHH:MM:SS.mmmZ`, cut to milliseconds. */
export function spell(moment: Moment): string {
  const cut = moment - (((moment % MILLISECOND) + MILLISECOND) % MILLISECOND);
  return new Date(Number(cut / MILLISECOND)).toISOString();
}

/** The moment of a text of SPEC §1.3, which has been read before. */
export function momentOfText(spelt: string): Moment {
  return BigInt(Date.parse(spelt)) * MILLISECOND;
}

export function earlier(a: Moment, b: Moment): Moment {
  return a < b ? a : b;
}

/** The moment of the digits YYYYMMDDhhmmss; Unreadable if there is no such one. */
function momentOf(digits: string): Moment {
  const [year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)$/
    .exec(digits)!
    .slice(1)
    .map(Number) as [number, number, number, number, number, number];
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && leap ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
  if (year < 1 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59) {
    throw new Unreadable("DER: a time names no moment");
  }
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime()) * MILLISECOND;
}

function text(content: Uint8Array): string {
  return String.fromCharCode(...content.subarray(0, 32));
}

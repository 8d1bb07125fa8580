/** Unicode 14.0 (SPEC §3.5): which code points it assigns, non-starters, and NFC over those. */

import { NotChecked } from "../errors.ts";
import { ASSIGNED, NON_STARTERS } from "./unicode14_data.ts";

/** Most consecutive code points whose canonical combining class is not 0. */
export const MARKS_MAX = 30;

const IS_ASSIGNED = 1;
const IS_NON_STARTER = 2;
/** U+0378 is the first that is not assigned, U+0300 the first non-starter. */
const FIRST_UNASSIGNED = 0x378;
const FIRST_NON_STARTER = 0x300;
/** U+1AC3 is new in 14.0 and of a lower class than U+0301: an older Unicode leaves them alone. */
const KNOWS_UNICODE_14 = "\u0301\u1AC3".normalize("NFC") === "\u1AC3\u0301";

/** For each code point, the sum of the two flags above. */
const FLAGS = new Uint8Array(0x110000);
setFlag(ASSIGNED, IS_ASSIGNED);
setFlag(NON_STARTERS, IS_NON_STARTER);

function setFlag(flips: string, flag: number): void {
  let at = 0;
  let holds = false;
  for (const step of flips.trim().split(/\s+/)) {
    const next = at + Number.parseInt(step, 36);
    if (holds) for (let point = at; point < next; point++) FLAGS[point]! |= flag;
    holds = !holds;
    at = next;
  }
}

export function isAssigned(codePoint: number): boolean {
  return (FLAGS[codePoint]! & IS_ASSIGNED) !== 0;
}

/** Text of whole code points: no lone surrogates. */
export function hasUnassigned(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i);
    if (point < FIRST_UNASSIGNED) continue;
    if (point >= 0xd800 && point < 0xdc00) point = text.codePointAt(i++)!;
    if ((FLAGS[point]! & IS_ASSIGNED) === 0) return true;
  }
  return false;
}

/** More than 30 in a row whose canonical combining class is not 0. */
export function hasLongMarkRun(text: string): boolean {
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i);
    if (point < FIRST_NON_STARTER) {
      run = 0;
      continue;
    }
    if (point >= 0xd800 && point < 0xdc00) point = text.codePointAt(i++)!;
    if ((FLAGS[point]! & IS_NON_STARTER) === 0) run = 0;
    else if (++run > MARKS_MAX) return true;
  }
  return false;
}

/** More than `most` code points above 7F in a row. */
export function hasLongRunAboveAscii(text: string, most: number): boolean {
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) run = 0;
    else if (unit < 0xdc00 || unit > 0xdfff) if (++run > most) return true;
  }
  return false;
}

/**
 * NFC of text whose code points Unicode 14.0 assigns: any Unicode from 14.0 on gives the same.
 * NotChecked where this program's surroundings have an older one.
 */
export function nfc(text: string): string {
  if (!KNOWS_UNICODE_14) throw new NotChecked("this browser's Unicode is older than 14.0");
  // Nothing below U+0300 composes, and nothing there is changed.
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) >= FIRST_NON_STARTER) return text.normalize("NFC");
  }
  return text;
}

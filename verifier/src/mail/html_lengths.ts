/** Lengths and colours in styles of HTML (SPEC §3.12.4), in whole numbers. */

import { trimHtmlWhite } from "./html_tokens.ts";
import { GROUND_COLOURS, TEXT_COLOURS } from "./html_style_names.ts";

/** Thousandths of a pixel in each unit. `%` and none are counted like pixels. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["px", 1000],
  ["pt", 1333],
  ["em", 16_000],
  ["rem", 16_000],
  ["ex", 8000],
  ["cm", 37_795],
  ["mm", 3780],
  ["in", 96_000],
  ["pc", 16_000],
  ["%", 1000],
  ["", 1000],
]);

const LENGTH = /^(-?)([0-9]{0,6})(?:\.([0-9]{1,12}))?(px|pt|em|rem|ex|cm|mm|in|pc|%|)$/;
const MILLION = 1_000_000;

export interface Length {
  /** Millionths of a pixel, without its sign. */
  readonly size: number;
  readonly negative: boolean;
  readonly unit: string;
}

export function readLength(text: string): Length | undefined {
  const match = LENGTH.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction, unit] = match;
  if (whole === "" && (fraction ?? "") === "") return undefined;
  const thousandths = Number(whole) * 1000 + Number((fraction ?? "").padEnd(3, "0").slice(0, 3));
  const size = thousandths * UNITS.get(unit!)!;
  return { size, negative: sign === "-", unit: unit! };
}

/** Whether it is `least` to `most` pixels, and not negative unless it is nothing. */
export function isBetween(length: Length, least: number, most: number): boolean {
  const size = length.negative ? -length.size : length.size;
  return size >= least * MILLION && size <= most * MILLION;
}

/** Brightness as 299 r + 587 g + 114 b. */
const DARKEST_GROUND = 208_000;
const LIGHTEST_TEXT = 160_000;

export function isTextColour(value: string): boolean {
  if (TEXT_COLOURS.has(value)) return true;
  const colour = readColour(value);
  return (
    colour !== undefined && /^1(\.|$)/.test(colour.alpha) && colour.brightness <= LIGHTEST_TEXT
  );
}

export function isGroundColour(value: string): boolean {
  if (GROUND_COLOURS.has(value)) return true;
  const colour = readColour(value);
  if (colour === undefined) return false;
  return /^[0.]*$/.test(colour.alpha) || colour.brightness >= DARKEST_GROUND;
}

const SHORT_HEXADECIMAL = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/;
const LONG_HEXADECIMAL = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/;
const FUNCTION = /^rgba?\(([^()]*)\)$/;
const OCTET = /^[0-9]{1,3}$/;
const ALPHA = /^(?:[01](?:\.[0-9]{1,9})?|\.[0-9]{1,9})$/;

/** `alpha` as it stands. */
function readColour(value: string): { brightness: number; alpha: string } | undefined {
  const short = SHORT_HEXADECIMAL.exec(value);
  if (short !== null)
    return colourOf(short.slice(1).map((digit) => Number.parseInt(digit, 16) * 17));
  const long = LONG_HEXADECIMAL.exec(value);
  if (long !== null) return colourOf(long.slice(1).map((pair) => Number.parseInt(pair, 16)));
  const made = FUNCTION.exec(value);
  if (made === null) return undefined;
  const fields = made[1]!.split(",").map(trimHtmlWhite);
  const [alpha, further] = fields.slice(3);
  const parts = fields.slice(0, 3);
  if (parts.length < 3 || further !== undefined) return undefined;
  if (!parts.every((field) => OCTET.test(field) && Number(field) <= 255)) return undefined;
  return alpha === undefined || ALPHA.test(alpha) ? colourOf(parts.map(Number), alpha) : undefined;
}

function colourOf(parts: number[], alpha = "1"): { brightness: number; alpha: string } {
  return { brightness: 299 * parts[0]! + 587 * parts[1]! + 114 * parts[2]!, alpha };
}

/** The moment that a Date field names (SPEC §3.6.3). */

import { asciiLower } from "./charsets.ts";
import { type Defects, headerText } from "./header_text.ts";
import { trimSpaces } from "./octets.ts";

const DATE_MAX = 1000;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Zone → hours ahead of UTC. */
const ZONES = new Map([
  ...["ut", "utc", "gmt", "z"].map((name) => [name, 0] as const),
  ["edt", -4] as const,
  ...["est", "cdt"].map((name) => [name, -5] as const),
  ...["cst", "mdt"].map((name) => [name, -6] as const),
  ...["mst", "pdt"].map((name) => [name, -7] as const),
  ["pst", -8] as const,
]);
const FORM = new RegExp(
  "^(?:[a-z]{3,9}(?: ?, ?| ))?([0-9]{1,2}) ([a-z]{3}) ([0-9]{2,4}) ([0-9]{1,2}) ?: ?([0-9]{2})" +
    "(?: ?: ?([0-9]{2}))? (?:([+-])([0-9]{2})([0-9]{2})|([a-z]{1,3}))$",
);

/** `YYYY-MM-DDThh:mm:ssZ`; or `?` and the text, where it cannot be read. */
export function dateValue(value: string, defects: Defects): string {
  const moment = readDate(value);
  if (moment !== undefined) return moment;
  defects.add("header.date");
  return `?${headerText(value, defects)}`;
}

function readDate(value: string): string | undefined {
  if (value.length > DATE_MAX * 2 || [...value].length > DATE_MAX) return undefined;
  const plain = trimSpaces(withoutComments(value).replace(/[ \t]+/g, " "));
  const match = FORM.exec(asciiLower(plain));
  if (match === null) return undefined;
  const month = MONTHS.indexOf(match[2]!);
  const year = fullYear(match[3]!);
  const [day, hour, minute] = [Number(match[1]), Number(match[4]), Number(match[5])];
  const second = Number(match[6] ?? 0);
  const ahead = zoneMinutes(match[7], Number(match[8]), Number(match[9]), match[10]);
  if (month < 0 || year < 1900 || hour > 23 || minute > 59 || second > 59) return undefined;
  if (ahead === undefined || day < 1 || day > daysOf(year, month)) return undefined;
  const moment = new Date(Date.UTC(year, month, day, hour, minute - ahead, second));
  if (moment.getUTCFullYear() > 9999) return undefined;
  return `${moment.toISOString().slice(0, 19)}Z`;
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return digits.length === 2 && year < 50 ? year + 2000 : year + 1900;
}

function daysOf(year: number, month: number): number {
  if (month !== 1) return [3, 5, 8, 10].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function zoneMinutes(
  sign: string | undefined,
  hours: number,
  minutes: number,
  name: string | undefined,
): number | undefined {
  if (name !== undefined) {
    const ahead = ZONES.get(name);
    return ahead === undefined ? undefined : ahead * 60;
  }
  if (hours > 23 || minutes > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (hours * 60 + minutes);
}

/** Comments replaced by SP, pass after pass: in each, from left to right, those that hold none. */
function withoutComments(value: string): string {
  for (let text = value; ;) {
    const next = withoutInnermost(text);
    if (next === text) return text;
    text = next;
  }
}

/** One pass. A `(` that a second one follows is left where that one stands: so it is linear. */
function withoutInnermost(text: string): string {
  const pieces: string[] = [];
  let kept = 0;
  let opened = -1;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (opened >= 0 && letter === "\\") i++;
    else if (letter === "(") opened = i;
    else if (letter === ")" && opened >= 0) {
      pieces.push(text.slice(kept, opened), " ");
      kept = i + 1;
      opened = -1;
    }
  }
  pieces.push(text.slice(kept));
  return pieces.join("");
}

/** The name of a part (SPEC §3.7.6), by RFC 2231 and as programs write it in practice. */

import { charsetOf, decodeReplacing } from "./charsets.ts";
import { type Defects, headerText } from "./header_text.ts";
import { joined } from "../bytes.ts";
import { octetsOf } from "./octets.ts";
import type { Parameters } from "./parameters.ts";
import { hexValue } from "./transfer.ts";

const NAME_MAX = 1024;
const PERCENT = 0x25;
const SECTION = /^(0|[1-9][0-9]{0,2})(\*?)$/;

interface Section {
  readonly value: string;
  /** Marked by a final `*`: `%` and two digits are one octet. */
  readonly isMarked: boolean;
}

/** The first name that is not empty; all are read, and others that differ are a defect. */
export function fileName(
  ofDisposition: Parameters,
  ofType: Parameters,
  defects: Defects,
): string | undefined {
  const names = [
    ...namesOf(ofDisposition, "filename", defects),
    ...namesOf(ofType, "name", defects),
  ].filter((name) => name !== "");
  if (names.some((name) => name !== names[0])) defects.add("header.parameter");
  return names[0];
}

/** By `key*`, by its sections, and plain: those that are there. */
function namesOf(parameters: Parameters, key: string, defects: Defects): string[] {
  const names: string[] = [];
  const whole = parameters.get(`${key}*`);
  if (whole !== undefined) names.push(extendedName([{ value: whole, isMarked: true }], defects));
  const sections = readSections(parameters, key, defects);
  if (sections.length > 0) names.push(extendedName(sections, defects));
  const plain = parameters.get(key);
  if (plain !== undefined) names.push(headerText(plain, defects, NAME_MAX));
  return names;
}

/** From number 0 up to the first that is missing; of two with one number the first counts. */
function readSections(parameters: Parameters, key: string, defects: Defects): Section[] {
  const found = new Map<number, Section>();
  let all = 0;
  for (const [name, value] of parameters) {
    const match = name.startsWith(`${key}*`) && SECTION.exec(name.slice(key.length + 1));
    if (!match) continue;
    all++;
    const number = Number(match[1]);
    if (!found.has(number)) found.set(number, { value, isMarked: match[2] === "*" });
  }
  const sections: Section[] = [];
  for (let next = found.get(0); next !== undefined; next = found.get(sections.length)) {
    sections.push(next);
  }
  if (all > sections.length) defects.add("header.parameter");
  return sections;
}

function extendedName(sections: readonly Section[], defects: Defects): string {
  const first = sections[0]!;
  const parts = first.isMarked ? /^([^']*)'[^']*'(.*)$/s.exec(first.value) : null;
  if (parts === null && sections.some((section) => section.isMarked)) {
    defects.add("header.parameter");
  }
  const label = parts === null ? "utf-8" : parts[1] === "" ? "us-ascii" : parts[1]!;
  const charset = charsetOf(label);
  if (charset === undefined) {
    defects.add("header.charset-unknown");
    defects.add("header.parameter");
    return headerText(sections.map((section) => section.value).join(""), defects, NAME_MAX);
  }
  const values = sections.map(({ value, isMarked }, i) => {
    const octets = octetsOf(i === 0 && parts !== null ? parts[2]! : value);
    return isMarked ? percentDecoded(octets, defects) : octets;
  });
  const { text, replaced } = decodeReplacing(joined(values), charset);
  if (replaced) defects.add("header.undecodable");
  return headerText(text, defects, NAME_MAX);
}

function percentDecoded(octets: Uint8Array, defects: Defects): Uint8Array {
  const { made, isWhole } = percentOctets(octets);
  if (!isWhole) defects.add("header.parameter");
  return made;
}

/** `%` and two hexadecimal digits as one octet; `isWhole` if no other `%` stands there. */
export function percentOctets(octets: Uint8Array): { made: Uint8Array; isWhole: boolean } {
  const made = new Uint8Array(octets.length);
  let size = 0;
  let isWhole = true;
  for (let i = 0; i < octets.length; i++) {
    const value = octets[i] === PERCENT ? hexValue(octets[i + 1], octets[i + 2]) : -1;
    if (octets[i] === PERCENT && value < 0) isWhole = false;
    made[size++] = value < 0 ? octets[i]! : value;
    if (value >= 0) i += 2;
  }
  return { made: made.subarray(0, size), isWhole };
}

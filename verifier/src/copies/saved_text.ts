/**
 * A text that a mail program saved beside or instead of the mail: `this file`, never the mail
 * (SPEC §10.1). The rules for text decide, as for a part of a mail.
 */

import { ascii, concat, fromUtf8, utf8 } from "../bytes.ts";
import { asciiLower, charsetOf, decodeStrictly } from "../mail/charsets.ts";
import type { Claims, CopyReport, PartMatch, Said } from "../report.ts";
import { called } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { type Part, claim, sameBy, shownParts } from "./recorded.ts";
import { wordsSuffice } from "./rungs.ts";
import type { CopyFile, Scan } from "./source.ts";

export const MAX_TEXT_BYTES = 16 * 2 ** 20;
/** Strongest first. */
export const TEXT_RULES = ["text/1", "html-text/1", "words/1"];

const SUFFIXES: readonly (readonly [string, string])[] = [
  [".txt", "text/plain"],
  [".text", "text/plain"],
  [".htm", "text/html"],
  [".html", "text/html"],
];
/** How a line such as `From: …` begins. */
const LABEL = /^[^\n:]{1,60}:/u;
const META =
  /<meta[^>]{0,500}?charset[ \t\n\f\r]{0,9}=[ \t\n\f\r]{0,9}["']?([0-9a-z_.:\-\u0080-\uffff]{1,40})/gi;
/** Charsets that browsers take for another one. */
const SHOWN_AS = new Map([
  ["iso-8859-1", "windows-1252"],
  ["us-ascii", "windows-1252"],
]);

/** The media type that the end of a file's name tells; undefined for no text. */
export function savedTextType(name: string): string | undefined {
  const lower = asciiLower(name);
  return SUFFIXES.find(([suffix]) => lower.endsWith(suffix))?.[1];
}

/** The claim that a part with these bytes would have under this Content-Type. */
export function partOf(bytes: Uint8Array, contentType: string, scan: Scan): Part {
  const mail = concat(ascii(`Content-Type: ${contentType}\r\n\r\n`), bytes);
  const part = claim<Part>(scan(mail).claims, "part.1");
  if (part === undefined) throw new TypeError("a mail of one part");
  return part;
}

/** One way to read a text, and what is said of it. */
export interface Reading {
  readonly part: Part;
  readonly notes: readonly Said[];
}

/** The text as it is and, where that could matter, with wrapped lines joined. */
export function readings(type: string, text: string, scan: Scan): Reading[] {
  const bytes = utf8(text);
  const plain = `${type}; charset=utf-8`;
  const all: Reading[] = [{ part: partOf(bytes, plain, scan), notes: [] }];
  if (type !== "text/plain" || !text.replaceAll("\r", "").includes(" \n")) return all;
  for (const flowed of [`${plain}; format=flowed`, `${plain}; format=flowed; delsp=yes`]) {
    all.push({ part: partOf(bytes, flowed, scan), notes: [said("text.unflowed")] });
  }
  return all;
}

/** The strongest rule for text under which both are equal; "" for none. */
export function sameText(part: Part, other: Part): string {
  return TEXT_RULES.find((rule) => sameBy(rule, part, other)) ?? "";
}

/** Which recorded text a file of this type has. */
export function judgeText(
  { name, bytes }: CopyFile,
  type: string,
  claims: Claims,
  scan: Scan,
): CopyReport {
  const base = { copy: name, what: "file", matches: [], changes: [], remarks: [] };
  const text = bytes.length > MAX_TEXT_BYTES ? undefined : decoded(bytes);
  if (text === undefined) return { ...base, status: "failed", finding: said("file.none") };
  const whole = found(type, text, claims, scan);
  if (whole !== undefined) {
    const { match, notes } = whole;
    const finding = said(`same.${match.rung}`, { part: called(match.part, match.name) });
    const other = type === "text/html" && isSaidOtherwise(bytes, text);
    const remarks = other ? [...notes, said("text.charset-other")] : [...notes];
    return {
      ...base,
      status: other ? "not checked" : "passed",
      finding,
      matches: [match],
      remarks,
    };
  }
  const lines = text.replaceAll("\r\n", "\n");
  const head = type === "text/plain" ? headLength(lines) : 0;
  const below = head > 0 ? found(type, lines.slice(head), claims, scan) : undefined;
  if (below === undefined) return { ...base, status: "failed", finding: said("text.none") };
  const { match, notes } = below;
  const finding = said("text.below", { part: called(match.part, match.name) });
  return { ...base, status: "not checked", finding, matches: [match], remarks: [...notes] };
}

/** The length of lines that programs write above a text, and empty ones behind; 0 for none. */
function headLength(text: string): number {
  const empty = text.indexOf("\n\n");
  if (empty < 0 || !LABEL.test(text.slice(0, 200))) return 0;
  let end = empty;
  while (text[end] === "\n") end++;
  return end;
}

/** As programs write texts: by a byte order mark, else utf-8, else windows-1252. */
function decoded(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes.subarray(2), 0);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16(bytes.subarray(2), 1);
  const text = decodeStrictly(bytes, "utf-8") ?? decodeStrictly(bytes, "windows-1252");
  return text?.startsWith("\ufeff") ? text.slice(1) : text;
}

/** UTF-16; `low` is the place of the low octet of a pair. Undefined for a surrogate by itself. */
function utf16(bytes: Uint8Array, low: 0 | 1): string | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    const units: number[] = [];
    for (let i = at; i < Math.min(at + 8192, bytes.length); i += 2) {
      units.push(bytes[i + low]! | (bytes[i + 1 - low]! << 8));
    }
    pieces.push(String.fromCharCode(...units));
  }
  const text = pieces.join("");
  return /[\ud800-\udfff]/u.test(text) ? undefined : text;
}

/**
 * Whether a page names another charset for itself than the one that it was read by: a program that
 * follows it shows other characters.
 */
function isSaidOtherwise(bytes: Uint8Array, text: string): boolean {
  const marked =
    (bytes[0] === 0xff && bytes[1] === 0xfe) ||
    (bytes[0] === 0xfe && bytes[1] === 0xff) ||
    (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf);
  if (marked || bytes.every((octet) => octet < 0x80)) return false;
  const read = isUtf8(bytes) ? "utf-8" : "windows-1252";
  return [...text.matchAll(META)].some(([, label]) => {
    const named = charsetOf(label ?? "") ?? "";
    return (SHOWN_AS.get(named) ?? named) !== read;
  });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    fromUtf8(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The first reading that has a recorded text, and the part of which it has the strongest. */
function found(
  type: string,
  text: string,
  claims: Claims,
  scan: Scan,
): { match: PartMatch; notes: readonly Said[] } | undefined {
  const parts = shownParts(claims).filter(({ part }) => part.type === type);
  for (const { part: other, notes } of readings(type, text, scan)) {
    for (const rung of TEXT_RULES) {
      const same = parts.find(
        ({ part }) => sameBy(rung, part, other) && (rung !== "words/1" || wordsSuffice(part)),
      );
      if (same === undefined) continue;
      return { match: { part: `part.${same.number}`, name: same.part.name ?? "", rung }, notes };
    }
  }
  return undefined;
}

/**
 * The rules on text parts (SPEC §3.5, §3.12, §3.13): `text/1`, and what stands on it, `html-text/1`
 * and `words/1`.
 */

import { utf8 } from "../bytes.ts";
import { asciiLower, charsetOf, decodeStrictly } from "./charsets.ts";
import { fingerprint, type Fingerprint } from "./fingerprint.ts";
import { readFlowed } from "./flowed.ts";
import { readPage } from "./html_text.ts";
import { isBlank } from "./octets.ts";
import { hasLongMarkRun, hasLongRunAboveAscii, hasUnassigned, nfc } from "./unicode14.ts";
import { wordsOf } from "./words.ts";

/** Most code points in a flowed line, blanks in a row, code points above 7F in a row. */
export const RUN_MAX = 65_536;

/** What the header of a part of a `text/` type says; a parameter is undefined if it is absent. */
export interface TextPart {
  /** In lower case. */
  readonly type: string;
  /** By §3.7.3: `?` if it is malformed. */
  readonly charset: string | undefined;
  readonly format: string | undefined;
  readonly delsp: string | undefined;
}

export interface TextRules {
  /** `text/1`, `html-text/1`, `words/1`: those that the part has, in this order. */
  readonly fingerprints: Fingerprint[];
  /** `text.…` and `html.…` of §3.9.2, `text.flowed` and `text.delsp` included; sorted. */
  readonly notes: string[];
  /** With `html-text/1` alone: the cleaned `src` of each `img` in order (§3.12.3 (f)). */
  readonly images?: readonly string[];
}

/** Text, or the note that says why there is none. */
export type Made = { readonly text: string } | { readonly note: string };

/** `decoded` is the part's `decoded/1` result. */
export function textRules(decoded: Uint8Array, part: TextPart): TextRules {
  const flowed = part.type === "text/plain" && asciiLower(part.format ?? "") === "flowed";
  const delsp = flowed && asciiLower(part.delsp ?? "") === "yes";
  const notes = [...(flowed ? ["text.flowed"] : []), ...(delsp ? ["text.delsp"] : [])];
  const input = decodeText(decoded, part.charset);
  if ("note" in input) return { fingerprints: [], notes: [...notes, input.note].sort() };
  const made = textOf(input.text, flowed ? { delsp } : undefined);
  if ("note" in made) return { fingerprints: [], notes: [...notes, made.note].sort() };
  const fingerprints = [fingerprint("text/1", utf8(made.text))];
  if (part.type === "text/plain") {
    fingerprints.push(fingerprint("words/1", utf8(wordsOf(made.text))));
  }
  if (part.type !== "text/html") return { fingerprints, notes: notes.sort() };
  const page = readPage(input.text);
  if ("note" in page) return { fingerprints, notes: [page.note] };
  fingerprints.push(fingerprint("html-text/1", utf8(page.text)));
  fingerprints.push(fingerprint("words/1", utf8(page.words)));
  return { fingerprints, notes: [], images: page.images };
}

/** Steps 1 and 2 of §3.5: also the input of `html-text/1`. */
export function decodeText(decoded: Uint8Array, label: string | undefined): Made {
  const charset = label === undefined ? "us-ascii" : charsetOf(label);
  if (charset === undefined) return { note: "text.charset-unknown" };
  const text = decodeStrictly(decoded, charset);
  if (text === undefined) return { note: "text.undecodable" };
  if (hasUnassigned(text)) return { note: "text.unassigned" };
  return { text: text.charCodeAt(0) === 0xfeff ? text.slice(1) : text };
}

/** Steps 3 to 6 of §3.5; `flowed` is there if format=flowed is to be undone. */
export function textOf(input: string, flowed?: { readonly delsp: boolean }): Made {
  const tooLong = { note: "text.run-too-long" };
  let text: string | undefined = unifyLineEnds(input);
  if (flowed !== undefined) text = readFlowed(text, flowed.delsp, RUN_MAX);
  if (text === undefined || hasLongBlankRun(text)) return tooLong;
  text = trimLines(text);
  if (hasLongRunAboveAscii(text, RUN_MAX) || hasLongMarkRun(text)) return tooLong;
  return { text: nfc(text) };
}

function unifyLineEnds(text: string): string {
  return text.includes("\r") ? text.replaceAll("\r\n", "\n").replaceAll("\r", "\n") : text;
}

function hasLongBlankRun(text: string): boolean {
  let run = 0;
  for (let i = 0; i < text.length; i++) {
    if (!isBlank(text.charCodeAt(i))) run = 0;
    else if (++run > RUN_MAX) return true;
  }
  return false;
}

/** Step 5: without blanks before each LF and at the end, then without LFs at the end. */
function trimLines(text: string): string {
  const pieces: string[] = [];
  let kept = 0;
  for (let lineEnd = text.indexOf("\n"); lineEnd >= 0; lineEnd = text.indexOf("\n", lineEnd + 1)) {
    let end = lineEnd;
    while (end > kept && isBlank(text.charCodeAt(end - 1))) end--;
    if (end === lineEnd) continue;
    pieces.push(text.slice(kept, end));
    kept = lineEnd;
  }
  let end = text.length;
  while (end > kept && isBlank(text.charCodeAt(end - 1))) end--;
  pieces.push(text.slice(kept, end));
  const trimmed = pieces.length === 1 ? pieces[0]! : pieces.join("");
  let last = trimmed.length;
  while (last > 0 && trimmed.charCodeAt(last - 1) === 10) last--;
  return trimmed.slice(0, last);
}

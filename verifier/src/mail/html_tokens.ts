/** The tokens of HTML (SPEC §3.12.2). Narrower than what browsers take, and linear. */

import { asciiLower } from "./charsets.ts";
import { isLetter, TOKEN_MAX } from "./html_references.ts";

export type HtmlNote = "html.malformed" | "html.unsupported" | "html.style" | "html.hidden-text";

/** An attribute as it stands: its references are not resolved. */
export interface RawAttribute {
  /** In lower case, if it is ASCII; else as it stands. */
  readonly name: string;
  readonly value: string;
}

/** `end` is where the next token begins. Names are in lower case. */
export type Token =
  | { readonly kind: "text"; readonly end: number; readonly text: string }
  | {
      readonly kind: "start";
      readonly end: number;
      readonly name: string;
      readonly attributes: readonly RawAttribute[];
    }
  | { readonly kind: "end"; readonly end: number; readonly name: string }
  /** What follows `<!--`, its end included. */
  | { readonly kind: "comment"; readonly end: number; readonly text: string }
  /** The content of a `style` or `title`, up to its end tag. */
  | { readonly kind: "raw"; readonly end: number; readonly text: string }
  | { readonly kind: "nothing"; readonly end: number }
  | { readonly kind: "refused"; readonly note: HtmlNote };

const MALFORMED: Token = { kind: "refused", note: "html.malformed" };

/** TAB LF FF CR SP. */
export function isHtmlWhite(unit: number): boolean {
  return unit === 32 || unit === 9 || unit === 10 || unit === 12 || unit === 13;
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** As lower case, and those letters alone that many programs take for one of ASCII (§3.12.1). */
export function foldedLower(text: string): string {
  const lower = asciiLower(text);
  if (isAscii(lower)) return lower;
  return lower
    .replaceAll("\u017f", "s")
    .replaceAll("\u0130", "i")
    .replaceAll("\u0131", "i")
    .replaceAll("\u212a", "k");
}

/** Without white at both ends; linear, as a regular expression for it would not be. */
export function trimHtmlWhite(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isHtmlWhite(text.charCodeAt(start))) start++;
  while (end > start && isHtmlWhite(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The token at `at`, which is inside the text. */
export function nextToken(text: string, at: number): Token {
  if (text[at] !== "<") return textUpTo(text, at, at);
  const next = text.charCodeAt(at + 1);
  if (isLetter(next)) return readTag(text, at, at + 1, false);
  switch (text[at + 1]) {
    case "/":
      return isLetter(text.charCodeAt(at + 2)) ? readTag(text, at, at + 2, true) : MALFORMED;
    case "!":
      return readDeclaration(text, at);
    case "?":
      return nothingUpTo(text, at, ">");
    default:
      return textUpTo(text, at, at + 1);
  }
}

function beginsMarkup(text: string, at: number): boolean {
  const next = text.charCodeAt(at + 1);
  return isLetter(next) || next === 0x2f || next === 0x21 || next === 0x3f;
}

function textUpTo(text: string, start: number, from: number): Token {
  let end = text.indexOf("<", from);
  // A "<" that begins nothing is text, too: one token for all of it.
  while (end >= 0 && !beginsMarkup(text, end)) end = text.indexOf("<", end + 1);
  if (end < 0) end = text.length;
  return { kind: "text", end, text: text.slice(start, end) };
}

function tooLong(text: string, start: number, end: number): boolean {
  if (end - start <= TOKEN_MAX) return false;
  if (end - start > 2 * TOKEN_MAX) return true;
  let points = 0;
  for (let i = start; i < end; i++) if ((text.charCodeAt(i) & 0xfc00) !== 0xdc00) points++;
  return points > TOKEN_MAX;
}

function nothingUpTo(text: string, start: number, mark: string): Token {
  const found = text.indexOf(mark, start);
  const end = found + mark.length;
  return found < 0 || tooLong(text, start, end) ? MALFORMED : { kind: "nothing", end };
}

function readDeclaration(text: string, at: number): Token {
  if (text.startsWith("<![", at)) return { kind: "refused", note: "html.hidden-text" };
  if (text.startsWith("<!--", at)) return readComment(text, at);
  if (asciiLower(text.slice(at, at + 9)) === "<!doctype") return nothingUpTo(text, at, ">");
  return MALFORMED;
}

function readComment(text: string, at: number): Token {
  const from = at + 4;
  const empty = text.startsWith(">", from) ? 1 : text.startsWith("->", from) ? 2 : 0;
  const end = empty > 0 ? from + empty : commentEnd(text, from);
  if (end < 0 || tooLong(text, at, end)) return MALFORMED;
  return { kind: "comment", end, text: text.slice(from, end) };
}

/** Behind the next `-->` or `--!>`; -1 without one in reach. */
function commentEnd(text: string, from: number): number {
  const most = Math.min(text.length, from + 2 * TOKEN_MAX);
  for (
    let dashes = text.indexOf("--", from);
    dashes >= 0;
    dashes = text.indexOf("--", dashes + 1)
  ) {
    if (dashes > most) return -1;
    if (text[dashes + 2] === ">") return dashes + 3;
    if (text[dashes + 2] === "!" && text[dashes + 3] === ">") return dashes + 4;
  }
  return -1;
}

function endsName(unit: number): boolean {
  return isHtmlWhite(unit) || unit === 0x2f || unit === 0x3e;
}

/** `from` is where its name begins. */
function readTag(text: string, start: number, from: number, closing: boolean): Token {
  // Nothing behind this can belong to the tag: a hostile one is not read to its end.
  const most = Math.min(text.length, start + 2 * TOKEN_MAX);
  let at = from + 1;
  while (at < most && !endsName(text.charCodeAt(at))) at++;
  const name = asciiLower(text.slice(from, at));
  if (!isAscii(name)) return MALFORMED;
  const attributes: RawAttribute[] = [];
  while (at < most && text[at] !== ">") {
    const unit = text.charCodeAt(at);
    if (unit === 0x2f || isHtmlWhite(unit)) {
      at++;
      continue;
    }
    const nameEnd = skipName(text, at, most);
    if (nameEnd === at) return MALFORMED;
    const value = readValue(text, nameEnd, most);
    const spelt = text.slice(at, nameEnd);
    attributes.push({ name: isAscii(spelt) ? asciiLower(spelt) : spelt, value: value.text });
    at = value.end;
  }
  if (at >= most || tooLong(text, start, at + 1)) return MALFORMED;
  if (closing) return { kind: "end", end: at + 1, name };
  return { kind: "start", end: at + 1, name, attributes };
}

/** Behind code points that an attribute's name can have. */
function skipName(text: string, at: number, most: number): number {
  while (at < most) {
    const unit = text.charCodeAt(at);
    if (endsName(unit) || unit === 0 || "=\"'<`".includes(text[at]!)) break;
    at++;
  }
  return at;
}

function skipWhite(text: string, at: number, most: number): number {
  while (at < most && isHtmlWhite(text.charCodeAt(at))) at++;
  return at;
}

/** The value behind a name that ends at `nameEnd`; empty, with that very end, if none fits. */
function readValue(text: string, nameEnd: number, most: number): { text: string; end: number } {
  const none = { text: "", end: nameEnd };
  let at = skipWhite(text, nameEnd, most);
  if (text[at] !== "=") return none;
  at = skipWhite(text, at + 1, most);
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    const close = text.indexOf(quote, at + 1);
    return close < 0 ? none : { text: text.slice(at + 1, close), end: close + 1 };
  }
  const start = at;
  while (at < most && !isHtmlWhite(text.charCodeAt(at)) && !">\"'<`".includes(text[at]!)) at++;
  if (at === start || text[start] === "=") return none;
  return { text: text.slice(start, at), end: at };
}

/** Inside `style` or `title`: up to their end tag, or nothing at the end of the input. */
export function rawContent(text: string, at: number, name: string): Token {
  if (at === text.length) return { kind: "raw", end: at, text: "" };
  for (let found = text.indexOf("</", at); found >= 0; found = text.indexOf("</", found + 1)) {
    if (found - at > 2 * TOKEN_MAX) return MALFORMED;
    const end = found + 2 + name.length;
    if (!endsName(text.charCodeAt(end))) continue;
    if (foldedLower(text.slice(found + 2, end)) !== name) continue;
    if (tooLong(text, at, end + 1)) return MALFORMED;
    return { kind: "raw", end: found, text: text.slice(at, found) };
  }
  return MALFORMED;
}

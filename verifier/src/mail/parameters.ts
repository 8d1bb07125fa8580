/** Parameters of Content-Type and Content-Disposition (SPEC §3.7.2), by hand: values may be long. */

import { asciiLower } from "./charsets.ts";
import type { Defects } from "./header_text.ts";
import { isBlank, trimBlanks } from "./octets.ts";

/** Name in lower case → value, as characters; the first of each name. */
export type Parameters = ReadonlyMap<string, string>;

const NAME_OF_FILE = /^(?:file)?name(?:\*(?:(?:0|[1-9][0-9]{0,2})\*?)?)?$/;
const TOKEN = /^[!#-'+.^-~0-9A-Z-]+$/;
const QUOTED = /"[^"\\\x00-\x08\x0a-\x1f\x7f]*"/y;
const UNQUOTED = /[^"\\\x00-\x20\x7f;(),]+/y;

/** From the first `;` on. */
export function readParameters(text: string, defects: Defects): Parameters {
  const found = new Map<string, string>();
  for (let at = text.indexOf(";"); at >= 0;) {
    const parameter = parameterAt(text, at);
    if (parameter !== undefined) {
      if (found.has(parameter.name)) defects.add("header.parameter");
      else found.set(parameter.name, parameter.value);
    }
    at = text.indexOf(";", parameter?.end ?? at + 1);
  }
  return found;
}

interface Found {
  readonly name: string;
  readonly value: string;
  /** Where the search goes on. */
  readonly end: number;
}

function parameterAt(text: string, semicolon: number): Found | undefined {
  let at = skipBlanks(text, semicolon + 1);
  const nameAt = at;
  while (at < text.length && !isBlank(text.charCodeAt(at)) && !'=;"'.includes(text[at]!)) at++;
  if (at === nameAt) return undefined;
  const name = asciiLower(text.slice(nameAt, at));
  at = skipBlanks(text, at);
  if (text[at] !== "=") return undefined;
  at = skipBlanks(text, at + 1);
  if (text[at] === '"') return { name, ...quotedAt(text, at) };
  const next = text.indexOf(";", at);
  const end = next < 0 ? text.length : next;
  const value = trimBlanks(text.slice(at, end));
  const isName = name.startsWith("name") || name.startsWith("filename");
  return { name, value: isName ? value : value.split(/[ \t]/, 1)[0]!, end };
}

/** Up to the next `"` that no backslash hides; without one, to the end, a last backslash aside. */
function quotedAt(text: string, quote: number): { value: string; end: number } {
  let end = quote + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  const isClosed = end < text.length;
  const hangs = end > text.length;
  const inside = text.slice(quote + 1, hangs ? text.length - 1 : end);
  const next = isClosed ? text.indexOf(";", end) : -1;
  return {
    value: inside.replace(/\\(["\\])/g, "$1"),
    end: next < 0 ? text.length : next,
  };
}

/**
 * Whether every reader of mail takes all of it alike; `text` is what follows the type or the
 * disposition.
 */
export function isCommonForm(text: string): boolean {
  let at = 0;
  for (let next: number | undefined = 0; next !== undefined; next = commonParameter(text, at)) {
    at = next;
  }
  while (at < text.length && (isBlank(text.charCodeAt(at)) || text[at] === ";")) at++;
  return at === text.length;
}

/** Behind the parameter of the common form that begins at `start`. */
function commonParameter(text: string, start: number): number | undefined {
  const semicolon = skipBlanks(text, start);
  if (text[semicolon] !== ";") return undefined;
  const nameAt = skipBlanks(text, semicolon + 1);
  const equals = text.indexOf("=", nameAt);
  if (equals < 0) return undefined;
  const name = text.slice(nameAt, equals);
  const isName = NAME_OF_FILE.test(asciiLower(name));
  if (!isName && !TOKEN.test(name)) return undefined;
  const value = isName ? skipBlanks(text, equals + 1) : equals + 1;
  const pattern = text[value] === '"' ? QUOTED : UNQUOTED;
  pattern.lastIndex = value;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** What start tags of HTML may say (SPEC §3.12.3). */

import { asciiLower, charsetOf } from "./charsets.ts";
import {
  ATTRIBUTE_PREFIXES,
  ATTRIBUTES,
  BLOCKS,
  HIDING,
  HTTP_EQUIVALENTS,
  INLINES,
  MARKED,
  NEUTRAL,
  OTHERS,
  RELATIONS,
} from "./html_names.ts";
import { isGroundColour, isTextColour } from "./html_lengths.ts";
import { hasControl } from "./html_output.ts";
import { resolveReferences } from "./html_references.ts";
import { isHarmlessAttribute } from "./html_sheet.ts";
import { areFonts, type Covering, type Kind } from "./html_style.ts";
import {
  foldedLower,
  isAscii,
  trimHtmlWhite,
  type HtmlNote,
  type RawAttribute,
} from "./html_tokens.ts";
import { wordsOf } from "./words.ts";

/** Name → value, references resolved; of two with one name the first. */
export type Attributes = ReadonlyMap<string, string>;

const CELLS = new Set("table tbody thead tr td th col colgroup".split(" "));
const OWN_BLOCKS = new Set("html body ul ol pre".split(" "));
const TEXT_COLOURED = ["color", "text", "link", "vlink", "alink"];
const SPAN = /^0*([1-9][0-9]{0,2})$/;
const INTEGER = /^(-?)0*([0-9]{1,9})$/;
const ORDERED_TYPES = new Set(["1", "a", "A", "i", "I"]);
const UNORDERED_TYPES = new Set(["disc", "circle", "square"]);

/** Why an element is refused by its name alone. */
export function refusedElement(name: string): HtmlNote | undefined {
  if (BLOCKS.has(name) || INLINES.has(name) || MARKED.has(name)) return undefined;
  if (NEUTRAL.has(name) || OTHERS.has(name)) return undefined;
  return HIDING.has(name) ? "html.hidden-text" : "html.unsupported";
}

const NOTHING = { text: "", refused: false };

export function readAttributes(raw: readonly RawAttribute[]): Attributes | HtmlNote {
  const attributes = new Map<string, string>();
  for (const { name, value } of raw) {
    const resolved = isAscii(name) ? resolveReferences(value, true) : NOTHING;
    if (resolved.refused) return "html.malformed";
    if (!attributes.has(name)) attributes.set(name, resolved.text);
  }
  return attributes;
}

/** (a) to (f) of §3.12.3, but for what becomes output. */
export function refusedAttributes(
  element: string,
  attributes: Attributes,
  covering: Covering,
): HtmlNote | undefined {
  const unknown = unknownAttribute(attributes);
  if (unknown !== undefined) return unknown;
  if (element === "link") return isKnownLink(attributes) ? undefined : "html.unsupported";
  if (element === "meta") return refusedMeta(attributes);
  if (!isInPlace(element, attributes)) return "html.unsupported";
  if (element !== "hr" && !areKnownColours(attributes)) return "html.style";
  const style = attributes.get("style");
  if (style !== undefined && element !== "head") {
    if (!isHarmlessAttribute(style, kindOf(element), covering)) return "html.style";
  }
  return isReadable(element, attributes) ? undefined : "html.unsupported";
}

function unknownAttribute(attributes: Attributes): HtmlNote | undefined {
  for (const name of attributes.keys()) {
    if (ATTRIBUTES.has(name) || ATTRIBUTE_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      continue;
    }
    return name === "hidden" ? "html.hidden-text" : "html.unsupported";
  }
  return undefined;
}

/** Values of attributes: A to Z and the Kelvin sign become lower case. */
function lower(text: string): string {
  return asciiLower(text).replaceAll("\u212a", "k");
}

/** White space of `rel`, `http-equiv` and `charset` as SP, none at the ends. */
function unifyWide(text: string): string {
  return wordsOf(lower(text).replace(/[\x1c-\x1f]/g, " "));
}

function isKnownLink(attributes: Attributes): boolean {
  return unifyWide(attributes.get("rel") ?? "")
    .split(" ")
    .every((word) => word === "" || RELATIONS.has(word));
}

function refusedMeta(attributes: Attributes): HtmlNote | undefined {
  const equivalent = attributes.get("http-equiv");
  if (equivalent !== undefined && !HTTP_EQUIVALENTS.has(unifyWide(equivalent)))
    return "html.unsupported";
  const charset = attributes.get("charset");
  const labels = charset === undefined ? [] : [unifyWide(charset)];
  if (equivalent !== undefined) labels.push(...charsetsIn(attributes.get("content") ?? ""));
  if (labels.some((label) => charsetOf(label) === undefined)) return "html.unsupported";
  return lower(attributes.get("name") ?? "").includes("color-scheme") ? "html.style" : undefined;
}

function charsetsIn(content: string): string[] {
  const found = foldedLower(content).matchAll(
    /charset[\t\n\f\r ]*=[\t\n\f\r ]*["']?([^"';\t\n\f\r ]+)/g,
  );
  return [...found].map((match) => match[1]!);
}

function isInPlace(element: string, attributes: Attributes): boolean {
  const direction = attributes.get("dir");
  if (direction !== undefined && !["", "ltr"].includes(lower(direction))) return false;
  const align = lower(attributes.get("align") ?? "");
  if (element === "table") return align !== "left" && align !== "right";
  return element !== "img" || align !== "right";
}

function spelt(colour: string): string {
  const value = lower(trimHtmlWhite(colour));
  return /^[0-9a-f]{6}$/.test(value) ? `#${value}` : value;
}

function areKnownColours(attributes: Attributes): boolean {
  const ground = attributes.get("bgcolor");
  if (ground !== undefined && !isGroundColour(spelt(ground))) return false;
  const face = attributes.get("face");
  if (face !== undefined && !areFonts(lower(face))) return false;
  return TEXT_COLOURED.every((name) => {
    const colour = attributes.get(name);
    return colour === undefined || isTextColour(spelt(colour));
  });
}

function kindOf(element: string): Kind {
  if (BLOCKS.has(element) || OWN_BLOCKS.has(element)) return "block";
  if (element === "li") return "item";
  if (CELLS.has(element)) return "cell";
  if (element === "img") return "image";
  return element === "hr" ? "rule" : "inline";
}

/** A span, without leading zeros; undefined if it is none from 1 to 999. */
export function spanOf(value = "1"): string | undefined {
  return SPAN.exec(trimHtmlWhite(value))?.[1];
}

/** A number of at most nine digits, without leading zeros; undefined if it is none. */
export function integerOf(value = "1"): string | undefined {
  const match = INTEGER.exec(trimHtmlWhite(value));
  return match === null ? undefined : match[1]! + match[2]!;
}

/** Without TAB, LF and CR, and without what is not seen at its ends. */
export function cleanAddress(address = ""): string {
  const clean = address.replace(/[\t\n\r]+/g, "");
  let start = 0;
  let end = clean.length;
  while (start < end && clean.charCodeAt(start) <= 0x20) start++;
  while (end > start && clean.charCodeAt(end - 1) <= 0x20) end--;
  return clean.slice(start, end);
}

/** (f): what is shown of it can be told. */
function isReadable(element: string, attributes: Attributes): boolean {
  switch (element) {
    case "a":
      return !hasControl(cleanAddress(attributes.get("href")));
    case "img":
      return (
        !hasControl(cleanAddress(attributes.get("src"))) &&
        !hasControl(wordsOf(attributes.get("alt") ?? ""))
      );
    case "td":
    case "th":
      return [attributes.get("colspan"), attributes.get("rowspan")].every(
        (span) => spanOf(span) !== undefined,
      );
    case "ol":
      return (
        ORDERED_TYPES.has(attributes.get("type") ?? "1") &&
        integerOf(attributes.get("start")) !== undefined
      );
    case "ul":
      return UNORDERED_TYPES.has(lower(attributes.get("type") ?? "disc"));
    case "li":
      return !attributes.has("type") && integerOf(attributes.get("value")) !== undefined;
    default:
      return true;
  }
}

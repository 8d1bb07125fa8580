/** `html-text/1` (SPEC §3.12): what a reader of a page sees, and its words (§3.13.2). */

import {
  cleanAddress,
  integerOf,
  readAttributes,
  refusedAttributes,
  refusedElement,
  spanOf,
  type Attributes,
} from "./html_elements.ts";
import { refusedComment } from "./html_comments.ts";
import { BLOCKS } from "./html_names.ts";
import {
  isControl,
  marker,
  noOutput,
  sayBorder,
  sayInLine,
  saySpace,
  sayStructure,
  sayVisible,
  type Output,
} from "./html_output.ts";
import { resolveReferences, TOKEN_MAX } from "./html_references.ts";
import { isHarmlessSheet } from "./html_sheet.ts";
import { isCovered, noCovering, type Covering } from "./html_style.ts";
import { nextToken, rawContent, type HtmlNote, type Token } from "./html_tokens.ts";
import { isDotSized } from "./html_images.ts";
import { hasLongMarkRun, hasLongRunAboveAscii, nfc } from "./unicode14.ts";
import { isWhite, wordsOf } from "./words.ts";

/** The two texts, and the cleaned `src` of each image in order. */
export interface PageText {
  readonly text: string;
  readonly words: string;
  readonly images: readonly string[];
}

const STACK_MAX = 100;
const SMALL_MAX = 2;
const SP = 32;
const MALFORMED: HtmlNote = "html.malformed";
const UNSUPPORTED: HtmlNote = "html.unsupported";
const SMALL = new Set(["small", "sub", "sup"]);
/** Element → its marker in the line. */
const IN_LINE: ReadonlyMap<string, string> = new Map([
  ["sub", "sub"],
  ["sup", "sup"],
  ["s", "s"],
  ["strike", "s"],
  ["del", "s"],
]);
const PUSHED = new Set(["table", "ul", "ol", "pre", "a", "small", ...IN_LINE.keys()]);
const ENDED = new Set([...PUSHED, "tr", "td", "th", "li"]);
const CELLS = ["td", "th"];

/** An open element. */
interface Open {
  readonly name: string;
  /** Of an `a`: whether it has a target. */
  readonly linked: boolean;
  /** Of a `table`: whether it has a row. */
  rows: boolean;
}

/** A start tag that was read: a page has the same few over and over. */
interface SeenTag {
  readonly attributes: Attributes;
  readonly covering: Covering;
}

interface Page {
  readonly output: Output;
  readonly stack: Open[];
  readonly covering: Covering;
  /** By their source. */
  readonly tags: Map<string, SeenTag>;
}

/** Most tags that are kept, and the longest of them. */
const TAGS_MAX = 1_000;
const KEPT_TAG_MAX = 1_000;

/** `input` is the text of §3.5 after step 2. */
export function readPage(input: string): PageText | { readonly note: HtmlNote } {
  const page: Page = { output: noOutput(), stack: [], covering: noCovering(), tags: new Map() };
  for (let at = 0; at < input.length;) {
    const token = nextToken(input, at);
    if (token.kind === "refused") return { note: token.note };
    const note = take(page, token, input.slice(at, token.end));
    if (note !== undefined) return { note };
    at = token.end;
    if (token.kind !== "start" || (token.name !== "style" && token.name !== "title")) continue;
    const content = rawContent(input, at, token.name);
    if (content.kind !== "raw") return { note: MALFORMED };
    if (token.name === "style") {
      const harmless = isHarmlessSheet(content.text, page.covering);
      if (!harmless || isCovered(page.covering)) return { note: "html.style" };
    }
    at = content.end;
  }
  while (page.stack.length > 0) end(page);
  return made(page.output);
}

function made(output: Output): PageText | { readonly note: HtmlNote } {
  const text = output.pieces.join("");
  if (hasLongRunAboveAscii(text, TOKEN_MAX) || hasLongMarkRun(text)) return { note: UNSUPPORTED };
  return { text: nfc(text), words: nfc(output.words.join("")), images: output.images };
}

/** `source` is the token as it stands. */
function take(page: Page, token: Token, source: string): HtmlNote | undefined {
  switch (token.kind) {
    case "text":
      return takeText(page, token.text);
    case "comment":
      return refusedComment(token.text, page.covering);
    case "start":
      return takeStart(page, token, source);
    case "end":
      return takeEnd(page, token.name);
    default:
      return undefined;
  }
}

// -- text ------------------------------------------------------------------------------------------

function takeText(page: Page, raw: string): HtmlNote | undefined {
  const { text, refused } = resolveReferences(raw, false);
  const inPre = page.stack.some(({ name }) => name === "pre");
  let at = 0;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (isControl(unit)) return UNSUPPORTED;
    if (isWhite(unit)) {
      if (inPre && (unit === 10 || unit === 13)) sayBorder(page.output);
      else saySpace(page.output);
      at++;
      continue;
    }
    const start = at;
    at = endOfLine(text, at);
    if (isBetweenCells(page)) return MALFORMED;
    sayVisible(page.output, text.slice(start, at));
  }
  return refused ? MALFORMED : undefined;
}

/** Behind words with one SP between them, the first of which begins at `start`. */
function endOfLine(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === SP ? !isSeen(text.charCodeAt(at + 1)) : !isSeen(unit)) break;
  }
  return at;
}

/** Of a text's end, too, it is false. */
function isSeen(unit: number): boolean {
  return unit > SP && !isWhite(unit) && !isControl(unit);
}

// -- elements --------------------------------------------------------------------------------------

function top(page: Page): string {
  return page.stack.at(-1)?.name ?? "";
}

function isOpen(page: Page, element: string): boolean {
  return page.stack.some(({ name }) => name === element);
}

/** Readers move what stands there before the table. */
function isBetweenCells(page: Page): boolean {
  return top(page) === "table" || top(page) === "tr";
}

function close(page: Page, ...names: string[]): void {
  if (names.includes(top(page))) end(page);
}

function push(page: Page, name: string, linked = false): HtmlNote | undefined {
  if (page.stack.length >= STACK_MAX) return UNSUPPORTED;
  page.stack.push({ name, linked, rows: false });
  return undefined;
}

/** Ends the element at the top. */
function end(page: Page): void {
  const open = page.stack.pop();
  if (open === undefined) return;
  const { output } = page;
  const inLine = IN_LINE.get(open.name);
  if (inLine !== undefined) sayInLine(output, marker(`/${inLine}`));
  else if (open.name === "a" && open.linked) sayInLine(output, marker("/a"));
  else if (open.name === "pre" || open.name === "li") sayBorder(output);
  else if (open.name === "table" || open.name === "ul")
    sayStructure(output, marker(`/${open.name}`));
  else if (open.name === "ol") sayStructure(output, marker("/ol"), true);
}

/** Reads a start tag; the note if it is refused. */
function readTag(page: Page, token: Token & { kind: "start" }, source: string): SeenTag | HtmlNote {
  const seen = page.tags.get(source);
  if (seen !== undefined) return seen;
  const attributes = readAttributes(token.attributes);
  if (typeof attributes === "string") return attributes;
  const covering = noCovering();
  const refused = refusedAttributes(token.name, attributes, covering);
  if (refused !== undefined) return refused;
  if (token.name === "mark") covering.ground = true;
  const tag = { attributes, covering };
  if (page.tags.size < TAGS_MAX && source.length <= KEPT_TAG_MAX) page.tags.set(source, tag);
  return tag;
}

function takeStart(
  page: Page,
  token: Token & { kind: "start" },
  source: string,
): HtmlNote | undefined {
  const { name } = token;
  const unknown = refusedElement(name);
  if (unknown !== undefined || name === "style" || name === "title") return unknown;
  const tag = readTag(page, token, source);
  if (typeof tag === "string") return tag;
  const { attributes } = tag;
  page.covering.ground ||= tag.covering.ground;
  page.covering.tight ||= tag.covering.tight;
  if (isCovered(page.covering)) return "html.style";
  if (BLOCKS.has(name) || name === "br") sayBorder(page.output);
  switch (name) {
    case "hr":
      if (isBetweenCells(page)) return MALFORMED;
      sayStructure(page.output, marker("hr"));
      return undefined;
    case "img":
      return startImage(page, attributes);
    case "tbody":
    case "thead":
      return startRows(page, name);
    case "tr":
      close(page, ...CELLS);
      close(page, "tr");
      return top(page) === "table" ? startRow(page) : MALFORMED;
    case "td":
    case "th":
      return startCell(page, name, attributes);
    case "li":
      return startItem(page, attributes);
    default:
      return PUSHED.has(name) ? startOther(page, name, attributes) : undefined;
  }
}

function startImage(page: Page, attributes: Attributes): HtmlNote | undefined {
  const src = cleanAddress(attributes.get("src"));
  const alt = wordsOf(attributes.get("alt") ?? "");
  if (isBetweenCells(page)) return MALFORMED;
  const { dot, block } = isDotSized(attributes);
  if (block) sayBorder(page.output);
  sayVisible(page.output, marker(dot ? "dot" : "img", src, alt), marker("img", alt));
  if (block) sayBorder(page.output);
  page.output.images.push(src);
  return undefined;
}

function startRows(page: Page, name: string): HtmlNote | undefined {
  close(page, ...CELLS);
  close(page, "tr");
  const table = page.stack.at(-1);
  if (table?.name !== "table") return MALFORMED;
  return name === "thead" && table.rows ? MALFORMED : undefined;
}

/** The top is a table. */
function startRow(page: Page): HtmlNote | undefined {
  const table = page.stack.at(-1);
  if (table !== undefined) table.rows = true;
  const full = push(page, "tr");
  if (full === undefined) sayStructure(page.output, marker("tr"));
  return full;
}

function startCell(page: Page, name: string, attributes: Attributes): HtmlNote | undefined {
  close(page, ...CELLS);
  if (top(page) === "table") {
    const full = startRow(page);
    if (full !== undefined) return full;
  }
  if (top(page) !== "tr") return MALFORMED;
  const full = push(page, name);
  if (full !== undefined) return full;
  const spans = ["colspan", "rowspan"].map((span) => spanOf(attributes.get(span)) ?? "1");
  const plain = spans.every((span) => span === "1");
  sayStructure(page.output, plain ? marker(name) : marker(name, ...spans));
  return undefined;
}

function startItem(page: Page, attributes: Attributes): HtmlNote | undefined {
  close(page, "li");
  const list = top(page);
  if (list !== "ul" && list !== "ol") return MALFORMED;
  const full = push(page, "li");
  if (full !== undefined) return full;
  const value = attributes.get("value");
  const mark = value === undefined ? marker("li") : marker("li", integerOf(value) ?? "1");
  sayStructure(page.output, mark, list === "ol");
  return undefined;
}

function startOther(page: Page, name: string, attributes: Attributes): HtmlNote | undefined {
  if (name === "a") close(page, "a");
  const href = name === "a" ? attributes.get("href") : undefined;
  const target = href === undefined ? undefined : cleanAddress(href);

  if (isBetweenCells(page)) return MALFORMED;
  if (name === "a" && isOpen(page, "a")) return MALFORMED;
  const full = push(page, name, target !== undefined);
  if (full !== undefined) return full;
  if (page.stack.filter((open) => SMALL.has(open.name)).length > SMALL_MAX)
    return "html.hidden-text";
  sayOpening(page.output, name, attributes, target);
  return undefined;
}

function sayOpening(
  output: Output,
  name: string,
  attributes: Attributes,
  target: string | undefined,
): void {
  const inLine = IN_LINE.get(name);
  if (inLine !== undefined) sayInLine(output, marker(inLine));
  else if (target !== undefined) sayInLine(output, marker("a", target));
  else if (name === "pre") sayBorder(output);
  else if (name === "table" || name === "ul") sayStructure(output, marker(name));
  else if (name === "ol") {
    const numbering = [attributes.get("type") ?? "1", integerOf(attributes.get("start")) ?? "1"];
    const plain = numbering.every((value) => value === "1");
    sayStructure(output, plain ? marker("ol") : marker("ol", ...numbering), true);
  }
}

function takeEnd(page: Page, name: string): HtmlNote | undefined {
  const unknown = refusedElement(name);
  if (unknown !== undefined) return unknown;
  if (BLOCKS.has(name) || name === "br") sayBorder(page.output);
  if (name === "tbody" || name === "thead") return endRows(page);
  if (!ENDED.has(name)) return undefined;
  if (name === "table" || name === "tr") close(page, ...CELLS);
  if (name === "table") close(page, "tr");
  if (name === "ul" || name === "ol") close(page, "li");
  if (top(page) === name) {
    end(page);
    return undefined;
  }
  return CELLS.includes(name) || isOpen(page, name) ? MALFORMED : undefined;
}

function endRows(page: Page): HtmlNote | undefined {
  close(page, ...CELLS);
  close(page, "tr");
  return top(page) === "table" ? undefined : MALFORMED;
}

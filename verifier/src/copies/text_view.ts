/**
 * What a reader sees of a text, to compare two forms of one text: plain, HTML, RTF (SPEC §10.6.5).
 *
 * Any white space, and any border of a block or cell, is one space: how much there is differs from
 * form to form, but where words and numbers end does not. It is no fingerprint, and matches no
 * recorded part; it only tells whether a form beside one that matches says anything else.
 */

import { readAttributes } from "../mail/html_elements.ts";
import { INLINES, MARKED } from "../mail/html_names.ts";
import { resolveReferences } from "../mail/html_references.ts";
import { readPage } from "../mail/html_text.ts";
import { nextToken, rawContent, type Token } from "../mail/html_tokens.ts";
import { wordsOf } from "../mail/words.ts";
import type { RichText } from "./outlook.ts";

export interface View {
  /** The words shown; in both, no space stands before a `<`, where some put one. */
  readonly text: string;
  /** The same with each link's target in angle brackets behind it, as Outlook writes it. */
  readonly withLinks: string;
  /** Of the links, in their order. */
  readonly targets: readonly string[];
  /** No picture, no list, nothing struck out, and no link that goes elsewhere than it says. */
  readonly isSimple: boolean;
}

/** Elements that show nothing themselves, and strike nothing out. */
const SIMPLE = new Set(
  (
    "a b basefont blockquote body br code div em font head html i meta o:p p pre span strong " +
    "style title tt u"
  ).split(" "),
);
/** Further elements at which no word ends. */
const IN_LINE = new Set(["a", "img", "wbr"]);
const HYPERLINK = /^HYPERLINK +"([^"]*)"$/;

/** Each run of white space as one SP, none at the ends nor before a `<`. */
export function seenWords(text: string): string {
  return wordsOf(text).replaceAll(" <", "<");
}

/** The view of plain text. */
export function viewOfPlain(text: string): View {
  const seen = seenWords(text);
  return { text: seen, withLinks: seen, targets: [], isSimple: true };
}

/** The view of HTML; undefined if it has no `html-text/1`. */
export function viewOfPage(page: string): View | undefined {
  if ("note" in readPage(page)) return undefined;
  const view: Viewing = {
    pieces: [],
    links: [],
    targets: [],
    label: [],
    target: "",
    isSimple: true,
  };
  for (let at = 0; at < page.length;) {
    const token = nextToken(page, at);
    if (token.kind === "refused") return undefined;
    at = token.end;
    take(view, token);
    if (token.kind !== "start" || (token.name !== "style" && token.name !== "title")) continue;
    const content = rawContent(page, at, token.name);
    if (content.kind !== "raw") return undefined;
    at = content.end;
  }
  return {
    text: seenWords(view.pieces.join("")),
    withLinks: seenWords(view.links.join("")),
    targets: view.targets,
    isSimple: view.isSimple && view.target === "",
  };
}

interface Viewing {
  readonly pieces: string[];
  readonly links: string[];
  readonly targets: string[];
  /** Text since the last start tag of an `a`. */
  label: string[];
  target: string;
  isSimple: boolean;
}

function take(view: Viewing, token: Token): void {
  if (token.kind === "text") {
    const { text } = resolveReferences(token.text, false);
    view.pieces.push(text);
    view.links.push(text);
    if (view.target !== "") view.label.push(text);
  }
  if (token.kind !== "start" && token.kind !== "end") return;
  if (!SIMPLE.has(token.name)) view.isSimple = false;
  if (!INLINES.has(token.name) && !MARKED.has(token.name) && !IN_LINE.has(token.name)) {
    view.pieces.push(" ");
    view.links.push(" ");
    if (view.target !== "") view.label.push(" ");
  }
  if (token.name !== "a") return;
  if (view.target !== "") endLink(view);
  view.target = token.kind === "end" ? "" : targetOf(token);
  if (view.target !== "") view.targets.push(view.target);
  view.label = [];
}

function endLink(view: Viewing): void {
  view.links.push(`<${view.target}>`);
  const label = seenWords(view.label.join(""));
  if (![label, `mailto:${label}`].includes(seenWords(view.target))) view.isSimple = false;
}

function targetOf(token: Token & { kind: "start" }): string {
  const attributes = readAttributes(token.attributes);
  return typeof attributes === "string" ? "" : (attributes.get("href") ?? "");
}

/**
 * Whether a program that displays the RTF itself shows the same words as this view, and links of
 * those of this view, in the same order.
 */
export function shows(view: View, rich: RichText): boolean {
  let at = 0;
  for (const field of rich.fields) {
    const target = HYPERLINK.exec(field)?.[1];
    if (target === undefined) return false;
    while (at < view.targets.length && view.targets[at] !== target) at++;
    if (at++ === view.targets.length) return false;
  }
  return seenWords(rich.shown) === view.text;
}

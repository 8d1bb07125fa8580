/** Styles of HTML as text (SPEC §3.12.4): what stands in attributes, and sheets. */

import { isHtmlWhite, trimHtmlWhite } from "./html_tokens.ts";
import { areHarmless, type Covering, type Declaration, type Kind } from "./html_style.ts";

const NAME = /^[a-z-][a-z0-9-]*$/;
const VALUE = /^[a-z0-9_ \t\n\f\r#.,%()!/+"'&-]*$/;
const IN_STRING = /^[A-Za-z0-9 .,_&+()-]*$/;
const OUTSIDE = /^[A-Za-z0-9 \t\n\f\r_#.,:;%()!+*>=~[\]{}@|/-]*$/;

const FACE = new Set(
  (
    "font-family font-style font-weight mso-font-charset mso-font-format " +
    "mso-font-generic-family mso-font-pitch mso-font-signature panose-1"
  ).split(" "),
);
const PAGE = new Set(
  "margin mso-footer-margin mso-header-margin mso-page-orientation mso-paper-source size".split(
    " ",
  ),
);

const AT_RULES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["@font-face", FACE],
  ["@page", PAGE],
]);

const SELECTED: ReadonlyMap<string, Kind> = new Map([
  ...elements(
    "block",
    "address article aside blockquote body center dd div dl dt fieldset figcaption figure footer " +
      "h1 h2 h3 h4 h5 h6 header html main nav ol p pre section ul",
  ),
  ...elements("item", "li"),
  ...elements("cell", "col colgroup table tbody td th thead tr"),
]);

function elements(kind: Kind, names: string): [string, Kind][] {
  return names.split(" ").map((name) => [name, kind]);
}

/** A `style` attribute, its references resolved. */
export function isHarmlessAttribute(style: string, kind: Kind, covering: Covering): boolean {
  const clean = withoutComments(style);
  if (clean === undefined || /[{}@]/.test(clean)) return false;
  const declarations = readDeclarations(clean);
  return declarations !== undefined && areHarmless(declarations, kind, true, covering);
}

/** The declarations of a `style` attribute that is harmless. */
export function styleOf(style: string): readonly Declaration[] {
  return readDeclarations(withoutComments(style) ?? "") ?? [];
}

/** The content of a `style` element. */
export function isHarmlessSheet(content: string, covering: Covering): boolean {
  const bare = content.replaceAll("<!--", " ").replaceAll("-->", " ");
  const clean = withoutComments(bare);
  return clean !== undefined && areHarmlessRules(clean, covering);
}

/** In lower case, comments as SP; undefined if one is not closed, or a character is not known. */
function withoutComments(style: string): string | undefined {
  const pieces: string[] = [];
  let kept = 0;
  let at = 0;
  const keep = (end: number): boolean => {
    pieces.push(style.slice(kept, end));
    return OUTSIDE.test(style.slice(kept, end));
  };
  while (at < style.length) {
    const letter = style[at]!;
    if (letter === '"' || letter === "'") {
      const close = style.indexOf(letter, at + 1);
      if (close < 0 || !keep(at) || !IN_STRING.test(style.slice(at + 1, close))) return undefined;
      pieces.push(style.slice(at, close + 1));
      at = kept = close + 1;
    } else if (letter === "/" && style[at + 1] === "*") {
      const close = style.indexOf("*/", at + 2);
      if (close < 0 || !keep(at)) return undefined;
      pieces.push(" ");
      at = kept = close + 2;
    } else {
      at++;
    }
  }
  return keep(style.length) ? pieces.join("").toLowerCase() : undefined;
}

/** Undefined if one is none. */
function readDeclarations(text: string): Declaration[] | undefined {
  const declarations: Declaration[] = [];
  for (const piece of text.split(";")) {
    const trimmed = trimHtmlWhite(piece);
    if (trimmed === "") continue;
    const colon = trimmed.indexOf(":");
    if (colon < 0) return undefined;
    const name = trimHtmlWhite(trimmed.slice(0, colon));
    const given = trimmed.slice(colon + 1);
    if (!NAME.test(name) || !VALUE.test(given)) return undefined;
    const spelt = trimHtmlWhite(given).replace(/[ \t\n\f\r]+/g, " ");
    declarations.push({ name, spelt, value: withoutImportant(spelt) });
  }
  return declarations;
}

/** Without each of `important`, SP, `!`, SP that stands at its end, in this order. */
function withoutImportant(spelt: string): string {
  return spelt
    .replace(/important$/, "")
    .replace(/ $/, "")
    .replace(/!$/, "")
    .replace(/ $/, "");
}

/** Rules one after the other, and nothing else. */
function areHarmlessRules(sheet: string, covering: Covering): boolean {
  let inMedia = false;
  let at = 0;
  for (;;) {
    while (at < sheet.length && isHtmlWhite(sheet.charCodeAt(at))) at++;
    if (at === sheet.length) return !inMedia;
    if (sheet[at] === "}") {
      if (!inMedia) return false;
      inMedia = false;
      at++;
      continue;
    }
    const open = sheet.indexOf("{", at);
    if (open < 0) return false;
    const prelude = trimHtmlWhite(sheet.slice(at, open));
    if (/[;}]/.test(prelude)) return false;
    const media = prelude.startsWith("@media") && !prelude.includes("@", 1);
    if (media && !inMedia) {
      inMedia = true;
      at = open + 1;
      continue;
    }
    const close = sheet.indexOf("}", open);
    if (close < 0) return false;
    const body = sheet.slice(open + 1, close);
    const harmless = media
      ? trimHtmlWhite(body) === ""
      : !body.includes("{") && isHarmlessRule(prelude, body, covering);
    if (!harmless) return false;
    at = close + 1;
  }
}

function isHarmlessRule(prelude: string, body: string, covering: Covering): boolean {
  const declarations = readDeclarations(body);
  if (declarations === undefined) return false;
  if (prelude.startsWith("@")) {
    const allowed = AT_RULES.get(prelude.split(" ", 1)[0]!);
    return (
      declarations.every(
        ({ name, spelt }) =>
          allowed?.has(name) === true && (name !== "mso-font-charset" || spelt === "0"),
      ) && allowed !== undefined
    );
  }
  if (body.includes("!")) return false;
  const kinds = new Set(prelude.split(",").map(kindOf));
  return [...kinds].every((kind) => areHarmless(declarations, kind, false, covering));
}

/** What the last part of a selector can mean. */
function kindOf(selector: string): Kind {
  const last =
    trimHtmlWhite(selector)
      .split(/[ \t\n\f\r>+~]/)
      .at(-1) ?? "";
  const match = /^([a-z][a-z0-9]*)(?:[.#[*][^:]*)?$/.exec(last);
  return (match === null ? undefined : SELECTED.get(match[1]!)) ?? "any";
}

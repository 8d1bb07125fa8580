/** Which declarations of a style hide, move, cover or re-letter no words (SPEC §3.12.4). */

import {
  isBetween,
  isGroundColour,
  isTextColour,
  readLength,
  type Length,
} from "./html_lengths.ts";
import { isHtmlWhite } from "./html_tokens.ts";
import { ANY_VALUE, EXACT_VALUES, FONTS } from "./html_style_names.ts";

/** Of an element; `any` is that of a selector which can mean every element. */
export type Kind = "block" | "item" | "cell" | "image" | "rule" | "inline" | "any";

export interface Declaration {
  readonly name: string;
  /** As it stands, but in lower case, runs of white one SP. */
  readonly spelt: string;
  /** Without `!important` at its end. */
  readonly value: string;
}

/** What no two places of one part may have between them: a ground behind words, and tight lines. */
export interface Covering {
  ground: boolean;
  tight: boolean;
}

export function noCovering(): Covering {
  return { ground: false, tight: false };
}

/** One line could cover another. */
export function isCovered({ ground, tight }: Covering): boolean {
  return ground && tight;
}

const INHERITED = new Set(["inherit", "initial"]);
const FONT_LISTS = new Set([
  "font-family",
  "mso-fareast-font-family",
  "mso-ascii-font-family",
  "mso-hansi-font-family",
  "mso-bidi-font-family",
]);
const FONT_SIZES = new Set(["font-size", "mso-bidi-font-size", "mso-ansi-font-size"]);
const SIZE_WORDS = new Set(
  "inherit initial large medium small x-large x-small xx-large".split(" "),
);
const FONT_WORDS = new Set("normal italic oblique bold bolder lighter".split(" "));
const NO_BORDER = new Set(["none", "0", "0px", "0pt", "0cm", "initial"]);
const NO_GROUND = new Set(["none", "transparent", "inherit", "initial"]);
const ALIGNED = new Set(["baseline", "inherit", "initial"]);
const ALIGNED_IN_CELLS = new Set(["top", "middle", "bottom", "text-top", "text-bottom"]);
const SIZED = new Set<Kind>(["cell", "image", "rule"]);
const SHOWN = new Map<Kind, ReadonlySet<string>>([
  ["inline", new Set(["inline"])],
  ["image", new Set(["inline", "block", "inline-block"])],
  ["rule", new Set(["inline", "block", "inline-block"])],
  ["block", new Set(["block"])],
]);

/**
 * Whether all declarations of one style are harmless for an element of this kind. What they add
 * to `covering` is noted there, and not judged.
 */
export function areHarmless(
  declarations: readonly Declaration[],
  kind: Kind,
  inAttribute: boolean,
  covering: Covering,
): boolean {
  const left = inAttribute ? marginOnTheLeft(declarations) : undefined;
  return declarations.every((declaration) => {
    const { name, value } = declaration;
    if (value.includes("!")) return false;
    const hanging = name === "text-indent" && value.startsWith("-");
    if (!(hanging ? isHangingIndent(value, left) : isHarmless(name, value, kind))) return false;
    noteCovering(declaration, kind, covering);
    return true;
  });
}

function isFlowing(kind: Kind): boolean {
  return kind === "inline" || kind === "any";
}

function noteCovering({ name, value }: Declaration, kind: Kind, covering: Covering): void {
  if (name.startsWith("background") && isFlowing(kind) && !NO_GROUND.has(value)) {
    covering.ground = true;
  }
  if (name === "font" && value.includes("/")) covering.tight = true;
  if (name !== "line-height" || value === "normal" || INHERITED.has(value)) return;
  const length = readLength(value);
  if (length === undefined || length.unit !== "" || !isBetween(length, 1, 1e6)) {
    covering.tight = true;
  }
}

function isHarmless(name: string, value: string, kind: Kind): boolean {
  if (ANY_VALUE.has(name)) {
    return (name.endsWith("color") || !value.includes("(")) && !hasNegativeNumber(value);
  }
  const exact = EXACT_VALUES.get(name);
  if (exact !== undefined) return exact.has(value);
  if (FONT_LISTS.has(name)) return areFonts(value);
  if (FONT_SIZES.has(name)) return isFontSize(value);
  if (name.startsWith("margin") || name.startsWith("padding")) return isMargin(value, kind);
  if (name.startsWith("border")) return isBorder(name, value, kind);
  switch (name) {
    case "color":
      return isTextColour(value);
    case "background-color":
      return isGroundColour(value);
    case "background":
      return isGround(value);
    case "font":
      return isFont(value);
    case "line-height":
      return isLineHeight(value);
    case "letter-spacing":
    case "word-spacing":
      return isSpacing(value);
    case "text-indent":
      return isIndent(value);
    case "display":
      return SHOWN.get(kind)?.has(value) ?? false;
    case "vertical-align":
      return (
        ALIGNED.has(value) ||
        (kind === "cell" || kind === "image" ? ALIGNED_IN_CELLS.has(value) : false)
      );
    default:
      return isExtent(name, value, kind);
  }
}

function hasNegativeNumber(value: string): boolean {
  return /(?:^| )-\.?[0-9]/.test(value);
}

function isExtent(name: string, value: string, kind: Kind): boolean {
  const length = readLength(value);
  const sized = length !== undefined && !length.negative;
  switch (name) {
    case "width":
      return value === "auto" || value === "100%" || (SIZED.has(kind) && sized);
    case "max-width":
      return (
        value === "none" || value === "100%" || (kind === "image" && (value === "auto" || sized))
      );
    case "height":
      return value === "auto" || (SIZED.has(kind) && sized);
    case "max-height":
      return value === "none" || (kind === "image" && (value === "auto" || sized));
    default:
      return false;
  }
}

/** Once what says nothing is removed, a ground colour. */
function isGround(value: string): boolean {
  let rest = value;
  for (const word of [" repeat", " scroll", " 0% 0%", " none", "none "])
    rest = rest.replaceAll(word, "");
  return isGroundColour(rest);
}

/** Quotation marks and white at the ends of a name mean nothing. */
function bareName(name: string): string {
  const marked = (at: number) => isHtmlWhite(name.charCodeAt(at)) || `"'`.includes(name[at]!);
  let start = 0;
  let end = name.length;
  while (start < end && marked(start)) start++;
  while (end > start && marked(end - 1)) end--;
  return name.slice(start, end);
}

export function areFonts(value: string): boolean {
  return value.split(",").every((name) => FONTS.has(bareName(name)));
}

function isFontSize(value: string): boolean {
  if (SIZE_WORDS.has(value)) return true;
  const length = readLength(value);
  if (length === undefined || length.unit === "ex") return false;
  if (length.unit === "em" || length.unit === "rem") return isBetween(length, 16, 48);
  return length.unit === "%" ? isBetween(length, 100, 300) : isBetween(length, 8, 100);
}

function isFont(value: string): boolean {
  const words = value.split(" ");
  const last = words.length - 1;
  let at = 0;
  while (at < last && (FONT_WORDS.has(words[at]!) || /^[1-9]00$/.test(words[at]!))) at++;
  if (at === last) return INHERITED.has(words[last]!);
  const [size, height, more] = words[at]!.split("/");
  if (more !== undefined || !isFontSize(size!)) return false;
  if (height !== undefined && !isLineHeight(height)) return false;
  return areFonts(words.slice(at + 1).join(" "));
}

function isLineHeight(value: string): boolean {
  if (value === "normal" || INHERITED.has(value)) return true;
  const length = readLength(value);
  if (length === undefined) return false;
  if (length.unit === "") return isBetween(length, 0.8, 4);
  return length.unit === "%" ? isBetween(length, 80, 400) : isBetween(length, 8, 150);
}

function isSpacing(value: string): boolean {
  if (value === "normal" || INHERITED.has(value)) return true;
  const length = readLength(value);
  if (length === undefined || length.negative || length.unit === "%") return false;
  return isBetween(length, 0, 2);
}

function isMargin(value: string, kind: Kind): boolean {
  const words = value.split(" ");
  return (
    words.length <= 4 &&
    words.every((word) => {
      if (INHERITED.has(word)) return true;
      if (word === "auto") return !isFlowing(kind);
      const length = readLength(word);
      return length !== undefined && isBetween(length, 0, isFlowing(kind) ? 0 : 300);
    })
  );
}

function isBorder(name: string, value: string, kind: Kind): boolean {
  if (name.startsWith("border-image")) return false;
  if (value.includes("(") && !value.includes("rgb")) return false;
  const words = value.split(" ");
  const short = words.every((word) => {
    const length = readLength(word);
    return length === undefined || isBetween(length, 0, 50);
  });
  return short && (!isFlowing(kind) || words.some((word) => NO_BORDER.has(word)));
}

function isIndent(value: string): boolean {
  if (INHERITED.has(value)) return true;
  const length = readLength(value);
  return length !== undefined && isBetween(length, 0, 100);
}

/** The one margin inside which a first line may begin further left; undefined without it. */
function marginOnTheLeft(declarations: readonly Declaration[]): Length | undefined {
  const named = (name: string) => declarations.filter((declaration) => declaration.name === name);
  const [margin, second] = named("margin-left");
  if (margin === undefined || second !== undefined) return undefined;
  if (named("margin").length > 0 || named("margin-inline-start").length > 0) return undefined;
  return readLength(margin.spelt);
}

function isHangingIndent(value: string, left: Length | undefined): boolean {
  const indent = readLength(value);
  if (
    indent === undefined ||
    left === undefined ||
    indent.unit !== left.unit ||
    indent.unit === "%"
  )
    return false;
  return left.size >= indent.size && isBetween(left, 0, 300);
}

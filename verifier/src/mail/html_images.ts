/** How large a picture of a page is shown, as far as that is seen (SPEC §3.12.5). */

import type { Attributes } from "./html_elements.ts";
import { isBetween, readLength } from "./html_lengths.ts";
import { styleOf } from "./html_sheet.ts";
import { trimHtmlWhite } from "./html_tokens.ts";

const SMALLEST = 8;
const EXTENTS = new Set(["width", "height", "max-width", "max-height"]);

/** `dot`: a side of it is too small to be seen. The attributes are known to be harmless. */
export function isDotSized(attributes: Attributes): { dot: boolean; block: boolean } {
  const style = styleOf(attributes.get("style") ?? "");
  const dot =
    ["width", "height"].some((name) => isSmallNumber(attributes.get(name))) ||
    style.some(({ name, spelt }) => EXTENTS.has(name) && isSmallLength(spelt));
  return {
    dot,
    block: style.some(({ name, spelt }) => name === "display" && spelt.startsWith("block")),
  };
}

/** The first six of its leading digits count; none are 0. A blank value says nothing. */
function isSmallNumber(value = ""): boolean {
  const number = trimHtmlWhite(value);
  if (number === "") return false;
  return Number(/^[0-9]{0,6}/.exec(number)?.[0] ?? "") < SMALLEST;
}

function isSmallLength(spelt: string): boolean {
  const length = readLength(spelt.replace(/ ?!important$/, ""));
  return length !== undefined && !isBetween(length, SMALLEST, 1e7);
}

/** Comments of HTML that are for some readers only (SPEC §3.12.4, at its end). */

import { isHarmlessSheet } from "./html_sheet.ts";
import { isCovered, type Covering } from "./html_style.ts";
import { foldedLower, isHtmlWhite, type HtmlNote } from "./html_tokens.ts";

const CONDITION = /^\[if [^\]<>]{1,40}\]>/u;
const END = "<![endif]-->";
/** What Word writes for its drawings. */
const DRAWINGS = /(?:[vowxpm]\\:\*|\.shape)[\t\n\f\r ]*\{behavior:url\(#default#vml\);?\}/g;

/** `comment` is what follows `<!--`, its end included. */
export function refusedComment(comment: string, covering: Covering): HtmlNote | undefined {
  const text = foldedLower(comment);
  if (!["[if", "[endif", "<!["].some((mark) => text.includes(mark))) return undefined;
  if (!isKnown(text)) return "html.hidden-text";
  const sheets = [...text.matchAll(/<style>([^<]*)<\/style>/g)].map((match) => match[1]!);
  const harmless = sheets.every(
    (sheet) => isHarmlessSheet(sheet.replace(DRAWINGS, ""), covering) && !isCovered(covering),
  );
  return harmless ? undefined : "html.style";
}

/** Whether it has the one known form: sheets, and islands of XML. */
function isKnown(text: string): boolean {
  const condition = CONDITION.exec(text);
  if (condition === null) return false;
  let at = condition[0].length;
  for (;;) {
    while (at < text.length && isHtmlWhite(text.charCodeAt(at))) at++;
    if (text.startsWith(END, at)) return at + END.length === text.length;
    const sheet = text.startsWith("<style>", at);
    if (!sheet && !text.startsWith("<xml>", at)) return false;
    const close = sheet ? "</style>" : "</xml>";
    const end = text.indexOf(close, at);
    if (end < 0 || (sheet && text.slice(at + 1, end).includes("<"))) return false;
    at = end + close.length;
  }
}

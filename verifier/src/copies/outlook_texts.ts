/**
 * The texts of an Outlook file against the recorded bodies (SPEC §10.4).
 *
 * Outlook keeps one text in up to three forms: plain, HTML and RTF, and programs choose which they
 * show. So a form that was not recorded must have the same words as one that matches, however much
 * white space is between them; where it has others, or cannot be read, the file is not checked.
 */

import { utf8 } from "../bytes.ts";
import { decodeStrictly } from "../mail/charsets.ts";
import { called, described } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { changed } from "./changes.ts";
import type { Comparison } from "./comparison.ts";
import type { OutlookMessage, RichText } from "./outlook.ts";
import { type Part, type RecordedPart, byRule } from "./recorded.ts";
import { contentRung } from "./rungs.ts";
import { partOf, readings, sameText } from "./saved_text.ts";
import type { Scan } from "./source.ts";
import { type View, shows, viewOfPage, viewOfPlain } from "./text_view.ts";

const PLAIN = "text/plain";
const HTML = "text/html";

/**
 * One text of the file: the parts that it could be (several where lines may have been wrapped, none
 * where it cannot be read), and what a reader sees of it.
 */
interface Form {
  readonly parts: readonly Part[];
  readonly view: View | undefined;
}

/** The texts of the file by media type, and what was found of them so far. */
export interface OutlookTexts {
  readonly comparison: Comparison;
  readonly forms: Map<string, Form>;
  /** Whether the file has any text, one that cannot be read too. */
  readonly any: boolean;
  /** Types of which several bodies were recorded. */
  readonly several: ReadonlySet<string>;
  readonly matched: Set<string>;
  readonly compared: Set<string>;
  readonly unmatched: RecordedPart[];
}

/** `rich` is what its RTF encloses, or undefined without one that can be read. */
export function outlookTexts(
  comparison: Comparison,
  message: OutlookMessage,
  rich: RichText | undefined,
  recorded: readonly RecordedPart[],
  scan: Scan,
): OutlookTexts {
  const forms = new Map<string, Form>();
  const unread: Form = { parts: [], view: undefined };
  if (message.hasBody) {
    forms.set(PLAIN, message.body === undefined ? unread : plainForm(message.body, scan));
  }
  if (message.html !== undefined) {
    const { octets, charset } = message.html;
    forms.set(HTML, charset === undefined ? unread : pageForm(octets, charset, scan));
  }
  const any = forms.size > 0 || message.rtf !== undefined;
  if (rich !== undefined) addRich(comparison, forms, rich, scan);
  const types = recorded.filter(({ part }) => part.role === "body").map(({ part }) => part.type);
  const several = new Set(types.filter((type, at) => types.indexOf(type) !== at));
  const [matched, compared] = [new Set<string>(), new Set<string>()];
  return { comparison, forms, any, several, matched, compared, unmatched: [] };
}

function plainForm(text: string, scan: Scan): Form {
  return { parts: readings(PLAIN, text, scan).map(({ part }) => part), view: viewOfPlain(text) };
}

function pageForm(octets: Uint8Array, charset: string, scan: Scan): Form {
  const part = partOf(octets, `${HTML}; charset=${charset}`, scan);
  const page = decodeStrictly(octets, charset);
  return { parts: [part], view: page === undefined ? undefined : viewOfPage(page) };
}

/** What the RTF encloses: a form of its own, or one that is there and must be the same. */
function addRich(
  comparison: Comparison,
  forms: Map<string, Form>,
  rich: RichText,
  scan: Scan,
): void {
  if (rich.kind === "native") {
    comparison.questions.push(said("msg.rtf-native"));
    return;
  }
  const type = rich.kind === "html" ? HTML : PLAIN;
  const form =
    type === HTML ? pageForm(utf8(rich.text), "utf-8", scan) : plainForm(rich.text, scan);
  const own = forms.get(type) ?? form;
  const same = own.parts.some((one) => form.parts.some((other) => sameText(one, other) !== ""));
  if (!same || form.view === undefined || !shows(form.view, rich)) {
    comparison.questions.push(said("msg.rtf-other"));
  } else if (forms.has(type)) comparison.remarks.push(said("msg.several-forms"));
  if (!forms.has(type)) forms.set(type, form);
}

/** The rung on which the file has this recorded body, or "". */
export function compareText(texts: OutlookTexts, row: RecordedPart): string {
  const { number, part } = row;
  const { differences, questions } = texts.comparison;
  const label = called(`part.${number}`, part.name ?? "");
  texts.compared.add(part.type);
  const form = texts.forms.get(part.type);
  if (form === undefined) {
    if (texts.any) questions.push(said("msg.no-text", { part: label, type: part.type }));
    else differences.push(said("part.missing", { number, what: described(part) }));
    return "";
  }
  const rung = form.parts.map((text) => contentRung(part, text)).find((one) => one !== "");
  if (rung !== undefined) {
    texts.matched.add(part.type);
    // Which picture stands where is told by names that these words leave out.
    const pictures = (part.images ?? []).length > 0;
    if (rung === "words/1" && pictures) {
      questions.push(said("part.images-untold", { part: label }));
    }
    return rung;
  }
  if (texts.several.has(part.type) || !canTell(part, form)) {
    questions.push(said("msg.text-untold", { part: label }));
  } else texts.unmatched.push(row);
  return "";
}

/** Whether both sides have text/1, so that another text would show as one. */
function canTell(part: Part, form: Form): boolean {
  const has = (one: Part) => byRule(one, "text/1") !== undefined;
  return has(part) && form.parts.some(has);
}

/** What is left to say when all recorded bodies were compared. */
export function tellTheRest(texts: OutlookTexts, complete: boolean): void {
  const { differences, questions, remarks } = texts.comparison;
  for (const row of texts.unmatched) {
    const { number, part } = row;
    const [text] = texts.forms.get(part.type)?.parts ?? [];
    if (follows(texts, part.type) || text === undefined) {
      // Exchange drops the plain text, and makes another of the HTML.
      const label = called(`part.${number}`, part.name ?? "");
      questions.push(said("msg.no-text", { part: label, type: part.type }));
    } else differences.push(changed(row, text));
  }
  for (const type of texts.forms.keys()) {
    if (!complete || texts.compared.has(type)) continue;
    if (follows(texts, type)) remarks.push(said("msg.several-forms"));
    else questions.push(said("msg.extra-text", { type }));
  }
}

/** Whether this form says no more and no less than the other one, which matched. */
function follows({ forms, matched }: OutlookTexts, type: string): boolean {
  const plain = forms.get(PLAIN)?.view;
  const page = forms.get(HTML)?.view;
  const other = type === HTML ? PLAIN : HTML;
  if (plain === undefined || page === undefined) return false;
  if (matched.size !== 1 || !matched.has(other)) return false;
  if (type === HTML && !page.isSimple) return false;
  return plain.text === page.text || plain.text === page.withLinks;
}

/**
 * What a rich text encloses: the HTML or the text that it was made of (MS-OXRTFEX, SPEC §10.6.4).
 *
 * Such RTF can be shown in two ways: as what it encloses, which is what Outlook does, or by itself.
 * Both come out, so that they can be compared. Strict: where two readers of RTF could see different
 * things, Unreadable. Time and memory grow with the RTF alone.
 */

import { Unreadable } from "../errors.ts";
import { charsetOf, decodeStrictly } from "../mail/charsets.ts";
import { isWhite } from "../mail/words.ts";
import { hasLoneSurrogate } from "../json.ts";
import type { RichText } from "./outlook.ts";
import { nextRtfToken, type RtfToken } from "./rtf_tokens.ts";

const DEPTH_MAX = 500;
const FALLBACK_MAX = 100;
const START = "{\\rtf1";
const DEFAULT_PAGE = 1252;
const HIDES = "the rich text hides text, or has readers make it up";

/** Words that stand for text: in HTML, and by themselves (MS-OXRTFEX §2.1.3.1.5). */
const SAID: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["par", ["\r\n", "\r\n"]],
  ["line", ["\r\n", "\r\n"]],
  ["tab", ["\t", "\t"]],
  ["lquote", ["&lsquo;", "‘"]],
  ["rquote", ["&rsquo;", "’"]],
  ["ldblquote", ["&ldquo;", "“"]],
  ["rdblquote", ["&rdquo;", "”"]],
  ["bullet", ["&bull;", "•"]],
  ["endash", ["&ndash;", "–"]],
  ["emdash", ["&mdash;", "—"]],
]);
/** Words that end a word where the RTF itself is shown, and say nothing of what it encloses. */
const BORDERS = new Set("cell column nestcell nestrow page row sect".split(" "));
/** Groups whose text is not that of the document (RTF 1.9.1); one behind `\*` never is. */
const DESTINATIONS = new Set(
  (
    "annotation author buptim colortbl comment creatim doccomm filetbl footer footerf footerl " +
    "footerr footnote header headerf headerl headerr info keywords listtext nonshppict object " +
    "operator pict pntext pntxta pntxtb printim private revtim rxe stylesheet subject tc title " +
    "txe xe"
  ).split(" "),
);
/** Words for hidden or changed text, or for text that readers make up. */
const REFUSED = new Set(
  (
    "chatn chdate chdpa chdpl chftn chpgn chtime deleted emspace enspace ltrmark qmspace " +
    "rtlmark sectnum upr v webhidden zwbo zwj zwnbo zwnj"
  ).split(" "),
);
/** Code pages of \fcharset. */
const FONT_PAGES: ReadonlyMap<number, number> = new Map([
  [0, 1252],
  [161, 1253],
  [162, 1254],
  [163, 1258],
  [177, 1255],
  [178, 1256],
  [186, 1257],
  [204, 1251],
  [222, 874],
  [238, 1250],
]);

/** What holds in a group, and is forgotten at its end. */
interface Group {
  /** "" is the document; `tag` HTML; `skip` what is not shown. */
  readonly place: "" | "tag" | "skip" | "fonts" | "field";
  /** \htmlrtf: shown by the RTF alone, not part of the HTML (MS-OXRTFEX §2.1.3.1.3). */
  readonly muted: boolean;
  readonly font: number | undefined;
  /** How many characters stand in for one said by \u. */
  readonly fallback: number;
  readonly fresh: boolean;
  readonly starred: boolean;
}

interface Reader {
  kind: "" | "html" | "text" | "native";
  page: number;
  defaultFont: number | undefined;
  /** Code page by font; undefined if it is unknown. */
  readonly fonts: Map<number, number | undefined>;
  readonly groups: Group[];
  now: Group;
  /** Characters still to come that only stand in for one said by \u. */
  skipped: number;
  readonly out: string[];
  readonly shown: string[];
  readonly fields: string[][];
}

/** Reads RTF, unpacked; Unreadable if it is bent, or could be read in two ways. */
export function readRtf(octets: Uint8Array): RichText {
  if (![...START].every((letter, i) => octets[i] === letter.charCodeAt(0))) {
    throw new Unreadable("the rich text is no RTF");
  }
  const reader: Reader = {
    kind: "",
    page: DEFAULT_PAGE,
    defaultFont: undefined,
    fonts: new Map(),
    groups: [],
    now: {
      place: "",
      muted: false,
      font: undefined,
      fallback: 1,
      fresh: true,
      starred: false,
    },
    skipped: 0,
    out: [],
    shown: [],
    fields: [],
  };
  let at = 0;
  do {
    const token = nextRtfToken(octets, at);
    at = token.end;
    take(reader, token);
    if (reader.kind === "native") return { kind: "native", text: "", shown: "", fields: [] };
  } while (reader.groups.length > 0);
  for (; at < octets.length; at++) {
    if (![0, 13, 10, 32].includes(octets[at]!)) {
      throw new Unreadable("the rich text goes on behind its end");
    }
  }
  const fields = reader.fields.map((pieces) => trimWhite(joined(pieces)));
  const text = joined(reader.out);
  return { kind: reader.kind || "native", text, shown: joined(reader.shown), fields };
}

function trimWhite(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhite(text.charCodeAt(start))) start++;
  while (end > start && isWhite(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The characters beyond U+FFFF, which RTF says in two halves, put together. */
function joined(pieces: readonly string[]): string {
  const text = pieces.join("");
  if (hasLoneSurrogate(text)) throw new Unreadable("the rich text has half a character");
  return text;
}

function take(reader: Reader, token: RtfToken): void {
  switch (token.kind) {
    case "octet":
      return sayOctet(reader, token.octet);
    case "literal": {
      const count = Math.min(reader.skipped, token.text.length);
      reader.skipped -= count;
      return say(reader, token.text.slice(count));
    }
    case "nothing":
      return;
  }
  if (reader.skipped > 0) {
    throw new Unreadable("the rich text does not say what stands in for a character");
  }
  switch (token.kind) {
    case "open":
      return open(reader);
    case "close": {
      const outer = reader.groups.pop();
      if (outer !== undefined) reader.now = outer;
      return;
    }
    case "word":
      takeWord(reader, token.word, token.number);
      return begin(reader);
    case "symbol":
      return takeSymbol(reader, String.fromCharCode(token.symbol));
  }
}

function begin(reader: Reader): void {
  if (reader.now.fresh || reader.now.starred) set(reader, { fresh: false, starred: false });
}

function set(reader: Reader, changes: Partial<Group>): void {
  reader.now = { ...reader.now, ...changes };
}

function open(reader: Reader): void {
  if (reader.groups.length >= DEPTH_MAX || reader.now.place === "tag") {
    throw new Unreadable("the rich text is nested too deep");
  }
  reader.groups.push(reader.now);
  set(reader, { fresh: true, starred: false });
}

function takeSymbol(reader: Reader, symbol: string): void {
  if (symbol === "*" && reader.now.fresh) set(reader, { starred: true });
  else if ("{}\\".includes(symbol)) say(reader, symbol);
  else if (symbol === "~") sayBoth(reader, "&nbsp;", "\u00a0");
  else if (symbol === "\r" || symbol === "\n") say(reader, "\r\n");
  else if (reader.now.place !== "skip") {
    throw new Unreadable("the rich text holds a sign that readers show in several ways");
  }
}

function takeWord(reader: Reader, word: string, number: number | undefined): void {
  const { place } = reader.now;
  // What follows is no RTF for those who know the word, wherever it stands.
  if (word === "bin") throw new Unreadable(HIDES);
  if (reader.now.fresh && place === "" && beginsDestination(reader, word)) return;
  const seen = place === "" || place === "tag" || place === "field";
  if (seen && REFUSED.has(word) && number !== 0) throw new Unreadable(HIDES);
  const said = SAID.get(word);
  if (word === "uc") {
    set(reader, { fallback: Math.min(Math.max(number ?? 0, 0), FALLBACK_MAX) });
  } else if (place === "fonts") takeFont(reader, word, number);
  else if (place === "skip") return;
  else if (word === "u") sayCode(reader, number);
  else if (said !== undefined) sayBoth(reader, ...said);
  else if (place === "tag") throw new Unreadable("the rich text has a word of RTF in its HTML");
  else takeProperty(reader, word, number);
}

/** Whether the group's first word says what the group is for. */
function beginsDestination(reader: Reader, word: string): boolean {
  const { starred } = reader.now;
  if (word === "htmltag" && starred) set(reader, { place: "tag" });
  else if (word === "fonttbl") set(reader, { place: "fonts" });
  else if (word === "fldinst") {
    set(reader, { place: "field" });
    reader.fields.push([]);
  } else if (starred || DESTINATIONS.has(word)) set(reader, { place: "skip" });
  else return false;
  return true;
}

function takeFont(reader: Reader, word: string, number: number | undefined): void {
  if (word === "f") set(reader, { font: number });
  const { font } = reader.now;
  if (word !== "fcharset" || font === undefined) return;
  reader.fonts.set(font, number === 1 ? reader.page : FONT_PAGES.get(number ?? 0));
}

function takeProperty(reader: Reader, word: string, number: number | undefined): void {
  switch (word) {
    case "fromhtml":
    case "fromtext":
      if (
        reader.kind !== "" ||
        reader.groups.length !== 1 ||
        reader.shown.length > 0 ||
        reader.out.length > 0
      ) {
        throw new Unreadable("the rich text says twice, or too late, what it was made of");
      }
      reader.kind = word === "fromhtml" ? "html" : "text";
      return;
    case "htmlrtf":
      return set(reader, { muted: number !== 0 });
    case "ansicpg":
      reader.page = number ?? 0;
      return;
    case "mac":
    case "pc":
    case "pca":
      reader.page = 0;
      return;
    case "deff":
      reader.defaultFont = number;
      return;
    case "f":
      return set(reader, { font: number });
    case "plain":
      return set(reader, { font: undefined });
    default:
      if (BORDERS.has(word) && reader.now.place === "") reader.shown.push("\n");
  }
}

function say(reader: Reader, text: string): void {
  sayBoth(reader, text, text);
}

/** Text of the document: for what it encloses, and for what the RTF shows itself. */
function sayBoth(reader: Reader, html: string, text: string): void {
  if (text === "") return;
  if (reader.now.starred) {
    throw new Unreadable("the rich text does not say what a group is for");
  }
  begin(reader);
  const { place, muted } = reader.now;
  if (place === "field") reader.fields.at(-1)?.push(text);
  if (place === "skip" || place === "fonts" || place === "field") return;
  if (reader.kind === "") reader.kind = "native";
  if (!muted || place === "tag") {
    reader.out.push(reader.kind === "html" && place !== "tag" ? html : text);
  }
  if (place === "") reader.shown.push(text);
}

function sayCode(reader: Reader, number: number | undefined): void {
  const code = number === undefined ? -1 : number + (number < 0 ? 65_536 : 0);
  if (code < 32 || code > 65_535 || (code >= 127 && code < 160)) {
    throw new Unreadable("the rich text has a character that is none");
  }
  say(reader, String.fromCharCode(code));
  reader.skipped = reader.now.fallback;
}

function sayOctet(reader: Reader, octet: number): void {
  if (reader.skipped > 0) reader.skipped--;
  else if (reader.now.place === "skip" || reader.now.place === "fonts") return;
  else if (octet >= 32 && octet < 127) say(reader, String.fromCharCode(octet));
  else say(reader, decoded(reader, octet));
}

/** By the code page. Readers differ on whether the font's counts: so they must agree. */
function decoded(reader: Reader, octet: number): string {
  const font = reader.now.font ?? reader.defaultFont;
  const known = font !== undefined && reader.fonts.has(font);
  const own = known ? reader.fonts.get(font) : reader.page;
  const charset = charsetOf(`cp${reader.page}`);
  const two = own !== reader.page && reader.now.place !== "tag";
  if (octet < 128 || charset === undefined || two) {
    throw new Unreadable("the rich text is in an unknown code page, or in two");
  }
  const text = decodeStrictly(Uint8Array.of(octet), charset);
  if (text === undefined) {
    throw new Unreadable("the rich text has an octet that is no character");
  }
  return text;
}

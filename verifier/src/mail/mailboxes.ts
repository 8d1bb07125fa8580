/** Mailboxes of From, To and Cc (SPEC §3.6.2): tokens, pieces, addresses. One pass, no backtracking. */

import { asciiLower } from "./charsets.ts";
import { bounded, decodedText, type Defects, digestOf, headerText } from "./header_text.ts";
import { isSpace, unifySpace } from "./octets.ts";

/** As the claim spells it. A type alias, so that it is a value of JSON, too. */
export type Mailbox = { address: string; name: string };

type Kind = "space" | "word" | "quoted" | "literal" | "comment" | "special" | "atom" | "other";

interface Token {
  readonly kind: Kind;
  readonly text: string;
}

const MAILBOXES_MAX = 2000;
const SPECIALS = "<>,;:@.";
/** What an atom holds none of. */
const NOT_ATOM = new Set([...' \t\r\n"[]<>,;:@.()\\'].map((letter) => letter.charCodeAt(0)));
const WORD = /=\?[!->@-~]{1,130}\?[bBqQ]\?[ ->@-~]*\?=/y;
const LITERAL = /\[[^[\]\\]*\]/y;
/** Anything that is left for an entry. */
const LEFT = /[^ \t\r\n,;]/;

/** The entries of all occurrences of a field, as one list. */
export function mailboxes(values: readonly string[], defects: Defects): Mailbox[] {
  const found: Mailbox[] = [];
  const left: string[] = [];
  for (const value of values) {
    const end = left.length > 0 ? 0 : readOccurrence(value, found, defects);
    if (left.length > 0 || LEFT.test(value.slice(end))) left.push(value.slice(end));
  }
  if (left.length > 0) {
    defects.add("header.too-many-mailboxes");
    found.push({ address: "", name: digestOf(unifySpace(decodedText(left.join(","), defects))) });
  }
  return found;
}

/** Adds this occurrence's entries to the list until that is full. Returns up to where it read. */
function readOccurrence(value: string, found: Mailbox[], defects: Defects): number {
  let piece: Token[] = [];
  let inAngle = false;
  let inGroup = false;
  let at = 0;
  while (at < value.length && found.length < MAILBOXES_MAX) {
    const token = tokenAt(value, at);
    at += token.text.length;
    const special = token.kind === "special" ? token.text : "";
    const beginsGroup: boolean = special === ":" && !inAngle && !inGroup;
    if (special === ";" || (special === "," && !inAngle) || beginsGroup) {
      if (beginsGroup) found.push(group(piece, defects));
      else if (!isSpaceAlone(piece)) found.push(mailbox(piece, defects));
      piece = [];
      if (special === ";") inAngle = false;
      if (special !== ",") inGroup = beginsGroup;
      continue;
    }
    if (special === "<") inAngle = true;
    if (special === ">") inAngle = false;
    piece.push(token);
  }
  if (!isSpaceAlone(piece)) found.push(mailbox(piece, defects));
  return at;
}

function tokenAt(value: string, at: number): Token {
  const unit = value.charCodeAt(at);
  const letter = value[at]!;
  let end = at;
  if (isSpace(unit)) {
    while (end < value.length && isSpace(value.charCodeAt(end))) end++;
    return { kind: "space", text: value.slice(at, end) };
  }
  if (letter === "=") {
    const word = matchAt(WORD, value, at);
    if (word !== undefined) return { kind: "word", text: word };
  }
  if (letter === '"' || letter === "(") {
    end = letter === '"' ? endOfQuoted(value, at) : endOfComment(value, at);
    if (end < 0) return { kind: "other", text: value.slice(at) };
    return { kind: letter === '"' ? "quoted" : "comment", text: value.slice(at, end) };
  }
  if (letter === "[") {
    const literal = matchAt(LITERAL, value, at);
    if (literal !== undefined) return { kind: "literal", text: literal };
  }
  if (SPECIALS.includes(letter)) return { kind: "special", text: letter };
  while (end < value.length && !NOT_ATOM.has(value.charCodeAt(end))) end++;
  return end > at ? { kind: "atom", text: value.slice(at, end) } : { kind: "other", text: letter };
}

function matchAt(pattern: RegExp, value: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(value)?.[0];
}

/** Behind the `"` that closes the one at `at`, or -1. */
function endOfQuoted(value: string, at: number): number {
  for (let i = at + 1; i < value.length; i++) {
    if (value[i] === "\\") i++;
    else if (value[i] === '"') return i + 1;
  }
  return -1;
}

/** Behind the `)` that closes the `(` at `at`, or -1. */
function endOfComment(value: string, at: number): number {
  let depth = 0;
  for (let i = at; i < value.length; i++) {
    if (value[i] === "\\") i++;
    else if (value[i] === "(") depth++;
    else if (value[i] === ")" && --depth === 0) return i + 1;
  }
  return -1;
}

function isSpaceAlone(piece: readonly Token[]): boolean {
  return piece.every((token) => token.kind === "space");
}

function isAside(token: Token): boolean {
  return token.kind === "space" || token.kind === "comment";
}

function isSpecial(token: Token | undefined, special: string): boolean {
  return token?.kind === "special" && token.text === special;
}

function group(piece: readonly Token[], defects: Defects): Mailbox {
  const name = phrase(piece, defects);
  if (name !== "" && piece.some((token) => token.kind === "comment")) defects.add("header.address");
  return { address: "", name };
}

function mailbox(piece: readonly Token[], defects: Defects): Mailbox {
  const opens = piece.findIndex((token) => isSpecial(token, "<"));
  if (opens < 0) {
    const address = readAddress(piece, defects);
    if (address !== undefined) return { address, name: comments(piece, defects) };
    return unreadable(piece, defects);
  }
  const closes = piece.findIndex((token) => isSpecial(token, ">"));
  const lonely = (token: Token, i: number): boolean =>
    i === opens || i === closes || !(isSpecial(token, "<") || isSpecial(token, ">"));
  if (closes < opens || !piece.every(lonely) || !piece.slice(closes + 1).every(isAside)) {
    return unreadable(piece, defects);
  }
  const inside = piece.slice(opens + 1, closes);
  const route = isSpecial(
    inside.find((token) => !isAside(token)),
    "@",
  );
  const colon = route ? inside.findIndex((token) => isSpecial(token, ":")) : -1;
  const address = readAddress(inside.slice(colon + 1), defects);
  if (address === undefined) return unreadable(piece, defects);
  if (colon >= 0) defects.add("header.address");
  const name = phrase(piece.slice(0, opens), defects);
  if (name === "") return { address, name: comments(piece, defects) };
  if (piece.some((token) => token.kind === "comment")) defects.add("header.address");
  return { address, name };
}

function unreadable(piece: readonly Token[], defects: Defects): Mailbox {
  defects.add("header.address");
  return { address: "", name: headerText(piece.map((token) => token.text).join(""), defects) };
}

/** `local@domain`, or undefined. */
function readAddress(tokens: readonly Token[], defects: Defects): string | undefined {
  if (!isJoined(tokens)) return undefined;
  const said = tokens.filter((token) => !isAside(token));
  const at = said.findIndex((token) => isSpecial(token, "@"));
  if (at < 1) return undefined;
  const local = said.slice(0, at);
  const domain = said.slice(at + 1);
  const isDot = (token: Token): boolean => isSpecial(token, ".");
  const isName = (token: Token): boolean =>
    token.kind === "atom" || token.kind === "word" || isDot(token);
  if (!local.every((token) => token.kind === "quoted" || isName(token))) return undefined;
  const isLiteral = domain.length === 1 && domain[0]!.kind === "literal";
  const isHost = domain.length > 0 && domain.every(isName) && !isDot(domain[0]!);
  if (!isLiteral && !isHost) return undefined;
  const text = (some: readonly Token[]): string => some.map((token) => token.text).join("");
  return bounded(decodedText(`${text(local)}@${asciiLower(text(domain))}`, defects), defects);
}

/** No two of atom, word and quoted with white space or a comment between them. */
function isJoined(tokens: readonly Token[]): boolean {
  let parted = false;
  let before = false;
  for (const token of tokens) {
    if (isAside(token)) {
      parted = true;
      continue;
    }
    const isText = token.kind === "atom" || token.kind === "word" || token.kind === "quoted";
    if (isText && before && parted) return false;
    before = isText;
    parted = false;
  }
  return true;
}

function phrase(tokens: readonly Token[], defects: Defects): string {
  const pieces = tokens.map(({ kind, text }) =>
    kind === "comment" ? " " : kind === "quoted" ? unescaped(text.slice(1, -1)) : text,
  );
  return headerText(pieces.join(""), defects);
}

function comments(tokens: readonly Token[], defects: Defects): string {
  const insides = tokens
    .filter((token) => token.kind === "comment")
    .map((token) => unescaped(token.text.slice(1, -1)));
  return headerText(insides.join(" "), defects);
}

/** `\x` as x. */
function unescaped(text: string): string {
  return text.replace(/\\([^])/g, "$1");
}

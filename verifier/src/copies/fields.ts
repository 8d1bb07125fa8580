/** The values of the header beside the recorded ones, and how a difference is told (§10.2). */

import type { Json } from "../json.ts";
import type { Claims, Said } from "../report.ts";
import { said } from "../words/words.ts";
import { type Comparison, isVague } from "./comparison.ts";
import { claim, sameJson } from "./recorded.ts";

/** The values that a mail copy must have, in the order in which they are told. */
export const HEADER_VALUES = [
  "header.cc",
  "header.date",
  "header.from",
  "header.subject",
  "header.to",
] as const;

export interface Mailbox {
  readonly address: string;
  readonly name: string;
}

type Value = readonly (string | Mailbox)[];

const SHOWN_CHARACTERS = 90;
/** Of a value that is cut, so much of what is alike stays before what differs. */
const SHOWN_BEFORE = 40;
const LISTED = 3;

/** Each value must be the recorded one; a source may give one header more than once. */
export function compareHeaders(
  comparison: Comparison,
  values: readonly (readonly [string, Json])[],
  claims: Claims,
): void {
  for (const [name, value] of values) {
    const recorded = claim<Json>(claims, name);
    if (recorded === undefined) {
      comparison.questions.push(said("header.hidden", { field: said(name) }));
    } else if (!sameJson(recorded, value)) {
      comparison.differences.push(
        difference(name, recorded as unknown as Value, value as unknown as Value),
      );
    } else {
      const items = value as unknown as Value;
      if (items.length > 0) comparison.sameFields++;
      if (items.some(isVagueItem)) {
        comparison.questions.push(said("header.vague", { field: said(name) }));
      }
    }
  }
}

function isVagueItem(item: string | Mailbox): boolean {
  if (typeof item === "string") return item.startsWith("?") || isVague(item);
  return isVague(item.name) || isVague(item.address);
}

function difference(name: string, before: Value, now: Value): Said {
  const field = said(name);
  const mine = before.map(told);
  const theirs = now.map(told);
  const gone = without(mine, theirs);
  const added = without(theirs, mine);
  const [old] = gone;
  const [other] = added;
  if (old === undefined && other === undefined) return said("header.order", { field });
  if (old === undefined) return said("header.more", { field, now: listed(added) });
  if (other === undefined) return said("header.less", { field, before: listed(gone) });
  if (gone.length > 1 || added.length > 1) {
    const values = { field, before: listed(gone), now: listed(added), where: "" };
    return said("header.differs", values);
  }
  return apart(field, [...old], [...other]);
}

function told(item: string | Mailbox): string {
  if (typeof item === "string") return item;
  return item.name && item.address ? `${item.name} <${item.address}>` : item.name || item.address;
}

/** The texts of `these` that are not in `those`, each as often as it stands there more. */
function without(these: readonly string[], those: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const text of these) count.set(text, (count.get(text) ?? 0) + 1);
  for (const text of those) count.set(text, (count.get(text) ?? 0) - 1);
  return [...count].flatMap(([text, more]) => Array<string>(Math.max(more, 0)).fill(text));
}

/** Both values, cut alike, so that the place where they begin to differ is in sight. */
function apart(field: Said, before: readonly string[], now: readonly string[]): Said {
  let alike = 0;
  while (alike < before.length && before[alike] === now[alike]) alike++;
  const long = Math.max(before.length, now.length) > SHOWN_CHARACTERS;
  const start = long ? Math.max(alike - SHOWN_BEFORE, 0) : 0;
  const [old, other] = [before[alike], now[alike]];
  const plain = [old, other].every((char) => char === undefined || /^[!-~]$/.test(char));
  const where = plain
    ? ""
    : said("header.character", { before: codePoint(old), now: codePoint(other) });
  return said("header.differs", {
    field,
    before: cut(before, start),
    now: cut(now, start),
    where,
  });
}

function cut(text: readonly string[], start: number): string {
  const end = start + SHOWN_CHARACTERS;
  const piece = text.slice(start, end).join("");
  return `“${start > 0 ? "…" : ""}${piece}${end < text.length ? "…" : ""}”`;
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, LISTED).map((text) => cut([...text], 0));
  const more = texts.length > LISTED ? ` +${texts.length - LISTED}` : "";
  return shown.join(", ") + more;
}

function codePoint(char: string | undefined): Said | string {
  if (char === undefined) return said("header.end");
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

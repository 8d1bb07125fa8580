/**
 * What is said of a part that changed. No content is kept, so what can be said is which rule tells
 * the two apart, and the sizes.
 */

import type { Said } from "../report.ts";
import { described } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { type Part, type RecordedPart, byRule, sameDigests, sameNotes } from "./recorded.ts";

const TELLING = ["words/1", "text/1", "decoded/1"];

/** `html`, or `plain` for any other text. */
export function textKind(part: Part): "html" | "plain" {
  return part.type === "text/html" ? "html" : "plain";
}

/** A part whose content is another than the recorded one. */
export function changed({ number, part }: RecordedPart, other: Part): Said {
  return said("part.changed", { number, what: described(part), how: how(part, other) });
}

function how(part: Part, other: Part): Said {
  const rule = TELLING.find((one) => byRule(part, one) && byRule(other, one)) ?? "";
  const mine = byRule(part, rule);
  const theirs = byRule(other, rule);
  if (part.type !== other.type || !mine || !theirs) return said("how.other");
  if (sameDigests(mine, theirs)) return said("how.read");
  const before = mine.size;
  const now = theirs.size;
  const key = howKey(rule, part);
  return said(before === now ? `${key}.same-size` : key, { before, now });
}

function howKey(rule: string, part: Part): string {
  if (rule === "words/1") return `how.words.${textKind(part)}`;
  if (rule === "text/1") return "how.text";
  return part.type.startsWith("text/") ? "how.bytes-of-text" : "how.bytes";
}

/** What a part is called, declared as and used for, where that is another. */
export function changedLabels(label: Said, part: Part, other: Part): Said[] {
  const changes: Said[] = [];
  if (part.name !== other.name) {
    const before = part.name ?? said("none");
    changes.push(said("part.name", { part: label, before, name: other.name ?? said("none") }));
  } else if (part.role !== other.role) {
    const [now, before] = [said(`role.${other.role}`), said(`role.${part.role}`)];
    changes.push(said("part.role", { part: label, now, before }));
  }
  if (part.type !== other.type) {
    changes.push(said("part.type", { part: label, now: other.type, before: part.type }));
  }
  if (!sameNotes(part, other, "method.")) changes.push(said("part.method", { part: label }));
  return changes;
}

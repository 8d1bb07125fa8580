/** By which rule a part of the copy equals a recorded one (SPEC §10.2, step 2). */

import { type Part, byRule, sameBy, sameNotes } from "./recorded.ts";

/** The rules of parts, the strongest first; the last is for enclosed messages alone. */
export const RUNGS = ["decoded/1", "text/1", "html-text/1", "words/1", "header-values/1"];

/** The strongest rule by which the two are equal; "" for none. */
export function contentRung(part: Part, other: Part): string {
  if (!part.type.startsWith("text/")) {
    if (sameBy("decoded/1", part, other)) return "decoded/1";
    return isSameHeader(part, other) ? "header-values/1" : "";
  }
  if (part.type !== other.type) return "";
  const sameBytes =
    sameBy("decoded/1", part, other) &&
    part.charset === other.charset &&
    sameNotes(part, other, "text.flowed", "text.delsp");
  if (byRule(part, "text/1") === undefined) return sameBytes ? "decoded/1" : "";
  // Beside the same bytes too: another format or delsp joins lines and words.
  if (sameBy("text/1", part, other)) return sameBytes ? "decoded/1" : "text/1";
  if (sameBy("html-text/1", part, other)) return "html-text/1";
  return wordsSuffice(part) && sameBy("words/1", part, other) ? "words/1" : "";
}

/** Whether other white space leaves a text what it was: not in a file, nor in PGP's armour. */
export function wordsSuffice(part: Part): boolean {
  return part.role === "body" && !(part.notes ?? []).some((note) => note.endsWith(".pgp-inline"));
}

/** An enclosed message whose bytes differ: whether it matches its parts decide. */
function isSameHeader(part: Part, other: Part): boolean {
  return (
    part.type === other.type &&
    part.role === "message" &&
    other.role === "message" &&
    sameBy("header-values/1", part, other)
  );
}

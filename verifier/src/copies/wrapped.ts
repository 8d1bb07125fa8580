/**
 * Files that a server wrapped into a `winmail.dat`, or took out of one (SPEC §10.2, step 3). Such a
 * copy differs, for what else is in the wrapper is not known; but the files are found again.
 */

import type { Said } from "../report.ts";
import { called, described } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { type Part, type RecordedPart, byRule, sameDigests } from "./recorded.ts";

/** The part of the copy that has this file inside; undefined for none. */
export function wrappedIn(part: Part, found: readonly Part[]): Part | undefined {
  if (part.role !== "attachment" && part.role !== "inline") return undefined;
  return found.find((wrapper) => holds(wrapper, part));
}

/** Which of the parts that were added have the bytes of a file inside this missing one. */
export function unwrapped({ number, part }: RecordedPart, added: readonly Part[]): Said[] {
  const label = called(`part.${number}`, part.name ?? "");
  return added
    .filter((other) => holds(part, other))
    .map((other) => said("part.unwrapped", { part: label, what: described(other) }));
}

function holds(wrapper: Part, part: Part): boolean {
  const data = byRule(part, "decoded/1");
  return data !== undefined && (wrapper.files ?? []).some((file) => sameDigests(file, data));
}

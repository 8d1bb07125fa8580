/** The parts of a mail beside the recorded ones, and what changed (SPEC §10.2). */

import type { Said } from "../report.ts";
import { called, described } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { changed, changedLabels, textKind } from "./changes.ts";
import type { Comparison } from "./comparison.ts";
import { type Pairs, alikeParts, equalParts, left, movedParts, sidesOf } from "./counterparts.ts";
import { brokenEnclosures } from "./enclosed.ts";
import { comparePictures } from "./pictures.ts";
import { type Part, type RecordedPart, notes, sameNotes } from "./recorded.ts";
import { contentRung } from "./rungs.ts";
import { unwrapped, wrappedIn } from "./wrapped.ts";

/** How the parts of both sides are paired, and which of the equal ones are not where they were. */
interface Pairing {
  readonly found: readonly Part[];
  readonly equal: Pairs;
  readonly alike: Pairs;
  readonly moved: ReadonlySet<number>;
  readonly broken: ReadonlySet<number>;
}

/**
 * Adds each recorded part's match and what changed in it to the comparison; returns what was
 * added. `complete` says that `recorded` is all that was recorded.
 */
export function compareParts(
  comparison: Comparison,
  recorded: readonly RecordedPart[],
  found: readonly Part[],
  complete: boolean,
): Said[] {
  const sides = sidesOf(recorded, found, complete);
  const equal = equalParts(sides);
  const alike = alikeParts(sides, equal);
  const moved = movedParts(equal);
  const altered = new Set(moved);
  for (const [place, index] of equal) {
    const changes = changedLabels(said("message"), recorded[place]!.part, found[index]!);
    if (changes.length > 0) altered.add(place);
  }
  for (const place of comparePictures(comparison, recorded, found, equal)) altered.add(place);
  const mine = recorded.map(({ part }) => part);
  const broken = brokenEnclosures(mine, found, equal, altered, complete);
  const pairing = { found, equal, alike, moved, broken };
  recorded.forEach((row, place) => tellPart(comparison, row, place, pairing));
  const taken = new Set([...equal.values(), ...alike.values()]);
  const added = left(found, taken).map((index) => found[index]!);
  for (const place of left(recorded, new Set(equal.keys()))) {
    comparison.differences.push(...unwrapped(recorded[place]!, added));
  }
  return added.map((part) => said("part.added", { what: described(part) }));
}

function tellPart(
  comparison: Comparison,
  row: RecordedPart,
  place: number,
  { found, equal, alike, moved, broken }: Pairing,
): void {
  const { number, part } = row;
  const name = part.name ?? "";
  const label = called(`part.${number}`, name);
  const { differences, matches, remarks } = comparison;
  const index = equal.get(place);
  if (index !== undefined) {
    const other = found[index]!;
    const rung = broken.has(place) ? "" : contentRung(part, other);
    matches.push({ part: `part.${number}`, name, rung });
    compareLabels(comparison, label, part, other);
    if (moved.has(place)) differences.push(said("part.place", { part: label }));
    if (broken.has(place)) differences.push(changed(row, other));
    if (rung === "words/1") remarks.push(said(`words-only.${textKind(part)}`, { part: label }));
    return;
  }
  const wrapper = wrappedIn(part, found);
  matches.push({ part: `part.${number}`, name, rung: wrapper ? "decoded/1" : "" });
  const now = alike.get(place);
  if (wrapper !== undefined) {
    differences.push(said("part.wrapped", { part: label, what: described(wrapper) }));
  } else if (now !== undefined) {
    differences.push(changed(row, found[now]!), ...changedLabels(label, part, found[now]!));
  } else differences.push(said("part.missing", { number, what: described(part) }));
}

/** What an equal part is called and where it stands (§10.2, step 2; §10.3, 5). */
function compareLabels(comparison: Comparison, label: Said, part: Part, other: Part): void {
  comparison.differences.push(...changedLabels(label, part, other));
  if (sameNotes(part, other, "in.")) return;
  const stoodInNone = notes(part, "in.").length === 0;
  const told = stoodInNone ? comparison.questions : comparison.differences;
  told.push(said("part.container", { part: label }));
}

/** Whether a page still shows the same picture at the same place (SPEC §10.2, step 2; §3.16). */

import type { Said } from "../report.ts";
import { called } from "../words/parts.ts";
import { said } from "../words/words.ts";
import type { Comparison } from "./comparison.ts";
import { type Part, type RecordedPart, byRule, sameBy } from "./recorded.ts";

const HTML = "text/html";
const UNRESOLVED = -1;
/** In a type: what may name a Content-ID in a way that is not read here. */
const MAY_REFER = /html|xml|rtf|richtext|enriched|css|script/;

/** A recorded part and its counterpart. */
interface Pair {
  readonly place: number;
  readonly row: RecordedPart;
  readonly label: Said;
  readonly other: Part;
}

/**
 * Adds what changed to the comparison; returns the places in `recorded` of the parts that it is
 * about. `pairs`: place in `recorded` → place in `found`, in the order in which they are told.
 */
export function comparePictures(
  comparison: Comparison,
  recorded: readonly RecordedPart[],
  found: readonly Part[],
  pairs: ReadonlyMap<number, number>,
): Set<number> {
  const rows = [...pairs].map(([place, index]): Pair => {
    const row = recorded[place]!;
    const label = called(`part.${row.number}`, row.part.name ?? "");
    return { place, row, label, other: found[index]! };
  });
  const numbers = new Map([...pairs].map(([at, index]) => [recorded[at]!.number, index + 1]));
  const differing = new Set<number>();
  const pages = rows.filter(({ row }) => row.part.type === HTML);
  for (const { place, row, label, other } of pages) {
    if (!showsTheSame(row.part, other, numbers)) {
      comparison.differences.push(said("part.images", { part: label }));
      differing.add(place);
    } else if (isUnresolved(row.part) && !isSpeltAlike(row.part, other)) {
      comparison.questions.push(said("part.images-untold", { part: label }));
    }
  }
  const mine = recorded.map(({ part }) => part);
  const bound =
    differing.size === 0 &&
    areBound(mine, new Set(pairs.keys())) &&
    areBound(found, new Set(pairs.values()));
  for (const pair of rows) {
    if (compareNames(comparison, pair, bound)) differing.add(pair.place);
  }
  return differing;
}

/**
 * Whether both pages refer to the same parts in the same order. A part that is not shown by the
 * proof leaves the copy not checked in any case, and one without a counterpart differs.
 */
function showsTheSame(page: Part, other: Part, numbers: ReadonlyMap<number, number>): boolean {
  const mine = page.images ?? [];
  const theirs = other.images ?? [];
  if (mine.length !== theirs.length) return false;
  return mine.every((image, at) => {
    const shown = theirs[at]!;
    if (image <= 0 || shown <= 0) return image === shown;
    const counterpart = numbers.get(image);
    return counterpart === undefined || counterpart === shown;
  });
}

function isUnresolved(page: Part): boolean {
  return (page.images ?? []).includes(UNRESOLVED);
}

/** Whether both pages spell all their references alike; words/1 leaves them out. */
function isSpeltAlike(page: Part, other: Part): boolean {
  return sameBy("text/1", page, other) || sameBy("html-text/1", page, other);
}

/** Whether all of a side that may name a Content-ID is a page, paired, whose images are known. */
function areBound(parts: readonly Part[], paired: ReadonlySet<number>): boolean {
  return parts.every((part, at) => {
    if (!MAY_REFER.test(part.type)) return true;
    if (part.type !== HTML || byRule(part, "html-text/1") === undefined) return false;
    return paired.has(at) && !isUnresolved(part);
  });
}

/** Adds what is said of another Content-ID or Content-Location; whether that is a difference. */
function compareNames(comparison: Comparison, pair: Pair, bound: boolean): boolean {
  const { row, label, other } = pair;
  let differs = false;
  if (row.part.content_id !== other.content_id && !bound) {
    comparison.differences.push(said("part.content-id", { part: label }));
    differs = true;
  }
  const [mine, theirs] = [row.part.content_location, other.content_location];
  if (mine === theirs) return differs;
  const place = said("part.content-location", { part: label });
  if (mine === undefined || theirs === undefined) {
    comparison.questions.push(place);
    return differs;
  }
  comparison.differences.push(place);
  return true;
}

/**
 * Which part of a copy is told beside which recorded one (SPEC §10.2.6). It decides how a difference
 * is told, never whether there is one: where parts in the same places are equal, these are paired.
 */

import { type Part, type RecordedPart } from "./recorded.ts";
import { RUNGS, contentRung } from "./rungs.ts";

/** Both sides, with their paths as they are compared. */
export interface Sides {
  readonly recorded: readonly RecordedPart[];
  readonly found: readonly Part[];
  readonly ownPaths: readonly string[];
  readonly paths: readonly string[];
}

/** Recorded place → place in the copy. */
export type Pairs = Map<number, number>;

/** `complete` says that `recorded` is all that was recorded: then what all paths share is left out. */
export function sidesOf(
  recorded: readonly RecordedPart[],
  found: readonly Part[],
  complete: boolean,
): Sides {
  const own = recorded.map(({ part }) => part.path);
  const others = found.map((part) => part.path);
  const ownPaths = complete ? grouping(own) : own;
  return { recorded, found, ownPaths, paths: complete ? grouping(others) : others };
}

/** The paths without the leading numbers that all of them have: a multipart around all the rest. */
export function grouping(paths: readonly string[]): string[] {
  const split = paths.map((path) => path.split("."));
  const shortest = Math.min(...split.map((path) => path.length), split[0]?.length ?? 0);
  let shared = 0;
  while (shared < shortest && split.every((path) => path[shared] === split[0]![shared])) shared++;
  return split.map((path) => path.slice(shared).join("."));
}

/** Parts of equal content: those with the same path, then by rung, labels, distance, places. */
export function equalParts(sides: Sides): Pairs {
  const pairs: Pairs = new Map();
  const byPath = new Map(sides.paths.map((path, index) => [path, index]));
  sides.ownPaths.forEach((path, place) => {
    const index = byPath.get(path);
    if (index === undefined) return;
    if (contentRung(sides.recorded[place]!.part, sides.found[index]!) === "") return;
    pairs.set(place, index);
    byPath.delete(path);
  });
  const taken = new Set(pairs.values());
  for (const { place, index } of candidates(sides, pairs)) {
    if (pairs.has(place) || taken.has(index)) continue;
    pairs.set(place, index);
    taken.add(index);
  }
  return pairs;
}

interface Candidate {
  readonly rank: readonly number[];
  readonly place: number;
  readonly index: number;
}

/** What could be paired besides, the best first. */
function candidates(sides: Sides, pairs: Pairs): Candidate[] {
  const taken = new Set(pairs.values());
  const byDigest = new Map<string, number[]>();
  for (const index of left(sides.found, taken)) {
    for (const { rule, sha256 } of sides.found[index]!.fingerprints) {
      const key = `${rule} ${sha256}`;
      const there = byDigest.get(key);
      if (there === undefined) byDigest.set(key, [index]);
      else there.push(index);
    }
  }
  const all: Candidate[] = [];
  for (const place of left(sides.recorded, new Set(pairs.keys()))) {
    const { number, part } = sides.recorded[place]!;
    const keys = part.fingerprints.map(({ rule, sha256 }) => `${rule} ${sha256}`);
    for (const index of new Set(keys.flatMap((key) => byDigest.get(key) ?? []))) {
      const other = sides.found[index]!;
      const rung = contentRung(part, other);
      if (rung === "") continue;
      const distance = Math.abs(number - 1 - index);
      const rank = [RUNGS.indexOf(rung), otherLabels(part, other), distance, place, index];
      all.push({ rank, place, index });
    }
  }
  return all.sort((a, b) => byRank(a.rank, b.rank));
}

function otherLabels(part: Part, other: Part): number {
  const differ = [part.name !== other.name, part.type !== other.type, part.role !== other.role];
  return differ.filter(Boolean).length;
}

function byRank(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, place) => value !== b[place]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** The same for what changed: by name and path, by name, by path and role, by type of a body. */
export function alikeParts(sides: Sides, equal: Pairs): Pairs {
  const pairs: Pairs = new Map();
  const taken = new Set(equal.values());
  const steps: ((part: Part, path: string) => string | undefined)[] = [
    (part, path) => JSON.stringify([part.name ?? "", path]),
    (part) => part.name,
    (part, path) => JSON.stringify([path, part.role]),
    (part) => (part.role === "body" ? part.type : undefined),
  ];
  for (const key of steps) {
    const free = new Map<string, number>();
    for (const index of left(sides.found, taken)) {
      const one = key(sides.found[index]!, sides.paths[index]!);
      if (one !== undefined && !free.has(one)) free.set(one, index);
    }
    for (const place of left(sides.recorded, new Set([...equal.keys(), ...pairs.keys()]))) {
      const { part } = sides.recorded[place]!;
      const one = key(part, sides.ownPaths[place]!);
      const index = one === undefined ? undefined : free.get(one);
      if (one === undefined || index === undefined) continue;
      if (!mayBe(part, sides.found[index]!)) continue;
      pairs.set(place, index);
      taken.add(index);
      free.delete(one);
    }
  }
  return pairs;
}

/** Whether one could be the other, changed: not where both have names, and other ones. */
function mayBe(part: Part, other: Part): boolean {
  if (part.name !== undefined && other.name !== undefined) return part.name === other.name;
  return part.name !== undefined || other.name !== undefined || part.role === other.role;
}

/** The places from 0 of a list that are not taken. */
export function left(parts: readonly unknown[], taken: ReadonlySet<number>): number[] {
  return [...parts.keys()].filter((place) => !taken.has(place));
}

/** The fewest places without which all the others are in the same order. */
export function movedParts(pairs: Pairs): Set<number> {
  const places = [...pairs.keys()].sort((a, b) => a - b);
  const ends: number[] = [];
  const lengths = new Map<number, number>();
  for (const place of places) {
    const index = pairs.get(place)!;
    let at = ends.findIndex((end) => end >= index);
    if (at < 0) at = ends.length;
    ends[at] = index;
    lengths.set(place, at);
  }
  const moved = new Set<number>();
  let wanted = ends.length - 1;
  let limit = Infinity;
  for (const place of places.reverse()) {
    const index = pairs.get(place)!;
    if (lengths.get(place) === wanted && index < limit) {
      wanted--;
      limit = index;
    } else moved.add(place);
  }
  return moved;
}

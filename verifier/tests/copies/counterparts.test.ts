import { expect, test } from "vitest";

import { newComparison } from "../../src/copies/comparison.ts";
import { grouping } from "../../src/copies/counterparts.ts";
import { compareParts } from "../../src/copies/parts.ts";
import type { Part } from "../../src/copies/recorded.ts";
import { contentRung } from "../../src/copies/rungs.ts";

/** Numbers below `most`, the same at every run. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

function part(path: string, words: string, name: string): Part {
  const digests = { sha256: words, "sha3-256": words, size: words.length };
  const rules = ["decoded/1", "text/1", "words/1"];
  const fingerprints = rules.map((rule) => ({ rule, ...digests }));
  const plain = { fingerprints, path, role: "body", type: "text/plain", notes: ["in.mixed"] };
  return name === "" ? plain : { ...plain, name };
}

function placed(parts: readonly Part[]): Part[] {
  return parts.map((one, at) => ({ ...one, path: `${(at >> 1) + 1}.${(at % 2) + 1}` }));
}

function compared(mine: readonly Part[], found: readonly Part[]) {
  const comparison = newComparison();
  const recorded = mine.map((one, at) => ({ number: at + 1, part: one }));
  return { comparison, added: compareParts(comparison, recorded, found, true) };
}

test("which part is paired with which never changes the verdict", () => {
  const roll = dice(5);
  const some = () =>
    placed(
      Array.from({ length: 1 + roll(4) }, () => part("", "abc"[roll(3)]!, ["", "", "n"][roll(3)]!)),
    );
  let passed = 0;
  for (let round = 0; round < 5000; round++) {
    const mine = some();
    const found = roll(2) === 0 ? [...mine] : some();
    if (roll(3) === 0) found.splice(roll(found.length + 1), 0, found[roll(found.length)]!);
    if (roll(3) === 0) found.push(...found.splice(0, roll(found.length)));
    const there = placed(found);
    const same =
      mine.length === there.length &&
      mine.every((one, at) => contentRung(one, there[at]!) !== "" && one.name === there[at]!.name);
    const { comparison, added } = compared(mine, there);
    expect(comparison.differences.length + added.length === 0, JSON.stringify([mine, there])).toBe(
      same,
    );
    expect(comparison.matches.length).toBe(mine.length);
    passed += Number(same);
  }
  expect(passed).toBeGreaterThan(500);
  expect(passed).toBeLessThan(4500);
});

test("one part that moved is said to have moved, and no other", () => {
  const mine = [1, 2, 3, 4, 5, 6].map((at) => part(`${at}`, `words ${at}`, ""));
  const found = [1, 2, 3, 4, 0, 5].map((at, place) => ({ ...mine[at]!, path: `${place + 1}` }));
  const { comparison, added } = compared(mine, found);
  expect(added).toEqual([]);
  expect(comparison.differences).toEqual([
    { key: "part.place", values: { part: { key: "part", values: { number: "1" } } } },
  ]);
});

test("what all paths begin with is left out", () => {
  expect(grouping(["1.1.2", "1.1.3"])).toEqual(["2", "3"]);
  expect(grouping(["1", "1.1"])).toEqual(["", "1"]);
  expect(grouping([])).toEqual([]);
});

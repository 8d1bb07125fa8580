/** Enclosed messages whose bytes changed on their way: they match by their parts (§10.2, step 2). */

import { contentRung } from "./rungs.ts";
import { type Part, sameBy } from "./recorded.ts";

/**
 * Places of the recorded messages that were paired by their header values alone and have a part
 * that changed, moved, is missing or was added. `pairs`: place in `mine` → place in `found`;
 * `altered`: places of parts with another name, role, type, order or picture; `complete`: whether
 * `mine` is all that was recorded.
 */
export function brokenEnclosures(
  mine: readonly Part[],
  found: readonly Part[],
  pairs: ReadonlyMap<number, number>,
  altered: ReadonlySet<number>,
  complete: boolean,
): Set<number> {
  const broken = new Set<number>();
  for (const place of [...pairs.keys()].sort((a, b) => b - a)) {
    const part = mine[place]!;
    const other = found[pairs.get(place)!]!;
    if (part.role !== "message" || sameBy("decoded/1", part, other)) continue;
    const inside = placesInside(mine, part);
    const kept = inside.every((at) => {
      const index = pairs.get(at);
      if (index === undefined || altered.has(at) || broken.has(at)) return false;
      return found[index]!.path === other.path + mine[at]!.path.slice(part.path.length);
    });
    const added = complete && inside.length !== placesInside(found, other).length;
    if (!kept || added || inside.length === 0) broken.add(place);
  }
  return broken;
}

function placesInside(parts: readonly Part[], message: Part): number[] {
  return [...parts.keys()].filter((at) => parts[at]!.path.startsWith(`${message.path}.`));
}

/**
 * The number of the part of the copy that is an enclosed message with every recorded part in it,
 * and no other; 0 for none.
 */
export function enclosing(mine: readonly Part[], found: readonly Part[]): number {
  const at = found.findIndex((part) => {
    if (part.role !== "message") return false;
    const inside = placesInside(found, part);
    if (inside.length !== mine.length) return false;
    return mine.every((one, place) => contentRung(one, found[inside[place]!]!) !== "");
  });
  return at + 1;
}

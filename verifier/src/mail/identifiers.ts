/** Identifiers of messages (SPEC §3.6.4). */

import type { Defects } from "./header_text.ts";
import { firstPoints, replacing } from "./octets.ts";

const IDENTIFIER_MAX = 998;
const REFERENCES_MAX = 1000;

/** What stands in `<…>`, in order, empty ones passed over. */
export function* identifiers(value: string): Generator<string> {
  for (const match of value.matchAll(/<([^<>]*)>/g)) {
    const inside = replacing(match[1]!.replace(/[ \t\r\n]+/g, "")).text;
    if (inside !== "") yield firstPoints(inside, IDENTIFIER_MAX);
  }
}

export function firstIdentifier(value: string): string | undefined {
  for (const identifier of identifiers(value)) return identifier;
  return undefined;
}

/** Those of In-Reply-To, then of References, each once. */
export function linkedIdentifiers(values: readonly string[], defects: Defects): string[] {
  const linked = new Set<string>();
  for (const value of values) {
    for (const identifier of identifiers(value)) {
      if (linked.size === REFERENCES_MAX && !linked.has(identifier)) {
        defects.add("header.too-many-references");
        return [...linked];
      }
      linked.add(identifier);
    }
  }
  return [...linked];
}

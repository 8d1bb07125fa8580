/** Which picture a page shows where (SPEC §3.16). Names are not kept. */

import { asciiLower } from "./charsets.ts";
import { percentOctets } from "./file_name.ts";
import { octetsOf } from "./octets.ts";
import { sha256 } from "../hash.ts";
import { toBase64url } from "../bytes.ts";

const IMAGES_MAX = 200;
const NAMES_MAX = 2000;
const NOT_ENCLOSED = 0;
const UNKNOWN = -1;

/** For each `img` of a page in order: digests of the names that it may mean; none without `cid:`. */
export type Wanted = readonly (readonly string[])[];

/** Names of pictures that pages may have between them, in one scan. */
export interface NameBudget {
  left: number;
}

export function nameBudget(): NameBudget {
  return { left: NAMES_MAX };
}

/** A Content-ID as programs compare it: without one `<` and one `>`. Empty is none. */
export function contentIdDigest(value: string | undefined): string | undefined {
  return digest(value?.replace(/^</, "").replace(/>$/, ""));
}

export function contentLocationDigest(value: string | undefined): string | undefined {
  return digest(value);
}

function digest(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : toBase64url(sha256(octetsOf(value)));
}

/** What a page wants; undefined if it has no list, `[-1]` if it has that one. */
export function wantedImages(
  sources: readonly string[],
  budget: NameBudget,
): Wanted | number[] | undefined {
  const names = sources.map((source) =>
    asciiLower(source.slice(0, 4)) === "cid:" ? source.slice(4) : undefined,
  );
  const named = names.filter((name) => name !== undefined).length;
  if (named === 0) return undefined;
  if (sources.length > IMAGES_MAX || named > budget.left) return [UNKNOWN];
  budget.left -= named;
  return names.map((name) => (name === undefined ? [] : spellings(name)));
}

function spellings(name: string): string[] {
  const octets = octetsOf(name);
  const { made } = percentOctets(octets);
  return [...new Set([toBase64url(sha256(octets)), toBase64url(sha256(made))])];
}

/** The numbers of the claim; `parts` are the message's own: digest of the Content-ID → their numbers. */
export function imageNumbers(
  wanted: Wanted | number[],
  parts: ReadonlyMap<string, readonly number[]>,
): number[] {
  return wanted.map((names) => {
    if (typeof names === "number") return names;
    if (names.length === 0) return NOT_ENCLOSED;
    const found = names.flatMap((name) => parts.get(name) ?? []);
    return found.length === 1 ? found[0]! : UNKNOWN;
  });
}

/** What a proof shows to compare with (SPEC §4.2). Claims have passed V3, or come from a scan. */

import type { Json } from "../json.ts";
import type { Claims } from "../report.ts";

export interface Fingerprint {
  readonly rule: string;
  readonly size: number;
  readonly sha256: string;
  readonly "sha3-256"?: string;
}

/** A file inside a part (§3.18), or one of a record of digests. */
export interface File {
  readonly name?: string;
  readonly size: number;
  readonly sha256: string;
  readonly "sha3-256"?: string;
}

/** A claim `part.N`. */
export interface Part {
  readonly path: string;
  readonly role: string;
  readonly type: string;
  readonly charset?: string;
  readonly name?: string;
  readonly notes?: readonly string[];
  readonly fingerprints: readonly Fingerprint[];
  readonly content_id?: string;
  readonly content_location?: string;
  readonly images?: readonly number[];
  readonly files?: readonly File[];
}

/** A part and its number in the record. */
export interface RecordedPart {
  readonly number: number;
  readonly part: Part;
}

/** A fingerprint with the claim that it stands in, and what that is called. */
export interface RecordedFingerprint {
  readonly claim: string;
  readonly label: string;
  readonly fingerprint: Fingerprint;
}

/** The claim of this name, or undefined; the registry (V3) has settled its type. */
export function claim<T>(claims: Claims, name: string): T | undefined {
  return Object.hasOwn(claims, name) ? (claims[name] as unknown as T) : undefined;
}

/** The parts shown, by number; at most those that `message.parts` counts, or 500. */
export function shownParts(claims: Claims): RecordedPart[] {
  const most = claim<number>(claims, "message.parts") ?? 500;
  const shown: RecordedPart[] = [];
  for (let number = 1; number <= most; number++) {
    const part = claim<Part>(claims, `part.${number}`);
    if (part !== undefined) shown.push({ number, part });
  }
  return shown;
}

/** All that was recorded and is shown: of the whole, of the parts, of digests, each by number. */
export function recordedFingerprints(claims: Claims): RecordedFingerprint[] {
  const found: RecordedFingerprint[] = [];
  for (const fingerprint of claim<Fingerprint[]>(claims, "message.fingerprints") ?? []) {
    found.push({ claim: "message", label: "", fingerprint });
  }
  for (const { number, part } of shownParts(claims)) {
    const name = part.name ?? "";
    for (const fingerprint of part.fingerprints) {
      found.push({ claim: `part.${number}`, label: name, fingerprint });
    }
    for (const file of part.files ?? []) {
      const label = `${name} › ${file.name ?? ""}`;
      found.push({ claim: `part.${number}`, label, fingerprint: { ...file, rule: "decoded/1" } });
    }
  }
  for (let number = 1; number <= 500; number++) {
    const file = claim<File>(claims, `digest.${number}`);
    if (file === undefined) continue;
    const fingerprint = { ...file, rule: "digest" };
    found.push({ claim: `digest.${number}`, label: file.name ?? "", fingerprint });
  }
  return found;
}

export function byRule(part: Part, rule: string): Fingerprint | undefined {
  return part.fingerprints.find((item) => item.rule === rule);
}

/** Whether sizes and digests are equal; one that lacks a digest says less, and is another. */
export function sameDigests(one: File, other: File): boolean {
  return (
    one.size === other.size && one.sha256 === other.sha256 && one["sha3-256"] === other["sha3-256"]
  );
}

/** Whether both parts have this rule's fingerprint, and the same. */
export function sameBy(rule: string, part: Part, other: Part): boolean {
  const mine = byRule(part, rule);
  const theirs = byRule(other, rule);
  return mine !== undefined && theirs !== undefined && sameDigests(mine, theirs);
}

/** The part's notes that begin in one of these ways, sorted. */
export function notes(part: Part, ...starts: string[]): string[] {
  const found = (part.notes ?? []).filter((note) => starts.some((one) => note.startsWith(one)));
  return [...new Set(found)].sort();
}

/** Whether both have the same notes of these kinds. */
export function sameNotes(part: Part, other: Part, ...starts: string[]): boolean {
  return notes(part, ...starts).join(" ") === notes(other, ...starts).join(" ");
}

/** Equality of values as JSON: members in any order. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (typeof one !== "object" || typeof other !== "object") return one === other;
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, at) => sameJson(item, other[at]));
  }
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && sameJson(one[name], other[name]));
}

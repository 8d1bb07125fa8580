/** What is said of parts whose bytes are not what a reader sees (SPEC §3.17 to §3.19). */

import { fromBase64url, toHex } from "../bytes.ts";
import { type Part, claim, shownParts } from "../copies/recorded.ts";
import type { Claims, Said } from "../report.ts";
import { called } from "./parts.ts";
import { said } from "./words.ts";

const TNEF = ["tnef.malformed", "tnef.text", "tnef.unlisted"];
const OPAQUE = ["signed.pgp-inline", "signed.smime-opaque", "smime."];

interface Link {
  readonly count: number;
  readonly host: string;
}

/** Sentences on the parts that are shown, in their order, then on links to files. */
export function natures(claims: Claims): Said[] {
  const links = claim<Link[]>(claims, "message.links") ?? [];
  return [
    ...shownParts(claims).flatMap(({ number, part }) => ofPart(number, part)),
    ...links.map(({ count, host }) => said("nature.links", { count, host })),
  ];
}

function ofPart(number: number, part: Part): Said[] {
  const label = called(`part.${number}`, part.name ?? "");
  const told: Said[] = [];
  for (const note of part.notes ?? []) {
    if (note.startsWith("encrypted.")) told.push(said("nature.encrypted", { part: label, note }));
    else if (OPAQUE.some((start) => note.startsWith(start))) {
      told.push(said("nature.block", { part: label, note }));
    } else if (note.startsWith("signed.")) {
      told.push(said("nature.signature", { part: label, note }));
    } else if (TNEF.includes(note)) told.push(said(`nature.${note}`, { part: label }));
  }
  for (const file of part.files ?? []) {
    const name = file.name || said("none");
    const sha256 = toHex(fromBase64url(file.sha256));
    told.push(said("nature.file", { part: label, name, size: file.size, sha256 }));
  }
  return told;
}

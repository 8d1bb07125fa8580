/**
 * A mail against a proof (SPEC §10.2). It passes when its bytes are those recorded, or when every
 * recorded part and From, To, Cc, Subject and Date match and nothing was added. Anything else
 * differs, and the report names what.
 */

import { toBase64url, utf8 } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { Json } from "../json.ts";
import type { Claims, CopyReport, Said } from "../report.ts";
import { said } from "../words/words.ts";
import { concluded, newComparison, recordedParts } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import { grouping } from "./counterparts.ts";
import { enclosing } from "./enclosed.ts";
import { HEADER_VALUES, compareHeaders } from "./fields.ts";
import { compareParts } from "./parts.ts";
import {
  type Fingerprint,
  type Part,
  claim,
  recordedFingerprints,
  sameDigests,
  sameJson,
  shownParts,
} from "./recorded.ts";
import { type CopyFile, type Scan, type ScannedMail, bareLineEnds, withCrlf } from "./source.ts";

/** Defects of a scan that was given up, or whose structure holds a multipart without parts. */
const BEYOND = [
  "header.too-large",
  "structure.no-parts",
  "structure.too-deep",
  "structure.too-many-parts",
];
/** Defects that mail programs read each in its own way (§10.3, 4). */
const AMBIGUOUS = new Set([
  ...BEYOND,
  "header.address",
  "header.blank-before-colon",
  "header.blank-line",
  "header.content-type",
  "header.duplicate",
  "header.encoded-word",
  "header.no-separator",
  "header.parameter",
  "structure.near-boundary",
  "structure.no-boundary",
  "structure.start",
  "structure.unclosed",
  "transfer.base64-after-padding",
  "transfer.base64-foreign",
  "transfer.base64-padding",
  "transfer.on-message",
  "transfer.on-multipart",
  "transfer.parameter",
  "transfer.qp-malformed",
  "transfer.unknown",
]);
/** Defects of what raw/1 alone covers (§3.10.3); the third one is among those above. */
const UNCOVERED = ["structure.epilogue", "structure.preamble"];
const MAIL_CLAIM =
  /^(?:header\..+|link\.message_id|message\.(?:links|parts)|part\.[0-9]+|receipt\.report)$/;
/** Members of a part that a record of an earlier version may lack. */
const LATER = ["content_id", "content_location", "files", "images"] as const;
const MAX_DEFECTS = 200;

/** The copy as a mail. */
export function judgeMail({ name, bytes }: CopyFile, claims: Claims, scan: Scan): CopyReport {
  if (isRecorded(bytes, claims)) return veryMail(name, scan(bytes), claims, []);
  const bare = bareLineEnds(bytes);
  const wire = bare.feeds ? withCrlf(bytes) : bytes;
  const notes = bare.feeds ? [said("line-ends")] : [];
  if (bare.feeds && isRecorded(wire, claims)) return veryMail(name, scan(wire), claims, notes);
  const report = compared(name, scan(wire), claims, notes);
  if (!bare.returns) return report;
  const remarks = [...report.remarks, said("bare-cr")];
  if (report.status !== "passed") return { ...report, remarks };
  return { ...report, status: "not checked", finding: said("undecided"), remarks };
}

/** Whether these are the recorded bytes of the whole (raw/1). */
export function isRecorded(bytes: Uint8Array, claims: Claims): boolean {
  const raw = wholeBy("raw/1", claims);
  return raw?.size === bytes.length && raw.sha256 === toBase64url(sha256(bytes));
}

function wholeBy(rule: string, claims: Claims): Fingerprint | undefined {
  const all = claim<Fingerprint[]>(claims, "message.fingerprints") ?? [];
  return all.find((item) => item.rule === rule);
}

/**
 * The bytes are the recorded ones. The claims must then be what the rules make of them: the bytes
 * of one mail under the subject of another would be a lie of the service's.
 */
function veryMail(
  copy: string,
  mail: ScannedMail,
  claims: Claims,
  remarks: readonly Said[],
): CopyReport {
  const changes = contradicted(mail, claims).map((one) =>
    said("record.contradicts", { claim: one }),
  );
  const base = { copy, what: "mail", remarks: [...remarks] };
  if (changes.length > 0) {
    return { ...base, status: "failed", finding: said("record.lies"), matches: [], changes };
  }
  const labels = new Map<string, string>();
  for (const { claim: part, label } of recordedFingerprints(claims)) {
    if (!labels.has(part)) labels.set(part, label);
  }
  const matches = [...labels].map(([part, name]) => ({ part, name, rung: "raw/1" }));
  return { ...base, status: "passed", finding: said("same.bytes"), matches, changes };
}

/** Names of shown claims that the mail's own bytes contradict, sorted. */
function contradicted(mail: ScannedMail, claims: Claims): string[] {
  const names = Object.keys(claims).filter((name) => {
    if (!MAIL_CLAIM.test(name)) return false;
    const value = claim<Json>(claims, name);
    const expected = claim<Json>(mail.claims, name);
    if (!name.startsWith("part.")) return !sameJson(value, expected);
    return !agrees(value as unknown as Part, expected as unknown as Part | undefined);
  });
  const recorded = claim<string[]>(claims, "defects") ?? [];
  const missing = defectsOf(mail).some((defect) => !recorded.includes(defect));
  if (recorded.length < MAX_DEFECTS && missing) names.push("defects");
  return names.sort();
}

/** Notes, and what one of the two does not have, are passed over: versions may add some. */
function agrees(part: Part, expected: Part | undefined): boolean {
  if (expected === undefined) return false;
  const plain = ["charset", "name", "path", "role", "type"] as const;
  if (plain.some((member) => part[member] !== expected[member])) return false;
  const later = LATER.every((member) => {
    const value = part[member] as unknown as Json | undefined;
    return value === undefined || sameJson(value, expected[member] as unknown as Json | undefined);
  });
  const rules = part.fingerprints.every((item) => {
    const other = expected.fingerprints.find(({ rule }) => rule === item.rule);
    return other === undefined || sameDigests(item, other);
  });
  return later && rules;
}

function defectsOf(mail: ScannedMail): string[] {
  return claim<string[]>(mail.claims, "defects") ?? [];
}

function compared(
  name: string,
  mail: ScannedMail,
  claims: Claims,
  notes: readonly Said[],
): CopyReport {
  const comparison = newComparison();
  const values = HEADER_VALUES.map((field) => [field, mail.claims[field] ?? []] as const);
  compareHeaders(comparison, values, claims);
  const defects = defectsOf(mail);
  for (const defect of defects.filter((one) => AMBIGUOUS.has(one))) {
    comparison.questions.push(said("defect.ambiguous", { defect }));
  }
  const recorded = claim<string[]>(claims, "defects") ?? [];
  const uncovered = UNCOVERED.filter((one) => defects.includes(one) && !recorded.includes(one));
  if (!BEYOND.some((defect) => defects.includes(defect))) {
    compareStructure(comparison, mail.claims, claims);
  }
  return concluded(comparison, name, [
    ...notes,
    ...uncovered.map((defect) => said("defect.uncovered", { defect })),
    ...evidence(mail, claims, comparison.differences.length > 0),
  ]);
}

function compareStructure(comparison: Comparison, copy: Claims, claims: Claims): void {
  const { recorded, complete } = recordedParts(comparison, claims);
  const found = shownParts(copy).map(({ part }) => part);
  const added = compareParts(comparison, recorded, found, complete);
  if (!complete) return;
  comparison.differences.push(...added);
  const mine = recorded.map(({ part }) => part);
  const paths = grouping(mine.map((part) => part.path));
  const now = grouping(found.map((part) => part.path));
  if (paths.length === now.length && paths.some((path, at) => path !== now[at])) {
    comparison.differences.push(said("parts.grouping"));
  }
  const number = enclosing(mine, found);
  if (number > 0) comparison.remarks.push(said("enclosed", { number }));
}

/** What else the two have in common; it makes no copy pass (§3.11, §10.2, step 3). */
function evidence(mail: ScannedMail, claims: Claims, differs: boolean): Said[] {
  const told: Said[] = [];
  const body = wholeBy("body-relaxed/1", claims);
  const here = wholeBy("body-relaxed/1", mail.claims);
  if (body && here && body.size > 0 && sameDigests(body, here)) told.push(said("body-same"));
  const recorded = claim<string>(claims, "link.message_id");
  if (recorded === undefined) return told;
  const own = claim<string>(mail.claims, "link.message_id");
  if (own === recorded) return differs ? [...told, said("id.same")] : told;
  told.push(said(own === undefined ? "id.none" : "id.other"));
  const answered = mail.references.some((one) => toBase64url(sha256(utf8(one))) === recorded);
  return answered ? [...told, said("id.answers")] : told;
}

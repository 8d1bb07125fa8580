/** The attachments of an Outlook file beside the recorded parts (SPEC §10.4). */

import { toBase64url } from "../bytes.ts";
import { sha256, sha3_256 } from "../hash.ts";
import { trimBlanks } from "../mail/octets.ts";
import { contentIdDigest, contentLocationDigest } from "../mail/pictures.ts";
import type { Said } from "../report.ts";
import { called, described } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { changed } from "./changes.ts";
import type { Comparison } from "./comparison.ts";
import type { Attachment } from "./outlook.ts";
import { cleaned } from "./outlook_header.ts";
import { type Fingerprint, type RecordedPart, byRule, sameDigests } from "./recorded.ts";

/** Each attachment is taken once. */
export interface OutlookFiles {
  readonly comparison: Comparison;
  /** By place; those taken are gone. */
  readonly free: Map<number, Attachment>;
  readonly digests: ReadonlyMap<number, Fingerprint>;
  /** The last place that was taken. */
  order: number;
}

export function outlookFiles(
  comparison: Comparison,
  attachments: readonly Attachment[],
): OutlookFiles {
  const free = new Map(attachments.map((item, at) => [at, item]));
  const digests = new Map<number, Fingerprint>();
  attachments.forEach(({ data }, at) => {
    if (data !== undefined) digests.set(at, decodedFingerprint(data));
  });
  return { comparison, free, digests, order: -1 };
}

function decodedFingerprint(data: Uint8Array): Fingerprint {
  return {
    rule: "decoded/1",
    size: data.length,
    sha256: toBase64url(sha256(data)),
    "sha3-256": toBase64url(sha3_256(data)),
  };
}

/** A recorded enclosed message: Outlook has one in its place, in another form. */
export function compareEnclosed(files: OutlookFiles, { number, part }: RecordedPart): void {
  const { comparison, free } = files;
  const found = [...free].find(([, item]) => item.embedded);
  if (found === undefined) {
    comparison.differences.push(said("part.missing", { number, what: described(part) }));
    return;
  }
  free.delete(found[0]);
  const label = called(`part.${number}`, part.name ?? "");
  comparison.questions.push(said("msg.enclosed", { part: label }));
}

/** The rung on which the file has this recorded part, or "". */
export function compareFile(files: OutlookFiles, row: RecordedPart): string {
  const { number, part } = row;
  const decoded = byRule(part, "decoded/1");
  const same = [...files.free].filter(([at]) => {
    const digest = files.digests.get(at);
    return decoded !== undefined && digest !== undefined && sameDigests(decoded, digest);
  });
  const found = same.find(([, item]) => nameOf(item) === part.name) ?? same[0];
  if (found === undefined) {
    tellUnmatched(files, row);
    return "";
  }
  const [at, item] = found;
  files.free.delete(at);
  const label = called(`part.${number}`, part.name ?? "");
  compareLabels(files.comparison, label, row, item);
  if (at < files.order) files.comparison.differences.push(said("part.place", { part: label }));
  files.order = Math.max(files.order, at);
  return "decoded/1";
}

function tellUnmatched(files: OutlookFiles, row: RecordedPart): void {
  const { number, part } = row;
  const { differences, questions } = files.comparison;
  const named = [...files.free].find(([, item]) => part.name && nameOf(item) === part.name);
  if (named === undefined) {
    differences.push(said("part.missing", { number, what: described(part) }));
    return;
  }
  const [at, item] = named;
  files.free.delete(at);
  const digest = files.digests.get(at);
  if (item.data === undefined || digest === undefined) {
    questions.push(said("msg.object", { name: part.name ?? "" }));
  } else differences.push(changed(row, { ...part, fingerprints: [digest] }));
}

function compareLabels(
  { differences, questions }: Comparison,
  label: Said,
  { part }: RecordedPart,
  item: Attachment,
): void {
  const name = nameOf(item);
  const shown = cleaned(item.shownName ?? "");
  if (part.name === undefined) {
    questions.push(said("msg.name-untold", { part: label, name: name ?? said("none") }));
  } else if (name !== part.name) {
    const values = { part: label, before: part.name, name: name ?? said("none") };
    differences.push(said("part.name", values));
  } else if (shown !== "" && shown !== name) {
    differences.push(said("part.name", { part: label, before: part.name, name: shown }));
  }
  if (item.hidden && part.role !== "inline") {
    const [now, before] = [said("role.inline"), said(`role.${part.role}`)];
    differences.push(said("part.role", { part: label, now, before }));
  } else if (!item.hidden && part.role === "inline") {
    questions.push(said("msg.role-untold", { part: label }));
  }
  if (part.type.startsWith("text/")) {
    questions.push(said("msg.charset-untold", { part: label }));
  }
  const id = contentIdDigest(trimBlanks(item.contentId));
  const location = contentLocationDigest(trimBlanks(item.contentLocation));
  if (part.content_id !== id || part.content_location !== location) {
    questions.push(said("msg.content-id-untold", { part: label }));
  }
}

/** What no recorded part corresponds to was added. */
export function tellAdded({ comparison, free }: OutlookFiles): void {
  for (const item of free.values()) {
    const role = said(item.embedded ? "role.message" : "role.attachment");
    const what = said("described", { role, name: nameOf(item) ?? "" });
    comparison.differences.push(said("part.added", { what }));
  }
}

function nameOf(item: Attachment): string | undefined {
  return cleaned(item.name ?? "") || undefined;
}

/** A mail's own claims (SPEC §3, §4.2): what its octets say, by the rules of §3. */

import { toBase64url, utf8 } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { Claims } from "../report.ts";
import { type Fields, noteDuplicates } from "./fields.ts";
import type { Defects } from "./header_text.ts";
import { readHeaderValues } from "./header_values.ts";
import type { ScanState } from "./leaf.ts";
import { linkCounts } from "./links.ts";
import { nameBudget } from "./pictures.ts";
import { relaxBody } from "./relaxed.ts";
import { CapExceeded, readMessage } from "./structure.ts";

/** What a scan finds: the claims, and the other mails that the header names. */
export interface Scan {
  /** All derived and stated claims that come from the octets alone. */
  readonly claims: Claims;
  /** In-Reply-To, then References; each once, at most 1,000. */
  readonly references: readonly string[];
}

/** How far the scan is: `done` of `total`, in octets of work. */
export type Progress = (done: number, total: number) => void;

const TNEF_FILES_MAX = 1000;
const STEP = 1_048_576;
/** In the order in which they are preferred (§3.8.4). */
const FORMS = ["direct", "attached", "inline"];

/** `octets` as on the wire, or a saved file whose lone LFs are made CRLF (§3.1.1). */
export function scanMail(octets: Uint8Array, onProgress?: Progress): Claims {
  return readMail(octets, onProgress).claims;
}

export function readMail(octets: Uint8Array, onProgress: Progress = () => {}): Scan {
  const total = octets.length * 3;
  const fingerprints = wholeFingerprints(octets, (done) => onProgress(done, total));
  const state: ScanState = {
    defects: new Set(),
    parts: [],
    links: new Map(),
    reports: new Map(),
    pictures: nameBudget(),
    tnefFiles: TNEF_FILES_MAX,
    reached: (octet) => onProgress(octets.length * 2 + octet, total),
  };
  const outermost = readStructure(octets, state);
  onProgress(total, total);
  const { stated, ...header } = readHeaderValues(outermost.fields, outermost.defects);
  const claims: Claims = {
    "header.cc": stated.cc,
    "header.date": stated.date,
    "header.from": stated.from,
    "header.receipt_requested": header.receiptRequested,
    "header.subject": stated.subject,
    "header.to": stated.to,
    "message.fingerprints": fingerprints,
    defects: [...outermost.defects].sort(),
  };
  if (header.messageId !== undefined) {
    claims["link.message_id"] = toBase64url(sha256(utf8(header.messageId)));
  }
  if (!outermost.isBeyond) addStructure(claims, state);
  return { claims, references: header.references };
}

/** The outermost header, if it could be read, and the defects: with a cap exceeded, few. */
interface Outermost {
  readonly fields: Fields | undefined;
  readonly defects: Defects;
  readonly isBeyond: boolean;
}

function readStructure(octets: Uint8Array, state: ScanState): Outermost {
  let fields: Fields | undefined;
  try {
    const place = { prefix: "", level: 1, enclosed: 0 };
    readMessage(octets, place, state, (found) => (fields = found));
    return { fields, defects: state.defects, isBeyond: false };
  } catch (error) {
    if (!(error instanceof CapExceeded)) throw error;
    const defects: Defects = new Set([error.message]);
    if (fields !== undefined) noteDuplicates(fields, defects);
    return { fields, defects, isBeyond: true };
  }
}

function addStructure(claims: Claims, state: ScanState): void {
  if (state.parts.length > 0) claims["message.parts"] = state.parts.length;
  state.parts.forEach((part, i) => {
    if (part !== undefined) claims[`part.${i + 1}`] = part;
  });
  const links = linkCounts(state.links);
  if (links.length > 0) claims["message.links"] = links;
  const report = FORMS.map((form) => state.reports.get(form)).find((found) => found !== undefined);
  if (report !== undefined) claims["receipt.report"] = report;
}

/** `raw/1` and `body-relaxed/1`: by SHA-256 alone. */
function wholeFingerprints(
  octets: Uint8Array,
  onProgress: (done: number) => void,
): { rule: string; sha256: string; size: number }[] {
  const raw = sha256.create();
  for (let at = 0; at < octets.length; at += STEP) {
    raw.update(octets.subarray(at, at + STEP));
    onProgress(Math.min(at + STEP, octets.length));
  }
  const relaxed = sha256.create();
  const size = relaxBody(octets, relaxed);
  onProgress(octets.length * 2);
  return [
    { rule: "raw/1", sha256: toBase64url(raw.digest()), size: octets.length },
    { rule: "body-relaxed/1", sha256: toBase64url(relaxed.digest()), size },
  ];
}

/** Verification of a proof: the steps V1 to V14 and V17 of SPEC §9, in that order. */

import { ascii, compare, concat, equal, toBase64url, toHex } from "../bytes.ts";
import { CheckFailed, NotChecked } from "../errors.ts";
import { sha256, sha3_256 } from "../hash.ts";
import type { Json } from "../json.ts";
import type { Claims, Report, Row } from "../report.ts";
import { judgeBatches } from "./anchor_checks.ts";
import { judge, unknownKind } from "./bench.ts";
import { checkClaims } from "./claims.ts";
import type { Proof } from "./model.ts";
import { checkRecordSignature } from "./record_signature.ts";
import { judgeTokens } from "./token_checks.ts";
import type { Trust } from "./trust_model.ts";
import { exitStatus } from "./verdict.ts";
import { enoughWitnesses } from "./witnesses.ts";

const CLAIMS_LABEL = concat(ascii("proofmail/claims/0"), Uint8Array.of(0));

/**
 * Judges a proof that was read (V1) under `trust`. Every step that can be judged is judged, whatever
 * failed before it; no claim is a fact unless V2 and V3 passed.
 */
export async function verifyProof(proof: Proof, trust: Trust): Promise<Report> {
  const read: Row = {
    number: "V1",
    title: "the file is an undamaged proof",
    status: "passed",
    reason: "format 0, canonical",
    subject: "",
  };
  const committed = judge("V2", "the entries are those committed to", "", () => commitment(proof));
  const registered = judge("V3", "every claim is known and typed", "", () => registry(proof));
  const signed = judge("V4", "signed by a trusted service key", "", () => signature(proof, trust));
  const tokens = await judgeTokens(proof, trust);
  const batches = judgeBatches(proof, trust);
  const renewals = proof.renewals.map(({ kind }, place) =>
    unknownKind("V13", "renewal", `renewal ${place + 1}`, kind),
  );
  const testimonies = [...tokens.testimonies, ...batches.testimonies];
  const claims = registered.found;
  return {
    rows: [
      read,
      committed.row,
      claims ? { ...registered.row, reason: shownWords(proof, claims) } : registered.row,
      signed.row,
      ...tokens.rows,
      ...batches.rows,
      ...renewals,
      ...(await linkedRows(proof, trust)),
      enoughWitnesses(testimonies, trust.witnesses),
    ],
    witnesses: testimonies.map(({ witness }) => witness),
    witnesses_needed: trust.witnesses,
    copies: [],
    facts: claims && committed.found !== undefined ? factsOf(proof, claims) : {},
  };
}

/** V2, SPEC §2.2 and §2.3. */
function commitment({ record, entries }: Proof): string {
  if (entries.length !== record.count) {
    throw new CheckFailed("the number of entries is not the record's");
  }
  entries.forEach((entry, place) => {
    if (place > 0 && compare(entries[place - 1]!.sha256, entry.sha256) >= 0) {
      throw new CheckFailed("the entries are not in ascending order of their SHA-256");
    }
  });
  const first = sha256(concat(CLAIMS_LABEL, ...entries.map((entry) => entry.sha256)));
  if (!equal(first, record.sha256)) {
    throw new CheckFailed("the entries' SHA-256 differs from the record's");
  }
  const second = sha3_256(concat(CLAIMS_LABEL, ...entries.map((entry) => entry.sha3_256)));
  if (!equal(second, record.sha3_256)) {
    throw new CheckFailed("the entries' SHA3-256 differs from the record's");
  }
  return `SHA-256 of the record ${toHex(sha256(record.bytes))}`;
}

/** V3: the claims shown, by name. */
function registry({ record, entries }: Proof): Claims {
  return checkClaims(
    record.kind,
    entries.flatMap((entry) => entry.shown ?? []),
  );
}

function shownWords({ entries }: Proof, claims: Claims): string {
  const shown = Object.keys(claims).length;
  const hidden = entries.length - shown;
  return `${shown} claims shown; ${hidden} entries not shown (hidden claims or decoys)`;
}

/** V4, SPEC §2.5. */
function signature(proof: Proof, trust: Trust): string {
  const { record } = proof;
  const service = trust.services.find((one) => one.log === record.log);
  if (service === undefined) {
    throw new NotChecked("the service (its log's name) is not in the trust given");
  }
  const key = service.keys.find((one) => equal(sha256(one), proof.signature.key));
  if (key === undefined) {
    throw new NotChecked("the signing key is not among the trusted keys of this service");
  }
  checkRecordSignature(key, record.bytes, proof.signature.value);
  return `log ${record.log}, key ${toHex(proof.signature.key).slice(0, 16)}…`;
}

function factsOf(proof: Proof, claims: Claims): { [name: string]: Json } {
  return {
    claims,
    hidden_or_decoys: proof.entries.length - Object.keys(claims).length,
    kind: proof.record.kind,
    log: proof.record.log,
    received_at: proof.record.received_at,
  };
}

/** V14, SPEC §9.3. One record linked twice would read as two receipts. */
async function linkedRows(proof: Proof, trust: Trust): Promise<Row[]> {
  const name = toBase64url(sha256(proof.record.bytes));
  const known = new Set<string>();
  const rows: Row[] = [];
  for (const [place, linked] of proof.linked.entries()) {
    const title = `linked ${linked.record.kind}`;
    const own = toHex(linked.record.bytes);
    const report = await verifyProof(linked, trust);
    const judged = standingOf(linked, report, name, known.has(own));
    known.add(own);
    rows.push({ number: "V14", title, ...judged, subject: `linked ${place + 1}` });
  }
  return rows;
}

function standingOf(
  linked: Proof,
  report: Report,
  name: string,
  twice: boolean,
): Pick<Row, "status" | "reason"> {
  const words = (row: Row): string => `${row.number} ${row.title}: ${row.reason}`;
  const failed = report.rows.find((row) => row.status === "failed");
  if (failed) return { status: "failed", reason: words(failed) };
  const claims = report.facts["claims"] as Claims | undefined;
  const member = linked.record.kind === "addendum" ? "addendum.of" : "receipt.of";
  if (claims?.[member] !== name)
    return { status: "failed", reason: "it does not name this record" };
  if (twice) return { status: "failed", reason: "its record is linked a second time" };
  if (exitStatus(report) === 0) return { status: "passed", reason: `log ${linked.record.log}` };
  const undecided = report.rows.find((row) => row.status === "not checked");
  if (undecided) return { status: "not checked", reason: words(undecided) };
  return { status: "absent", reason: "recorded, not yet witnessed" };
}

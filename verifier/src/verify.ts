/** The whole of `proofmail verify`: a proof file, a dossier or a case dossier, with copies (SPEC §9 to §11). */

import { judgeCopy, judgeDigest, judgeFolder } from "./copies/judge.ts";
import type { CopyFile, CopyFolder } from "./copies/source.ts";
import { CheckFailed, Unreadable } from "./errors.ts";
import type { Json } from "./json.ts";
import {
  type Case,
  caseExitStatus,
  type CaseReport,
  caseReportJson,
  caseRows,
  proofAt,
  readCase,
  verifyCase,
} from "./pdf/case.ts";
import { readMail } from "./mail/scan.ts";
import { type Dossier, isPdf, readDossier } from "./pdf/dossier.ts";
import { looseRow, sealRows } from "./pdf/judge.ts";
import { verifyProof } from "./proof/checks.ts";
import type { Proof } from "./proof/model.ts";
import { readProof } from "./proof/proof.ts";
import { reportJson } from "./proof/report_json.ts";
import { NO_TRUST, readTrust } from "./proof/trust.ts";
import type { Trust } from "./proof/trust_model.ts";
import { type ExitStatus, exitStatus } from "./proof/verdict.ts";
import type { Claims, CopyReport, Report, Row } from "./report.ts";
import { said } from "./words/words.ts";

const MAX_INPUT_BYTES = 64 << 20;

/** What a person asks. `trust` is the bytes of a trust file; `number` a proof of a case, from 1. */
export interface Question {
  readonly input: Uint8Array;
  readonly trust: Uint8Array | undefined;
  readonly copies: readonly (CopyFile | CopyFolder)[];
  readonly digests: readonly string[];
  readonly number: number | undefined;
}

/** Statuses as in SPEC §9.4; without a report where the input, or what is asked of it, cannot be judged. */
export type Answer =
  | { readonly exit: ExitStatus; readonly kind: "proof"; readonly report: Report }
  | { readonly exit: ExitStatus; readonly kind: "case"; readonly report: CaseReport }
  | { readonly exit: 1 | 2; readonly kind: "none"; readonly error: string };

/** What was given, read and not yet judged. */
type Given =
  | { readonly kind: "proof"; readonly proof: Proof; readonly dossier: Dossier | undefined }
  | { readonly kind: "case"; readonly found: Case };

/** Which copy is compared ("": a proof of a case), how far that is, of how much. */
export type OnProgress = (name: string, done: number, total: number) => void;

export async function verify(
  question: Question,
  onProgress: OnProgress = () => {},
): Promise<Answer> {
  try {
    const given = readGiven(question.input);
    const trust = question.trust === undefined ? NO_TRUST : readTrust(question.trust);
    return given.kind === "case"
      ? await answerOnCase(given.found, question, trust, onProgress)
      : await answerOnProof(given.proof, given.dossier, question, trust, onProgress);
  } catch (error) {
    if (error instanceof Unreadable) return { exit: 2, kind: "none", error: error.message };
    // Of a case: the proof that is asked for is not the one that it lists.
    if (error instanceof CheckFailed) return { exit: 1, kind: "none", error: error.message };
    throw error;
  }
}

/** The report of an answer as `proofmail verify --json` gives it; undefined where it has none. */
export function answerJson(answer: Answer): { [name: string]: Json } | undefined {
  switch (answer.kind) {
    case "proof":
      return reportJson(answer.report);
    case "case":
      return caseReportJson(answer.report);
    case "none":
      return undefined;
  }
}

function readGiven(input: Uint8Array): Given {
  if (input.length > MAX_INPUT_BYTES) {
    throw new Unreadable("larger than 64 MiB: neither a proof nor a dossier");
  }
  if (!isPdf(input)) return { kind: "proof", proof: readProof(input), dossier: undefined };
  const dossier = readDossier(input);
  const proof = dossier.files.get("proof.json");
  return proof
    ? { kind: "proof", proof: readProof(proof), dossier }
    : { kind: "case", found: readCase(dossier) };
}

async function answerOnProof(
  proof: Proof,
  dossier: Dossier | undefined,
  question: Question,
  trust: Trust,
  onProgress: OnProgress,
): Promise<Answer> {
  if (question.number !== undefined) {
    throw new Unreadable("a number is for case dossiers: this one holds one proof");
  }
  const rows = dossier ? [looseRow(dossier, proof), ...(await sealRows(dossier, trust))] : [];
  return reportOn(proof, rows, question, trust, onProgress);
}

async function answerOnCase(
  found: Case,
  question: Question,
  trust: Trust,
  onProgress: OnProgress,
): Promise<Answer> {
  if (question.number === undefined) {
    if (question.copies.length > 0 || question.digests.length > 0) {
      throw new Unreadable("a case dossier: say which of its proofs is meant, by its number");
    }
    const total = found.list.proofs.length;
    const report = await verifyCase(found, trust, (number) => onProgress("", number, total));
    return { exit: caseExitStatus(report), kind: "case", report };
  }
  const proof = proofAt(found, question.number);
  return reportOn(proof, await caseRows(found, trust), question, trust, onProgress);
}

/** The whole report on one proof, with the rows on the file that it lies in before V17, which sums up. */
async function reportOn(
  proof: Proof,
  own: readonly Row[],
  question: Question,
  trust: Trust,
  onProgress: OnProgress,
): Promise<Answer> {
  const judged = await verifyProof(proof, trust);
  const rows = [...judged.rows.slice(0, -1), ...own, ...judged.rows.slice(-1)];
  const report = { ...judged, rows, copies: judgeCopies(judged, question, onProgress) };
  return { exit: exitStatus(report), kind: "proof", report };
}

function judgeCopies(
  report: Report,
  { copies, digests }: Question,
  onProgress: OnProgress,
): CopyReport[] {
  const claims = report.facts["claims"] as Claims | undefined;
  if (claims === undefined) {
    // V2 or V3 failed: no claim is a fact, and nothing can be compared.
    return [
      ...copies.map(({ name }) => unjudged(name, "file")),
      ...digests.map((digest) => unjudged(digest, "digest")),
    ];
  }
  return [
    ...copies.map((copy) => {
      const scan = (mail: Uint8Array) =>
        readMail(mail, (done, total) => onProgress(copy.name, done, total));
      return "files" in copy
        ? judgeFolder(copy, claims, scan)
        : judgeCopy(copy.name, copy.bytes, claims, scan);
    }),
    ...digests.map((digest) => judgeDigest(digest, claims)),
  ];
}

function unjudged(copy: string, what: string): CopyReport {
  const finding = said("proof.failed");
  return { copy, what, status: "not checked", finding, matches: [], changes: [], remarks: [] };
}

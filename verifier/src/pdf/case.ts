/**
 * A case dossier judged: its list, its seal, and each proof by itself (SPEC §11.7, V15, V16, V18). One proof is
 * read at a time and let go; what is kept of it is a line. The list tells which proofs there are, and nothing on them.
 */

import { equal, toHex } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { Json } from "../json.ts";
import { verifyProof } from "../proof/checks.ts";
import type { Proof } from "../proof/model.ts";
import { readProof } from "../proof/proof.ts";
import type { Trust } from "../proof/trust_model.ts";
import { existedBy, type ExitStatus, exitStatus, verdict } from "../proof/verdict.ts";
import type { Report, Row, Status } from "../report.ts";
import { type CaseList, type Listed, readCaseList } from "./case_list.ts";
import { withoutConstant } from "./constant.ts";
import type { Dossier } from "./dossier.ts";
import { sealRows } from "./judge.ts";

const LIST_TITLE = "the proofs are exactly those that the list names";
const MEMBER_TITLE = "a proof of the case";
const MAX_SHOWN = 200;
const MAX_SENDERS = 3;

/** `digests` are the SHA-256 of the listed files that are there, by name. */
export interface Case {
  readonly list: CaseList;
  readonly dossier: Dossier;
  readonly digests: ReadonlyMap<string, Uint8Array>;
}

/** What one proof of the case came to; texts are empty unless its V2 and V3 passed. */
export interface CaseMember {
  readonly number: number;
  readonly status: Status;
  readonly reason: string;
  readonly existed_by: string;
  /** All witnesses that passed carry a caution. */
  readonly weak: boolean;
  readonly record_sha256: string;
  readonly kind: string;
  readonly received_at: string;
  readonly subject: string;
  readonly sender: string;
  readonly hidden_or_decoys: number;
}

export interface CaseReport {
  readonly title: string;
  /** V15, V16 and V16.D; V18 is made of the members. */
  readonly rows: readonly Row[];
  readonly members: readonly CaseMember[];
}

export function readCase(dossier: Dossier): Case {
  const bytes = dossier.files.get("case.json");
  if (!bytes) throw new Unreadable("the PDF holds no list of proofs");
  const list = readCaseList(bytes);
  const digests = new Map<string, Uint8Array>();
  for (const { name } of list.proofs) {
    const file = dossier.files.get(name);
    if (file) digests.set(name, sha256(file));
  }
  return { list, dossier, digests };
}

/** The proof at this place, from 1. Unreadable if there is none; CheckFailed if it is not the one that is listed. */
export function proofAt(found: Case, number: number): Proof {
  const listed = found.list.proofs[number - 1];
  if (!listed) throw new Unreadable(`the case has proofs 1 to ${found.list.proofs.length}`);
  const proof = readProof(fileOf(found, listed));
  if (!equal(sha256(proof.record.bytes), listed.record)) {
    throw new CheckFailed(`${listed.name} is the proof of another record than the list names`);
  }
  return proof;
}

/** The bytes of a listed file; CheckFailed if it is missing or another. */
function fileOf({ dossier, digests }: Case, { name, sha256: due }: Listed): Uint8Array {
  const [bytes, own] = [dossier.files.get(name), digests.get(name)];
  if (!bytes || !own) throw new CheckFailed(`${name} is listed, but not in the dossier`);
  if (!equal(own, due)) throw new CheckFailed(`${name} is another file than the list names`);
  return bytes;
}

export async function verifyCase(
  found: Case,
  trust: Trust,
  onProof: (number: number) => void = () => {},
): Promise<CaseReport> {
  const rows = await caseRows(found, trust);
  const members: CaseMember[] = [];
  for (let number = 1; number <= found.list.proofs.length; number++) {
    onProof(number);
    members.push(await memberAt(found, number, trust));
  }
  return { title: found.list.title, rows, members };
}

/** V15, V16 and V16.D, which are judged once for the file. */
export async function caseRows(found: Case, trust: Trust): Promise<Row[]> {
  return [listRow(found), ...(await sealRows(found.dossier, trust))];
}

/** V15, SPEC §11.7, 3. */
function listRow(found: Case): Row {
  const row = { number: "V15", title: LIST_TITLE, subject: "" };
  try {
    checkFiles(found);
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
    return { ...row, status: "failed", reason: error.message };
  }
  const reason = `${found.list.proofs.length} proofs; that none is missing is the word of whoever made the list`;
  return { ...row, status: "passed", reason };
}

function checkFiles(found: Case): void {
  const names = new Set(["case.json"]);
  for (const listed of found.list.proofs) {
    fileOf(found, listed);
    names.add(listed.name);
  }
  for (const name of withoutConstant(found.dossier.files).keys()) {
    if (!names.has(name)) throw new CheckFailed(`${name} is in the dossier, but not listed`);
  }
}

/** V18 on the proof at this place. */
async function memberAt(found: Case, number: number, trust: Trust): Promise<CaseMember> {
  const nothing = {
    number,
    existed_by: "",
    weak: false,
    record_sha256: "",
    kind: "",
    received_at: "",
    subject: "",
    sender: "",
    hidden_or_decoys: 0,
  };
  let proof: Proof;
  try {
    proof = proofAt(found, number);
  } catch (error) {
    if (!(error instanceof CheckFailed || error instanceof Unreadable)) throw error;
    return { ...nothing, status: "failed", reason: error.message };
  }
  const report = await verifyProof(proof, trust);
  const known = {
    ...nothing,
    ...outcome(report),
    record_sha256: toHex(sha256(proof.record.bytes)),
  };
  return report.facts["claims"] === undefined ? known : { ...known, ...factsOf(report) };
}

/** Passed if the proof by itself would end with 0. */
function outcome(report: Report): { status: Status; reason: string } {
  if (exitStatus(report) === 0) return { status: "passed", reason: "" };
  const failed = report.rows.find((row) => row.status === "failed");
  const row = failed ?? report.rows.find(({ status }) => status === "not checked");
  if (!row) return { status: "not checked", reason: "no witness yet" };
  const subject = row.subject ? ` [${row.subject}]` : "";
  return { status: row.status, reason: `${row.number} ${row.title}${subject}: ${row.reason}` };
}

function factsOf(report: Report): Partial<CaseMember> {
  const { claims, kind, received_at, hidden_or_decoys } = report.facts;
  const passed = report.witnesses.filter(({ status }) => status === "passed");
  return {
    existed_by: existedBy(report),
    weak: passed.length > 0 && passed.every(({ caution }) => caution !== ""),
    kind: String(kind),
    received_at: String(received_at),
    hidden_or_decoys: Number(hidden_or_decoys),
    subject: clipped(strings(claims, "header.subject")[0] ?? ""),
    sender: clipped(senders(claims).slice(0, MAX_SENDERS).join(", ")),
  };
}

function itemsOf(claims: Json | undefined, name: string): readonly Json[] {
  const value = typeof claims === "object" && !Array.isArray(claims) ? claims[name] : undefined;
  return Array.isArray(value) ? value : [];
}

function strings(claims: Json | undefined, name: string): readonly string[] {
  return itemsOf(claims, name).map(String);
}

function senders(claims: Json | undefined): readonly string[] {
  return itemsOf(claims, "header.from").map((box) => {
    const { address, name } = box as { address: string; name: string };
    return address || name;
  });
}

/** The first code points of a text. */
function clipped(text: string): string {
  return [...text.slice(0, 2 * MAX_SHOWN)].slice(0, MAX_SHOWN).join("");
}

/** SPEC §9.4, with V18 in place of V4 and V17. */
export function caseExitStatus({ rows, members }: CaseReport): ExitStatus {
  const statuses = [...rows, ...members].map(({ status }) => status);
  if (statuses.includes("failed")) return 1;
  return statuses.every((status) => status === "passed") ? 0 : 3;
}

/** When all of the records existed; "" if one has no witness that passed. */
export function caseExistedBy({ members }: CaseReport): string {
  const times = members.map((member) => member.existed_by).sort();
  return times[0] ? times.at(-1)! : "";
}

export function caseReportJson(report: CaseReport): { [name: string]: Json } {
  const status = caseExitStatus(report);
  const rows = report.members.map((member) => ({
    number: "V18",
    title: MEMBER_TITLE,
    status: member.status,
    reason: member.reason,
    subject: `proof ${member.number}`,
  }));
  return {
    existed_by: caseExistedBy(report),
    exit_status: status,
    format: "proofmail/case-report/0",
    proofs: report.members.map(({ weak: _, ...member }) => member),
    rows: [...report.rows, ...rows].map((row) => ({ ...row })),
    title: report.title,
    verdict: verdict(status),
  };
}

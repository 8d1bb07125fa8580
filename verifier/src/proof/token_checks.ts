/** The steps on tokens: V5, V5.S, V5.Q and V6 (SPEC §9.1), by the checks of ../token. */

import { toHex } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { Row, Witness } from "../report.ts";
import { authorityOf, whoseWord } from "../token/authority.ts";
import type { JudgedToken, Qualification, Standing, TokenFacts } from "../token/model.ts";
import { momentOfText, spell } from "../token/moment.ts";
import { spellName } from "../token/names.ts";
import { judgeQualification } from "../token/qualified.ts";
import { judgeRevocation } from "../token/revocation.ts";
import { judgeToken } from "../token/token.ts";
import { checkStatement, judge, together, unknownKind } from "./bench.ts";
import { rootOf } from "./merkle.ts";
import type { Proof, ProofRecord, TokenItem, TrustedListExtract } from "./model.ts";
import type { Trust, TrustedAuthority } from "./trust_model.ts";
import type { Heard } from "./witnesses.ts";

const REVOCATION = "V5.S";
const QUALIFICATION = "V5.Q";

/** V5 to V6 of all tokens, in their order. */
export async function judgeTokens(proof: Proof, trust: Trust): Promise<Heard> {
  if (proof.tokens.length === 0) {
    const reason = "no time-stamp yet";
    const title = "time-stamp token";
    const row: Row = { number: "V5", title, status: "absent", reason, subject: "" };
    return { rows: [row], testimonies: [] };
  }
  const heard: Heard[] = [];
  for (const [place, token] of proof.tokens.entries()) {
    const subject = `token ${place + 1}`;
    heard.push(
      token.known
        ? await judgeOne(proof.record, token, trust, subject)
        : { rows: [unknownKind("V5", "time-stamp token", subject, token.kind)], testimonies: [] },
    );
  }
  return {
    rows: heard.flatMap((one) => one.rows),
    testimonies: heard.flatMap((one) => one.testimonies),
  };
}

async function judgeOne(
  record: ProofRecord,
  token: TokenItem,
  trust: Trust,
  subject: string,
): Promise<Heard> {
  const covered = judge("V5.T0", "what the token must cover", subject, () =>
    imprintOf(record, token),
  );
  const imprint = covered.found;
  if (imprint === undefined) return { rows: [covered.row], testimonies: [] };
  const rows: Row[] = [{ ...covered.row, reason: coveredWords(token, imprint) }];
  const judged = await judgeToken(token.response, imprint, token.certificates, trust.authorities);
  for (const { number, title, status, reason } of judged.results) {
    rows.push({ number: `V5.${number}`, title, status, reason, subject });
  }
  const facts = judged.facts;
  if (facts === undefined) return { rows, testimonies: [] };
  const authority = authorityOf(facts, trust.authorities);
  const standing = await revocationRows(rows, token, judged, subject);
  const qualification = await qualificationRows(rows, token, judged, trust, authority, subject);
  const latest = facts.genTime + (facts.accuracy ?? 0n);
  const received = momentOfText(record.received_at);
  const stated = judge("V6", "not received after the time-stamp", subject, () =>
    checkStatement(record.received_at, received, latest, "token"),
  );
  rows.push(stated.row);
  const status = witnessStatus(rows, authority, standing, qualification);
  const witness: Witness = {
    kind: "rfc3161",
    status,
    time: spell(facts.genTime),
    accuracy_milliseconds: Number((facts.accuracy ?? 0n) / 1000n),
    latest,
    details: detailsOf(token, imprint, facts, authority, standing, qualification),
    caution: authority?.built_in ? "built-in authority" : "",
  };
  const whose = status === "passed" ? whoseWord(facts, authority) : [];
  return { rows, testimonies: [{ whose: new Set(whose), witness }] };
}

/** SPEC §5.1: the digest of the record's bytes, or the root of the tree that the record is a leaf of. */
function imprintOf(record: ProofRecord, { tree }: TokenItem): Uint8Array {
  if (tree === undefined) return sha256(record.bytes);
  return rootOf(record.bytes, tree.index, tree.size, tree.path);
}

function coveredWords({ tree }: TokenItem, imprint: Uint8Array): string {
  if (tree === undefined) return "the record alone: openssl ts -verify -data record.json";
  const place = `the root of a tree of ${tree.size} records, this one at index ${tree.index}`;
  return `${place}: openssl ts -verify -digest ${toHex(imprint)}`;
}

/** V5.S, and a row on the first item of an unknown kind unless it failed. */
async function revocationRows(
  rows: Row[],
  token: TokenItem,
  judged: JudgedToken,
  subject: string,
): Promise<Standing> {
  const known = token.revocation.flatMap((item) => (item.known ? [item] : []));
  const standing = await judgeRevocation(judged, known);
  const { status, reason } = standing;
  const title = "no certificate of the path was revoked";
  rows.push({ number: REVOCATION, title, status, reason, subject });
  const other = token.revocation.find((item) => !item.known);
  if (other !== undefined && status !== "failed") {
    rows.push(unknownKind(REVOCATION, "revocation data", subject, other.kind));
  }
  return standing;
}

/** V5.Q, and a row on the first extract of an unknown kind. */
async function qualificationRows(
  rows: Row[],
  token: TokenItem,
  judged: JudgedToken,
  trust: Trust,
  authority: TrustedAuthority | undefined,
  subject: string,
): Promise<Qualification> {
  const failed = rows.some((row) => row.status === "failed");
  const found = await judgeQualification(judged, trust.lists, authority, failed);
  const { status, reason } = found;
  const title = "the authority was a qualified one at genTime";
  rows.push({ number: QUALIFICATION, title, status, reason, subject });
  const other = token.extracts.find((item) => !item.known);
  if (other !== undefined) rows.push(unknownKind(QUALIFICATION, "extract", subject, other.kind));
  return found;
}

/** A token passes with V5 and V6; V5.S must not have failed, and what the trust asks for must hold. */
function witnessStatus(
  rows: readonly Row[],
  authority: TrustedAuthority | undefined,
  standing: Standing,
  qualification: Qualification,
): Witness["status"] {
  const aside = [REVOCATION, QUALIFICATION];
  const counted = rows.filter((row) => row.status === "failed" || !aside.includes(row.number));
  const status = together(counted);
  const lacks =
    (authority?.revocation_required && standing.status !== "passed") ||
    (authority?.qualified_required && qualification.status !== "passed");
  return status === "passed" && lacks ? "not checked" : status;
}

function detailsOf(
  token: TokenItem,
  imprint: Uint8Array,
  facts: TokenFacts,
  authority: TrustedAuthority | undefined,
  standing: Standing,
  qualification: Qualification,
): Record<string, string> {
  const { tree, extracts } = token;
  const saw = extracts.flatMap((item) => (item.known ? [seen(item)] : [])).join("; ");
  return {
    authority: authority?.name ?? "",
    signer: spellName(facts.signer.subject),
    policy: facts.policy,
    serial: String(facts.serial),
    certificate_bound_by: facts.boundBy,
    not_revoked_as_of: standing.asOf ?? "not checked",
    ...(tree && { tree_place: `${tree.index} / ${tree.size}`, tree_root: toHex(imprint) }),
    qualified: qualification.answer,
    ...(qualification.listTitle !== "" && { qualified_by: qualification.listTitle }),
    ...(saw !== "" && { service_saw: saw }),
  };
}

function seen(extract: TrustedListExtract): string {
  const { territory, sequence, issued, service, provider, type, status, since } = extract;
  const list = `list ${territory} no. ${sequence} of ${issued.slice(0, 10)}`;
  return `${list}: ${service} of ${provider}, ${type}, ${status} since ${since.slice(0, 10)}`;
}

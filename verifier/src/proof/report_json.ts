/** The report as `proofmail/report/0` (SPEC §9.5). */

import type { Json } from "../json.ts";
import type { CopyReport, Report, Witness } from "../report.ts";
import { say } from "../words/words.ts";
import { existedBy, exitStatus, verdict } from "./verdict.ts";

export function reportJson(report: Report): { [name: string]: Json } {
  const status = exitStatus(report);
  return {
    copies: report.copies.map(copyJson),
    existed_by: existedBy(report),
    exit_status: status,
    facts: report.facts,
    format: "proofmail/report/0",
    rows: report.rows.map((row) => ({ ...row })),
    verdict: verdict(status),
    witnesses: report.witnesses.map(witnessJson),
    witnesses_needed: report.witnesses_needed,
  };
}

function witnessJson(witness: Witness): Json {
  const { kind, status, time, accuracy_milliseconds, details, caution } = witness;
  return { kind, status, time, accuracy_milliseconds, details: { ...details }, caution };
}

function copyJson(copy: CopyReport): Json {
  return {
    copy: copy.copy,
    what: copy.what,
    status: copy.status,
    verdict: say(copy.finding, "en"),
    matches: copy.matches.map((match) => ({ ...match })),
    differences: copy.changes.map((change) => say(change, "en")),
    notes: copy.remarks.map((remark) => say(remark, "en")),
  };
}

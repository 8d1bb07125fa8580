/** The report of a verification (SPEC §9): the JSON of `proofmail verify --json`, as types. */

import type { Json } from "./json.ts";

export type Status = "passed" | "failed" | "absent" | "not checked";

/** One check: `number` and `title` are SPEC §9's; `subject` says of what (`token 1`). */
export interface Row {
  number: string;
  title: string;
  status: Status;
  reason: string;
  subject: string;
}

/** What one token or anchor says; a fact only if `status` is passed. */
export interface Witness {
  kind: string;
  status: Status;
  time: string;
  accuracy_milliseconds: number;
  /** Time + accuracy, in microseconds since 1970: exact, and not in the JSON. */
  latest: bigint;
  details: Record<string, string>;
  caution: string;
}

/** A recorded part and the strongest rung that the copy reaches for it ("" for none). */
export interface PartMatch {
  part: string;
  name: string;
  rung: string;
}

/** A sentence in no language yet: a key of the catalogue and the values that stand in it. */
export interface Said {
  key: string;
  values: Record<string, string | number | Said>;
}

/** One copy against the proof: what was judged (`mail`, `file`, `digest`), and what was found. */
export interface CopyReport {
  copy: string;
  what: string;
  status: Status;
  finding: Said;
  matches: PartMatch[];
  changes: Said[];
  remarks: Said[];
}

export interface Report {
  rows: Row[];
  witnesses: Witness[];
  witnesses_needed: number;
  copies: CopyReport[];
  /** Empty unless V2 and V3 passed: no claim is a fact then. */
  facts: { [name: string]: Json };
}

/** The disclosed claims of a record, or what a mail's own scan gives (SPEC §4.2): name → value. */
export type Claims = { [name: string]: Json };

/** What a report comes to: exit status, verdict (SPEC §9.4) and existed_by (§9.2). */

import type { Report } from "../report.ts";
import { spell } from "../token/moment.ts";

export type ExitStatus = 0 | 1 | 3;

const VERDICTS = { 0: "verified", 1: "failed", 3: "not verified under this trust" } as const;

/** Steps without which nothing is verified; V16 only where there is one. */
const NEEDED = ["V4", "V17"];

/** 0 verified, 1 failed or differs, 3 not verified under this trust. (2, unreadable, has no report.) */
export function exitStatus(report: Report): ExitStatus {
  const statuses = [...report.rows, ...report.copies].map((one) => one.status);
  if (statuses.includes("failed")) return 1;
  const needed = NEEDED.every((number) =>
    report.rows.some(
      (row) => row.number === number && row.subject === "" && row.status === "passed",
    ),
  );
  const sealed = report.rows.every((row) => row.number !== "V16" || row.status === "passed");
  const copied = report.copies.every((copy) => copy.status === "passed");
  return needed && sealed && copied ? 0 : 3;
}

export function verdict(status: ExitStatus): string {
  return VERDICTS[status];
}

/** The earliest time that a passed witness vouches for, rounded up to milliseconds; "" for none. */
export function existedBy(report: Report): string {
  const passed = report.witnesses.filter((witness) => witness.status === "passed");
  const strong = passed.filter((witness) => witness.caution === "");
  const [first, ...others] = strong.length > 0 ? strong : passed;
  if (first === undefined) return "";
  const earliest = others.reduce(
    (least, { latest }) => (latest < least ? latest : least),
    first.latest,
  );
  return spell(earliest + 999n);
}

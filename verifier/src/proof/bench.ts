/** The rows of one verification as they come. Primitives raise; this collects (SPEC §9.1). */

import { CheckFailed, NotChecked, Unreadable } from "../errors.ts";
import type { Row, Status } from "../report.ts";

/** SPEC §9.2, V6 and V12: how much later than its witness a record may say that it was received. */
const TOLERANCE = 60_000_000n;

export interface Judged<T> {
  readonly row: Row;
  /** Undefined unless the row passed. */
  readonly found: T | undefined;
}

/** Runs one check. A check that gives a text gives its row's reason; anything else is its finding. */
export function judge<T>(
  number: string,
  title: string,
  subject: string,
  check: () => T,
): Judged<T> {
  try {
    const found = check();
    const reason = typeof found === "string" ? found : "";
    return { row: { number, title, status: "passed", reason, subject }, found };
  } catch (error) {
    if (error instanceof CheckFailed || error instanceof Unreadable) {
      const row: Row = { number, title, status: "failed", reason: error.message, subject };
      return { row, found: undefined };
    }
    if (!(error instanceof NotChecked)) throw error;
    const row: Row = { number, title, status: "not checked", reason: error.message, subject };
    return { row, found: undefined };
  }
}

/** A row on an item of a kind that this verifier does not know. */
export function unknownKind(number: string, title: string, subject: string, kind: string): Row {
  const reason = `a kind this verifier does not know: ${clip(kind)}`;
  return { number, title, status: "not checked", reason, subject };
}

/** Text of the proof's own, shortened and made plain for a report's line. */
function clip(text: string): string {
  const plain = Array.from(text)
    .slice(0, 40)
    .map((letter) =>
      /^[ -~]$/.test(letter) ? letter : `\\u{${letter.codePointAt(0)?.toString(16)}}`,
    );
  return `'${plain.join("")}'`;
}

/** All of these rows as one status; nothing is absent that is one of several. */
export function together(rows: readonly Row[]): Status {
  if (rows.some((row) => row.status === "failed")) return "failed";
  return rows.every((row) => row.status === "passed") ? "passed" : "not checked";
}

/** V6 and V12; moments in microseconds since 1970. */
export function checkStatement(
  spelt: string,
  received: bigint,
  latest: bigint,
  witness: string,
): string {
  if (received - latest > TOLERANCE) {
    throw new CheckFailed(`received_at is later than the ${witness}'s time`);
  }
  const exact = Number(latest - received) / 1e6;
  // To the even one of two that are as near, as the first verifier says it.
  const seconds =
    exact % 1 === 0 || exact % 0.5 !== 0 ? Math.round(exact) : 2 * Math.round(exact / 2);
  return `the service states ${spelt}, ${seconds} s before`;
}

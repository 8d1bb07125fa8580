/** Running a check for its row (SPEC §9.1). */

import { CheckFailed, NotChecked, Unreadable } from "../errors.ts";
import type { Outcome } from "./model.ts";

/** CheckFailed and Unreadable are failures, NotChecked is what it says; whatever else is thrown goes on. */
export async function outcomeOf(run: () => Promise<string | void>): Promise<Outcome> {
  try {
    return { status: "passed", reason: (await run()) ?? "" };
  } catch (error) {
    if (error instanceof NotChecked) return { status: "not checked", reason: error.message };
    if (isFault(error)) return { status: "failed", reason: error.message };
    throw error;
  }
}

/** Whether bytes are not what they should be, or break a rule. */
export function isFault(error: unknown): error is CheckFailed | Unreadable {
  return error instanceof CheckFailed || error instanceof Unreadable;
}

/** Whose word a witness is, and how many distinct ones passed: V17 (SPEC §9.1). */

import type { Row, Witness } from "../report.ts";

/** A witness, and all that tells whose word it is: two with anything in common are one. */
export interface Testimony {
  readonly whose: ReadonlySet<string>;
  readonly witness: Witness;
}

/** What the steps on tokens, or on batches, give. */
export interface Heard {
  readonly rows: readonly Row[];
  readonly testimonies: readonly Testimony[];
}

/** V17: as many distinct witnesses passed as the trust asks for; absent where there is no witness. */
export function enoughWitnesses(testimonies: readonly Testimony[], needed: number): Row {
  const count = distinct(testimonies.filter(({ witness }) => witness.status === "passed"));
  const lacking = testimonies.length === 0 ? "absent" : "not checked";
  return {
    number: "V17",
    title: "enough independent witnesses",
    status: count >= needed ? "passed" : lacking,
    reason: `${count} of ${needed} needed`,
    subject: "",
  };
}

/** How many groups there are when whatever has something in common is joined. */
function distinct(testimonies: readonly Testimony[]): number {
  let groups: ReadonlySet<string>[] = [];
  for (const { whose } of testimonies) {
    const meets = (group: ReadonlySet<string>): boolean => [...whose].some((one) => group.has(one));
    const joined = groups.filter(meets).flatMap((group) => [...group]);
    groups = [...groups.filter((group) => !meets(group)), new Set([...whose, ...joined])];
  }
  return groups.length;
}

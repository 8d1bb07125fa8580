/** A document time-stamp behind the seal of a dossier (SPEC §11.5, V16.D). It is no witness of the record. */

import { CheckFailed, NotChecked } from "../errors.ts";
import type { RevocationItem } from "../proof/model.ts";
import type { TrustedAuthority } from "../proof/trust_model.ts";
import { authorityOf } from "./authority.ts";
import { INTEGER, SEQUENCE, element } from "./der.ts";
import type { JudgedToken, Outcome, Standing } from "./model.ts";
import { spell } from "./moment.ts";
import { spellName } from "./names.ts";
import { outcomeOf } from "./outcome.ts";
import { judgeRevocation } from "./revocation.ts";
import { judgeToken } from "./token.ts";

/** A PKIStatusInfo that says granted: put before a bare token it makes a response of it. */
const GRANTED = element(SEQUENCE, element(INTEGER, Uint8Array.of(0)));

/**
 * T1 to T13 over `imprint` (the SHA-256 of the bytes that it covers), then revocation (SPEC §5.7) by what
 * the file's store brings along: certificates and items. `token` is DER, without a response.
 */
export async function judgeStamp(
  token: Uint8Array,
  imprint: Uint8Array,
  certificates: readonly Uint8Array[],
  items: readonly RevocationItem[],
  authorities: readonly TrustedAuthority[],
): Promise<Outcome> {
  const response = element(SEQUENCE, GRANTED, token);
  const judged = await judgeToken(response, imprint, certificates, authorities);
  return outcomeOf(async () => {
    checkAll(judged);
    return told(judged, await judgeRevocation(judged, items), authorities);
  });
}

/** The first failure, or else the first check that could not be judged. */
function checkAll({ results }: JudgedToken): void {
  const failed = results.find((one) => one.status === "failed");
  if (failed !== undefined) throw new CheckFailed(failed.reason);
  const open = results.find((one) => one.status !== "passed");
  if (open !== undefined) throw new NotChecked(open.reason);
}

function told(
  { facts }: JudgedToken,
  revocation: Standing,
  authorities: readonly TrustedAuthority[],
): string {
  if (facts === undefined) throw new CheckFailed("the token cannot be read");
  const authority = authorityOf(facts, authorities);
  if (revocation.status === "failed") throw new CheckFailed(revocation.reason);
  if (revocation.status !== "passed" && authority?.revocation_required) {
    throw new NotChecked(revocation.reason);
  }
  const name = authority?.name ?? spellName(facts.signer.subject);
  const weak = authority?.built_in ? ", which proves nothing to others" : "";
  return `the file up to there at ${spell(facts.genTime)}, by ${name}${weak}; ${revocation.reason}`;
}

/** What CRLs and OCSP responses have in common: an entry, and the rules on who may sign one (SPEC §5.7). */

import { CheckFailed, Unreadable } from "../errors.ts";
import { ECDSA, RSA, type Algorithm } from "./algorithm.ts";
import type { Certificate } from "./certificate.ts";
import type { Reader } from "./der.ts";
import type { Moment } from "./moment.ts";
import { checkEcdsa, checkRsa, readKey } from "./signature.ts";

/** CRLReason (RFC 5280 §5.3.1) by its number. */
export const REASONS: ReadonlyMap<number, string> = new Map([
  [0, "unspecified"],
  [1, "keyCompromise"],
  [2, "cACompromise"],
  [3, "affiliationChanged"],
  [4, "superseded"],
  [5, "cessationOfOperation"],
  [6, "certificateHold"],
  [8, "removeFromCRL"],
  [9, "privilegeWithdrawn"],
  [10, "aACompromise"],
]);

const MOST_NUMBER = (1n << 32n) - 1n;
export const INVALIDITY_DATE = "2.5.29.24";
export const REASON_CODE = "2.5.29.21";

/** What one item says of one certificate. `revokedAt` is an earlier invalidityDate where there is one. */
export interface Entry {
  readonly asOf: Moment;
  readonly until: Moment | undefined;
  readonly revokedAt: Moment | undefined;
  readonly reason: string | undefined;
}

/** Bytes to be signed, and their signature. */
export interface Signed {
  readonly data: Uint8Array;
  readonly signatureAlgorithm: Algorithm;
  readonly signature: Uint8Array;
}

/** CheckFailed unless it is signed by this certificate's key, by what SPEC §5.7 allows. */
export async function checkSigned(signed: Signed, signer: Certificate): Promise<void> {
  const { data, signature, signatureAlgorithm } = signed;
  const key = readKey(signer);
  const name = (key.kind === "ec" ? ECDSA : RSA).get(signatureAlgorithm.oid);
  if (name === undefined) {
    throw new CheckFailed("revocation data is signed by an algorithm that is not taken");
  }
  if (key.kind === "ec") checkEcdsa(key, name, data, signature);
  else await checkRsa(key, "PKCS #1 v1.5", name, data, signature);
}

/** The name of a reason; Unreadable for what is no ENUMERATED, CheckFailed for a number not in use. */
export function readReason(reader: Reader, tag: number): string {
  const number = reader.integer(tag);
  if (number < 0n || number > MOST_NUMBER) throw new Unreadable("a reason that is no number");
  const name = REASONS.get(Number(number));
  if (name === undefined) throw new CheckFailed("a reason that is not known");
  return name;
}

/** Fingerprints of a part (SPEC §3.1.3), spelt as claims spell them (§4.2). */

import { toBase64url } from "../bytes.ts";
import { sha256, sha3_256 } from "../hash.ts";

/** `size` is in octets of what the rule makes. A type alias, so that it is a value of JSON, too. */
export type Fingerprint = {
  rule: string;
  size: number;
  sha256: string;
  "sha3-256": string;
};

/** By both hash functions, as every rule on a part is. */
export function fingerprint(rule: string, made: Uint8Array): Fingerprint {
  return {
    rule,
    size: made.length,
    sha256: toBase64url(sha256(made)),
    "sha3-256": toBase64url(sha3_256(made)),
  };
}

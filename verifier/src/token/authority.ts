/** Which authority of the trust a token's path ends in, and whose word a token is (SPEC §9.1). */

import { equal, toHex } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { TrustedAuthority } from "../proof/trust_model.ts";
import type { TokenFacts } from "./model.ts";

/**
 * The authority in whose certificate the path ends, undefined without a path. Listed more than once it is
 * the first of them, and all that any of them asks for, or warns of, holds.
 */
export function authorityOf(
  facts: TokenFacts,
  authorities: readonly TrustedAuthority[],
): TrustedAuthority | undefined {
  const end = facts.path[facts.path.length - 1];
  const found = authorities.filter((one) => end !== undefined && equal(one.certificate, end.der));
  return (
    found[0] && {
      ...found[0],
      built_in: found.some((one) => one.built_in),
      revocation_required: found.some((one) => one.revocation_required),
      qualified_required: found.some((one) => one.qualified_required),
    }
  );
}

/**
 * All by which the tokens of one authority are told to be so: the end of the path, its key, the signer's
 * key, and what the trust calls the authority. Two with anything in common are one witness. For a token
 * that passed.
 */
export function whoseWord(
  facts: TokenFacts,
  authority: TrustedAuthority | undefined,
): ReadonlySet<string> {
  const end = facts.path[facts.path.length - 1];
  const known = [facts.signer.keyInfo, ...(end ? [end.der, end.keyInfo] : [])];
  const words = new Set(known.map((der) => toHex(sha256(der))));
  if (authority && authority.name !== "") words.add(`name ${authority.name}`);
  return words;
}

/**
 * What the checks on tokens and seals give (SPEC §5, §11.5). The entry points, all of this folder:
 *
 * - token.ts `judgeToken(response, imprint, certificates, authorities): Promise<JudgedToken>`
 * - revocation.ts `judgeRevocation(judged, items): Promise<Standing>` (V5.S)
 * - qualified.ts `judgeQualification(judged, lists, authority, failed): Promise<Qualification>` (V5.Q)
 * - authority.ts `authorityOf(facts, authorities)`, `whoseWord(facts, authority)` (V17)
 * - seal.ts `judgeSeal(cms, digest, seals): Promise<SealResult>` (V16, 3 to 8)
 * - stamp.ts `judgeStamp(token, imprint, certificates, items, authorities): Promise<Outcome>` (V16.D)
 * - certificate.ts `readCertificate(der)`, and `readTrustedCertificate(der)` for a trust file's
 */

import type { Status } from "../report.ts";
import type { Certificate } from "./certificate.ts";

/** How one check ended; `reason` says why, and may be empty for one that passed. */
export interface Outcome {
  readonly status: Status;
  readonly reason: string;
}

/** One of T1 to T13, in their order. */
export interface TokenResult extends Outcome {
  readonly number: string;
  readonly title: string;
}

/** What a token says; facts only as far as its checks passed. */
export interface TokenFacts {
  /** Microseconds since 1970. */
  readonly genTime: bigint;
  /** Microseconds; undefined where the authority states none (which is not zero). */
  readonly accuracy: bigint | undefined;
  readonly policy: string;
  readonly serial: bigint;
  /** How it is signed: `ECDSA P-256 with SHA-256`. */
  readonly signature: string;
  /** How the signer's certificate is bound: `v2`, `v1 (SHA-1)`, or both. */
  readonly boundBy: string;
  readonly signer: Certificate;
  /** The path of T12, signer's certificate first, anchor last; empty where it does not hold. */
  readonly path: readonly Certificate[];
}

export interface JudgedToken {
  readonly results: readonly TokenResult[];
  /** Undefined where the token cannot be read, or its signer or signature is not good. */
  readonly facts: TokenFacts | undefined;
  /** Why there is no path, if there is none. */
  readonly noPath: string;
  /** DER of the certificates that travel with the token or beside it: untrusted. */
  readonly untrusted: readonly Uint8Array[];
}

/** V5.S (SPEC §5.7). */
export interface Standing extends Outcome {
  /** The earliest moment at which each certificate was last known good, as §1.3 spells it. */
  readonly asOf: string | undefined;
}

/** V5.Q (SPEC §5.8). */
export interface Qualification extends Outcome {
  readonly answer: "qualified" | "qualified by an unsigned list" | "not qualified" | "not checked";
  /** The list that gave the answer, or "". */
  readonly listTitle: string;
}

/** V16, 3 to 8 (SPEC §11.5). */
export interface SealResult extends Outcome {
  /** The seal signer's name where it passed, else "". */
  readonly signer: string;
}

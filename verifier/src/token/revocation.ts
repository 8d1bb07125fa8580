/**
 * V5.S: whether a certificate of a token's path was revoked, for the time of that token (SPEC §5.7). The
 * path has been judged before; its anchor is the verifier's own decision and is not looked up.
 */

import { CheckFailed, NotChecked } from "../errors.ts";
import type { RevocationItem } from "../proof/model.ts";
import type { Certificate } from "./certificate.ts";
import { lookUpCrl } from "./crl.ts";
import { NO_REVOCATION } from "./extensions.ts";
import type { JudgedToken, Standing } from "./model.ts";
import { spell, type Moment } from "./moment.ts";
import { lookUpOcsp } from "./ocsp.ts";
import { isFault } from "./outcome.ts";
import type { Entry } from "./status_signer.ts";

const LOOK_UP = { crl: lookUpCrl, ocsp: lookUpOcsp } as const;
/** RFC 3161 §4: with one of these said, tokens from before the revocation remain valid. */
const HARMLESS: ReadonlySet<string> = new Set([
  "unspecified",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
]);

interface Word extends Entry {
  readonly kind: "crl" | "ocsp";
}

/** V5.S of a token whose facts can be read. It passes, fails, or is not checked. */
export async function judgeRevocation(
  judged: JudgedToken,
  items: readonly RevocationItem[],
): Promise<Standing> {
  const { facts, noPath } = judged;
  if (facts === undefined || facts.path.length === 0) return notChecked(noPath);
  try {
    return await standing(facts.path, items, facts.genTime);
  } catch (error) {
    if (error instanceof NotChecked) return notChecked(error.message);
    if (!(error instanceof CheckFailed)) throw error;
    return { status: "failed", reason: error.message, asOf: undefined };
  }
}

function notChecked(reason: string): Standing {
  return { status: "not checked", reason, asOf: undefined };
}

async function standing(
  path: readonly Certificate[],
  items: readonly RevocationItem[],
  genTime: Moment,
): Promise<Standing> {
  if (path.length === 1) {
    throw new NotChecked("the trust names the authority's own certificate, which nobody revokes");
  }
  const best: Word[] = [];
  const missing: string[] = [];
  for (const [place, issuer] of path.slice(1).entries()) {
    const certificate = path[place]!;
    const words = await wordsOn(certificate, issuer, items);
    for (const word of words) checkRevoked(word, genTime);
    const fit = words.filter((word) => covers(word, certificate, genTime));
    if (fit.length === 0) missing.push(lack(certificate));
    else best.push(fit.reduce((newest, one) => (one.asOf > newest.asOf ? one : newest)));
  }
  if (missing[0] !== undefined) throw new NotChecked(missing[0]);
  const asOf = best.map((word) => word.asOf).reduce((a, b) => (b < a ? b : a));
  return { status: "passed", reason: best.map(tell).join("; "), asOf: spell(asOf) };
}

/** What the items say of the certificate; what is of others, or does not hold, says nothing. */
async function wordsOn(
  certificate: Certificate,
  issuer: Certificate,
  items: readonly RevocationItem[],
): Promise<readonly Word[]> {
  const found: Word[] = [];
  for (const { kind, value } of items) {
    try {
      found.push({ kind, ...(await LOOK_UP[kind](value, certificate, issuer)) });
    } catch (error) {
      const silent = isFault(error) || error instanceof NotChecked;
      if (!silent) throw error;
    }
  }
  return found;
}

/** RFC 3161 §4. A revocation that says no reason, or another one, takes every token with it. */
function checkRevoked(word: Word, genTime: Moment): void {
  if (word.revokedAt === undefined) return;
  const when = spell(word.revokedAt);
  if (word.revokedAt <= genTime) {
    throw new CheckFailed(`a certificate of the path was revoked before genTime, on ${when}`);
  }
  if (word.reason === undefined || !HARMLESS.has(word.reason)) {
    throw new CheckFailed(
      `a certificate of the path was revoked on ${when} (${word.reason ?? "no reason given"}), ` +
        "which takes its earlier tokens with it (RFC 3161 §4)",
    );
  }
}

/** Whether it was the newest at genTime, or was made later, while the certificate still ran (an expired
 * one may be left out of a list). */
function covers(word: Word, certificate: Certificate, genTime: Moment): boolean {
  if (word.asOf <= genTime) return word.until !== undefined && genTime <= word.until;
  return word.revokedAt !== undefined || word.asOf <= certificate.notAfter;
}

function lack(certificate: Certificate): string {
  return certificate.extensions.has(NO_REVOCATION)
    ? "not checked: revocation (the authority gives out no such data, RFC 9608)"
    : "not checked: revocation (no data for genTime comes with the token)";
}

function tell(word: Word): string {
  const by = `by ${word.kind.toUpperCase()}`;
  return word.revokedAt !== undefined
    ? `revoked only later, on ${spell(word.revokedAt)} (${word.reason ?? ""}), ${by}`
    : `good as of ${spell(word.asOf)}, ${by}`;
}

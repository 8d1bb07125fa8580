/**
 * The path from a signer's certificate to a trusted one, at the token's own time (SPEC §5.4; RFC 5280 §6).
 * Anchors come from the trust alone; what travels along helps to build the path and is believed in nothing.
 */

import { equal, toHex } from "../bytes.ts";
import { CheckFailed, NotChecked, Unreadable } from "../errors.ts";
import type { TrustedAuthority } from "../proof/trust_model.ts";
import {
  ECDSA,
  NULL_DER,
  RSA,
  RSA_ENCRYPTION,
  RSA_PSS,
  sameAlgorithm,
  type Algorithm,
  type DigestName,
} from "./algorithm.ts";
import {
  readCertificate,
  readCertificateNames,
  readTrustedCertificate,
  type Certificate,
} from "./certificate.ts";
import { Exhausted, checkAlternativeNames, type Budget } from "./constraints.ts";
import { GENERALIZED_TIME } from "./der.ts";
import * as extension from "./extensions.ts";
import { SECOND, momentOfText, type Moment } from "./moment.ts";
import { isFault } from "./outcome.ts";
import { checkEcdsa, checkRsa, readKey, type Padding, type PublicKey } from "./signature.ts";

export const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const VERSION_3 = 2n;
const MOST_DEPTH = 8;
const MOST_SIGNATURES = 128;
const MOST_SERIAL_BITS = 167;
const YEAR_2050 = momentOfText("2050-01-01T00:00:00.000Z");
const YEAR_1950 = momentOfText("1950-01-01T00:00:00.000Z");
/** The extensions that a path takes note of; any other one that is critical ends it. */
const KNOWN: ReadonlySet<string> = new Set([
  extension.AUTHORITY_INFORMATION_ACCESS,
  extension.AUTHORITY_KEY_IDENTIFIER,
  extension.SUBJECT_KEY_IDENTIFIER,
  extension.KEY_USAGE,
  extension.SUBJECT_ALTERNATIVE_NAME,
  extension.BASIC_CONSTRAINTS,
  extension.NAME_CONSTRAINTS,
  extension.EXTENDED_KEY_USAGE,
]);
/** RSASSA-PSS-params of each digest: MGF1 by the same, a salt as long as it (RFC 4055 §3.1). */
const PSS_PARAMETERS: ReadonlyMap<string, DigestName> = new Map(
  (["sha256", "sha384", "sha512"] as const).map((name, i) => {
    const digest = `300d060960864801650304020${i + 1}0500`;
    const salt = [32, 48, 64][i]!.toString(16);
    const mask = `301a06092a864886f70d010108${digest}`;
    return [`3034a00f${digest}a11c${mask}a2030201${salt}`, name];
  }),
);

/** RFC 3161 §2.3 (T10): extended key usage is critical and timeStamping alone; a key usage, where there is
 * one, allows signing. */
export function checkUsage(certificate: Certificate): void {
  checkStamping(certificate);
  const bits = extension.keyUsage(certificate.extensions);
  if (bits && !bits.has(extension.DIGITAL_SIGNATURE) && !bits.has(extension.NON_REPUDIATION)) {
    throw new CheckFailed("the signer's key usage does not allow signing");
  }
}

function checkStamping({ extensions }: Certificate): void {
  const usages = extension.extendedKeyUsage(extensions);
  if (usages === undefined) {
    throw new CheckFailed("the signer's certificate is not one for time-stamping");
  }
  if (usages.length !== 1 || usages[0] !== TIME_STAMPING) {
    throw new CheckFailed("the signer's certificate is not for time-stamping alone");
  }
  if (!extensions.get(extension.EXTENDED_KEY_USAGE)?.critical) {
    throw new CheckFailed("the signer's time-stamping usage is not critical");
  }
}

/** T11: the certificate was valid at the moment, to the second, whatever has become of it since. */
export function checkValidity(certificate: Certificate, moment: Moment): void {
  const second = wholeSecond(moment);
  if (second < certificate.notBefore) {
    throw new CheckFailed("the signer's certificate was not valid yet at genTime");
  }
  if (second > certificate.notAfter) {
    throw new CheckFailed("the signer's certificate had expired at genTime");
  }
}

function wholeSecond(moment: Moment): Moment {
  return moment - (moment % SECOND);
}

/** Issuers, and what they were found to have signed: certificates are the same objects (certificate.ts). */
const signedBy = new WeakMap<Certificate, WeakSet<Certificate>>();
/** The trust's certificates, read once for all tokens. */
const anchorsIn = new WeakMap<readonly TrustedAuthority[], readonly Certificate[]>();

export function anchorsOf(authorities: readonly TrustedAuthority[]): readonly Certificate[] {
  const found =
    anchorsIn.get(authorities) ??
    authorities.map(({ certificate }) => readTrustedCertificate(certificate));
  anchorsIn.set(authorities, found);
  return found;
}

/** What a search runs on. */
interface Search {
  readonly anchors: readonly Certificate[];
  readonly helpers: readonly Certificate[];
  readonly second: Moment;
  readonly budget: Budget & { signatures: number };
}

/**
 * The path from `leaf` to one of the anchors, leaf first, good at the moment. `untrusted` is DER; what
 * cannot be read in it is passed over. NotChecked when the names lead to no anchor, CheckFailed when they
 * do and the path does not hold.
 */
export async function pathAt(
  leaf: Certificate,
  untrusted: readonly Uint8Array[],
  anchors: readonly Certificate[],
  moment: Moment,
): Promise<readonly Certificate[]> {
  if (anchors.length === 0) {
    throw new NotChecked("no time-stamping authority is in the trust given");
  }
  // Without names that lead to an anchor there is no path to search for, but that of the anchor itself.
  const led = namesLeadTo(leaf, untrusted, anchors);
  if (!led && !anchors.some((anchor) => equal(anchor.der, leaf.der))) {
    throw new NotChecked("the authority is not in the trust given");
  }
  const distinct = new Map(untrusted.map((der) => [toHex(der), der]));
  const helpers = readable([...distinct.values()], readCertificate);
  const budget = { comparisons: 0, signatures: 0 };
  const search = { anchors, helpers, second: wholeSecond(moment), budget };
  try {
    checkBasics(leaf, search.second);
    checkStamping(leaf);
    return await extend([leaf], search);
  } catch (error) {
    if (!isFault(error)) throw error;
    if (!led) {
      throw new NotChecked("the authority is not in the trust given");
    }
    throw new CheckFailed("the path to a trusted authority does not hold at genTime");
  }
}

/** What `read` makes of each, but those that it cannot read. */
function readable<T>(untrusted: readonly Uint8Array[], read: (der: Uint8Array) => T): readonly T[] {
  return untrusted.flatMap((der) => {
    try {
      return [read(der)];
    } catch (error) {
      if (error instanceof Unreadable) return [];
      throw error;
    }
  });
}

/** The path so far, completed by the first issuer that leads to an anchor. */
async function extend(
  path: readonly Certificate[],
  search: Search,
): Promise<readonly Certificate[]> {
  checkAlternativeNames(path, search.budget);
  const last = path[path.length - 1]!;
  if (search.anchors.some((anchor) => equal(anchor.der, last.der))) return path;
  if (path.length - 1 > MOST_DEPTH) throw new CheckFailed("the path is too long");
  for (const candidate of candidates(last, search)) {
    try {
      await checkIssuer(candidate, last, path.length - 1, search);
      return await extend([...path, candidate], search);
    } catch (error) {
      if (!isFault(error) || error instanceof Exhausted) throw error;
    }
  }
  throw new CheckFailed("no issuer leads to an anchor");
}

/** Certificates with the issuer's name, anchors first; those with the key identifier that is asked for
 * before the others, and those with another one last. */
function candidates(certificate: Certificate, search: Search): readonly Certificate[] {
  const wanted = extension.authorityKeyIdentifier(certificate.extensions);
  const likelihood = (candidate: Certificate): number => {
    const own = extension.subjectKeyIdentifier(candidate.extensions);
    if (wanted === undefined || own === undefined) return 1;
    return equal(wanted, own) ? 0 : 2;
  };
  return [...search.anchors, ...search.helpers]
    .filter((candidate) => equal(candidate.subject.der, certificate.issuer.der))
    .map((candidate) => ({ candidate, rank: likelihood(candidate) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ candidate }) => candidate);
}

/** CheckFailed unless the issuer may issue, with `below` certificates between it and the leaf, and has
 * signed this one. */
async function checkIssuer(
  issuer: Certificate,
  certificate: Certificate,
  below: number,
  search: Search,
): Promise<void> {
  checkBasics(issuer, search.second);
  const constraints = extension.basicConstraints(issuer.extensions);
  if (!constraints?.ca) throw new CheckFailed("an issuer is no authority");
  if (constraints.pathLength !== undefined && BigInt(below) > constraints.pathLength) {
    throw new CheckFailed("the path is longer than an issuer allows");
  }
  const usage = extension.keyUsage(issuer.extensions);
  if (usage && !usage.has(extension.KEY_CERT_SIGN)) {
    throw new CheckFailed("an issuer may not sign certificates");
  }
  await checkIssued(certificate, issuer, search);
}

/** What is asked of every certificate of a path. */
function checkBasics(certificate: Certificate, second: Moment): void {
  const { notBefore, notAfter, timeTags, extensions } = certificate;
  const odd =
    certificate.version !== VERSION_3 ||
    !sameAlgorithm(certificate.innerAlgorithm, certificate.signatureAlgorithm) ||
    certificate.serial < 0n ||
    certificate.serial.toString(2).length > MOST_SERIAL_BITS ||
    certificate.issuer.rdns.length === 0 ||
    !isSpeltAsDue(notBefore, timeTags[0]) ||
    !isSpeltAsDue(notAfter, timeTags[1]);
  if (odd) throw new CheckFailed("a certificate is not one of version 3 as RFC 5280 has it");
  if (second < notBefore || second > notAfter) {
    throw new CheckFailed("a certificate was not valid at genTime");
  }
  for (const [oid, { critical }] of extensions) {
    if (critical && !KNOWN.has(oid)) throw new CheckFailed("a critical extension is not known");
  }
}

/** RFC 5280 §4.1.2.5: GeneralizedTime is for the years that UTCTime does not reach. */
function isSpeltAsDue(moment: Moment, tag: number): boolean {
  return tag !== GENERALIZED_TIME || moment < YEAR_1950 || moment >= YEAR_2050;
}

async function checkIssued(
  certificate: Certificate,
  issuer: Certificate,
  search: Search,
): Promise<void> {
  const key = readKey(issuer);
  const isRsa = issuer.keyAlgorithm.oid === RSA_ENCRYPTION;
  if (key.kind === "rsa" && !(isRsa && equal(issuer.keyAlgorithm.parameters, NULL_DER))) {
    throw new CheckFailed("an issuer's key is of a kind that is not taken");
  }
  if (++search.budget.signatures > MOST_SIGNATURES) {
    throw new Exhausted("too many signatures to try");
  }
  const signed = signedBy.get(issuer) ?? new WeakSet();
  if (signed.has(certificate)) return;
  await checkCertificateSignature(certificate, key);
  signedBy.set(issuer, signed.add(certificate));
}

async function checkCertificateSignature(certificate: Certificate, key: PublicKey): Promise<void> {
  const { signatureAlgorithm: algorithm, tbs, signature } = certificate;
  if (key.kind === "ec") {
    const name = ECDSA.get(algorithm.oid);
    if (name === undefined) throw new CheckFailed("a signature does not fit its issuer's key");
    checkEcdsa(key, name, tbs, signature);
    return;
  }
  const { name, padding } = rsaScheme(algorithm);
  await checkRsa(key, padding, name, tbs, signature);
}

/** PKCS #1 v1.5 with NULL, or PSS with MGF1 by the same digest and a salt as long as it. */
function rsaScheme(algorithm: Algorithm): { name: DigestName; padding: Padding } {
  const plain = RSA.get(algorithm.oid);
  if (plain !== undefined && equal(algorithm.parameters, NULL_DER)) {
    return { name: plain, padding: "PKCS #1 v1.5" };
  }
  const name = PSS_PARAMETERS.get(toHex(algorithm.parameters));
  if (algorithm.oid !== RSA_PSS || name === undefined) {
    throw new CheckFailed("a certificate is signed by an algorithm that is not taken");
  }
  return { name, padding: { saltOctets: Number(name.slice(3)) / 8 } };
}

/** Whether issuer names, followed from the leaf through all certificates whose names can be read, reach an
 * anchor. */
function namesLeadTo(
  leaf: Certificate,
  untrusted: readonly Uint8Array[],
  anchors: readonly Certificate[],
): boolean {
  const goals = new Set(anchors.map((anchor) => toHex(anchor.subject.der)));
  const known = readable(untrusted, readCertificateNames).map(
    ({ subject, issuer }) => [toHex(subject), toHex(issuer)] as const,
  );
  const reached = new Set([toHex(leaf.subject.der)]);
  let fresh = new Set([toHex(leaf.issuer.der)]);
  while (fresh.size > 0) {
    for (const name of fresh) {
      if (goals.has(name)) return true;
      reached.add(name);
    }
    const next = known.filter(([subject]) => fresh.has(subject)).map(([, issuer]) => issuer);
    fresh = new Set(next.filter((issuer) => !reached.has(issuer)));
  }
  return false;
}

/**
 * Looking a certificate up in an OCSP response (RFC 6960 §3.2, §4.2; SPEC §5.7, 2). The responder is the
 * certificate's issuer, or one whom that issuer certified for it and said need not be looked up.
 */

import { sha1 } from "@noble/hashes/legacy.js";

import { equal } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256, sha384, sha512 } from "../hash.ts";
import { isPlain, readAlgorithm, readOwnAlgorithm } from "./algorithm.ts";
import { readTrustedCertificate, type Certificate } from "./certificate.ts";
import { ENUMERATED, OCTET_STRING, Reader, SEQUENCE, context, only, whole } from "./der.ts";
import {
  OCSP_NO_CHECK,
  byIdentifier,
  checkSyntax,
  extendedKeyUsage,
  readExtensionList,
  type ExtensionList,
  type Extensions,
} from "./extensions.ts";
import { earlier, readGenTime, readGeneralizedTime, type Moment } from "./moment.ts";
import { readName, sameName, type Name } from "./names.ts";
import { isFault } from "./outcome.ts";
import {
  INVALIDITY_DATE,
  checkSigned,
  readReason,
  type Entry,
  type Signed,
} from "./status_signer.ts";

const BASIC = "1.3.6.1.5.5.7.48.1.1";
const NONCE = "1.3.6.1.5.5.7.48.1.2";
const OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
const SUCCESSFUL = 0n;
const MOST_CERTIFICATES = 8;
const MOST_ANSWERS = 64;
const MOST_ITEMS = 100_000;
/** By which a certificate may be named: SHA-1 names here, it does not sign. */
const HASHES: ReadonlyMap<string, (data: Uint8Array) => Uint8Array> = new Map([
  ["1.3.14.3.2.26", sha1],
  ["2.16.840.1.101.3.4.2.1", sha256],
  ["2.16.840.1.101.3.4.2.2", sha384],
  ["2.16.840.1.101.3.4.2.3", sha512],
]);

interface Response {
  readonly signed: Signed;
  readonly responder: Name | Uint8Array;
  readonly producedAt: Moment;
  readonly answers: readonly Answer[];
  readonly extensions: Extensions;
  readonly certificates: readonly Certificate[];
}

type Standing =
  "good" | "unknown" | { readonly revokedAt: Moment; readonly reason: string | undefined };

interface Answer {
  readonly hash: ((data: Uint8Array) => Uint8Array) | undefined;
  readonly nameHash: Uint8Array;
  readonly keyHash: Uint8Array;
  readonly serial: bigint;
  readonly standing: Standing;
  readonly asOf: Moment;
  readonly until: Moment | undefined;
  readonly extensions: ExtensionList;
}

/** The certificate's standing by this response; raises as `lookUpCrl` does. */
export async function lookUpOcsp(
  value: Uint8Array,
  certificate: Certificate,
  issuer: Certificate,
): Promise<Entry> {
  const response = readResponse(value);
  await checkSigner(response, issuer);
  if (hasCritical([...response.extensions])) {
    throw new CheckFailed("an OCSP response has a critical extension");
  }
  const found = response.answers
    .slice(0, MOST_ANSWERS)
    .filter((answer) => isOf(answer, certificate, issuer));
  if (found.length === 0) throw new CheckFailed("an OCSP response is on another certificate");
  const revoked = found.filter((answer) => typeof answer.standing === "object");
  const entries = (revoked.length > 0 ? revoked : found).map((one) => entryOf(response, one));
  return worst(entries);
}

/** Of several the earliest revocation, and the reason in which all agree. */
function worst(entries: readonly Entry[]): Entry {
  const reasons = new Set(entries.map((entry) => entry.reason));
  return entries.reduce((all, one) => ({
    ...all,
    revokedAt:
      all.revokedAt !== undefined && one.revokedAt !== undefined
        ? earlier(all.revokedAt, one.revokedAt)
        : all.revokedAt,
    reason: reasons.size === 1 ? all.reason : undefined,
  }));
}

function hasCritical(extensions: ExtensionList): boolean {
  return extensions.some(([, { critical }]) => critical);
}

function entryOf(response: Response, answer: Answer): Entry {
  const { asOf, until, standing, extensions } = answer;
  if (asOf > response.producedAt || (until !== undefined && until < asOf)) {
    throw new CheckFailed("the times of an OCSP response do not fit together");
  }
  if (hasCritical(extensions)) {
    throw new CheckFailed("an answer in an OCSP response has a critical extension");
  }
  if (standing === "unknown") {
    throw new CheckFailed("an OCSP responder does not know the certificate");
  }
  if (standing === "good") return { asOf, until, revokedAt: undefined, reason: undefined };
  return { asOf, until, ...withInvalidity(standing, extensions) };
}

/** RFC 6960 §4.4.5: as in the entry of a CRL. One that cannot be read leaves no reason. */
function withInvalidity(
  standing: { readonly revokedAt: Moment; readonly reason: string | undefined },
  extensions: ExtensionList,
): Pick<Entry, "revokedAt" | "reason"> {
  let { revokedAt, reason } = standing;
  for (const [oid, { value }] of extensions) {
    if (oid !== INVALIDITY_DATE) continue;
    try {
      revokedAt = earlier(readGenTime(new Reader(value)), revokedAt);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      reason = undefined;
    }
  }
  return { revokedAt, reason };
}

function readResponse(value: Uint8Array): Response {
  const outer = only(value);
  if (outer.integer(ENUMERATED) !== SUCCESSFUL) {
    throw new CheckFailed("an OCSP response is not a successful one");
  }
  const explicit = outer.enter(context(0));
  outer.done();
  const bytes = explicit.enter();
  explicit.done();
  if (bytes.oid() !== BASIC) throw new Unreadable("an OCSP response of a kind that is not known");
  const basic = only(bytes.content(OCTET_STRING));
  bytes.done();
  const data = basic.raw(SEQUENCE);
  const signatureAlgorithm = readOwnAlgorithm(basic);
  const signature = basic.bitString().octets;
  const certificates = readCertificates(basic);
  basic.done();
  const signed = { data, signatureAlgorithm, signature };
  return { signed, certificates, ...readData(only(data)) };
}

function readCertificates(reader: Reader): readonly Certificate[] {
  if (reader.peek() !== context(0)) return [];
  const explicit = reader.enter(context(0));
  const found = explicit
    .enter()
    .each(MOST_ITEMS, "certificates", (one) => readTrustedCertificate(one.raw()));
  explicit.done();
  return found;
}

function readData(
  body: Reader,
): Pick<Response, "responder" | "producedAt" | "answers" | "extensions"> {
  if (body.peek() === context(0)) throw new Unreadable("DER: a DEFAULT value is written out");
  const responder = readResponder(body);
  const producedAt = readGeneralizedTime(body);
  const answers = body.enter().each(MOST_ITEMS, "answers", readAnswer);
  const extensions = byIdentifier(readLast(body));
  const nonce = extensions.get(NONCE);
  if (nonce) whole(nonce.value, (one) => one.content(OCTET_STRING));
  return { responder, producedAt, answers, extensions };
}

/** By name, or by the SHA-1 of the key (RFC 6960 §4.2.2.3). */
function readResponder(body: Reader): Name | Uint8Array {
  const byKey = body.peek() === context(2);
  const explicit = body.enter(context(byKey ? 2 : 1));
  const responder = byKey ? explicit.content(OCTET_STRING) : readName(explicit);
  explicit.done();
  return responder;
}

function readLast(reader: Reader): ExtensionList {
  if (reader.peek() === 0) {
    reader.done();
    return [];
  }
  const explicit = reader.enter(context(1));
  reader.done();
  const extensions = readExtensionList(explicit);
  explicit.done();
  return extensions;
}

function readAnswer(reader: Reader): Answer {
  const inside = reader.enter();
  const of = inside.enter();
  const algorithm = readAlgorithm(of);
  const hash = HASHES.get(algorithm.oid);
  if (hash && !isPlain(algorithm)) throw new Unreadable("a digest that has parameters");
  const nameHash = of.content(OCTET_STRING);
  const keyHash = of.content(OCTET_STRING);
  const serial = of.integer();
  of.done();
  const standing = readStanding(inside);
  const asOf = readGeneralizedTime(inside);
  let until: Moment | undefined;
  if (inside.peek() === context(0)) {
    until = whole(inside.content(context(0)), (one) => readGeneralizedTime(one));
  }
  return { hash, nameHash, keyHash, serial, standing, asOf, until, extensions: readLast(inside) };
}

function readStanding(reader: Reader): Standing {
  const tag = reader.peek();
  if (tag === context(0, "primitive") || tag === context(2, "primitive")) {
    reader.nothing(tag);
    return tag === context(0, "primitive") ? "good" : "unknown";
  }
  const inside = reader.enter(context(1));
  const revokedAt = readGeneralizedTime(inside);
  let reason: string | undefined;
  if (inside.peek() === context(0)) {
    const content = inside.content(context(0));
    reason = reasonOrNone(content);
  }
  inside.done();
  return { revokedAt, reason };
}

/** A reason that is not known is none. */
function reasonOrNone(content: Uint8Array): string | undefined {
  try {
    return whole(content, (one) => readReason(one, ENUMERATED));
  } catch (error) {
    if (error instanceof CheckFailed) return undefined;
    throw error;
  }
}

/** RFC 6960 §4.1.1: named by the issuer's name and key, and the serial number. */
function isOf(answer: Answer, certificate: Certificate, issuer: Certificate): boolean {
  const { hash, nameHash, keyHash, serial } = answer;
  return (
    hash !== undefined &&
    serial === certificate.serial &&
    equal(hash(issuer.subject.der), nameHash) &&
    equal(hash(issuer.key), keyHash)
  );
}

async function checkSigner(response: Response, issuer: Certificate): Promise<void> {
  if (isNamed(response, issuer)) return checkSigned(response.signed, issuer);
  for (const certificate of response.certificates.slice(0, MOST_CERTIFICATES)) {
    if (!(await isDelegate(certificate, issuer, response.producedAt))) continue;
    if (isNamed(response, certificate)) return checkSigned(response.signed, certificate);
  }
  throw new CheckFailed("an OCSP response is not of the certificate's issuer, nor of one it named");
}

function isNamed({ responder }: Response, signer: Certificate): boolean {
  if (responder instanceof Uint8Array) return equal(responder, sha1(signer.key));
  return sameName(responder, signer.subject);
}

async function isDelegate(
  certificate: Certificate,
  issuer: Certificate,
  producedAt: Moment,
): Promise<boolean> {
  try {
    if (!sameName(certificate.issuer, issuer.subject)) return false;
    const { tbs: data, signatureAlgorithm, signature } = certificate;
    await checkSigned({ data, signatureAlgorithm, signature }, issuer);
    checkSyntax(certificate.extensions);
    const usages = extendedKeyUsage(certificate.extensions) ?? [];
    return (
      usages.includes(OCSP_SIGNING) &&
      certificate.extensions.has(OCSP_NO_CHECK) &&
      certificate.notBefore <= producedAt &&
      producedAt <= certificate.notAfter
    );
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}

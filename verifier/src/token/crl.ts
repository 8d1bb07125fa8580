/** Looking a certificate up in a complete CRL (RFC 5280 §5, §6.3.3; SPEC §5.7, 1). */

import { equal } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { readOwnAlgorithm, sameAlgorithm } from "./algorithm.ts";
import type { Certificate } from "./certificate.ts";
import {
  ENUMERATED,
  GENERALIZED_TIME,
  INTEGER,
  Reader,
  SEQUENCE,
  UTC_TIME,
  context,
  only,
  whole,
} from "./der.ts";
import {
  AUTHORITY_KEY_IDENTIFIER,
  CRL_SIGN,
  basicConstraints,
  byIdentifier,
  checkSyntax,
  distributionPoints,
  keyUsage,
  readDefaultFalse,
  readExtensionList,
  readExtensions,
  readPointName,
  type ExtensionList,
  type Extensions,
  type GeneralName,
} from "./extensions.ts";
import { earlier, readGeneralizedTime, readTime, type Moment } from "./moment.ts";
import { readName, sameName, type Name } from "./names.ts";
import { isFault } from "./outcome.ts";
import {
  INVALIDITY_DATE,
  REASON_CODE,
  checkSigned,
  readReason,
  type Entry,
  type Signed,
} from "./status_signer.ts";

const CRL_NUMBER = "2.5.29.20";
const DELTA_INDICATOR = "2.5.29.27";
const ISSUING_POINT = "2.5.29.28";
const KNOWN: ReadonlySet<string> = new Set([AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, ISSUING_POINT]);
const VERSION_2 = 1n;
const MOST_ENTRIES = 1 << 20;

interface Crl {
  readonly signed: Signed;
  readonly issuer: Name;
  readonly asOf: Moment;
  readonly until: Moment | undefined;
  readonly entries: readonly Listed[];
  readonly extensions: Extensions;
}

interface Listed {
  readonly serial: bigint;
  readonly revokedAt: Moment;
  readonly extensions: ExtensionList;
}

/** The certificate's standing by this CRL. CheckFailed when the CRL is not one of its issuer for it, or
 * does not hold; Unreadable when it is none. */
export async function lookUpCrl(
  value: Uint8Array,
  certificate: Certificate,
  issuer: Certificate,
): Promise<Entry> {
  const crl = readCrl(value);
  if (!sameName(crl.issuer, issuer.subject)) throw new CheckFailed("a CRL is of another issuer");
  const usage = keyUsage(issuer.extensions);
  if (usage && !usage.has(CRL_SIGN)) throw new CheckFailed("a CRL's issuer may not sign CRLs");
  await checkSigned(crl.signed, issuer);
  checkScope(crl.extensions, certificate);
  if (crl.until !== undefined && crl.until < crl.asOf) {
    throw new CheckFailed("a CRL ends before it begins");
  }
  const listed = crl.entries.find((entry) => entry.serial === certificate.serial);
  return { asOf: crl.asOf, until: crl.until, ...revocationOf(listed) };
}

function readCrl(value: Uint8Array): Crl {
  const outer = only(value);
  const data = outer.raw(SEQUENCE);
  const signatureAlgorithm = readOwnAlgorithm(outer);
  const signature = outer.bitString().octets;
  outer.done();
  const body = only(data);
  if (body.peek() === INTEGER && body.integer() !== VERSION_2) {
    throw new Unreadable("a CRL of a version that is not known");
  }
  if (!sameAlgorithm(readOwnAlgorithm(body), signatureAlgorithm)) {
    throw new Unreadable("a CRL names two algorithms");
  }
  const issuer = readName(body);
  const asOf = readTime(body).moment;
  const until = isTime(body) ? readTime(body).moment : undefined;
  const entries =
    body.peek() === SEQUENCE ? body.enter().each(MOST_ENTRIES, "entries", readListed) : [];
  const extensions = readCrlExtensions(body);
  body.done();
  return {
    signed: { data, signatureAlgorithm, signature },
    issuer,
    asOf,
    until,
    entries,
    extensions,
  };
}

function isTime(reader: Reader): boolean {
  return reader.peek() === UTC_TIME || reader.peek() === GENERALIZED_TIME;
}

function readCrlExtensions(reader: Reader): Extensions {
  if (reader.peek() === 0) return new Map();
  const explicit = reader.enter(context(0));
  const extensions = readExtensions(explicit);
  explicit.done();
  checkSyntax(extensions);
  const number = extensions.get(CRL_NUMBER);
  if (number && whole(number.value, (one) => one.integer()) < 0n) {
    throw new Unreadable("a CRL's number is negative");
  }
  return extensions;
}

/** An entry; what its extensions say is asked only of the one that is looked for. */
function readListed(reader: Reader): Listed {
  const inside = reader.enter();
  const serial = inside.integer();
  const revokedAt = readTime(inside).moment;
  const extensions = inside.peek() === SEQUENCE ? readExtensionList(inside) : [];
  inside.done();
  return { serial, revokedAt, extensions };
}

/** When and why; where an entry's extensions cannot be read, it is revoked without a reason. */
function revocationOf(listed: Listed | undefined): Pick<Entry, "revokedAt" | "reason"> {
  if (listed === undefined) return { revokedAt: undefined, reason: undefined };
  try {
    const extensions = byIdentifier(listed.extensions);
    const reason = extensions.get(REASON_CODE);
    const invalid = extensions.get(INVALIDITY_DATE);
    const since = invalid && whole(invalid.value, (reader) => readGeneralizedTime(reader));
    return {
      revokedAt: since === undefined ? listed.revokedAt : earlier(since, listed.revokedAt),
      reason: reason && whole(reason.value, (reader) => readReason(reader, ENUMERATED)),
    };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { revokedAt: listed.revokedAt, reason: undefined };
  }
}

function checkScope(extensions: Extensions, certificate: Certificate): void {
  for (const [oid, { critical, value }] of extensions) {
    if (critical && !KNOWN.has(oid)) {
      throw new CheckFailed("a CRL has a critical extension that is not known");
    }
    if (oid === DELTA_INDICATOR) throw new CheckFailed("a CRL is a delta");
    if (oid === ISSUING_POINT) checkPoint(whole(value, readIssuingPoint), certificate);
  }
}

/** IssuingDistributionPoint (RFC 5280 §5.2.5). */
interface IssuingPoint {
  readonly relative: boolean;
  readonly full: readonly GeneralName[] | undefined;
  readonly onlyUsers: boolean;
  readonly onlyIssuers: boolean;
  readonly partial: boolean;
}

function readIssuingPoint(reader: Reader): IssuingPoint {
  const inside = reader.enter();
  const named = inside.peek() === context(0) ? readPointName(inside.enter(context(0))) : undefined;
  const flag = (number: number): boolean => readDefaultFalse(inside, context(number, "primitive"));
  const onlyUsers = flag(1);
  const onlyIssuers = flag(2);
  const someReasons = inside.peek() === context(3, "primitive");
  if (someReasons) inside.bitString(context(3, "primitive"));
  const indirect = flag(4);
  const onlyAttributes = flag(5);
  inside.done();
  const kinds = [onlyUsers, onlyIssuers, indirect, onlyAttributes].filter((one) => one).length;
  if (kinds > 1 || (kinds === 0 && !named && !someReasons)) {
    throw new Unreadable("an issuing distribution point that is empty, or of several kinds");
  }
  return {
    relative: named !== undefined && named.full === undefined,
    full: named?.full,
    onlyUsers,
    onlyIssuers,
    partial: someReasons || indirect || onlyAttributes,
  };
}

/** RFC 5280 §6.3.3 (b)(2): the CRL's part of the issuer's certificates has this one in it. */
function checkPoint(point: IssuingPoint, certificate: Certificate): void {
  if (point.partial) throw new CheckFailed("a CRL is not a complete one of its issuer");
  const isIssuer = basicConstraints(certificate.extensions)?.ca ?? false;
  if (isIssuer ? point.onlyUsers : point.onlyIssuers) {
    throw new CheckFailed("a CRL is for certificates of another kind");
  }
  if (point.relative) {
    throw new CheckFailed("a CRL's distribution point is named relative to its issuer");
  }
  const own = distributionPoints(certificate.extensions);
  if (point.full && !point.full.some((name) => own.some((one) => equal(one.der, name.der)))) {
    throw new CheckFailed("a CRL is for another distribution point");
  }
}

/** Certificates (RFC 5280 §4.1): read, not judged. Raises Unreadable for what is none. */

import { toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { readOwnAlgorithm, type Algorithm } from "./algorithm.ts";
import { INTEGER, Reader, SEQUENCE, context, only } from "./der.ts";
import { checkSyntax, readExtensions, type Extensions } from "./extensions.ts";
import { readTime, type Moment } from "./moment.ts";
import { readName, type Name } from "./names.ts";

const VERSION_1 = 0n;
/** Certificates that were read are kept: the tokens of a file have few authorities between them. */
const MOST_KEPT = 256;
const LARGEST_KEPT = 4096;
const kept = new Map<string, Certificate>();
const VERSION_3 = 2n;

export interface Certificate {
  readonly der: Uint8Array;
  /** What the issuer signed. */
  readonly tbs: Uint8Array;
  /** 0 for version 1, 2 for version 3. */
  readonly version: bigint;
  readonly serial: bigint;
  readonly issuer: Name;
  readonly notBefore: Moment;
  readonly notAfter: Moment;
  /** The identifier octets of the two times. */
  readonly timeTags: readonly [number, number];
  readonly subject: Name;
  /** SubjectPublicKeyInfo: whole, its algorithm, and the key's own octets. */
  readonly keyInfo: Uint8Array;
  readonly keyAlgorithm: Algorithm;
  readonly key: Uint8Array;
  readonly extensions: Extensions;
  /** The algorithm as the signed part names it, and as it stands beside the signature. */
  readonly innerAlgorithm: Algorithm;
  readonly signatureAlgorithm: Algorithm;
  readonly signature: Uint8Array;
}

/** What a certificate calls itself; SPEC §5.4 follows these where nothing else can be read. */
export interface CertificateNames {
  readonly serial: bigint;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
}

/** The names alone, as bytes. */
export function readCertificateNames(der: Uint8Array): CertificateNames {
  const body = only(der).enter();
  if (body.peek() === context(0)) body.raw();
  const serial = body.integer();
  body.raw(SEQUENCE);
  const issuer = body.raw(SEQUENCE);
  body.raw(SEQUENCE);
  return { serial, issuer, subject: body.raw(SEQUENCE) };
}

/** A certificate that can be judged: SPEC §5.2, 5. */
export function readCertificate(der: Uint8Array): Certificate {
  if (readCertificateNames(der).serial <= 0n) {
    throw new Unreadable("a certificate's serial number is not positive");
  }
  return readTrustedCertificate(der);
}

/** One that the trust names: its serial number may be any (old roots have 0). The same bytes give the same object. */
export function readTrustedCertificate(der: Uint8Array): Certificate {
  if (der.length > LARGEST_KEPT) return readAnew(der);
  const key = toHex(der);
  const found = kept.get(key) ?? readAnew(der);
  kept.delete(key);
  kept.set(key, found);
  const [oldest] = kept.size > MOST_KEPT ? kept.keys() : [];
  if (oldest !== undefined) kept.delete(oldest);
  return found;
}

function readAnew(der: Uint8Array): Certificate {
  try {
    const outer = only(der);
    const tbs = outer.raw(SEQUENCE);
    const signatureAlgorithm = readOwnAlgorithm(outer);
    const signature = outer.bitString().octets;
    outer.done();
    const body = readBody(only(tbs));
    checkSyntax(body.extensions);
    return { der, tbs, signatureAlgorithm, signature, ...body };
  } catch (error) {
    // Where in it the fault lies is no matter to whoever reads a report.
    if (error instanceof Unreadable) throw new Unreadable("a certificate cannot be read");
    throw error;
  }
}

type Body = Omit<Certificate, "der" | "tbs" | "signatureAlgorithm" | "signature">;

function readBody(reader: Reader): Body {
  const version = readVersion(reader);
  const serial = reader.integer();
  const innerAlgorithm = readOwnAlgorithm(reader);
  const issuer = readName(reader);
  const validity = reader.enter();
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.done();
  const subject = readName(reader);
  const keyInfo = reader.raw(SEQUENCE);
  const { algorithm, key } = readKeyInfo(keyInfo);
  for (const tag of [context(1, "primitive"), context(2, "primitive")]) {
    if (reader.peek() === tag) reader.bitString(tag);
  }
  const extensions = readTrailing(reader);
  return {
    version,
    serial,
    innerAlgorithm,
    issuer,
    notBefore: notBefore.moment,
    notAfter: notAfter.moment,
    timeTags: [notBefore.tag, notAfter.tag],
    subject,
    keyInfo,
    keyAlgorithm: algorithm,
    key,
    extensions,
  };
}

function readVersion(reader: Reader): bigint {
  if (reader.peek() !== context(0)) return VERSION_1;
  const explicit = reader.enter(context(0));
  const version = explicit.integer(INTEGER);
  explicit.done();
  if (version !== VERSION_3) throw new Unreadable("a certificate of a version that is not known");
  return version;
}

/** The algorithm and the key of a SubjectPublicKeyInfo. */
export function readKeyInfo(der: Uint8Array): { algorithm: Algorithm; key: Uint8Array } {
  const reader = only(der);
  const algorithm = readOwnAlgorithm(reader);
  const key = reader.bitString();
  reader.done();
  return { algorithm, key: key.octets };
}

function readTrailing(reader: Reader): Extensions {
  if (reader.peek() === 0) {
    reader.done();
    return new Map();
  }
  const explicit = reader.enter(context(3));
  reader.done();
  const extensions = readExtensions(explicit);
  explicit.done();
  return extensions;
}

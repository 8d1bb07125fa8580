/**
 * SignedData (RFC 5652) read strictly, and the checks on its one signer (SPEC §5.2, §5.3 T4 to T9, §11.5).
 * Reading raises Unreadable, each check CheckFailed. The certificates that travel along are nobody's word.
 */

import { sha1 } from "@noble/hashes/legacy.js";

import { concat, equal, toHex } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import {
  ECDSA,
  RSA,
  RSA_ENCRYPTION,
  RSA_PSS,
  digest,
  digestName,
  isPlain,
  readAlgorithm,
  readPss,
  type Algorithm,
  type DigestName,
} from "./algorithm.ts";
import { readCertificate, readCertificateNames, type Certificate } from "./certificate.ts";
import { OCTET_STRING, Reader, SEQUENCE, SET, context, element, only, whole } from "./der.ts";
import { subjectKeyIdentifier } from "./extensions.ts";
import { checkEcdsa, checkRsa, readKey, type Padding, type PublicKey } from "./signature.ts";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";

const MOST_CERTIFICATES = 32;
const MOST_SIGNERS = 4;
const MOST_ATTRIBUTES = 32;
const MOST_SALT = 64n;

interface Attribute {
  readonly oid: string;
  readonly values: readonly Uint8Array[];
}

/** How a signer is named: by issuer (DER) and serial number, or by its key's identifier. */
type SignerId =
  { readonly issuer: Uint8Array; readonly serial: bigint } | { readonly keyIdentifier: Uint8Array };

export interface Signer {
  readonly id: SignerId;
  readonly digest: Algorithm;
  readonly attributes: readonly Attribute[];
  /** What the signature covers: the attributes under the tag of a SET, in the order in which they came. */
  readonly signedBytes: Uint8Array;
  readonly signatureAlgorithm: Algorithm;
  readonly signature: Uint8Array;
}

export interface SignedData {
  readonly contentType: string;
  readonly content: Uint8Array | undefined;
  readonly certificates: readonly Uint8Array[];
  readonly signers: readonly Signer[];
}

/** A ContentInfo that holds SignedData (RFC 5652 §3, §5.1). */
export function readSignedData(der: Uint8Array): SignedData {
  const outer = only(der);
  if (outer.oid() !== SIGNED_DATA) throw new Unreadable("CMS: not signed data");
  const wrapped = outer.enter(context(0));
  outer.done();
  const body = wrapped.enter();
  wrapped.done();
  const version = body.integer();
  if (version < 1n || version > 5n) throw new Unreadable("CMS: unknown version of signed data");
  body.enter(SET).each(MOST_SIGNERS, "digest algorithms", (one) => one.raw());
  const { contentType, content } = readContent(body.enter());
  const certificates = readCarried(body);
  if (body.peek() === context(1)) body.raw(); // revocation data: judged by what stands beside
  const signers = body.enter(SET).each(MOST_SIGNERS, "signers", (one) => one.raw());
  body.done();
  return { contentType, content, certificates, signers: signers.map(readSigner) };
}

function readContent(reader: Reader): Pick<SignedData, "contentType" | "content"> {
  const contentType = reader.oid();
  if (reader.peek() === 0) {
    reader.done();
    return { contentType, content: undefined };
  }
  const explicit = reader.enter(context(0));
  const content = explicit.content(OCTET_STRING);
  explicit.done();
  reader.done();
  return { contentType, content };
}

/** Certificates proper; the other choices (RFC 5652 §10.2.2) carry a context tag and are passed over. */
function readCarried(reader: Reader): readonly Uint8Array[] {
  if (reader.peek() !== context(0)) return [];
  const found = reader
    .enter(context(0))
    .each(MOST_CERTIFICATES, "certificates", (one) => one.raw());
  return found.filter((raw) => raw[0] === SEQUENCE);
}

/** RFC 5652 §5.3. Signed attributes must be there: without them nothing names the signer. */
function readSigner(der: Uint8Array): Signer {
  const info = only(der);
  const id = readSignerId(info);
  const digestAlgorithm = readAlgorithm(info);
  if (info.peek() !== context(0)) throw new Unreadable("CMS: the signer has no signed attributes");
  const signedBytes = concat(Uint8Array.of(SET), info.raw().subarray(1));
  const signatureAlgorithm = readAlgorithm(info);
  const signature = info.content(OCTET_STRING);
  if (info.peek() !== 0) readAttributes(info.enter(context(1)));
  info.done();
  const attributes = readAttributes(only(signedBytes, SET));
  return {
    id,
    digest: digestAlgorithm,
    attributes,
    signedBytes,
    signatureAlgorithm,
    signature,
  };
}

function readSignerId(info: Reader): SignerId {
  const version = info.integer();
  if (version === 3n) return { keyIdentifier: info.content(context(0, "primitive")) };
  if (version !== 1n) throw new Unreadable("CMS: unknown version of a signer");
  const sid = info.enter();
  const issuer = sid.raw(SEQUENCE);
  const serial = sid.integer();
  sid.done();
  return { issuer, serial };
}

function readAttributes(reader: Reader): readonly Attribute[] {
  return reader.each(MOST_ATTRIBUTES, "attributes", (one) => {
    const attribute = one.enter();
    const oid = attribute.oid();
    const values = attribute.enter(SET).each(MOST_ATTRIBUTES, "values", (value) => value.raw());
    attribute.done();
    return { oid, values };
  });
}

/** RFC 3161 §2.4.2. */
export function oneSigner(data: SignedData): Signer {
  if (data.signers.length !== 1) {
    throw new CheckFailed(`${data.signers.length} signers where exactly one is due`);
  }
  return data.signers[0]!;
}

/** The one carried certificate that the signer names (RFC 5652 §5.3), not yet read. */
export function signerCertificateDer(data: SignedData, signer: Signer): Uint8Array {
  const found = new Map<string, Uint8Array>();
  for (const raw of data.certificates) if (isNamed(signer, raw)) found.set(toHex(raw), raw);
  if (found.size !== 1) {
    const few =
      found.size === 0 ? "is not among those carried" : "is not unique among those carried";
    throw new CheckFailed(`the signer's certificate ${few}`);
  }
  return [...found.values()][0]!;
}

function isNamed({ id }: Signer, der: Uint8Array): boolean {
  try {
    if ("keyIdentifier" in id) {
      const known = subjectKeyIdentifier(readCertificate(der).extensions);
      return known !== undefined && equal(known, id.keyIdentifier);
    }
    const names = readCertificateNames(der);
    return names.serial === id.serial && equal(names.issuer, id.issuer);
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

/** The one value of an attribute that is there exactly once. */
function single(signer: Signer, oid: string, name: string): Uint8Array {
  const found = signer.attributes.filter((attribute) => attribute.oid === oid);
  const value = found[0]?.values[0];
  if (found.length !== 1 || found[0]?.values.length !== 1 || value === undefined) {
    throw new CheckFailed(`the signed attribute ${name} is not there exactly once`);
  }
  return value;
}

/** RFC 5652 §11.1: the attribute equals the content's type, and both are the one expected. */
export function checkContentType(data: SignedData, signer: Signer, expected: string): void {
  const value = single(signer, CONTENT_TYPE, "contentType");
  const named = whole(value, (reader) => reader.oid());
  if (data.contentType !== expected || named !== expected) {
    throw new CheckFailed("the content is not of the type that is due");
  }
}

/** RFC 5652 §11.2: the attribute equals the digest of the content, which `digestOf` gives. */
export function checkMessageDigest(
  signer: Signer,
  digestOf: (name: DigestName) => Uint8Array,
): void {
  const value = single(signer, MESSAGE_DIGEST, "messageDigest");
  const stated = whole(value, (reader) => reader.content(OCTET_STRING));
  if (!equal(stated, digestOf(digestName(signer.digest)))) {
    throw new CheckFailed("the content is not the one that was signed");
  }
}

type EssVersion = "v1" | "v2";

/** Which of the two attributes are there: v1 (SHA-1, RFC 2634), v2 (RFC 5035), or both. */
export function signingCertificateVersions(signer: Signer): readonly EssVersion[] {
  const present = new Set(signer.attributes.map((attribute) => attribute.oid));
  const found: EssVersion[] = [];
  if (present.has(SIGNING_CERTIFICATE)) found.push("v1");
  if (present.has(SIGNING_CERTIFICATE_V2)) found.push("v2");
  return found;
}

/**
 * RFC 5816 §2.2.1: the first certificate named in each attribute that is there is the signer's, and one
 * attribute at least is there. It keeps a token from being read under another certificate of one key.
 */
export function checkSigningCertificate(signer: Signer, certificateDer: Uint8Array): void {
  const versions = signingCertificateVersions(signer);
  if (versions.length === 0) {
    throw new CheckFailed("no signed attribute names the signer's certificate");
  }
  for (const version of versions) {
    const oid = version === "v1" ? SIGNING_CERTIFICATE : SIGNING_CERTIFICATE_V2;
    checkFirstId(version, single(signer, oid, "signingCertificate"), certificateDer);
  }
}

function checkFirstId(version: EssVersion, value: Uint8Array, certificateDer: Uint8Array): void {
  const identifiers = only(value)
    .enter()
    .each(MOST_CERTIFICATES, "certificate identifiers", (one) => one.raw());
  if (identifiers[0] === undefined) {
    throw new CheckFailed("the signed attribute names no certificate");
  }
  const first = only(identifiers[0]);
  const hash = version === "v1" ? sha1(certificateDer) : digest(essDigest(first), certificateDer);
  if (!equal(first.content(OCTET_STRING), hash)) {
    throw new CheckFailed("the signed attribute names another certificate as the signer's");
  }
  if (first.peek() !== 0) checkIssuerSerial(first.enter(), certificateDer);
  first.done();
}

/** SHA-256 where none is named (RFC 5035 §4). */
function essDigest(reader: Reader): DigestName {
  return reader.peek() === SEQUENCE ? digestName(readAlgorithm(reader)) : "sha256";
}

function checkIssuerSerial(reader: Reader, certificateDer: Uint8Array): void {
  const generalNames = reader.content(SEQUENCE);
  const serial = reader.integer();
  reader.done();
  const names = readCertificateNames(certificateDer);
  if (serial !== names.serial || !equal(generalNames, element(context(4), names.issuer))) {
    throw new CheckFailed("the signed attribute names another issuer or serial number");
  }
}

/**
 * The signature over the signed attributes; gives the algorithm's name. Its digest is the signer's digest
 * algorithm (RFC 5754 §3): two that differ are refused.
 */
export async function checkSignature(signer: Signer, certificate: Certificate): Promise<string> {
  const name = digestName(signer.digest);
  const algorithm = signer.signatureAlgorithm;
  const key = usableKey(certificate);
  const title = `with SHA-${name.slice(3)}`;
  if (key.kind === "ec") {
    if (ECDSA.get(algorithm.oid) !== name || !isPlain(algorithm)) {
      throw new CheckFailed("the signature's algorithm does not fit the key");
    }
    checkEcdsa(key, name, signer.signedBytes, signer.signature);
    return `ECDSA P-${key.bits} ${title}`;
  }
  const padding = rsaPadding(algorithm, name);
  await checkRsa(key, padding, name, signer.signedBytes, signer.signature);
  return `RSA-${key.bits} ${typeof padding === "string" ? padding : "PSS"} ${title}`;
}

function usableKey(certificate: Certificate): PublicKey {
  try {
    return readKey(certificate);
  } catch (error) {
    if (error instanceof Unreadable) throw new CheckFailed("the signer's key cannot be used");
    throw error;
  }
}

/** How an RSA signature is padded; both digests of PSS must be the signer's, the trailer 1. */
function rsaPadding(algorithm: Algorithm, name: DigestName): Padding {
  if (algorithm.oid === RSA_PSS) {
    const { digest: hash, maskDigest, saltOctets, trailer } = readPss(algorithm.parameters);
    const fits = hash === name && maskDigest === name && trailer === 1n;
    if (!fits || saltOctets < 0n || saltOctets > MOST_SALT) {
      throw new CheckFailed("the signature's parameters do not fit the digest");
    }
    return { saltOctets: Number(saltOctets) };
  }
  const named = algorithm.oid === RSA_ENCRYPTION ? name : RSA.get(algorithm.oid);
  if (named !== name || !isPlain(algorithm)) {
    throw new CheckFailed("the signature's algorithm does not fit the digest");
  }
  return "PKCS #1 v1.5";
}

/** AlgorithmIdentifiers (RFC 5280 §4.1.1.2), and the digests that SPEC §5.3 and §5.4 allow. */

import { equal } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256, sha384, sha512 } from "../hash.ts";
import { INTEGER, OID, Reader, context, whole } from "./der.ts";

export type DigestName = "sha256" | "sha384" | "sha512";

/** `parameters` is DER, empty when there are none. */
export interface Algorithm {
  readonly oid: string;
  readonly parameters: Uint8Array;
}

export const NULL_DER = Uint8Array.of(0x05, 0x00);
export const RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
export const RSA_PSS = "1.2.840.113549.1.1.10";
export const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
const MGF1 = "1.2.840.113549.1.1.8";

const HASHES = { sha256, sha384, sha512 } as const;
const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);
/** The digest of each ecdsa-with-SHA2 (RFC 5758 §3.2). */
export const ECDSA: ReadonlyMap<string, DigestName> = new Map([
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
]);
/** The digest of each sha2WithRSAEncryption (RFC 4055 §5). */
export const RSA: ReadonlyMap<string, DigestName> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
]);

/** The parameters of RSASSA-PSS (RFC 4055 §3.1). */
export interface Pss {
  readonly digest: DigestName;
  readonly maskDigest: DigestName;
  readonly saltOctets: bigint;
  readonly trailer: bigint;
}

/** The next element as an AlgorithmIdentifier: an identifier, and at most one element behind it. */
export function readAlgorithm(reader: Reader): Algorithm {
  const inside = reader.enter();
  const oid = inside.oid();
  const parameters = inside.peek() === 0 ? new Uint8Array() : inside.raw();
  inside.done();
  return { oid, parameters };
}

/**
 * One of a certificate, CRL or OCSP response, of a signature or a key: where SPEC §5.2, 5 names it,
 * its parameters are those due, wherever it stands.
 */
export function readOwnAlgorithm(reader: Reader): Algorithm {
  const algorithm = readAlgorithm(reader);
  if (!fits(algorithm)) throw new Unreadable("an algorithm has parameters that are not its own");
  return algorithm;
}

function fits(algorithm: Algorithm): boolean {
  const { oid, parameters } = algorithm;
  if (ECDSA.has(oid)) return parameters.length === 0;
  if (RSA.has(oid) || oid === RSA_ENCRYPTION) return isPlain(algorithm);
  if (oid !== EC_PUBLIC_KEY || equal(parameters, NULL_DER)) return true;
  const inside = new Reader(parameters);
  if (inside.peek() !== OID) return false;
  inside.oid();
  return true;
}

export function sameAlgorithm(a: Algorithm, b: Algorithm): boolean {
  return a.oid === b.oid && equal(a.parameters, b.parameters);
}

/** Whether the parameters are absent or NULL, as RFC 5754 §2 lets a reader accept. */
export function isPlain(algorithm: Algorithm): boolean {
  return algorithm.parameters.length === 0 || equal(algorithm.parameters, NULL_DER);
}

/** CheckFailed for any digest but SHA-256, SHA-384 and SHA-512. */
export function digestName(algorithm: Algorithm): DigestName {
  const name = DIGESTS.get(algorithm.oid);
  if (name === undefined || !isPlain(algorithm)) {
    throw new CheckFailed("the digest algorithm is not SHA-256, SHA-384 or SHA-512");
  }
  return name;
}

export function digest(name: DigestName, data: Uint8Array): Uint8Array {
  return HASHES[name](data);
}

/** CheckFailed for a digest or mask that is not known; the defaults (SHA-1) are such. */
export function readPss(parameters: Uint8Array): Pss {
  return whole(parameters, (reader) => {
    const inside = reader.enter();
    const digestField = field(inside, 0, (at) => digestName(readAlgorithm(at)));
    const maskDigest = field(inside, 1, readMask);
    const saltOctets = field(inside, 2, (at) => at.integer(INTEGER)) ?? 20n;
    const trailer = field(inside, 3, (at) => at.integer(INTEGER)) ?? 1n;
    inside.done();
    if (digestField === undefined || maskDigest === undefined) {
      throw new CheckFailed("the signature's parameters do not fit the digest");
    }
    return { digest: digestField, maskDigest, saltOctets, trailer };
  });
}

function readMask(reader: Reader): DigestName {
  const mask = reader.enter();
  if (mask.oid() !== MGF1) throw new CheckFailed("the signature's mask is not MGF1");
  const name = digestName(readAlgorithm(mask));
  mask.done();
  return name;
}

function field<T>(reader: Reader, number: number, read: (at: Reader) => T): T | undefined {
  if (reader.peek() !== context(number)) return undefined;
  const inside = reader.enter(context(number));
  const value = read(inside);
  inside.done();
  return value;
}

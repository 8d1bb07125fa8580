/**
 * Keys and signatures (SPEC §5.3, T9; §5.4; §5.7). ECDSA is @noble/curves'; RSA is WebCrypto's, which is
 * why checking is asynchronous. CheckFailed for a signature that is not good, NotChecked where there is
 * no WebCrypto to judge an RSA one.
 */

import { p256, p384, p521 } from "@noble/curves/nist.js";

import { toBase64url } from "../bytes.ts";
import { CheckFailed, NotChecked, Unreadable } from "../errors.ts";
import {
  EC_PUBLIC_KEY,
  RSA_ENCRYPTION,
  RSA_PSS,
  digest,
  type Algorithm,
  type DigestName,
} from "./algorithm.ts";
import { INTEGER, OID, only, whole } from "./der.ts";

type Curve = typeof p256;

const CURVES: ReadonlyMap<string, { readonly curve: Curve; readonly bits: number }> = new Map([
  ["1.2.840.10045.3.1.7", { curve: p256, bits: 256 }],
  ["1.3.132.0.34", { curve: p384, bits: 384 }],
  ["1.3.132.0.35", { curve: p521, bits: 521 }],
]);
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 8192;
/** What every browser's WebCrypto takes. */
const MOST_EXPONENT = (1n << 33n) - 1n;
const MOST_KEY_OCTETS = 2049;
const MOST_SIGNATURE_OCTETS = 67;
const WEB_NAMES = { sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;

export interface EcKey {
  readonly kind: "ec";
  readonly bits: number;
  readonly curve: Curve;
  readonly point: Uint8Array;
}

export interface RsaKey {
  readonly kind: "rsa";
  readonly bits: number;
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

export type PublicKey = EcKey | RsaKey;

/** How RSA signatures are padded: PKCS #1 v1.5, or PSS with a salt of so many octets. */
export type Padding = "PKCS #1 v1.5" | { readonly saltOctets: number };

/** A certificate's key as it can be used; CheckFailed for one of another kind or size, Unreadable for
 * one that is malformed. */
export function readKey(info: {
  readonly keyAlgorithm: Algorithm;
  readonly key: Uint8Array;
}): PublicKey {
  const { oid, parameters } = info.keyAlgorithm;
  if (oid === RSA_ENCRYPTION || oid === RSA_PSS) return readRsaKey(info.key);
  if (oid !== EC_PUBLIC_KEY) throw new CheckFailed("a key of a kind that is not taken");
  if (parameters[0] !== OID) throw new CheckFailed("the curve is not P-256, P-384 or P-521");
  const known = CURVES.get(whole(parameters, (reader) => reader.oid()));
  if (known === undefined) throw new CheckFailed("the curve is not P-256, P-384 or P-521");
  return { kind: "ec", ...known, point: info.key };
}

function readRsaKey(der: Uint8Array): RsaKey {
  const reader = only(der);
  const modulus = reader.integer(INTEGER, MOST_KEY_OCTETS);
  const exponent = reader.integer(INTEGER, MOST_KEY_OCTETS);
  reader.done();
  if (modulus <= 0n || exponent <= 0n) throw new Unreadable("an RSA key with a negative number");
  const bits = modulus.toString(2).length;
  if (bits < LEAST_RSA_BITS || bits > MOST_RSA_BITS) {
    throw new CheckFailed("the RSA key is shorter than 2048 or longer than 8192 bits");
  }
  if (exponent < 3n || exponent > MOST_EXPONENT || exponent % 2n === 0n || modulus % 2n === 0n) {
    throw new CheckFailed("the RSA key has an exponent or modulus that is not taken");
  }
  return { kind: "rsa", bits, modulus: octetsOf(modulus), exponent: octetsOf(exponent) };
}

/** CheckFailed unless the signature (DER, RFC 3279 §2.2.3; either of the two s) is the key's. */
export function checkEcdsa(
  key: EcKey,
  name: DigestName,
  data: Uint8Array,
  signature: Uint8Array,
): void {
  if (!ecdsaHolds(key, name, data, signature)) throw new CheckFailed("the signature is not good");
}

function ecdsaHolds(
  key: EcKey,
  name: DigestName,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const reader = only(signature);
    const r = reader.integer(INTEGER, MOST_SIGNATURE_OCTETS);
    const s = reader.integer(INTEGER, MOST_SIGNATURE_OCTETS);
    reader.done();
    const order = key.curve.CURVE.n;
    if (r < 1n || s < 1n || r >= order || s >= order) return false;
    const compact = new key.curve.Signature(r, s).toBytes("compact");
    const options = { lowS: false, prehash: false, format: "compact" } as const;
    return key.curve.verify(compact, digest(name, data), key.point, options);
  } catch {
    return false; // not DER, or not a point of the curve
  }
}

/** CheckFailed unless the signature is the key's; NotChecked where there is no WebCrypto. */
export async function checkRsa(
  key: RsaKey,
  padding: Padding,
  name: DigestName,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) {
    throw new NotChecked("RSA signatures: this program gives no WebCrypto to judge them");
  }
  const jwk = { kty: "RSA", n: toBase64url(key.modulus), e: toBase64url(key.exponent) };
  const scheme = padding === "PKCS #1 v1.5" ? "RSASSA-PKCS1-v1_5" : "RSA-PSS";
  const verifying =
    padding === "PKCS #1 v1.5" ? scheme : { name: scheme, saltLength: padding.saltOctets };
  const algorithm = { name: scheme, hash: WEB_NAMES[name] };
  let holds: boolean;
  try {
    const imported = await subtle.importKey("jwk", jwk, algorithm, false, ["verify"]);
    holds = await subtle.verify(verifying, imported, own(signature), own(data));
  } catch {
    throw new CheckFailed("the signer's key cannot be used");
  }
  if (!holds) throw new CheckFailed("the signature is not good");
}

/** A copy in a buffer of its own: WebCrypto's types take no other. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

/** Big-endian, without leading zeros. */
function octetsOf(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

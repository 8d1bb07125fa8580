/** The service's signature on a record (SPEC §2.5): ECDSA on P-256 with SHA-256, strict DER. */

import { p256 } from "@noble/curves/nist.js";

import { ascii, concat, equal, fromHex } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";

const LABEL = concat(ascii("proofmail/record-signature/0"), Uint8Array.of(0));
/** A SubjectPublicKeyInfo of P-256 as far as the uncompressed point (RFC 5480 §2). */
const KEY_START = fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const POINT_BYTES = 65;
const NUMBER_BYTES = 32;

/** The point of a P-256 key in its SubjectPublicKeyInfo; Unreadable for any other bytes. */
export function pointOf(key: Uint8Array): Uint8Array {
  const point = key.slice(KEY_START.length);
  const framed = equal(key.subarray(0, KEY_START.length), KEY_START);
  if (!framed || point.length !== POINT_BYTES || point[0] !== 4) {
    throw new Unreadable("not the SubjectPublicKeyInfo of a key on P-256");
  }
  try {
    p256.Point.fromBytes(point).assertValidity();
  } catch {
    throw new Unreadable("a key that is no point of P-256");
  }
  return point;
}

/** CheckFailed unless `signature` is one by `key` over the label and the record's bytes. */
export function checkRecordSignature(
  key: Uint8Array,
  record: Uint8Array,
  signature: Uint8Array,
): void {
  const hash = sha256(concat(LABEL, record));
  const numbers = numbersOf(signature);
  // The other of the two values that fit is as good (SPEC §2.5): no low-s rule.
  const options = { prehash: false, lowS: false, format: "compact" } as const;
  if (numbers === undefined || !p256.verify(numbers, hash, pointOf(key), options)) {
    throw new CheckFailed("the signature does not fit the record and the key");
  }
}

/** r ‖ s of an Ecdsa-Sig-Value in DER (RFC 3279 §2.2.3); undefined for bytes that are none. */
function numbersOf(der: Uint8Array): Uint8Array | undefined {
  if (der.length < 2 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const r = numberAt(der, 2);
  const s = r && numberAt(der, r.end);
  return s && s.end === der.length ? concat(r.number, s.number) : undefined;
}

/** An INTEGER from 1 to the order less 1 in its shortest form, as 32 bytes. */
function numberAt(der: Uint8Array, at: number): { number: Uint8Array; end: number } | undefined {
  const length = der[at + 1];
  const end = at + 2 + (length ?? 0);
  if (der[at] !== 2 || length === undefined || length < 1 || end > der.length) return undefined;
  if (length > NUMBER_BYTES + 1) return undefined;
  const first = der[at + 2]!;
  const padded = first === 0;
  if (first >= 0x80 || (padded && length > 1 && der[at + 3]! < 0x80)) return undefined;
  const digits = der.subarray(at + 2 + (padded ? 1 : 0), end);
  const value = digits.reduce((sum, digit) => sum * 256n + BigInt(digit), 0n);
  if (value === 0n || value >= p256.Point.CURVE().n) return undefined;
  return { number: concat(new Uint8Array(NUMBER_BYTES - digits.length), digits), end };
}

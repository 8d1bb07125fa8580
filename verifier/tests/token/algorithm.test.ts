import { describe, expect, it } from "vitest";

import { fromHex, toHex } from "../../src/bytes.ts";
import { Unreadable } from "../../src/errors.ts";
import { readCertificate } from "../../src/token/certificate.ts";
import { pem } from "./kept.ts";

const ECDSA = "300a06082a8648ce3d040302";

/** The kept P-256 certificate with another algorithm beside its signature, the lengths right. */
function withAlgorithm(algorithm: string): Uint8Array {
  const good = toHex(pem("signer-p256"));
  const at = good.lastIndexOf(ECDSA);
  const inside = good.slice(8, at) + algorithm + good.slice(at + ECDSA.length);
  return fromHex("3082" + (inside.length / 2).toString(16).padStart(4, "0") + inside);
}

describe("the algorithm of a certificate's signature (SPEC §5.2, 5)", () => {
  it.each([
    ["ecdsa-with-SHA256", ECDSA],
    ["id-ecPublicKey with NULL", "300b06072a8648ce3d02010500"],
    ["id-ecPublicKey with a curve's name", "301306072a8648ce3d020106082a8648ce3d030107"],
    ["rsaEncryption", "300b06092a864886f70d010101"],
    ["one that is not known, with an integer", "300706022a03020101"],
  ])("can be read: %s", (_, algorithm) => {
    expect(readCertificate(withAlgorithm(algorithm)).innerAlgorithm.oid).toBe(
      "1.2.840.10045.4.3.2",
    );
  });

  it.each([
    ["ecdsa-with-SHA256 with NULL", "300c06082a8648ce3d0403020500"],
    ["id-ecPublicKey alone", "300906072a8648ce3d0201"],
    ["id-ecPublicKey with an integer", "300c06072a8648ce3d0201020101"],
    ["rsaEncryption with an integer", "300e06092a864886f70d010101020101"],
  ])("cannot be read: %s", (_, algorithm) => {
    expect(() => readCertificate(withAlgorithm(algorithm))).toThrow(Unreadable);
  });
});

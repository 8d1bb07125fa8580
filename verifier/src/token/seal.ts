/** The seal's CMS (SPEC §11.5, V16, 3 to 8). Where it stands in the file is judged elsewhere. */

import { equal } from "../bytes.ts";
import { CheckFailed, NotChecked } from "../errors.ts";
import type { DigestName } from "./algorithm.ts";
import { readCertificate } from "./certificate.ts";
import {
  checkContentType,
  checkMessageDigest,
  checkSignature,
  checkSigningCertificate,
  oneSigner,
  readSignedData,
  signerCertificateDer,
  signingCertificateVersions,
} from "./cms.ts";
import type { SealResult } from "./model.ts";
import { spellName } from "./names.ts";
import { outcomeOf } from "./outcome.ts";

const DATA = "1.2.840.113549.1.7.1";

/**
 * `cms` is the DER of `Contents`; `digestOf` gives the digest of the bytes that the seal covers, by the
 * algorithm that the signer names; `seals` are the certificates that the trust pins.
 */
export async function judgeSeal(
  cms: Uint8Array,
  digestOf: (name: DigestName) => Uint8Array,
  seals: readonly Uint8Array[],
): Promise<SealResult> {
  let signer = "";
  const outcome = await outcomeOf(async () => {
    signer = await checkSeal(cms, digestOf, seals);
  });
  return { ...outcome, signer: outcome.status === "passed" ? signer : "" };
}

/** The name of the signer. */
async function checkSeal(
  cms: Uint8Array,
  digestOf: (name: DigestName) => Uint8Array,
  seals: readonly Uint8Array[],
): Promise<string> {
  const signed = readSignedData(cms);
  const signer = oneSigner(signed);
  if (signed.content !== undefined) {
    throw new CheckFailed("the seal carries a content of its own");
  }
  checkContentType(signed, signer, DATA);
  checkMessageDigest(signer, digestOf);
  const certificateDer = signerCertificateDer(signed, signer);
  if (!signingCertificateVersions(signer).includes("v2")) {
    throw new CheckFailed("the seal does not name its certificate by signing-certificate-v2");
  }
  checkSigningCertificate(signer, certificateDer);
  const certificate = readCertificate(certificateDer);
  await checkSignature(signer, certificate);
  if (!seals.some((seal) => equal(seal, certificateDer))) {
    throw new NotChecked("the seal's signer is not in the trust given");
  }
  return spellName(certificate.subject);
}

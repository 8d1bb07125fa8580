import { expect, it } from "vitest";

import { readCertificate } from "../../src/token/certificate.ts";
import { pathAt } from "../../src/token/path.ts";
import { judgeToken } from "../../src/token/token.ts";
import { IMPRINT, authority, bytes, pem } from "./kept.ts";

const ROOT = pem("root");

async function goodToken() {
  const judged = await judgeToken(bytes("good-p256.tsr"), IMPRINT, [], [authority("root")]);
  return judged.facts!;
}

it("the same bytes are read once, and what was signed by them is not taken for another's", async () => {
  const { signer, path, genTime } = await goodToken();
  expect(readCertificate(Uint8Array.from(signer.der))).toBe(signer);
  expect(path.at(-1)?.der).toEqual(ROOT);

  // One bit of the signature on the signer's certificate: another certificate, which nobody signed.
  const bent = Uint8Array.from(signer.der);
  bent[bent.length - 1]! ^= 1;
  const forged = readCertificate(bent);
  expect(forged).not.toBe(signer);
  const judged = pathAt(forged, [signer.der], path.slice(1), genTime);
  await expect(judged).rejects.toThrow("the path to a trusted authority does not hold at genTime");
});

it("where no names lead to an anchor, nothing is searched; the anchor itself needs none", async () => {
  const { signer, genTime } = await goodToken();
  const [stranger] = [readCertificate(pem("built-in-p256-root"))];
  await expect(pathAt(signer, [ROOT], [stranger], genTime)).rejects.toThrow(
    "the authority is not in the trust given",
  );
  await expect(pathAt(signer, [], [signer], genTime)).resolves.toEqual([signer]);
  const before = pathAt(signer, [], [signer], 0n);
  await expect(before).rejects.toThrow("the authority is not in the trust given");
});

it("more certificates than are kept are read all the same", async () => {
  const { signer } = await goodToken();
  for (let i = 0; i < 300; i++) {
    const bent = Uint8Array.from(signer.der);
    bent[bent.length - 1] = i & 0xff;
    bent[bent.length - 2] = 1 + (i >> 8);
    expect(readCertificate(bent).der).toEqual(bent);
  }
  expect(readCertificate(signer.der).der).toEqual(signer.der);
});

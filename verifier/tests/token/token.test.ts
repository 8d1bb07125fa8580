import { describe, expect, it } from "vitest";

import { spellName } from "../../src/token/names.ts";
import { judgeToken } from "../../src/token/token.ts";
import { AUTHORITIES, EXPECTED, IMPRINT, bytes } from "./kept.ts";

describe("the kept responses, each with one thing wrong", () => {
  for (const [name, expected] of EXPECTED) {
    it(`${name}: ${expected.verification || "passes"}`, async () => {
      const judged = await judgeToken(bytes(`${name}.tsr`), IMPRINT, [], AUTHORITIES);
      const failed = judged.results.find((one) => one.status === "failed");
      const first = failed ?? judged.results.find((one) => one.status === "not checked");
      expect(first?.number ?? "").toBe(expected.verification);
      if (expected.outcome === "not checked") expect(first?.status).toBe("not checked");
    });
  }
});

it("a good token says who made it and when", async () => {
  const { facts, results } = await judgeToken(bytes("good-p256.tsr"), IMPRINT, [], AUTHORITIES);
  expect(results.map((one) => one.number)).toEqual(
    Array.from({ length: 13 }, (_, i) => `T${i + 1}`),
  );
  expect(facts?.genTime).toBe(1772600767_000000n);
  expect(facts?.accuracy).toBe(1_000_000n);
  expect(facts && spellName(facts.signer.subject)).toBe("CN=vector TSA p256");
  expect(facts?.signature).toBe("ECDSA P-256 with SHA-256");
  expect(facts?.boundBy).toBe("v2");
});

it("without any trust all but path and policy is judged", async () => {
  const { facts, results } = await judgeToken(bytes("good-rsa3072.tsr"), IMPRINT, [], []);
  const open = results.filter((one) => one.status !== "passed");
  expect(open.map((one) => [one.number, one.status])).toEqual([
    ["T12", "not checked"],
    ["T13", "not checked"],
  ]);
  expect(facts?.path).toEqual([]);
});

/**
 * Many tokens in one process, for comparisons with another verifier: each line read is a JSON object
 * `{response, imprint, authorities, certificates, items}` (bytes in base64; items as pairs of kind and
 * value); each line written is `{results, path, revocation}`.
 */

import { createInterface } from "node:readline";

import "./webcrypto.ts";
import { toHex } from "../src/bytes.ts";
import { sha256 } from "../src/hash.ts";
import type { RevocationItem } from "../src/proof/model.ts";
import { judgeRevocation } from "../src/token/revocation.ts";
import { judgeToken } from "../src/token/token.ts";

interface Question {
  readonly response: string;
  readonly imprint: string;
  readonly authorities: readonly string[];
  readonly certificates: readonly string[];
  readonly items: readonly (readonly [RevocationItem["kind"], string])[];
}

function bytes(spelt: string): Uint8Array {
  return Uint8Array.from(Buffer.from(spelt, "base64"));
}

async function answer(question: Question): Promise<unknown> {
  const authorities = question.authorities.map((spelt) => ({
    name: "",
    certificate: bytes(spelt),
    policies: [],
    built_in: false,
    revocation_required: false,
    qualified_required: false,
  }));
  const certificates = question.certificates.map(bytes);
  const { response, imprint } = question;
  const judged = await judgeToken(bytes(response), bytes(imprint), certificates, authorities);
  const items = question.items.map(([kind, value]) => ({
    known: true as const,
    kind,
    value: bytes(value),
  }));
  const revocation = judged.facts && (await judgeRevocation(judged, items));
  return {
    results: judged.results.map((one) => [one.number, one.status]),
    path: judged.facts?.path.map((one) => toHex(sha256(one.der))) ?? [],
    revocation: revocation ? [revocation.status, revocation.asOf ?? ""] : [],
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line) as Question)));
}

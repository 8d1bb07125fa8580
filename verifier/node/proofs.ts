/**
 * Many proofs in one process, for comparisons with another verifier: each line read is a JSON
 * array of two paths, a proof file's and a trust file's ("" for none); each line written is the report
 * (SPEC §9.5), or `{"unreadable": why}`.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { Unreadable } from "../src/errors.ts";
import type { Json } from "../src/json.ts";
import { verifyProof } from "../src/proof/checks.ts";
import { readProof } from "../src/proof/proof.ts";
import { reportJson } from "../src/proof/report_json.ts";
import { NO_TRUST, readTrust } from "../src/proof/trust.ts";

async function judge(proof: string, trust: string): Promise<Json> {
  try {
    const believed = trust === "" ? NO_TRUST : readTrust(bytesOf(trust));
    return reportJson(await verifyProof(readProof(bytesOf(proof)), believed));
  } catch (error) {
    if (error instanceof Unreadable) return { unreadable: error.message };
    throw error;
  }
}

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

for await (const line of createInterface({ input: process.stdin })) {
  const [proof, trust] = JSON.parse(line) as [string, string];
  console.log(JSON.stringify(await judge(proof, trust)));
}

/**
 * Judges copies, for whoever compares this verifier with another: a line of JSON for each on the
 * standard input, `{name, bytes, claims}`, `{name, files, passed_over, claims}` with files as pairs
 * of name and bytes, or `{digest, claims}`; bytes are base64. A line of JSON is the answer.
 */

import { createInterface } from "node:readline";

import { judgeCopy, judgeDigest, judgeFolder } from "../src/copies/judge.ts";
import type { Claims, CopyReport, Said } from "../src/report.ts";
import { LANGUAGES, say } from "../src/words/words.ts";

type Asked =
  | { name: string; bytes: string; claims: Claims }
  | { name: string; files: [string, string][]; passed_over: number; claims: Claims }
  | { digest: string; claims: Claims };

function judged(asked: Asked): CopyReport {
  if ("digest" in asked) return judgeDigest(asked.digest, asked.claims);
  if ("bytes" in asked) return judgeCopy(asked.name, octets(asked.bytes), asked.claims);
  const files = asked.files.map(([name, bytes]) => ({ name, bytes: octets(bytes) }));
  return judgeFolder({ name: asked.name, files, passedOver: asked.passed_over }, asked.claims);
}

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** The key and the sentence in each language. */
function told(one: Said): string[] {
  return [one.key, ...LANGUAGES.map((language) => say(one, language))];
}

for await (const line of createInterface({ input: process.stdin })) {
  const report = judged(JSON.parse(line) as Asked);
  const answer = {
    copy: report.copy,
    what: report.what,
    status: report.status,
    finding: told(report.finding),
    matches: report.matches.map((match) => [match.part, match.name, match.rung]),
    changes: report.changes.map(told),
    remarks: report.remarks.map(told),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

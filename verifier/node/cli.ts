/**
 * `proofmail verify --json` by this verifier, for comparison with the other one:
 *
 *     npx vite-node node/cli.ts PROOF [COPY ...] [--trust FILE] [--digest HEX] [--number N]
 *     npx vite-node node/cli.ts --batch < cases.jsonl > answers.jsonl
 *
 * A case is one line `{id, proof, trust, copies, digests, number}`: paths, null for no trust and no number. Its
 * answer is one line `{id, exit, report}` or `{id, exit, error}`, with exit -1 for a fault of this program.
 */

import "./webcrypto.ts";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Unreadable } from "../src/errors.ts";
import type { Json } from "../src/json.ts";
import { answerJson, verify } from "../src/verify.ts";
import { bytesAt, copyAt, plain } from "./copies.ts";

interface Asked {
  readonly proof: string;
  readonly trust: string | null;
  readonly copies: readonly string[];
  readonly digests: readonly string[];
  readonly number: number | null;
}

interface Told {
  readonly exit: number;
  readonly report?: { [name: string]: Json };
  readonly error?: string;
}

async function tell(asked: Asked): Promise<Told> {
  try {
    const answer = await verify({
      input: bytesAt(asked.proof),
      trust: asked.trust === null ? undefined : bytesAt(asked.trust),
      copies: asked.copies.map(copyAt),
      digests: asked.digests,
      number: asked.number ?? undefined,
    });
    if (answer.kind === "none") return { exit: answer.exit, error: answer.error };
    return { exit: answer.exit, report: answerJson(answer) ?? {} };
  } catch (error) {
    if (error instanceof Unreadable) return { exit: 2, error: error.message };
    if (error instanceof Error && "syscall" in error) return { exit: 2, error: error.message };
    throw error;
  }
}

/** Escaped down to ASCII, keys in order: what a mail says must not act on the terminal that shows it. */
function written(value: unknown): string {
  return JSON.stringify(value, inOrder).replace(
    /[\u007f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const sorted: { [name: string]: unknown } = Object.create(null);
  for (const [key, inside] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    sorted[key] = inside;
  }
  return sorted;
}

async function batch(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "") continue;
    const { id, ...asked } = JSON.parse(line) as Asked & { readonly id: unknown };
    let told: Told;
    try {
      told = await tell({ ...asked, trust: asked.trust ?? null, number: asked.number ?? null });
    } catch (error) {
      told = { exit: -1, error: String(error instanceof Error ? error.stack : error) };
    }
    process.stdout.write(written({ id, ...told }) + "\n");
  }
}

function readArguments(): Asked | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      batch: { type: "boolean", default: false },
      digest: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: true },
      number: { type: "string" },
      trust: { type: "string" },
    },
  });
  if (values.batch) return undefined;
  const [proof, ...copies] = positionals;
  const { number } = values;
  if (proof === undefined) throw new TypeError("PROOF is missing");
  if (number !== undefined && !/^[+-]?[0-9]{1,9}$/.test(number)) {
    throw new TypeError("--number is no number");
  }
  return {
    proof,
    copies,
    digests: values.digest,
    trust: values.trust ?? null,
    number: number === undefined ? null : Number(number),
  };
}

async function main(): Promise<number> {
  let asked: Asked | undefined;
  try {
    asked = readArguments();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`verify: ${plain(error.message)}\n`);
    return 2;
  }
  if (asked === undefined) {
    await batch();
    return 0;
  }
  const told = await tell(asked);
  if (told.report) process.stdout.write(written(told.report) + "\n");
  else process.stderr.write(`verify: ${plain(told.error ?? "")}\n`);
  return told.exit;
}

process.exitCode = await main();

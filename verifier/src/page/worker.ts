/** The judging, away from the page so that it stays responsive. Reads, judges, answers; keeps nothing. */

import { toHex } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { readTrust } from "../proof/trust.ts";
import { judge, type Copy } from "../verify.ts";
import type { Answer, Given, Outcome, Task } from "./protocol.ts";

const MIB = 1 << 20;
const MOST_PROOF_MIB = 64;
const MOST_COPY_MIB = 256;
const MOST_TRUST_MIB = 64;

interface Line {
  postMessage(answer: Answer): void;
  onmessage: ((event: MessageEvent<Task>) => void) | null;
}

/** Answers each task with progress and one outcome. */
export function serve(line: Line): void {
  line.onmessage = (event) => {
    const tell = (answer: Answer) => line.postMessage(answer);
    void run(event.data, tell).then(tell, () => tell({ kind: "broken" }));
  };
}

async function run(task: Task, tell: (answer: Answer) => void): Promise<Outcome> {
  const large = tooLarge(task);
  if (large) return large;
  const proof = await bytesOf(task.proof);
  let what: "proof" | "trust" = "trust";
  try {
    const trust = task.trust && readTrust(await bytesOf(task.trust));
    const copies: Copy[] = [];
    for (const { name, file } of task.copies) copies.push({ name, bytes: await bytesOf(file) });
    what = "proof";
    const onProgress = (name: string, done: number, total: number) =>
      tell({ kind: "progress", name, done, total });
    const given = { data: proof, trust, copies, digests: task.digests, number: task.number };
    const verdict = await judge(given, onProgress);
    const texts = [given_("", proof), ...copies.map((copy) => given_(copy.name, copy.bytes))];
    return { ...verdict, texts };
  } catch (error) {
    if (error instanceof CheckFailed) {
      return { kind: "unreadable", what: "member", why: error.message };
    }
    if (!(error instanceof Unreadable)) throw error;
    return { kind: "unreadable", what, why: error.message };
  }
}

function given_(name: string, bytes: Uint8Array): Given {
  return { name, size: bytes.length, sha256: toHex(sha256(bytes)) };
}

function tooLarge(task: Task): Outcome | null {
  const all: [string, Blob, number][] = [
    ["", task.proof, MOST_PROOF_MIB],
    ...task.copies.map(({ name, file }): [string, Blob, number] => [name, file, MOST_COPY_MIB]),
  ];
  if (task.trust) all.push(["", task.trust, MOST_TRUST_MIB]);
  const found = all.find(([, blob, most]) => blob.size > most * MIB);
  return found ? { kind: "too-large", name: found[0], most: found[2] } : null;
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

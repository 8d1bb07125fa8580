/** The judging, away from the page so that it stays responsive. Reads, judges, answers; keeps nothing. */

import { toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { readTrust } from "../proof/trust.ts";
import { answerJson, verify } from "../verify.ts";
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
  const input = await bytesOf(task.proof);
  const trust = task.trust ? await bytesOf(task.trust) : undefined;
  const fault = trust && trustFault(trust);
  if (fault) return { kind: "unreadable", what: "trust", why: fault };
  const copies = [];
  for (const { name, file } of task.copies) copies.push({ name, bytes: await bytesOf(file) });
  const { digests, number } = task;
  const question = { input, trust, copies, digests, number: number ?? undefined };
  const answer = await verify(question, progress(tell));
  if (answer.kind === "none") {
    return { kind: "unreadable", what: answer.exit === 1 ? "member" : "proof", why: answer.error };
  }
  const files = [given("", input), ...copies.map(({ name, bytes }) => given(name, bytes))];
  const json = JSON.stringify(answerJson(answer));
  return answer.kind === "case"
    ? { kind: "case", report: answer.report, json, files }
    : { kind: "report", report: answer.report, json, files };
}

/** Why these bytes are no trust file; "" for one. */
function trustFault(bytes: Uint8Array): string {
  try {
    readTrust(bytes);
    return "";
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}

/** Passes progress on, a hundred times a copy at most. */
function progress(tell: (answer: Answer) => void) {
  let told = "";
  return (name: string, done: number, total: number): void => {
    const mark = `${name} ${Math.floor((100 * done) / Math.max(total, 1))}`;
    if (mark === told) return;
    told = mark;
    tell({ kind: "progress", name, done, total });
  };
}

function given(name: string, bytes: Uint8Array): Given {
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

/** The judging, away from the page so that it stays responsive. Reads, judges, answers; keeps nothing. */

import { toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { readTrust } from "../proof/trust.ts";
import { answerJson, verify } from "../verify.ts";
import type { Place } from "./files.ts";
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
  const read = await readAll(task);
  if ("kind" in read) return read;
  const { input, trust, copies } = read;
  const { digests, number } = task;
  const question = { input, trust, copies, digests, number: number ?? undefined };
  const believed = trust ? given("", trust) : null;
  const answer = await verify(question, progress(tell));
  const fault = answer.kind === "none" && trust && trustFault(trust);
  if (fault) return { kind: "unreadable", what: "trust", why: fault };
  const waiting = copies.length + digests.length;
  if (answer.kind === "none" && number === null && waiting > 0) {
    // A case is told as one; which of its proofs the copies are for is the person's to say.
    const alone = await verify({ ...question, copies: [], digests: [] }, progress(tell));
    if (alone.kind === "case") {
      const json = JSON.stringify(answerJson(alone));
      const { kind, report } = alone;
      return { kind, report, json, files: [given("", input)], trust: believed, waiting };
    }
  }
  if (answer.kind === "none") {
    return { kind: "unreadable", what: answer.exit === 1 ? "member" : "proof", why: answer.error };
  }
  const files = [given("", input), ...copies.map(({ name, bytes }) => given(name, bytes))];
  const told = { json: JSON.stringify(answerJson(answer)), files, trust: believed };
  return answer.kind === "case"
    ? { kind: "case", report: answer.report, waiting: 0, ...told }
    : { kind: "report", report: answer.report, ...told };
}

interface Read {
  readonly input: Uint8Array;
  readonly trust: Uint8Array | undefined;
  readonly copies: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** The bytes of all files, or which of them has none. */
async function readAll(task: Task): Promise<Read | (Outcome & { kind: "lost" })> {
  let reading: { what: Place; name: string } = { what: "proof", name: "" };
  try {
    const input = await bytesOf(task.proof);
    reading = { what: "trust", name: "" };
    const trust = task.trust ? await bytesOf(task.trust) : undefined;
    const copies = [];
    for (const { name, file } of task.copies) {
      reading = { what: "copies", name };
      copies.push({ name, bytes: await bytesOf(file) });
    }
    return { input, trust, copies };
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return { kind: "lost", ...reading };
  }
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
  const copies = task.copies.map(({ name, file }) => limit("copies", name, file, MOST_COPY_MIB));
  const all = [limit("proof", "", task.proof, MOST_PROOF_MIB), ...copies];
  if (task.trust) all.push(limit("trust", "", task.trust, MOST_TRUST_MIB));
  const found = all.find(({ file, most }) => file.size > most * MIB);
  return found ? { kind: "too-large", what: found.what, name: found.name, most: found.most } : null;
}

function limit(what: Place, name: string, file: Blob, most: number) {
  return { what, name, file, most };
}

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

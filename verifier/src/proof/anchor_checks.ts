/** The steps on batches and their anchors: V7 to V12 (SPEC §9.1). */

import { equal, toHex } from "../bytes.ts";
import { CheckFailed, NotChecked } from "../errors.ts";
import type { Row, Witness } from "../report.ts";
import { momentOfText, SECOND, spell } from "../token/moment.ts";
import { checkStatement, judge, together, unknownKind } from "./bench.ts";
import { judgeAnchor } from "./evm.ts";
import type { AnchorFacts } from "./evm.ts";
import { commonRoot } from "./merkle.ts";
import type { BatchItem, EvmAnchor, Proof, ProofRecord } from "./model.ts";
import type { Trust } from "./trust_model.ts";
import type { Heard, Testimony } from "./witnesses.ts";

/** V7 to V12 of all batches, in their order. */
export function judgeBatches(proof: Proof, trust: Trust): Heard {
  if (proof.batches.length === 0) {
    const reason = "not in a batch yet";
    const row: Row = { number: "V7", title: "batch", status: "absent", reason, subject: "" };
    return { rows: [row], testimonies: [] };
  }
  const heard = proof.batches.map((batch, place): Heard => {
    const subject = `batch ${place + 1}`;
    if (batch.known) return judgeBatch(proof.record, batch, trust, subject);
    return { rows: [unknownKind("V7", "batch", subject, batch.kind)], testimonies: [] };
  });
  return {
    rows: heard.flatMap((one) => one.rows),
    testimonies: heard.flatMap((one) => one.testimonies),
  };
}

function judgeBatch(record: ProofRecord, batch: BatchItem, trust: Trust, subject: string): Heard {
  const named = judge("V7", "the header names the record's log", subject, () =>
    checkLog(record, batch),
  );
  const joined = judge("V8", "header and record are in one tree", subject, () =>
    rootOfBatch(record, batch),
  );
  const before = [named.row, joined.row];
  const rows = [...before];
  if (batch.anchors.length === 0) {
    const reason = "not anchored yet";
    rows.push({ number: "V9", title: "anchor", status: "absent", reason, subject });
  }
  const testimonies: Testimony[] = [];
  batch.anchors.forEach((anchor, place) => {
    const name = `${subject}, anchor ${place + 1}`;
    if (!anchor.known) {
      rows.push(unknownKind("V9", "anchor", name, anchor.kind));
      return;
    }
    const heard = judgeOne(record, anchor, joined.found, trust, name, before);
    rows.push(...heard.rows);
    testimonies.push(...heard.testimonies);
  });
  return { rows, testimonies };
}

function checkLog(record: ProofRecord, { header }: BatchItem): string {
  if (header.log !== record.log) {
    throw new CheckFailed("the batch belongs to another log than the record");
  }
  return `batch ${header.sequence} of ${header.log}, ${header.count} records`;
}

function rootOfBatch(record: ProofRecord, batch: BatchItem): Uint8Array {
  const { header, header_path, index, path } = batch;
  return commonRoot(header.bytes, header_path, record.bytes, index, path, header.count);
}

/** V9 to V12 of one anchor; `before` are the rows of its batch, which count for it too. */
function judgeOne(
  record: ProofRecord,
  anchor: EvmAnchor,
  root: Uint8Array | undefined,
  trust: Trust,
  subject: string,
  before: readonly Row[],
): Heard {
  const title = "the transaction carries the root and is in the block";
  const carried = judge("V9", title, subject, () => checkRoot(judgeAnchor(anchor), root));
  const facts = carried.found;
  if (facts === undefined) return { rows: [carried.row], testimonies: [] };
  const time = BigInt(facts.block.timestamp) * SECOND;
  const received = momentOfText(record.received_at);
  const rows = [
    carried.row,
    judge("V10", "sent by a trusted sender of this log", subject, () =>
      checkSender(record, facts, trust),
    ).row,
    judge("V11", "the block is in the chain", subject, () => checkBlock(facts, trust)).row,
    judge("V12", "not received after the block", subject, () =>
      checkStatement(record.received_at, received, time, "block"),
    ).row,
  ];
  const chain = trust.chains.find((one) => one.chain_id === facts.chain_id);
  const witness: Witness = {
    kind: "evm",
    status: together([...before, ...rows]),
    time: spell(time),
    accuracy_milliseconds: 0,
    latest: time,
    details: detailsOf(facts, chain?.name ?? ""),
    caution: chain?.development ? "development chain" : "",
  };
  return { rows, testimonies: [{ whose: new Set([`evm ${facts.chain_id}`]), witness }] };
}

/** A8. */
function checkRoot(facts: AnchorFacts, root: Uint8Array | undefined): AnchorFacts {
  if (root === undefined || !equal(facts.root, root)) {
    throw new CheckFailed("the transaction carries another root than the batch's");
  }
  return facts;
}

function checkSender(record: ProofRecord, facts: AnchorFacts, trust: Trust): string {
  const service = trust.services.find((one) => one.log === record.log);
  if (service === undefined) {
    throw new NotChecked("the service (its log's name) is not in the trust given");
  }
  if (!service.senders.includes(facts.sender)) {
    throw new NotChecked("the sender is not among the trusted senders of this service");
  }
  return facts.sender;
}

function checkBlock(facts: AnchorFacts, trust: Trust): string {
  const where = `chain ${facts.chain_id}, block ${facts.block.number}, ${facts.block.hash}`;
  const chain = trust.chains.find((one) => one.chain_id === facts.chain_id);
  if (chain === undefined) {
    throw new NotChecked(`the chain is not in the trust given; look it up: ${where}`);
  }
  if (!chain.blocks.has(facts.block.hash)) {
    throw new NotChecked(`whether this block is in the chain; look it up: ${where}`);
  }
  return where;
}

function detailsOf(facts: AnchorFacts, chain: string): Record<string, string> {
  return {
    chain_id: facts.chain_id,
    chain,
    block_number: String(facts.block.number),
    block_hash: facts.block.hash,
    transaction: facts.transaction,
    sender: facts.sender,
    root: toHex(facts.root),
  };
}

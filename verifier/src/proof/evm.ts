/** EVM anchors (SPEC §6.4): a root in a transaction, the transaction in a block, the block's own hash. */

import { secp256k1 } from "@noble/curves/secp256k1.js";

import { concat, equal, toHex } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { keccak_256 } from "../hash.ts";
import type { EvmAnchor } from "./model.ts";
import { valueUnder } from "./mpt.ts";
import { decodeRlp, encodeRlp, numberBytes, readBytes, readNumber } from "./rlp.ts";
import type { Rlp } from "./rlp.ts";

const TAG = Uint8Array.of(0x50, 0x4d, 0x76, 0x30);
const TYPE = Uint8Array.of(2);
const LARGEST_TRANSACTION = 512;
const LARGEST_HEADER = 65_536;
const MOST_FIELDS = 64;
const LEAST_FIELDS = 15;
const LARGEST_CHAIN = 2n ** 53n - 1n;
const LATEST = 253_402_300_799n;
/** The lengths of a header's byte strings, by position (§6.4.3). */
const FIXED: readonly (readonly [number, number])[] = [
  [0, 32],
  [1, 32],
  [2, 20],
  [3, 32],
  [4, 32],
  [5, 32],
  [6, 256],
  [13, 32],
  [14, 8],
];
/** The most bytes of a header's numbers, by position. */
const NUMBERS: readonly (readonly [number, number])[] = [
  [7, 32],
  [8, 8],
  [9, 8],
  [10, 8],
  [11, 8],
];

/** What a block's header says (§6.4.3). Hashes are `0x` and lower case digits. */
export interface BlockHeader {
  readonly hash: string;
  readonly parent: string;
  readonly number: bigint;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly transactionsRoot: Uint8Array;
}

/** What an anchor says once A1 to A7 hold; its block may be of no chain at all (A10). */
export interface AnchorFacts {
  /** Decimal digits. */
  readonly chain_id: string;
  /** Address, `0x` and 40 lower case digits. */
  readonly sender: string;
  readonly root: Uint8Array;
  readonly transaction: string;
  readonly block: BlockHeader;
}

interface Transaction {
  readonly chain_id: bigint;
  readonly to: Uint8Array;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly sender: Uint8Array;
}

/** A1 to A7 of §6.4.6. Unreadable and CheckFailed as there. */
export function judgeAnchor(anchor: EvmAnchor): AnchorFacts {
  const sent = readTransaction(anchor.transaction);
  if (!equal(sent.to, sent.sender)) throw new CheckFailed("the transaction is not to its sender");
  if (sent.value !== 0n) throw new CheckFailed("the transaction moves a value");
  if (sent.data.length !== 36 || !equal(sent.data.subarray(0, 4), TAG)) {
    throw new CheckFailed("the transaction's data are not the tag and a root");
  }
  const block = readHeader(anchor.header);
  const key = encodeRlp(numberBytes(anchor.index));
  const proven = valueUnder(block.transactionsRoot, key, anchor.nodes);
  if (!equal(proven, anchor.transaction)) {
    throw new CheckFailed("another transaction stands at this index");
  }
  return {
    chain_id: String(sent.chain_id),
    sender: hex(sent.sender),
    root: sent.data.slice(4),
    transaction: hex(keccak_256(anchor.transaction)),
    block,
  };
}

export function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

/** A1 and A2: type 2, each field of its type, an empty access list, a signature that gives a sender. */
function readTransaction(bytes: Uint8Array): Transaction {
  if (bytes.length > LARGEST_TRANSACTION) throw new Unreadable("the transaction is too large");
  if (bytes[0] !== TYPE[0]) throw new Unreadable("not a transaction of type 2");
  const fields = decodeRlp(bytes.subarray(1));
  if (fields instanceof Uint8Array || fields.length !== 12) {
    throw new Unreadable("not a transaction of 12 fields");
  }
  const chain = readNumber(fields[0], 32);
  if (chain < 1n || chain > LARGEST_CHAIN) throw new Unreadable("the chain id is out of range");
  readNumber(fields[1], 8);
  readNumber(fields[2], 32);
  readNumber(fields[3], 32);
  readNumber(fields[4], 8);
  const to = readBytes(fields[5], 20);
  const value = readNumber(fields[6], 32);
  const data = fields[7];
  const access = fields[8];
  if (!(data instanceof Uint8Array)) throw new Unreadable("the transaction's data are a list");
  if (access === undefined || access instanceof Uint8Array || access.length > 0) {
    throw new Unreadable("the access list is not empty");
  }
  return { chain_id: chain, to, value, data, sender: senderOf(fields) };
}

function senderOf(fields: readonly Rlp[]): Uint8Array {
  const parity = readNumber(fields[9], 32);
  const r = readNumber(fields[10], 32);
  const s = readNumber(fields[11], 32);
  const order = secp256k1.Point.CURVE().n;
  if (parity > 1n || r < 1n || r >= order || s < 1n || s > order / 2n) {
    throw new CheckFailed("the transaction's signature is out of range");
  }
  const signed = keccak_256(concat(TYPE, encodeRlp(fields.slice(0, 9))));
  const signature = new secp256k1.Signature(r, s).addRecoveryBit(Number(parity));
  try {
    const key = signature.recoverPublicKey(signed).toBytes(false);
    return keccak_256(key.subarray(1)).slice(12);
  } catch {
    throw new CheckFailed("the transaction's signature gives no sender");
  }
}

/** A6. The block's hash is computed, never stated. */
export function readHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length > LARGEST_HEADER) throw new Unreadable("the block header is too large");
  const fields = decodeRlp(bytes);
  if (fields instanceof Uint8Array || fields.length < LEAST_FIELDS || fields.length > MOST_FIELDS) {
    throw new Unreadable("not a block header");
  }
  if (!fields.every((field) => field instanceof Uint8Array)) {
    throw new Unreadable("a block header holds a list");
  }
  for (const [place, length] of FIXED) readBytes(fields[place], length);
  for (const [place, most] of NUMBERS) readNumber(fields[place], most);
  const timestamp = readNumber(fields[11], 8);
  if (timestamp > LATEST) throw new Unreadable("a block header's time is out of range");
  return {
    hash: hex(keccak_256(bytes)),
    parent: hex(readBytes(fields[0], 32)),
    number: readNumber(fields[8], 8),
    timestamp: Number(timestamp),
    transactionsRoot: readBytes(fields[4], 32),
  };
}

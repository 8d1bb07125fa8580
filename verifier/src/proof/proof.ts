/** The proof file (SPEC §7, step V1): whatever this module gives back has its members, types and limits. */

import { ascii, compare, concat } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { sha256, sha3_256 } from "../hash.ts";
import { canonical, readCanonical } from "../json.ts";
import type { Json, JsonObject } from "../json.ts";
import { batchHeader } from "./batch_header.ts";
import { logName } from "./log_name.ts";
import type {
  BatchItem,
  Entry,
  EvmAnchor,
  Proof,
  ProofRecord,
  RecordKind,
  Signature,
} from "./model.ts";
import { closed, digest, integer, list, octets, oneOf, text, time } from "./shape.ts";
import { tokenItem } from "./token_item.ts";
import { byKind, unknownItem } from "./unknown_item.ts";

const LARGEST_FILE = 16 * 1024 * 1024;
const MOST_ENTRIES = 1024;
const MOST_ITEMS = 16;
const MOST_LINKED = 256;
const MOST_NODES = 64;
/** Of a transaction, a trie node, a block header. */
const LARGEST_PIECE = 65_536;
const LARGEST_INDEX = 1_000_000;
const LONGEST_PATH = 63;
const LONGEST_NAME = 64;
const LONGEST_SIGNATURE = 80;
const KINDS: readonly RecordKind[] = ["message", "receipt", "addendum", "digests", "audit"];
const CLAIM_LABEL = concat(ascii("proofmail/claim/0"), Uint8Array.of(0));
const MEMBERS = [
  "format",
  "record",
  "entries",
  "signature",
  "tokens",
  "batches",
  "renewals",
  "linked",
  "sha256",
];

/** The proof in these bytes; Unreadable if they are none, or damaged. */
export function readProof(bytes: Uint8Array): Proof {
  if (bytes.length > LARGEST_FILE) throw new Unreadable("over 16 MiB");
  return proofOf(readCanonical(bytes), bytes, MOST_LINKED);
}

/** `bytes` are the value's canonical ones. */
function proofOf(value: Json, bytes: Uint8Array, mostLinked: number): Proof {
  const members = closed(value, MEMBERS);
  oneOf(members["format"], ["proofmail/proof/0"]);
  checkSum(members);
  return {
    record: recordOf(members["record"]),
    entries: list(members["entries"], MOST_ENTRIES, entryOf),
    signature: signatureOf(members["signature"]),
    tokens: list(members["tokens"], MOST_ITEMS, byKind("rfc3161", tokenItem)),
    batches: list(members["batches"], MOST_ITEMS, byKind("rfc9162", batchOf)),
    renewals: list(members["renewals"], MOST_ITEMS, unknownItem),
    linked: list(members["linked"], mostLinked, (item) => proofOf(item, canonical(item), 0)),
    bytes,
  };
}

function checkSum(members: JsonObject): void {
  const stated = digest(members["sha256"]);
  const rest = Object.assign(Object.create(null) as JsonObject, members);
  delete rest["sha256"];
  if (compare(sha256(canonical(rest)), stated) !== 0) {
    throw new Unreadable("damaged: its SHA-256 of itself does not hold");
  }
}

function recordOf(value: Json | undefined): ProofRecord {
  const members = closed(value, ["format", "kind", "log", "received_at", "claims"]);
  oneOf(members["format"], ["proofmail/record/0"]);
  const claims = closed(members["claims"], ["count", "sha256", "sha3-256"]);
  const count = integer(claims["count"], 32, MOST_ENTRIES);
  if (count % 32 !== 0) throw new Unreadable("a number of entries that is no multiple of 32");
  return {
    kind: oneOf(members["kind"], KINDS),
    log: logName(members["log"]),
    received_at: time(members["received_at"]),
    count,
    sha256: digest(claims["sha256"]),
    sha3_256: digest(claims["sha3-256"]),
    bytes: canonical(members),
  };
}

/** SPEC §2.2. The digests of a disclosure are over its label and its canonical JSON. */
function entryOf(value: Json): Entry {
  if (!Array.isArray(value)) {
    const members = closed(value, ["sha256", "sha3-256"]);
    return {
      sha256: digest(members["sha256"]),
      sha3_256: digest(members["sha3-256"]),
      shown: undefined,
    };
  }
  const [salt, name, shown] = value;
  if (value.length !== 3 || shown === undefined) throw new Unreadable("not a disclosure");
  digest(salt);
  const covered = concat(CLAIM_LABEL, canonical(value));
  return {
    sha256: sha256(covered),
    sha3_256: sha3_256(covered),
    shown: { name: text(name, LONGEST_NAME), value: shown },
  };
}

function signatureOf(value: Json | undefined): Signature {
  const members = closed(value, ["key", "value"]);
  return { key: digest(members["key"]), value: octets(members["value"], LONGEST_SIGNATURE) };
}

function batchOf(value: Json): BatchItem {
  const members = closed(value, ["kind", "header", "header_path", "index", "path", "anchors"]);
  const header = batchHeader(members["header"]);
  return {
    known: true,
    kind: "rfc9162",
    header,
    header_path: list(members["header_path"], LONGEST_PATH, digest),
    index: integer(members["index"], 1, header.count),
    path: list(members["path"], LONGEST_PATH, digest),
    anchors: list(members["anchors"], MOST_ITEMS, byKind("evm", anchorOf)),
  };
}

function anchorOf(value: Json): EvmAnchor {
  const members = closed(value, ["kind", "transaction", "index", "nodes", "header"]);
  return {
    known: true,
    kind: "evm",
    transaction: octets(members["transaction"], LARGEST_PIECE),
    index: integer(members["index"], 0, LARGEST_INDEX),
    nodes: list(members["nodes"], MOST_NODES, (node) => octets(node, LARGEST_PIECE)),
    header: octets(members["header"], LARGEST_PIECE),
  };
}

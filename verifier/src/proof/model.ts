/** The proof file as read (SPEC §2, §6.3, §7): members are checked, bytes are bytes, nothing is believed. */

import type { Json } from "../json.ts";

export type RecordKind = "message" | "receipt" | "addendum" | "digests" | "audit";

/** SPEC §2.1. `bytes` is its canonical JSON: what tokens, batches and the signature are over. */
export interface ProofRecord {
  readonly kind: RecordKind;
  readonly log: string;
  /** §1.3: `YYYY-MM-DDTHH:MM:SS.mmmZ`; text order is time order. */
  readonly received_at: string;
  readonly count: number;
  readonly sha256: Uint8Array;
  readonly sha3_256: Uint8Array;
  readonly bytes: Uint8Array;
}

/** SPEC §2.2. `shown` is undefined for a hidden entry. */
export interface Entry {
  readonly sha256: Uint8Array;
  readonly sha3_256: Uint8Array;
  readonly shown: Shown | undefined;
}

export interface Shown {
  readonly name: string;
  readonly value: Json;
}

/** An item whose kind this version does not know: kept, and reported *not checked*. */
export interface UnknownItem {
  readonly known: false;
  readonly kind: string;
}

/** SPEC §5.1, `tree`. */
export interface TokenTree {
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
}

/** SPEC §5.1. */
export interface TokenItem {
  readonly known: true;
  readonly kind: "rfc3161";
  readonly response: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  readonly tree: TokenTree | undefined;
  readonly revocation: readonly (RevocationItem | UnknownItem)[];
  readonly extracts: readonly (TrustedListExtract | UnknownItem)[];
}

/** SPEC §5.7. */
export interface RevocationItem {
  readonly known: true;
  readonly kind: "crl" | "ocsp";
  readonly value: Uint8Array;
}

/** SPEC §5.8: what the service saw; told, never used. */
export interface TrustedListExtract {
  readonly known: true;
  readonly kind: "trusted-list";
  readonly territory: string;
  readonly sequence: number;
  readonly issued: string;
  readonly list_sha256: Uint8Array;
  readonly provider: string;
  readonly service: string;
  readonly type: string;
  readonly status: string;
  readonly since: string;
}

/** SPEC §6.2. `bytes` is its canonical JSON: leaf 0 of the tree. */
export interface BatchHeader {
  readonly log: string;
  readonly sequence: number;
  readonly previous: Uint8Array;
  readonly count: number;
  readonly closed_at: string;
  readonly bytes: Uint8Array;
}

/** SPEC §6.3. */
export interface BatchItem {
  readonly known: true;
  readonly kind: "rfc9162";
  readonly header: BatchHeader;
  readonly header_path: readonly Uint8Array[];
  readonly index: number;
  readonly path: readonly Uint8Array[];
  readonly anchors: readonly (EvmAnchor | UnknownItem)[];
}

/** SPEC §6.4. */
export interface EvmAnchor {
  readonly known: true;
  readonly kind: "evm";
  readonly transaction: Uint8Array;
  readonly index: number;
  readonly nodes: readonly Uint8Array[];
  readonly header: Uint8Array;
}

/** SPEC §2.5. */
export interface Signature {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** SPEC §7. `bytes` is the file itself (its canonical JSON). */
export interface Proof {
  readonly record: ProofRecord;
  readonly entries: readonly Entry[];
  readonly signature: Signature;
  readonly tokens: readonly (TokenItem | UnknownItem)[];
  readonly batches: readonly (BatchItem | UnknownItem)[];
  readonly renewals: readonly UnknownItem[];
  readonly linked: readonly Proof[];
  readonly bytes: Uint8Array;
}

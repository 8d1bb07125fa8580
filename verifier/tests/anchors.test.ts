import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { concat, fromHex, toHex } from "../src/bytes.ts";
import { CheckFailed, Unreadable } from "../src/errors.ts";
import { sha256 } from "../src/hash.ts";
import { judgeAnchor } from "../src/proof/evm.ts";
import { rootOf } from "../src/proof/merkle.ts";
import type { EvmAnchor } from "../src/proof/model.ts";
import { readProof } from "../src/proof/proof.ts";
import { decodeRlp, encodeRlp } from "../src/proof/rlp.ts";

const GOOD = new URL("../../tests/vectors/proof/good.json", import.meta.url);

function goodAnchor(): EvmAnchor {
  const [batch] = readProof(new Uint8Array(readFileSync(GOOD))).batches;
  const anchor = batch?.known ? batch.anchors[0] : undefined;
  if (!anchor?.known) throw new Error("the vector has no anchor");
  return anchor;
}

describe("RLP (SPEC §6.4.2)", () => {
  it.each(["80", "00", "7f", "8180", "c0", "c180", "c88363617483646f67", "c7c0c1c0c3c0c1c0"])(
    "reads and writes %s",
    (hex) => expect(toHex(encodeRlp(decodeRlp(fromHex(hex))))).toBe(hex),
  );

  it.each([
    "",
    "8100",
    "817f",
    "81",
    "b800",
    "b80100",
    "b90001",
    "c1",
    "8080",
    "bf",
    "f800",
    "c281",
  ])("refuses %s", (hex) => expect(() => decodeRlp(fromHex(hex))).toThrow(Unreadable));

  it("refuses what is nested too deeply", () => {
    const nested = (depth: number): Uint8Array =>
      depth === 0 ? fromHex("80") : encodeRlp([decodeRlp(nested(depth - 1))]);
    expect(() => decodeRlp(nested(8))).not.toThrow();
    expect(() => decodeRlp(concat(fromHex("c9"), nested(8)))).toThrow(Unreadable);
  });
});

describe("EVM anchors (SPEC §6.4)", () => {
  it("gives sender, root and block of a good one", () => {
    const facts = judgeAnchor(goodAnchor());
    expect(facts.chain_id).toBe("31337");
    expect(facts.sender).toBe("0x8aa1cb27504e41f81c122bf7ebcaf4a61ed85052");
    expect(facts.block.hash).toMatch(/^0xc9cea11b/);
    expect(facts.block.number).toBe(1n);
  });

  it("holds for no other index, no more nodes and no damaged byte", () => {
    const good = goodAnchor();
    expect(() => judgeAnchor({ ...good, index: good.index + 1 })).toThrow(CheckFailed);
    expect(() => judgeAnchor({ ...good, nodes: [] })).toThrow();
    expect(() => judgeAnchor({ ...good, nodes: [...good.nodes, ...good.nodes] })).toThrow();
    for (const name of ["transaction", "header"] as const) {
      for (let at = 0; at < good[name].length; at += 7) {
        const damaged = good[name].slice();
        damaged[at]! ^= 1;
        const block = readBlock({ ...good, [name]: damaged });
        if (block !== undefined) expect([name, block]).not.toEqual([name, readBlock(good)]);
      }
    }
  });
});

/** The block's hash, if the anchor holds: damage to a header that it does not bind gives another one. */
function readBlock(anchor: EvmAnchor): string | undefined {
  try {
    return judgeAnchor(anchor).block.hash;
  } catch (error) {
    if (error instanceof CheckFailed || error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** RFC 9162 §2.1.1, word by word: the root of a list of leaves. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), leaves[0]!));
  const left = split(leaves.length);
  return sha256(
    concat(Uint8Array.of(1), treeHash(leaves.slice(0, left)), treeHash(leaves.slice(left))),
  );
}

/** RFC 9162 §2.1.3.1: the audit path of leaf `index`. */
function auditPath(index: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const left = split(leaves.length);
  if (index < left) {
    return [...auditPath(index, leaves.slice(0, left)), treeHash(leaves.slice(left))];
  }
  return [...auditPath(index - left, leaves.slice(left)), treeHash(leaves.slice(0, left))];
}

/** The largest power of two below `size`. */
function split(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

describe("trees (RFC 9162 §2.1)", () => {
  it("leads from every leaf to the root, by its own path alone", () => {
    for (let size = 1; size <= 20; size++) {
      const leaves = Array.from({ length: size }, (_, place) => Uint8Array.of(place));
      const root = treeHash(leaves);
      leaves.forEach((leaf, index) => {
        const path = auditPath(index, leaves);
        expect(rootOf(leaf, index, size, path)).toEqual(root);
        expect(() => rootOf(leaf, index, size, [...path, root])).toThrow(CheckFailed);
        if (path.length > 0) {
          expect(() => rootOf(leaf, index, size, path.slice(1))).toThrow(CheckFailed);
        }
      });
    }
  });

  it("takes places beyond 32 bits", () => {
    const path = Array.from({ length: 32 }, () => new Uint8Array(32));
    expect(() => rootOf(Uint8Array.of(1), 2 ** 32 - 1, 2 ** 32, path)).not.toThrow();
    expect(() => rootOf(Uint8Array.of(1), 2 ** 32 - 1, 2 ** 32, path.slice(1))).toThrow(
      CheckFailed,
    );
  });
});

import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { fromUtf8, toBase64url, utf8 } from "../src/bytes.ts";
import { Unreadable } from "../src/errors.ts";
import { sha256 } from "../src/hash.ts";
import { canonical, readJson } from "../src/json.ts";
import type { JsonObject } from "../src/json.ts";
import { readProof } from "../src/proof/proof.ts";

const VECTORS = new URL("../../tests/vectors/", import.meta.url);

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, VECTORS)));
}

/** The good proof after an edit, with its SHA-256 of itself made anew. */
function edited(edit: (proof: any) => void): Uint8Array {
  const proof = JSON.parse(fromUtf8(bytesOf("proof/good.json")));
  edit(proof);
  return sealed(proof);
}

function sealed(proof: any): Uint8Array {
  const { sha256: _, ...rest } = proof;
  const read = readJson(utf8(JSON.stringify(rest))) as JsonObject;
  return canonical({ ...read, sha256: toBase64url(sha256(canonical(read))) });
}

/** The good proof with a proof linked to it that has a proof linked to it, or none. */
function withLinked(linked: any[]): any[] {
  const good = JSON.parse(fromUtf8(bytesOf("proof/good.json")));
  return [JSON.parse(fromUtf8(sealed({ ...good, linked })))];
}

describe("the proof file (SPEC §7, V1)", () => {
  const proofs = ["proof", "tree"].flatMap((folder) => {
    const expected = JSON.parse(fromUtf8(bytesOf(`${folder}/expected.json`)));
    return Object.entries<{ exit_status: number }>(expected).map(
      ([name, { exit_status }]) => [`${folder}/${name}`, exit_status !== 2] as const,
    );
  });

  it.each(proofs)("%s: readable %s", (path, readable) => {
    if (readable) expect(readProof(bytesOf(path)).entries.length).toBeGreaterThan(0);
    else expect(() => readProof(bytesOf(path))).toThrow(Unreadable);
  });

  it("knows all vectors", () => {
    expect(readdirSync(new URL("proof", VECTORS)).length).toBeGreaterThan(20);
    expect(proofs.length).toBeGreaterThan(30);
  });

  it("refuses any damaged byte", () => {
    const good = bytesOf("proof/good.json");
    for (let at = 0; at < good.length; at += 97) {
      const damaged = good.slice();
      damaged[at]! ^= 1;
      expect(() => readProof(damaged)).toThrow(Unreadable);
    }
  });

  it.each<[string, (proof: any) => void]>([
    ["an unknown member", (proof) => (proof.extra = 1)],
    ["a member less", (proof) => delete proof.renewals],
    ["a kind that is no text", (proof) => (proof.renewals = [{ kind: 1 }])],
    ["a kind of 65 letters", (proof) => (proof.renewals = [{ kind: "k".repeat(65) }])],
    ["17 renewals", (proof) => (proof.renewals = Array(17).fill({ kind: "k" }))],
    ["a count of 33", (proof) => (proof.record.claims.count = 33)],
    ["a log with a capital", (proof) => (proof.record.log = "Test/1")],
    ["a day that is none", (proof) => (proof.record.received_at = "2026-02-29T10:00:00.123Z")],
    ["a leap second", (proof) => (proof.record.received_at = "2026-12-31T23:59:60.000Z")],
    ["the year 9999", (proof) => (proof.record.received_at = "9999-01-01T00:00:00.000Z")],
    ["a place outside the batch", (proof) => (proof.batches[0].index = 6)],
    ["place nought", (proof) => (proof.batches[0].index = 0)],
    ["a first batch after another", (proof) => (proof.batches[0].header.sequence = 2)],
    ["an empty list of extracts", (proof) => (proof.tokens[0].extracts = [])],
    ["an anchor's index too large", (proof) => (proof.batches[0].anchors[0].index = 1_000_001)],
    ["a signature of 81 bytes", (proof) => (proof.signature.value = "A".repeat(108))],
    ["a linked proof's linked proof", (proof) => (proof.linked = withLinked(withLinked([])))],
  ])("refuses %s", (_, edit) => {
    expect(() => readProof(edited(edit))).toThrow(Unreadable);
  });

  it("reads a linked proof", () => {
    const proof = readProof(edited((good) => (good.linked = withLinked([]))));
    expect(proof.linked).toHaveLength(1);
  });

  it("keeps what it does not know, and judges no member of it", () => {
    const unknown = { kind: "later", response: 7, more: { "": [] } };
    const proof = readProof(
      edited((good) => {
        good.tokens.push(unknown);
        good.renewals = [unknown];
        good.batches[0].anchors.push(unknown);
      }),
    );
    expect(proof.tokens.map((token) => token.known)).toEqual([true, false]);
    expect(proof.renewals).toEqual([{ known: false, kind: "later" }]);
  });
});

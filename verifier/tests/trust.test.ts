import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { describe, expect, it } from "vitest";

import { concat, fromBase64url, fromHex, fromUtf8, toBase64url, utf8 } from "../src/bytes.ts";
import { CheckFailed, Unreadable } from "../src/errors.ts";
import { readProof } from "../src/proof/proof.ts";
import { checkRecordSignature, pointOf } from "../src/proof/record_signature.ts";
import { readTrust } from "../src/proof/trust.ts";

const VECTORS = new URL("../../tests/vectors/", import.meta.url);

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, VECTORS)));
}

function edited(edit: (trust: any) => void, path = "proof/trust.json"): Uint8Array {
  const trust = JSON.parse(fromUtf8(bytesOf(path)));
  edit(trust);
  return utf8(JSON.stringify(trust));
}

describe("the trust file (SPEC §8.1)", () => {
  it.each(["proof/trust.json", "tree/trust.json", "lists/trust.json"])("%s is read", (path) => {
    expect(readTrust(bytesOf(path)).services).toHaveLength(1);
  });

  it("may leave out all but its format", () => {
    expect(readTrust(utf8('{"format":"proofmail/trust/0"}')).witnesses).toBe(1);
  });

  it("takes digits of either case", () => {
    const upper = edited((trust) => {
      const [service] = trust.services;
      service.senders = service.senders.map((one: string) => `0x${one.slice(2).toUpperCase()}`);
    });
    expect(readTrust(upper).services).toEqual(readTrust(bytesOf("proof/trust.json")).services);
  });

  it.each<[string, (trust: any) => void]>([
    ["another format", (trust) => (trust.format = "proofmail/trust/1")],
    ["an unknown member", (trust) => (trust.nodes = [])],
    ["no witness", (trust) => (trust.witnesses = 0)],
    ["65 witnesses", (trust) => (trust.witnesses = 65)],
    ["a log twice", (trust) => trust.services.push(trust.services[0])],
    ["a chain twice", (trust) => trust.chains.push(trust.chains[0])],
    ["a chain's number as a number", (trust) => (trust.chains[0].chain_id = 31337)],
    ["a chain's number with a zero before", (trust) => (trust.chains[0].chain_id = "031337")],
    ["a hash cut short", (trust) => (trust.chains[0].blocks[0] = "0x00")],
    ["a header that is none", (trust) => (trust.chains[0].headers = ["AAAA"])],
    ["an authority that is no certificate", (trust) => (trust.authorities[0].certificate = "AAAA")],
    ["a seal that is no certificate", (trust) => (trust.seals = ["AAAA"])],
    ["a policy that is none", (trust) => (trust.authorities[0].policies = ["any"])],
    ["a key with a byte behind it", (trust) => (trust.services[0].keys[0] += "AA")],
    ["built_in as a number", (trust) => (trust.authorities[0].built_in = 1)],
  ])("with %s is unreadable", (_, edit) => {
    expect(() => readTrust(edited(edit))).toThrow(Unreadable);
  });

  it.each<[string, (list: any) => void]>([
    ["small letters", (list) => (list.territory = "fr")],
    ["periods out of order", (list) => list.services[0].periods.reverse()],
    ["no period", (list) => (list.services[0].periods = [])],
    ["no certificate", (list) => (list.services[0].certificates = [])],
    ["a status of its own", (list) => (list.services[0].periods[0].status = "fine")],
    ["a time without decimals", (list) => (list.issued = "2026-08-01T00:00:00Z")],
  ])("with a list of %s is unreadable", (_, edit) => {
    const bytes = edited((trust) => edit(trust.lists[0]), "lists/trust.json");
    expect(() => readTrust(bytes)).toThrow(Unreadable);
  });

  it("with a territory twice is unreadable", () => {
    const twice = edited((trust) => trust.lists.push(trust.lists[0]), "lists/trust.json");
    expect(() => readTrust(twice)).toThrow(Unreadable);
  });

  it("believes the parents of a believed block whose header is here, and no other block", () => {
    const [batch] = readProof(bytesOf("proof/good.json")).batches;
    const anchor = batch?.known ? batch.anchors[0] : undefined;
    if (!anchor?.known) throw new Error("the vector has no anchor");
    const parent = `0x${"00".repeat(32)}`;
    const withHeader = (blocks: string[]) =>
      readTrust(
        edited((trust) => {
          trust.chains[0].blocks = blocks;
          trust.chains[0].headers = [toBase64url(anchor.header)];
        }),
      ).chains[0]?.blocks;
    const own = "0xc9cea11bb4ee56d4f670cf9eef6b811e25065241b6c4fe0e57eb4baccb326549";
    expect(withHeader([own])).toEqual(new Set([own, parent]));
    expect(withHeader([parent])).toEqual(new Set([parent]));
  });
});

describe("the service's signature (SPEC §2.5)", () => {
  const { record, signature } = readProof(bytesOf("proof/good.json"));
  const key = readTrust(bytesOf("proof/trust.json")).services[0]!.keys[0]!;
  const good = p256.Signature.fromBytes(signature.value, "der");
  const order = p256.Point.CURVE().n;

  it("holds, in both of the values that fit", () => {
    checkRecordSignature(key, record.bytes, signature.value);
    const other = new p256.Signature(good.r, order - good.s).toBytes("der");
    expect(other).not.toEqual(signature.value);
    checkRecordSignature(key, record.bytes, other);
  });

  it("is of these bytes and this key", () => {
    const bad = [concat(record.bytes, Uint8Array.of(0)), record.bytes.slice(1)];
    for (const bytes of bad) {
      expect(() => checkRecordSignature(key, bytes, signature.value)).toThrow(CheckFailed);
    }
  });

  const [r, s] = [good.r, good.s].map((number) => number.toString(16).padStart(64, "0")) as [
    string,
    string,
  ];
  const int = (digits: string): string =>
    `02${(digits.length / 2).toString(16).padStart(2, "0")}${digits}`;
  const least = (digits: string): string => int(digits >= "8" ? `00${digits}` : digits);
  const pair = (one: string, two: string): string => {
    const length = ((one.length + two.length) / 2).toString(16).padStart(2, "0");
    return `30${length}${one}${two}`;
  };

  it.each<[string, string]>([
    ["nothing", ""],
    ["r with a zero more", pair(int(`0000${r}`), least(s))],
    ["a byte behind", `${pair(least(r), least(s))}00`],
    ["a long length", `3081${pair(least(r), least(s)).slice(2)}`],
    ["r nought", pair(int("00"), least(s))],
    ["s nought", pair(least(r), int("00"))],
    ["s + n", pair(least(r), int((good.s + order).toString(16).padStart(66, "0")))],
    ["an empty number", pair("0200", least(s))],
    ["compact", r + s],
  ])("is refused as %s", (_, digits) => {
    const bytes = fromHex(digits);
    expect(() => checkRecordSignature(key, record.bytes, bytes)).toThrow(CheckFailed);
  });

  it("as these helpers spell it is the good one", () => {
    checkRecordSignature(key, record.bytes, fromHex(pair(least(r), least(s))));
  });

  it("is by a key in the one spelling", () => {
    const point = pointOf(key);
    const compressed = p256.Point.fromBytes(point).toBytes(true);
    const start = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
    expect(() => pointOf(concat(start, compressed))).toThrow(Unreadable);
    const off = key.slice();
    off[off.length - 1]! ^= 1;
    expect(() => pointOf(off)).toThrow(Unreadable);
    expect(() => pointOf(fromBase64url("AAAA"))).toThrow(Unreadable);
  });
});

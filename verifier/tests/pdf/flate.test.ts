import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { concat, equal } from "../../src/bytes.ts";
import { Unreadable } from "../../src/errors.ts";
import { inflate } from "../../src/pdf/flate.ts";

const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * at) >> 7);
const packed = new Uint8Array(deflateSync(bytes));

test("what was packed comes back, up to the very bound", () => {
  expect(equal(inflate(packed, bytes.length), bytes)).toBe(true);
  expect(() => inflate(packed, bytes.length - 1)).toThrow(Unreadable);
  expect(inflate(new Uint8Array(deflateSync(new Uint8Array())), 0).length).toBe(0);
});

test("a bomb is given up at its bound", () => {
  const bomb = new Uint8Array(deflateSync(new Uint8Array(16 << 20)));
  expect(() => inflate(bomb, 1 << 20)).toThrow(/unpacks to over/);
});

test.each([
  ["cut short", packed.slice(0, -1)],
  ["a byte more", concat(packed, Uint8Array.of(0))],
  ["another stream behind", concat(packed, packed)],
  ["another checksum", packed.map((octet, at) => (at === packed.length - 1 ? octet ^ 1 : octet))],
  ["gzip", new Uint8Array(gzipSync(bytes))],
  ["no header", new Uint8Array(deflateRawSync(bytes))],
  ["a dictionary", new Uint8Array(deflateSync(bytes, { dictionary: Buffer.from("abc") }))],
  ["nothing", new Uint8Array()],
])("%s is damaged", (_, damaged) => {
  expect(() => inflate(damaged, 1 << 20)).toThrow(/damaged/);
});

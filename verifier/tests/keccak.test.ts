import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex } from "../src/bytes.ts";
import { sha3_256 } from "../src/keccak.ts";

describe("SHA3-256", () => {
  it("is that of FIPS 202 for no octets", () => {
    const empty = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a";
    expect(toHex(sha3_256(new Uint8Array()))).toBe(empty);
  });

  it("is another program's, across the borders of blocks", () => {
    const octets = Uint8Array.from({ length: 1500 }, (_, i) => (i * i + (i >> 3)) & 255);
    for (let length = 0; length <= octets.length; length++) {
      const part = octets.subarray(length % 7, length);
      expect(toHex(sha3_256(part))).toBe(createHash("sha3-256").update(part).digest("hex"));
    }
  });
});

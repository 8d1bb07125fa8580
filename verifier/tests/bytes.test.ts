import { expect, test } from "vitest";
import { fromBase64url, fromHex, toBase64url, toHex } from "../src/bytes.ts";

test.each([0, 1, 2, 3, 31, 32, 33])("base64url of %i bytes reads back", (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + 251) & 255);
  expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
  expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
});

test.each(["A", "AB", "AAB", "AA=", "A+AA", "A/AA", "AAAA ", "é"])("%s is refused", (text) => {
  expect(() => fromBase64url(text)).toThrow();
});

test("hexadecimal of either case", () => {
  expect(toHex(fromHex("00fFAb"))).toBe("00ffab");
  expect(() => fromHex("0")).toThrow();
});

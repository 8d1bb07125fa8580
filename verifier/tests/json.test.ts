import { describe, expect, it } from "vitest";

import { fromUtf8, utf8 } from "../src/bytes.ts";
import { Unreadable } from "../src/errors.ts";
import { canonical, readCanonical, readJson } from "../src/json.ts";

describe("canonical JSON (SPEC §1.1)", () => {
  it.each([
    "{}",
    '{"":0,"__proto__":1,"a":[true,false,-1,9007199254740991],"constructor":"x"}',
    '"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\u007f\u2028é😀"',
    "[".repeat(16) + "0" + "]".repeat(16),
    "[".repeat(17) + "]".repeat(17),
  ])("reads %j and writes it again", (text) => {
    expect(fromUtf8(canonical(readCanonical(utf8(text))))).toBe(text);
  });

  it.each([
    ["a null", "[null]"],
    ["a fraction", "[1.0]"],
    ["an exponent", "[1e3]"],
    ["a negative nought", "[-0]"],
    ["a leading zero", "[01]"],
    ["an integer too large", "[9007199254740992]"],
    ["a duplicate key", '{"a":1,"a":1}'],
    ["a duplicate key in another spelling", '{"a":1,"\\u0061":1}'],
    ["a duplicate __proto__", '{"__proto__":1,"__proto__":1}'],
    ["a key beyond ASCII", '{"é":1}'],
    ["keys out of order", '{"b":1,"a":1}'],
    ["white space", '{"a": 1}'],
    ["a longer escape", '["\\u0041"]'],
    ["an escape in upper case", '["\\u001F"]'],
    ["half of a pair", '["\\ud800"]'],
    ["a raw control character", '["\u0001"]'],
    ["a mark at the start", "\ufeff[]"],
    ["something behind", "[] []"],
    ["a comma too many", "[1,]"],
    ["nothing", ""],
    ["a depth of 17", "[".repeat(17) + "0" + "]".repeat(17)],
    ["a depth of a million", "[".repeat(1_000_000)],
  ])("refuses %s", (_, text) => {
    expect(() => readCanonical(utf8(text))).toThrow(Unreadable);
  });

  it("refuses bytes that are not UTF-8", () => {
    expect(() => readCanonical(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(Unreadable);
  });

  it("reads any spelling where a person edits, but no duplicate", () => {
    expect(readJson(utf8(' { "b" : [ 1 , -0 ] ,\r\n\t"a" : "\\u0041\\ud83d\\ude00" } '))).toEqual(
      Object.assign(Object.create(null), { b: [1, 0], a: "A😀" }),
    );
    expect(() => readJson(utf8('{"a":1,"a":2}'))).toThrow(Unreadable);
    expect(() => readJson(utf8("[1.5]"))).toThrow(Unreadable);
  });
});

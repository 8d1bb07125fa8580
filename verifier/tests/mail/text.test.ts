import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/bytes.ts";
import { sha256 } from "../../src/hash.ts";
import { TABLES } from "../../src/mail/charset_tables.ts";
import { charsetOf, decodeReplacing, decodeStrictly } from "../../src/mail/charsets.ts";
import { textOf, textRules } from "../../src/mail/text.ts";
import { hasLongMarkRun, hasUnassigned, isAssigned, nfc } from "../../src/mail/unicode14.ts";
import { wordsOf } from "../../src/mail/words.ts";

const PLAIN = { type: "text/plain", charset: "utf-8", format: undefined, delsp: undefined };

describe("Unicode 14.0", () => {
  it.each([
    [0x41, true],
    [0x378, false],
    [0x105d2, false],
    [0x1fae8, false],
    [0x1fae7, true],
    [0xe000, true],
    [0xffff, false],
    [0x10fffd, true],
    [0x10ffff, false],
  ])("assigns %i: %s", (point, assigned) => {
    expect(isAssigned(point)).toBe(assigned);
    expect(hasUnassigned(`a${String.fromCodePoint(point)}`)).toBe(!assigned);
  });

  it("composes, and counts marks in a row", () => {
    expect(nfc("e\u0301")).toBe("é");
    expect(hasLongMarkRun("x" + "\u0323\u0301".repeat(15))).toBe(false);
    expect(hasLongMarkRun("x" + "\u0323\u0301".repeat(15) + "\u0301")).toBe(true);
    expect(hasLongMarkRun("x" + "\u{1d165}".repeat(31))).toBe(true);
  });
});

describe("charsets", () => {
  it("has the tables of SPEC §3.14", () => {
    const spec = readFileSync("../SPEC.md", "utf-8");
    const section = spec.slice(spec.indexOf("### 3.14"), spec.indexOf("### 3.15"));
    const tables = section.split("\n - ").slice(1);
    const words = (text: string) => text.trim().split(/\s+/).join(" ");
    expect(Object.entries(TABLES).map(([name, table]) => `${name}: ${words(table)}`)).toEqual(
      tables.map(words),
    );
  });

  it("reads labels and octets", () => {
    expect(charsetOf("CP1251")).toBe("windows-1251");
    expect(charsetOf("iso-2022-jp")).toBeUndefined();
    expect(decodeStrictly(Uint8Array.of(0x80), "windows-1252")).toBe("€");
    expect(decodeStrictly(Uint8Array.of(0x80), "iso-8859-1")).toBeUndefined();
    expect(decodeStrictly(Uint8Array.of(0xa4), "iso-8859-15")).toBe("€");
    expect(decodeStrictly(Uint8Array.of(0xed, 0xa0, 0x80), "utf-8")).toBeUndefined();
    expect(decodeReplacing(Uint8Array.of(0x61, 0xe2, 0x82, 0xff), "utf-8")).toEqual({
      text: "a\ufffd\ufffd",
      replaced: true,
    });
  });
});

describe("text/1", () => {
  it("is the example of SPEC §3", () => {
    const { fingerprints, notes } = textRules(utf8("Hello  \r\n"), PLAIN);
    expect(fingerprints.map(({ rule, size }) => [rule, size])).toEqual([
      ["text/1", 5],
      ["words/1", 5],
    ]);
    expect(notes).toEqual([]);
    expect(toHex(sha256(utf8("Hello")))).toMatch(/^185f8db3/);
  });

  it("removes blanks at line ends and line ends at the end", () => {
    expect(textOf("a \t\r\n\rb  c\t\n \n\n")).toEqual({ text: "a\n\nb  c" });
  });

  it("undoes format=flowed", () => {
    const flowed = { delsp: false };
    expect(textOf("a \nb\n> c \n> d\n>> e \nf\n-- \ng", flowed)).toEqual({
      text: "a b\n> c d\n>> e\nf\n--\ng",
    });
    expect(textOf("a \nb", { delsp: true })).toEqual({ text: "ab" });
    expect(textOf(" >a \n >b", flowed)).toEqual({ text: ">a >b" });
  });

  it("names what it refuses", () => {
    const note = (octets: Uint8Array, charset: string | undefined) =>
      textRules(octets, { ...PLAIN, charset }).notes;
    expect(note(utf8("a"), "gb18030")).toEqual(["text.charset-unknown"]);
    expect(note(utf8("é"), undefined)).toEqual(["text.undecodable"]);
    expect(note(utf8("\u0378"), "utf-8")).toEqual(["text.unassigned"]);
    expect(note(utf8("é".repeat(65_537)), "utf-8")).toEqual(["text.run-too-long"]);
    expect(note(utf8("a" + " ".repeat(65_537)), "utf-8")).toEqual(["text.run-too-long"]);
    expect(note(utf8("a" + " ".repeat(65_536)), "utf-8")).toEqual([]);
    const flowed = { ...PLAIN, format: "FLOWED", delsp: "Yes" };
    expect(textRules(utf8("x".repeat(65_537)), flowed).notes).toEqual([
      "text.delsp",
      "text.flowed",
      "text.run-too-long",
    ]);
  });
});

describe("words/1", () => {
  it("unifies white space alone", () => {
    expect(wordsOf("\u00a0 a\n\nb\u2003c d\u200be \t")).toBe("a b c d\u200be");
    expect(wordsOf("a\u001cb")).toBe("a\u001cb");
    expect(wordsOf(" \n")).toBe("");
  });
});

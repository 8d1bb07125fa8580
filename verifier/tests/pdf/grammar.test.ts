import { expect, test } from "vitest";
import { Unreadable } from "../../src/errors.ts";
import { readPdf } from "../../src/pdf/file.ts";
import type { Value } from "../../src/pdf/values.ts";

/** The smallest file, with this body as its object 2. */
function made(body: string, trailer = "/Root 1 0 R/Size 3"): string {
  let text = "%PDF-1.7\n%\xbf\xf7\xa2\xfe\n";
  const places = ["<</Type/Catalog>>", body].map((value, at) => {
    const place = text.length;
    text += `${at + 1} 0 obj\n${value}\nendobj\n`;
    return `${String(place).padStart(10, "0")} 00000 n \n`;
  });
  const table = text.length;
  text += `xref\n0 3\n0000000000 65535 f \n${places.join("")}trailer\n<<${trailer}>>\n`;
  return `${text}startxref\n${table}\n%%EOF\n`;
}

/** Letters up to U+00FF as octets; quicker than the checks' own for a long text. */
function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function read(text: string): Value | undefined {
  return readPdf(octets(text)).revisions[0]?.objects.get(2)?.value;
}

test.each([
  ["[1 0 R 1 0]", "rii"],
  ["[1 0 R]", "r"],
  ["[-1.5 .5 1. +3 true null]", "RRRibn"],
  ["(a\\)\\(\\\\ (nested (x) y) \\101\\\n)", "s"],
  ["[<41 4> <> (\r)]", "sss"],
  ["/a#20b"],
  [`/${"a".repeat(128)}`],
  [`/${"#61".repeat(127)}`, "N"],
  ["/Java#53cript"],
  ["<</A 1/A 2>>"],
  ["<</A 1/#41 2>>"],
  ["<</JS 1>>"],
  ["[1 1 R]"],
  ["[1 0 R2]"],
  ["12 0\fR"],
  ["1e5"],
  ["--1"],
  ["."],
  ["1234567890123456789"],
  ["<4x>"],
  ["(open"],
  ["{}"],
  ["% x"],
  ["[".repeat(34) + "]".repeat(34)],
  ["[".repeat(33) + "]".repeat(33), "["],
  ["[" + "0 ".repeat(500_000) + "]"],
  ["(" + "()".repeat(250_000) + ")"],
  ["(\n7\t0\robj)"],
  ["(trailer<<)"],
  ["<</Length 3>>\nstream\nabc\nendstream", "d"],
  ["<</Length 2>>\nstream\nabc\nendstream"],
  ["<</Length 9999>>\nstream\nabc\nendstream"],
  ["<</Length 3/F(x)>>\nstream\nabc\nendstream"],
  ["<</Length 3 0 R>>\nstream\nabc\nendstream"],
])("%#: a value is read, or the whole refused", (body, kinds = "") => {
  const letters = { reference: "r", integer: "i", real: "R", boolean: "b", null: "n", string: "s", name: "N", array: "[", dictionary: "d" }; // prettier-ignore
  if (kinds === "") {
    expect(() => read(made(body))).toThrow(Unreadable);
    return;
  }
  const value = read(made(body));
  const items = value?.kind === "array" && kinds !== "[" ? value.items : [value!];
  expect(items.map(({ kind }) => letters[kind]).join("")).toBe(kinds);
});

test.each([
  [/ 0 obj/, " 1 obj"],
  [/1 0 obj/, "01 0 obj"],
  [/1 0 obj/, "1  0 obj"],
  [/endobj\n/, "endobj "],
  [/xref\n0 3/, "xref\n0 4"],
  [/00000 n/, "00001 n"],
  [/00000 n/, "00000 f"],
  [/0000000000 65535 f \n/, "0000000000 65535 f\n"],
  [/startxref\n/, "startxref\n1"],
  [/%%EOF\n/, "%%EOF\n\n"],
  [/%%EOF\n/, "%%EOF\r"],
  [/%PDF-1.7/, "%PDF-1.8"],
  [/\/Size 3/, "/Size 4"],
  [/\/Size 3/, "/Size 3.0"],
  [/\/Size 3/, "/Size 3/Prev 15"],
  [/\/Size 3/, "/Size 3/Encrypt 2 0 R"],
  [/\/Root 1 0 R/, "/Root[1 0 R]"],
  [/$/, "x"],
])("%s is not replaced by %j", (old, other) => {
  const good = made("null");
  expect(readPdf(octets(good)).revisions.length).toBe(1);
  expect(good.replace(old, other)).not.toBe(good);
  expect(() => readPdf(octets(good.replace(old, other)))).toThrow(Unreadable);
});

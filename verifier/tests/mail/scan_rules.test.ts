import { describe, expect, it } from "vitest";
import { ascii } from "../../src/bytes.ts";
import { dateValue } from "../../src/mail/dates.ts";
import type { Defects } from "../../src/mail/header_text.ts";
import { headerText } from "../../src/mail/header_text.ts";
import { addLinks, linkCounts } from "../../src/mail/links.ts";
import { mailboxes } from "../../src/mail/mailboxes.ts";
import { characters, octetsOf } from "../../src/mail/octets.ts";
import { relaxBody } from "../../src/mail/relaxed.ts";
import { readMail } from "../../src/mail/scan.ts";
import { decodeBase64, decodeQuotedPrintable } from "../../src/mail/transfer.ts";

function text(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}

/** What a rule makes of a value, and the defects it leaves. */
function read<Made>(rule: (defects: Defects) => Made): [Made, string[]] {
  const defects: Defects = new Set();
  return [rule(defects), [...defects].sort()];
}

describe("octets as characters", () => {
  it("keeps what is not well-formed", () => {
    for (const octets of [
      [0x61, 0xc3, 0xa9, 0xff],
      [0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98],
      [0xf0, 0x9f, 0x98, 0x80, 0x80, 0xc0, 0x80],
    ]) {
      expect([...octetsOf(characters(Uint8Array.from(octets)))]).toEqual(octets);
    }
    expect([...characters(Uint8Array.of(0xe2, 0x82, 0x61))]).toHaveLength(3);
  });
});

describe("transfer encodings", () => {
  it.each([
    ["QUI=", "AB", []],
    ["QU I\r\n=", "AB", []],
    ["QUI", "AB", ["transfer.base64-padding"]],
    ["QUJDQ", "ABC", ["transfer.base64-padding"]],
    ["QUJ=", "AB", ["transfer.base64-padding"]],
    ["QU*JD", "ABC", ["transfer.base64-foreign"]],
    ["QUI=QUJD", "AB", ["transfer.base64-after-padding"]],
  ])("base64 %j", (content, made, defects) => {
    const decoded = decodeBase64(ascii(content));
    expect([text(decoded.octets), decoded.defects]).toEqual([made, defects]);
  });

  it.each([
    ["a=3D \t\r\nx", "a=\r\nx", []],
    ["soft= \r\nbreak", "softbreak", []],
    ["==41", "=A", ["transfer.qp-malformed"]],
    ["=4=\r\n1", "=41", ["transfer.qp-malformed"]],
    ["end=", "end", ["transfer.qp-malformed"]],
    ["a=\r \nb", "a=\r\nb", ["transfer.qp-malformed"]],
  ])("quoted-printable %j", (content, made, defects) => {
    const decoded = decodeQuotedPrintable(ascii(content));
    expect([text(decoded.octets), decoded.defects]).toEqual([made, defects]);
  });
});

describe("values of headers", () => {
  it.each([
    ["=?utf-8?Q?=C3?= \t=?UTF8*fr?q?=A9?= x", "\u00e9 x", []],
    ["=?us-ascii?q?=E9?=", "\ufffd", ["header.undecodable"]],
    ["a=?utf-8?b?w6k?=", "a\u00e9", ["header.encoded-word"]],
    ["=?gb18030?q?a?=", "=?gb18030?q?a?=", ["header.charset-unknown"]],
    ["\u0378", "\u0378", ["header.not-normalised"]],
  ])("text %j", (value, made, defects) => {
    expect(read((found) => headerText(value, found))).toEqual([made, defects]);
  });

  it("cuts long text by code points", () => {
    const [cut, defects] = read((found) => headerText("\u{1f600}".repeat(10_001), found));
    expect([...cut]).toHaveLength(10_065);
    expect(defects).toEqual(["header.too-long"]);
  });

  it.each([
    ["Sat, 21 Nov 2026 11:00:00 +0100", "2026-11-21T10:00:00Z"],
    ["21 nov 26 11:00 (a (b)) EST", "2026-11-21T16:00:00Z"],
    ["29 Feb 2024 00:00 -2359", "2024-02-29T23:59:00Z"],
  ])("date %j", (value, moment) => {
    expect(read((found) => dateValue(value, found))).toEqual([moment, []]);
  });

  it.each(["29 Feb 2026 00:00 GMT", "31 Dec 9999 23:59 -0001", "1 Jan 2026 24:00 Z", "x", ""])(
    "no date %j",
    (value) => {
      expect(read((found) => dateValue(value, found))).toEqual([`?${value}`, ["header.date"]]);
    },
  );

  it.each([
    ['"A, B" <a@B.c> (d), x@y (z)', ["a@B.c", "A, B", "x@y", "z"], ["header.address"]],
    ["G (c): a@b, c@d;, e@f", ["", "G", "a@b", "", "c@d", "", "e@f", ""], ["header.address"]],
    ["<@r:a@b>", ["a@b", ""], ["header.address"]],
    ["a b@c", ["", "a b@c"], ["header.address"]],
    ["(open <a@b>", ["", "(open <a@b>"], ["header.address"]],
    [":;", ["", ""], []],
  ])("mailboxes %j", (value, entries, defects) => {
    const [found, left] = read((gathered) => mailboxes([value], gathered));
    const flat = found.flatMap(({ address, name }) => [address, name]);
    expect([flat, left]).toEqual([entries.map((entry) => entry.replace("B.c", "b.c")), defects]);
  });

  it("counts at most 2,000 mailboxes, and keeps a digest of the others", () => {
    const [found, defects] = read((gathered) => mailboxes(["a@b,".repeat(2001), "c@d"], gathered));
    expect(found).toHaveLength(2001);
    expect(found[2000]!.name).toMatch(/^\u2026[0-9a-f]{64}$/);
    expect(defects).toEqual(["header.too-many-mailboxes"]);
  });
});

describe("the whole", () => {
  it("has a relaxed body", () => {
    const pieces: string[] = [];
    const message = ascii("A: b\r\n\r\n x \t y \n\r\n\r \rz\r\n \r\n\r\n");
    const size = relaxBody(message, { update: (piece) => pieces.push(text(piece)) });
    expect(pieces.join("")).toBe(" x y\r\n\r\n\r \rz\r\n");
    expect(size).toBe(14);
  });

  it("counts links of services, once each", () => {
    const links = new Map<string, string>();
    addLinks(
      links,
      ascii("https://we.tl/a. http://WE.tl/a <https://evilwe.tl/b> HTTPS://x.box.com/s/q"),
    );
    addLinks(links, ascii("see:https://box.com/t/q https://we.tl/A"));
    expect(linkCounts(links)).toEqual([
      { count: 1, host: "box.com" },
      { count: 2, host: "we.tl" },
    ]);
  });

  it("tells how far it is, and what the mail answers to", () => {
    const steps: number[] = [];
    const mail = ascii("In-Reply-To: <a@b>\r\nReferences: <c> <a@b>\r\n\r\nx");
    const scan = readMail(mail, (done, total) => steps.push(done / total));
    expect(scan.references).toEqual(["a@b", "c"]);
    expect(steps.at(-1)).toBe(1);
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
  });
});

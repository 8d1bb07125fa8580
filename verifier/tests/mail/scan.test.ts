import { describe, expect, it } from "vitest";
import { ascii } from "../../src/bytes.ts";
import type { Json } from "../../src/json.ts";
import { scanMail } from "../../src/mail/scan.ts";

function scanned(...lines: string[]): { [name: string]: Json } {
  return scanMail(ascii(lines.join("\r\n")));
}

const HEADER = ["From: a@b.example", "Date: Sat, 21 Nov 2026 11:00:00 +0100"];

describe("a scan", () => {
  it("reads the example of SPEC §3", () => {
    const claims = scanMail(
      ascii(
        "From: Joe <joe@Example.org>\r\nDate: Sat, 21 Nov 2026 11:00:00 +0100\r\n" +
          "Subject: =?utf-8?Q?caf=C3=A9?=\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello  \r\n",
      ),
    );
    expect(claims["header.from"]).toEqual([{ address: "joe@example.org", name: "Joe" }]);
    expect(claims["header.subject"]).toEqual(["caf\u00e9"]);
    expect(claims["header.date"]).toEqual(["2026-11-21T10:00:00Z"]);
    expect(claims["defects"]).toEqual([]);
    expect(claims["message.parts"]).toBe(1);
    expect(claims["part.1"]).toMatchObject({
      path: "1",
      role: "body",
      type: "text/plain",
      charset: "utf-8",
      fingerprints: [{ rule: "decoded/1", size: 9 }, { rule: "text/1", size: 5 }, {}],
    });
  });

  it("numbers parts from the outside in, enclosed messages included", () => {
    const claims = scanned(
      ...HEADER,
      "Content-Type: multipart/mixed; boundary=a",
      "",
      "--a",
      "",
      "text",
      "--a",
      "Content-Type: message/rfc822",
      "",
      ...HEADER,
      "Content-Type: multipart/alternative; boundary=b",
      "",
      "--b",
      "",
      "inner",
      "--b--",
      "--a--",
    );
    expect(claims["message.parts"]).toBe(3);
    expect([1, 2, 3].map((n) => (claims[`part.${n}`] as { path: string }).path)).toEqual([
      "1",
      "2",
      "2.1",
    ]);
    expect(claims["part.2"]).toMatchObject({ role: "message", notes: ["in.mixed"] });
    expect(claims["part.3"]).toMatchObject({ notes: ["in.alternative"] });
    expect(claims["defects"]).toEqual([]);
  });

  it("says what is bent", () => {
    const claims = scanned(
      "From : a@b.example, <c@d",
      "Subject: =?utf-8?B?w6k?= =?x-own?Q?a?=",
      "Content-Type: multipart/mixed; boundary=a",
      "",
      "before",
      "--a",
      "Content-Transfer-Encoding: base64",
      "",
      "aGVsbG8=!",
      "--ab",
    );
    expect(claims["defects"]).toEqual([
      "header.address",
      "header.blank-before-colon",
      "header.charset-unknown",
      "header.encoded-word",
      "header.missing-date",
      "structure.near-boundary",
      "structure.preamble",
      "structure.unclosed",
      "transfer.base64-after-padding",
    ]);
    expect(claims["header.subject"]).toEqual(["\u00e9 =?x-own?Q?a?="]);
  });

  it("has no parts where structure goes beyond the caps", () => {
    const deep = Array.from({ length: 50 }, (_, i) => [
      `Content-Type: multipart/mixed; boundary=b${i}`,
      "",
      `--b${i}`,
    ]);
    const claims = scanned(...HEADER, ...deep.flat(), "", "text");
    expect(claims["defects"]).toEqual(["structure.too-deep"]);
    expect(Object.keys(claims).filter((name) => /part/.test(name))).toEqual([]);
    expect(claims["header.from"]).toEqual([{ address: "a@b.example", name: "" }]);
  });
});

import { describe, expect, test } from "vitest";

import { ascii, concat, toHex, utf8 } from "../src/bytes.ts";
import { judgeCopy, judgeDigest, judgeFolder } from "../src/copies/judge.ts";
import { sha3_256, sha256 } from "../src/hash.ts";
import { scanMail } from "../src/mail/scan.ts";
import type { Claims } from "../src/report.ts";

const PDF = ascii("%PDF-1.4\n");
const MAIL = [
  "From: Claire <claire@atelier.example>",
  "To: jean@client.example, notaire@etude.example",
  "Subject: Offre",
  "Date: Sat, 21 Nov 2026 11:00:00 +0100",
  "Message-ID: <offre@atelier.example>",
  "MIME-Version: 1.0",
  "Content-Type: multipart/mixed; boundary=cut",
  "",
  "--cut",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "Notre offre : 1 200 EUR",
  "--cut",
  'Content-Type: application/pdf; name="offre.pdf"',
  "Content-Disposition: attachment",
  "Content-Transfer-Encoding: base64",
  "",
  "JVBERi0xLjQK",
  "--cut--",
  "",
].join("\r\n");
const CLAIMS = scanMail(ascii(MAIL));

function judge(copy: string, name = "copy.eml", claims: Claims = CLAIMS) {
  const { status, finding, matches, changes, remarks } = judgeCopy(name, ascii(copy), claims);
  return {
    verdict: [status, finding.key],
    rungs: matches.map(({ rung }) => rung),
    changes: changes.map(({ key }) => key),
    remarks: remarks.map(({ key }) => key),
  };
}

function hopped(old = "", other = ""): string {
  expect(MAIL).toContain(old);
  return `X-Hop: 1\r\n${MAIL.replace(old, other)}`;
}

describe("a mail", () => {
  test("with the recorded bytes, or LF for CRLF, is the very mail", () => {
    expect(judge(MAIL).verdict).toEqual(["passed", "same.bytes"]);
    expect(judge(MAIL).rungs).toEqual(["raw/1", "raw/1", "raw/1"]);
    expect(judge(MAIL.replaceAll("\r\n", "\n")).remarks).toEqual(["line-ends"]);
  });

  test("whose bytes are recorded under other claims is a lie", () => {
    const lies = { ...CLAIMS, "header.subject": ["Other"], defects: [] };
    expect(judge(MAIL, "copy.eml", lies)).toMatchObject({
      verdict: ["failed", "record.lies"],
      changes: ["record.contradicts"],
    });
  });

  test("encoded anew has the same content", () => {
    const copy = hopped("JVBERi0xLjQK", "JVBERi0x\r\nLjQK");
    expect(judge(copy)).toMatchObject({
      verdict: ["passed", "same.content"],
      rungs: ["decoded/1", "decoded/1"],
    });
  });

  test("with other white space has the same words, and the verdict says no more", () => {
    const found = judge(hopped("1 200", "1  200"));
    expect(found.verdict).toEqual(["passed", "same.words"]);
    expect(found.rungs).toEqual(["words/1", "decoded/1"]);
    expect(found.remarks).toContain("words-only.plain");
  });

  test.each([
    ["1 200", "1 300", "part.changed"],
    ["JVBERi0xLjQK", "JVBERi0xLjUK", "part.changed"],
    ['"offre.pdf"', '"autre.pdf"', "part.name"],
    ["attachment", "inline", "part.role"],
    ["application/pdf", "application/zip", "part.type"],
    ["Subject: Offre", "Subject: Offer", "header.differs"],
    [", notaire@etude.example", "", "header.less"],
    [
      "jean@client.example, notaire@etude.example",
      "notaire@etude.example, jean@client.example",
      "header.order",
    ],
    ["--cut--", "--cut\r\n\r\nP.S.\r\n--cut--", "part.added"],
    ["multipart/mixed", "multipart/alternative", "part.container"],
  ])("that changed differs: %s", (old, other, key) => {
    const found = judge(hopped(old, other));
    expect(found.verdict).toEqual(["failed", "differs"]);
    expect(found.changes).toContain(key);
  });

  test("is not checked where a part is hidden, or programs read it in several ways", () => {
    const shown: Claims = { ...CLAIMS };
    delete shown["part.2"];
    expect(judge(hopped(), "copy.eml", shown).verdict).toEqual(["not checked", "undecided"]);
    const bent = judge(hopped("JVBERi0xLjQK", "JVBERi0xLj*QK"));
    expect(bent.verdict).toEqual(["not checked", "undecided"]);
    const bare = judge(hopped().replace("X-Hop: 1", "X-Hop: 1\r2"));
    expect(bare.remarks).toContain("bare-cr");
    expect(bare.verdict).toEqual(["not checked", "undecided"]);
  });

  test("is named as another mail where nothing is the same", () => {
    const other = "From: a@b.example\r\nDate: Sat, 21 Nov 2026 12:00:00 +0100\r\n\r\nHello\r\n";
    expect(judge(other).remarks).toEqual(["id.none", "nothing-same"]);
    const answer = other.replace("\r\n\r\n", "\r\nIn-Reply-To: <offre@atelier.example>\r\n\r\n");
    expect(judge(answer).remarks).toContain("id.answers");
  });
});

describe("a file", () => {
  test("with the bytes of a part is this file", () => {
    const found = judgeCopy("x.pdf", PDF, CLAIMS);
    expect(found).toMatchObject({ what: "file", status: "passed", finding: { key: "file.same" } });
    expect(judge("%PDF-1.5\n", "offre.pdf").remarks).toEqual(["file.other-content"]);
  });

  test("is known by either digest", () => {
    for (const digest of [sha256(PDF), sha3_256(PDF)]) {
      expect(judgeDigest(toHex(digest).toUpperCase(), CLAIMS).status).toBe("passed");
    }
    for (const text of ["", "zz", toHex(sha256(PDF)).slice(2)]) {
      expect(judgeDigest(text, CLAIMS).finding.key).toBe("digest.none");
    }
  });

  test("with the text of a part has its text, in whatever charset", () => {
    const text = "Notre offre : 1 200 EUR";
    const wide = concat(Uint8Array.of(0xff, 0xfe), ...[...text].map((c) => ascii(`${c}\0`)));
    for (const bytes of [utf8(`${text} \n`), utf8(`\ufeff${text}\r\n`), wide]) {
      expect(judgeCopy("a.txt", bytes, CLAIMS).finding.key).toBe("same.text/1");
    }
    expect(judge(`To: x\n\n${text}`, "a.txt").verdict).toEqual(["not checked", "text.below"]);
    expect(judge("Notre offre : 1 300 EUR", "a.txt").verdict).toEqual(["failed", "text.none"]);
  });
});

describe("a mailbox", () => {
  const dated = "From x Sat Nov 21 10:00:00 2026\n";
  const other = "From: a@b.example\n\nHello\n\n";
  const lf = MAIL.replaceAll("\r\n", "\n");

  test("holds the mail, and it is said which", () => {
    const found = judge(`${dated}${other}${dated}${lf}\n`, "box");
    expect(found.verdict).toEqual(["passed", "same.bytes"]);
    expect(found.remarks).toEqual(["box.at", "box.looked"]);
  });

  test("keeps lines that look like separators apart", () => {
    const mail = MAIL.replace("Notre", "From us\r\nNotre");
    const stored = mail.replaceAll("\r\n", "\n").replace("From us", ">From us");
    const claims = scanMail(ascii(mail));
    const found = judge(`${dated}${stored}\n${dated}${other}`, "box", claims);
    expect(found.verdict).toEqual(["passed", "same.bytes"]);
    expect(found.remarks).toContain("unescaped");
  });

  test("without it differs, or is not checked where nothing tells a mail", () => {
    expect(judge(`${dated}${other}`, "box").verdict).toEqual(["failed", "box.none-one"]);
    const few: Claims = { defects: [] };
    expect(judge(`${dated}${other}`, "box", few).verdict[0]).toBe("not checked");
  });

  test("named as one mail is one mail", () => {
    const found = judge(`${dated}${lf}\n${dated}${other}`, "copy.eml");
    expect(found.verdict).toEqual(["passed", "same.content"]);
    expect(found.remarks).toContain("defect.uncovered");
  });

  test("of the recorded bytes is judged in no other reading", () => {
    const part = CLAIMS["part.1"] as { fingerprints: { rule: string; sha256: string }[] };
    const fingerprints = part.fingerprints.map((item) =>
      item.rule === "words/1" ? item : { ...item, sha256: "A".repeat(43) },
    );
    const lies = { ...CLAIMS, "part.1": { ...part, fingerprints } } as Claims;
    expect(judge(`${dated}${lf.slice(0, -1)}\n\n`, "box", lies).verdict[1]).toBe("record.lies");
  });

  test("may be a folder", () => {
    const files = [other, hopped(), MAIL].map((mail, at) => ({
      name: `${at}.eml`,
      bytes: ascii(mail),
    }));
    const found = judgeFolder({ name: "mails", files, passedOver: 2 }, CLAIMS);
    expect(found.finding.key).toBe("same.bytes");
    expect(found.remarks.map(({ key }) => key)).toEqual([
      "box.at",
      "box.looked",
      "box.passed-over",
    ]);
  });
});

import "../node/webcrypto.ts";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { answerJson, type Question, verify } from "../src/verify.ts";

const examples = new URL("../../docs/examples/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, examples)));
const trust = read("trust.json");

function ask(input: Uint8Array, more: Partial<Question> = {}) {
  return verify({ input, trust, copies: [], digests: [], number: undefined, ...more });
}

async function rows(input: Uint8Array, more: Partial<Question> = {}): Promise<string[]> {
  const answer = await ask(input, more);
  if (answer.kind === "none") return [`${answer.exit}: ${answer.error}`];
  const tail = answer.report.rows.slice(answer.kind === "case" ? 0 : -3);
  return [`${answer.exit}`, ...tail.map(({ number, status }) => `${number} ${status}`)];
}

test.each(["plain-fr", "redacted-en", "multilingual-en", "fifty-attachments-fr"])(
  "%s is verified under its trust, and under none is not",
  async (name) => {
    const input = read(`${name}.pdf`);
    expect(await rows(input)).toEqual(["0", "V15 passed", "V16 passed", "V17 passed"]);
    expect(await rows(input, { trust: undefined })).toEqual([
      "3",
      "V15 passed",
      "V16 not checked",
      "V17 not checked",
    ]);
  },
);

test("a case is verified as a whole, and one of its proofs by its number", async () => {
  const input = read("case-fr.pdf");
  const whole = answerJson(await ask(input));
  expect(whole?.["format"]).toBe("proofmail/case-report/0");
  expect(whole?.["verdict"]).toBe("verified");
  expect((whole?.["proofs"] as unknown[]).length).toBe(14);
  expect(await rows(input, { number: 14 })).toEqual([
    "0",
    "V15 passed",
    "V16 passed",
    "V17 passed",
  ]);
  for (const number of [0, 15, -1]) expect((await rows(input, { number }))[0]).toMatch(/^2: /);
  expect((await rows(input, { digests: ["00"] }))[0]).toMatch(/^2: /);
  expect((await rows(read("plain-fr.pdf"), { number: 1 }))[0]).toMatch(/^2: /);
});

test("a byte of a page that changes behind the seal's back fails V16 alone", async () => {
  const input = read("plain-fr.pdf");
  const marker = Buffer.from(input).indexOf("/Rotate 0");
  input[marker + 8] = 0x39;
  expect(await rows(input)).toEqual(["1", "V15 passed", "V16 failed", "V17 passed"]);
});

test("what is appended behind the seal fails or is unreadable", async () => {
  const input = read("plain-fr.pdf");
  const words = Buffer.concat([input, Buffer.from("% more\n")]);
  expect((await rows(new Uint8Array(words)))[0]).toMatch(/^2: /);
});

test("a trust file that is none, and an input that is none, end with 2", async () => {
  expect((await rows(read("plain-fr.pdf"), { trust: read("README.md") }))[0]).toMatch(/^2: /);
  expect((await rows(read("README.md")))[0]).toMatch(/^2: /);
  expect((await rows(new Uint8Array()))[0]).toMatch(/^2: /);
});

test("a copy that is another file makes the whole fail", async () => {
  const copies = [{ name: "README.md", bytes: read("README.md") }];
  expect((await rows(read("plain-fr.pdf"), { copies }))[0]).toBe("1");
});

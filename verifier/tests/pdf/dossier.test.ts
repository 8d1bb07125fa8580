import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readDossier } from "../../src/pdf/dossier.ts";

const examples = new URL("../../../docs/examples/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, examples)));

test.each(["plain-fr", "redacted-en", "multilingual-en", "fifty-attachments-fr"])(
  "%s is a sealed dossier of five files",
  (name) => {
    const found = readDossier(read(`${name}.pdf`));
    expect([found.kind, found.files.size, found.seal?.revision]).toEqual(["dossier", 5, 1]);
  },
);

test("a case dossier holds its list and its proofs", () => {
  const found = readDossier(read("case-fr.pdf"));
  expect([found.kind, found.files.size]).toEqual(["case", 15]);
});

test("a byte more, fewer or changed before the seal is unreadable, or no longer what was sealed", () => {
  const good = read("plain-fr.pdf");
  const sum = (bytes: Uint8Array) => bytes.reduce((total, octet) => total + octet, 0);
  const covered = readDossier(good).seal?.covered.map(sum);
  for (let at = 11; at < good.length; at += 4001) {
    const changed = good.slice();
    changed[at]! ^= 1;
    for (const other of [changed, good.slice(0, at), good.slice(at)]) {
      try {
        expect(readDossier(other).seal?.covered.map(sum)).not.toEqual(covered);
      } catch (error) {
        expect(String(error)).toMatch(/^Unreadable/);
      }
    }
  }
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CheckFailed, Unreadable } from "../../src/errors.ts";
import { caseRows, readCase } from "../../src/pdf/case.ts";
import { CONSTANT_FILES, withoutConstant } from "../../src/pdf/constant.ts";
import { readDossier } from "../../src/pdf/dossier.ts";
import { NO_TRUST } from "../../src/proof/trust.ts";

const examples = new URL("../../../docs/examples/", import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, examples)));

test.each(["plain-fr", "redacted-en", "multilingual-en", "fifty-attachments-fr"])(
  "%s is a sealed dossier of seven files",
  (name) => {
    const found = readDossier(read(`${name}.pdf`));
    expect([found.kind, found.files.size, found.seal?.revision]).toEqual(["dossier", 7, 1]);
  },
);

test("a case dossier holds its list and its proofs", () => {
  const found = readDossier(read("case-fr.pdf"));
  expect([found.kind, found.files.size]).toEqual(["case", 17]);
});

/** The sums of the bytes that the seal covers; nothing where the file is unreadable. */
function covered(bytes: Uint8Array): string | undefined {
  try {
    const spans = readDossier(bytes).seal?.covered ?? [];
    return spans.map((span) => span.reduce((total, octet) => total + octet, 0)).join();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

test("whatever is cut or changed outside the seal's own place is unreadable, or not what was sealed", () => {
  const good = read("plain-fr.pdf");
  const before = readDossier(good).seal?.covered[0].length ?? 0;
  const sum = covered(good);
  expect(sum).toMatch(/^[1-9]/);
  for (let at = 11; at < before; at += 4001) {
    const changed = good.slice();
    changed[at]! ^= 1;
    expect(covered(changed)).not.toBe(sum);
    expect(covered(good.slice(0, at))).toBeUndefined();
    expect(covered(good.slice(at))).toBeUndefined();
  }
});

test("the constant files are left aside, and refused in any other version", () => {
  const { files } = readDossier(read("plain-fr.pdf"));
  expect(withoutConstant(files).size).toBe(files.size - CONSTANT_FILES);
  for (const name of ["check.py", "instructions.txt"]) {
    const changed = files.get(name)!.slice();
    changed[0]! ^= 1;
    expect(() => withoutConstant(new Map([...files, [name, changed]]))).toThrow(CheckFailed);
    expect(() => withoutConstant(new Map([[name, new Uint8Array()]]))).toThrow(CheckFailed);
  }
  expect(withoutConstant(new Map()).size).toBe(0);
});

test("a case with the constant files has none but its proofs beside the list", async () => {
  const found = readCase(readDossier(read("case-fr.pdf")));
  expect((await caseRows(found, NO_TRUST))[0]).toMatchObject({ number: "V15", status: "passed" });
});

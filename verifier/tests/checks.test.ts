import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { fromUtf8, utf8 } from "../src/bytes.ts";
import { Unreadable } from "../src/errors.ts";
import type { Json } from "../src/json.ts";
import { verifyProof } from "../src/proof/checks.ts";
import { readProof } from "../src/proof/proof.ts";
import { reportJson } from "../src/proof/report_json.ts";
import { NO_TRUST, readTrust } from "../src/proof/trust.ts";
import type { Trust } from "../src/proof/trust_model.ts";
import { existedBy, exitStatus } from "../src/proof/verdict.ts";
import { enoughWitnesses } from "../src/proof/witnesses.ts";
import type { Testimony } from "../src/proof/witnesses.ts";
import type { Report, Status } from "../src/report.ts";

const VECTORS = new URL("../../tests/vectors/", import.meta.url);

function bytesOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(path, VECTORS)));
}

function trustOf(folder: string, edit: (trust: any) => void = () => undefined): Trust {
  const trust = JSON.parse(fromUtf8(bytesOf(`${folder}/trust.json`)));
  edit(trust);
  return readTrust(utf8(JSON.stringify(trust)));
}

async function judged(path: string, trust: Trust): Promise<Report> {
  return verifyProof(readProof(bytesOf(path)), trust);
}

function statusOf(report: Report, number: string): Status | undefined {
  return report.rows.find((row) => row.number === number)?.status;
}

interface Expected {
  readonly exit_status: number;
  readonly failed: readonly string[];
}

describe.each(["proof", "tree"])("the vectors of %s", (folder) => {
  const expected = JSON.parse(fromUtf8(bytesOf(`${folder}/expected.json`)));

  it.each(Object.entries<Expected>(expected))("%s", async (name, { exit_status, failed }) => {
    if (exit_status === 2) {
      await expect(judged(`${folder}/${name}`, trustOf(folder))).rejects.toThrow(Unreadable);
      return;
    }
    const report = await judged(`${folder}/${name}`, trustOf(folder));
    expect(exitStatus(report)).toBe(exit_status);
    const numbers = report.rows.filter((row) => row.status === "failed").map((row) => row.number);
    expect(numbers).toEqual(expect.arrayContaining([...failed]));
    expect(numbers.length > 0).toBe(failed.length > 0);
  });

  it.each(Object.keys(expected))("%s is never verified without trust", async (name) => {
    if (expected[name].exit_status === 2) return;
    expect(exitStatus(await judged(`${folder}/${name}`, NO_TRUST))).toBeGreaterThan(0);
  });
});

describe("a report (SPEC §9)", () => {
  it("has claims as facts only if V2 and V3 passed", async () => {
    const trust = trustOf("proof");
    expect(Object.keys((await judged("proof/good.json", trust)).facts)).toHaveLength(5);
    for (const name of ["changed-subject", "swapped-entries", "hidden-defects"]) {
      expect((await judged(`proof/${name}.json`, trust)).facts).toEqual({});
    }
  });

  it("names the earliest witness that passed, rounded up", async () => {
    const report = await judged("proof/good.json", trustOf("proof"));
    expect(existedBy(report)).toBe("2026-11-21T10:00:02.000Z");
    const later = report.witnesses.map((witness) => ({ ...witness, latest: witness.latest + 1n }));
    expect(existedBy({ ...report, witnesses: later })).toBe("2026-11-21T10:00:02.001Z");
  });

  it("counts a witness with a caution only where there is no other", async () => {
    const plain = trustOf("proof", (trust) => (trust.chains[0].development = false));
    const report = await judged("proof/good.json", plain);
    expect(report.witnesses.map((witness) => witness.caution)).toEqual(["built-in authority", ""]);
    expect(existedBy(report)).toBe("2026-11-21T10:00:09.000Z");
  });

  it("asks of an authority what the trust asks", async () => {
    for (const name of ["revocation_required", "qualified_required"]) {
      const asking = trustOf("proof", (trust) => {
        trust.authorities[0][name] = true;
        trust.witnesses = 2;
      });
      const report = await judged("proof/good.json", asking);
      expect(report.witnesses.map((witness) => witness.status)).toEqual(["not checked", "passed"]);
      expect([statusOf(report, "V17"), exitStatus(report)]).toEqual(["not checked", 3]);
    }
  });

  it("is, as JSON, of the members of §9.5 and nothing that JSON has not", async () => {
    const report = reportJson(await judged("proof/good.json", trustOf("proof")));
    expect(Object.keys(report).sort()).toEqual([
      "copies",
      "existed_by",
      "exit_status",
      "facts",
      "format",
      "rows",
      "verdict",
      "witnesses",
      "witnesses_needed",
    ]);
    const again = JSON.parse(JSON.stringify(report)) as { witnesses: { [name: string]: Json }[] };
    expect(Object.keys(again.witnesses[0] ?? {}).sort()).toEqual([
      "accuracy_milliseconds",
      "caution",
      "details",
      "kind",
      "status",
      "time",
    ]);
  });
});

describe("distinct witnesses (V17)", () => {
  const passed = (...whose: string[]): Testimony => ({
    whose: new Set(whose),
    witness: {
      kind: "rfc3161",
      status: "passed",
      time: "",
      accuracy_milliseconds: 0,
      latest: 0n,
      details: {},
      caution: "",
    },
  });

  it.each<[string, Testimony[], Status]>([
    ["none", [], "absent"],
    ["one", [passed("a")], "not checked"],
    ["two", [passed("a"), passed("b")], "passed"],
    ["two of one", [passed("a", "b"), passed("b", "c")], "not checked"],
    ["two that a third one joins", [passed("a"), passed("b"), passed("a", "b")], "not checked"],
    [
      "a chain of three, and one",
      [passed("a", "b"), passed("c"), passed("b", "c"), passed("d")],
      "passed",
    ],
  ])("%s of 2", (_, testimonies, status) => {
    expect(enoughWitnesses(testimonies, 2).status).toBe(status);
  });

  it("does not count what did not pass", () => {
    const one = passed("b");
    const failed = { ...one, witness: { ...one.witness, status: "failed" as const } };
    expect(enoughWitnesses([passed("a"), failed], 2).status).toBe("not checked");
  });
});

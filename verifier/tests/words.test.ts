import { expect, test } from "vitest";

import type { Row } from "../src/report.ts";
import { called } from "../src/words/parts.ts";
import { rowTitle, rungWords, said, say, statusWord } from "../src/words/words.ts";

test("a sentence holds its values, which are never read as places", () => {
  const part = said("part.named", { number: 1, name: "{part}" });
  const sentence = said("part.name", { part, name: "{0.x}", before: "$&" });
  expect(say(sentence, "en")).toBe("part 1 ({part}) has another name: {0.x}, recorded $&");
  expect(say(sentence, "fr")).toBe("partie 1 ({part}) porte un autre nom : {0.x}, enregistré $&");
});

test("what the catalogue lacks, and a value that lacks, is an error", () => {
  expect(() => say(said("constructor"), "en")).toThrow(RangeError);
  expect(() => say(said("part"), "en")).toThrow(RangeError);
});

test("titles and rungs fall back to what they are", () => {
  const row: Row = { number: "V5.T9", title: "x", status: "passed", reason: "", subject: "" };
  expect(rowTitle(row, "fr")).toBe("la signature est bonne");
  expect(rowTitle(row, "en")).toBe("x");
  expect(rowTitle({ ...row, number: "V9", title: "anchor" }, "fr")).toBe("ancrage");
  expect(rungWords("text/1", "fr")).toBe("même texte (text/1)");
  expect(rungWords("other/3", "fr")).toBe("other/3");
  expect(statusWord("not checked", "fr")).toBe("non vérifié");
  expect(say(called("message", ""), "fr")).toBe("le mail entier");
});

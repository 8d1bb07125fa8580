/** What comparing a mail with a proof has found so far (SPEC §10.2, §10.3). */

import type { Claims, CopyReport, PartMatch, Said, Status } from "../report.ts";
import { said } from "../words/words.ts";
import { type Part, type RecordedPart, claim, shownParts } from "./recorded.ts";

/** `questions` keep a copy from being a match; `remarks` change no verdict. */
export interface Comparison {
  readonly matches: PartMatch[];
  readonly differences: Said[];
  readonly questions: Said[];
  readonly remarks: Said[];
  /** Values of the header that are there and are those recorded. */
  sameFields: number;
}

export function newComparison(): Comparison {
  return { matches: [], differences: [], questions: [], remarks: [], sameFields: 0 };
}

const ENCODED_WORD = /=\?[^ ?]+\?[bBqQ]\?/;
const SAID_ELSEWHERE = ["message/external-body", "message/partial"];
const UNKNOWN_PLACE = /^in\.(?:[0-9]+\.)?other$/;

/** Whether a text stands for more than one spelling, or is shown in several ways (§10.3, 1). */
export function isVague(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || unit === 0xfffd) return true;
  }
  return ENCODED_WORD.test(text);
}

/** The recorded parts that are shown, and whether these are all; with what they leave open. */
export function recordedParts(
  comparison: Comparison,
  claims: Claims,
): { recorded: RecordedPart[]; complete: boolean } {
  const total = claim<number>(claims, "message.parts");
  const recorded = shownParts(claims);
  if (total === undefined) comparison.questions.push(said("parts.unknown"));
  else if (recorded.length !== total) {
    comparison.questions.push(said("parts.hidden", { count: total - recorded.length, total }));
  }
  for (const { number, part } of recorded) {
    comparison.questions.push(...openQuestions(part).map((key) => said(key, { number })));
  }
  return { recorded, complete: recorded.length === total };
}

/** Why a part's equality would not be enough (§10.3, 1 and 2). */
function openQuestions(part: Part): string[] {
  const keys: string[] = [];
  const notes = part.notes ?? [];
  if (isVague(part.name ?? "")) keys.push("part.name-vague");
  if (part.charset === "?") keys.push("part.charset-vague");
  if (SAID_ELSEWHERE.includes(part.type) || notes.includes("method.other")) {
    keys.push("part.said-elsewhere");
  }
  if (notes.some((note) => UNKNOWN_PLACE.test(note))) keys.push("part.place-vague");
  return keys;
}

/** Steps 2 to 4 of §10.2, from all that was found. */
export function concluded(
  comparison: Comparison,
  name: string,
  notes: readonly Said[],
): CopyReport {
  const { matches, differences, questions } = comparison;
  const remarks = [...notes];
  let status: Status = "passed";
  let key = matches.some((match) => match.rung === "words/1") ? "same.words" : "same.content";
  if (differences.length > 0) {
    status = "failed";
    key = "differs";
    if (!matches.some((match) => match.rung !== "")) {
      if (comparison.sameFields === 0) remarks.push(said("nothing-same"));
      else if (notes.some((note) => note.key === "id.other")) remarks.push(said("no-part-same"));
    }
  } else if (questions.length > 0) {
    status = "not checked";
    key = "undecided";
  }
  remarks.push(...comparison.remarks, ...distinct(questions));
  const changes = distinct(differences);
  return { copy: name, what: "mail", status, finding: said(key), matches, changes, remarks };
}

function distinct(all: readonly Said[]): Said[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

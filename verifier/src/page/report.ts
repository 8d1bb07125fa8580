/** The report as a person reads it: the state in a word first, then why, in the order of SPEC §9. */

import type { Json } from "../json.ts";
import type { CopyReport, Report, Row, Status } from "../report.ts";
import { existedBy, exitStatus } from "../proof/verdict.ts";
import { natures } from "../words/natures.ts";
import { called } from "../words/parts.ts";
import { rowTitle, rungWords, say, word } from "../words/words.ts";
import { foreign, h, icon, plain } from "./dom.ts";
import { text, type Language, type TextKey } from "./texts.ts";

/** What stood beside the proof, so that the report can say what it did not judge. */
export interface Circumstances {
  language: Language;
  /** Under which trust it was judged; its name is null where the page brought it along. */
  trust: { name: string | null; sha256: string } | null;
}

const SIGNS: Record<Status, string> = {
  passed: "M3 8.500 6.500 12 13 4.500",
  failed: "M4 4 12 12M12 4 4 12",
  absent: "M4 8h8",
  "not checked": "M5.500 6a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .700-1 1.500M8 12.500v.100",
};

type State = "0" | "1" | "2" | "3" | "differs";

/** The exit status in a word; of a failure, whether it is the proof or only what is held. */
export function stateOf(report: Report): State {
  const status = exitStatus(report);
  if (status !== 1) return String(status) as State;
  return report.rows.some((row) => row.status === "failed") ? "1" : "differs";
}

export function verdict(state: State, language: Language, ...more: (Node | false)[]): HTMLElement {
  const sign = state === "0" ? "passed" : state === "3" ? "not checked" : "failed";
  return h(
    "section",
    { class: `verdict ${sign.replace(" ", "-")}` },
    h("h2", {}, icon(SIGNS[sign]), text(`state.${state}` as TextKey, language)),
    h("p", {}, text(`state.${state}.means` as TextKey, language)),
    ...more,
  );
}

export function reportView(report: Report, around: Circumstances): HTMLElement[] {
  const { language } = around;
  const passed = report.witnesses.filter((witness) => witness.status === "passed");
  const weak = passed.length > 0 && passed.every((witness) => witness.caution !== "");
  const by = existedBy(report);
  const existed =
    by !== "" && sentence(weak ? "existed.weak" : "existed", { when: shown(by) }, language);
  return [
    verdict(
      stateOf(report),
      language,
      existed !== false && h("p", { class: "existed" }, existed),
      trustLine(around),
    ),
    ...(report.copies.length ? [copiesView(report.copies, language)] : []),
    factsView(report, language),
    checksView(report.rows, language),
    ...(report.witnesses.length ? [witnessesView(report, language)] : []),
    uncheckedView(report.rows, openOf(report, language), around),
  ];
}

/** Whose word the verdict rests on, beside it: on paper there is nothing else to tell. */
export function trustLine({ language, trust }: Circumstances): HTMLElement {
  if (!trust) return h("p", { class: "soft" }, text("trust.none", language));
  const { name, sha256 } = trust;
  const words = name === null ? text("trust.page", language) : text("trust.file", language);
  return h(
    "p",
    { class: "soft" },
    words,
    name !== null && " ",
    name !== null && foreign(name),
    ". SHA-256 ",
    h("code", {}, sha256),
  );
}

/** What the copies and the hidden entries leave open. */
function openOf({ copies, facts }: Report, language: Language): string[] {
  const hidden = Number(facts.hidden_or_decoys ?? 0);
  const status = word("status.not checked", language);
  return [
    ...(copies.length > 0 ? [] : [text("unchecked.copies", language)]),
    ...copies
      .filter((copy) => copy.status === "not checked")
      .map((copy) => text("unchecked.copy", language, { name: plain(copy.copy), status })),
    ...(hidden > 0 ? [text("hidden", language, { count: hidden })] : []),
  ];
}

/** A time of the report without its decimals, rounded up: a bound is never cut off. */
export function shown(time: string): string {
  const up = Math.ceil(Date.parse(time) / 1000) * 1000;
  return new Date(up).toISOString().slice(0, 19).replace("T", " ");
}

export function sentence(key: string, values: Record<string, string | number>, language: Language) {
  return say({ key, values }, language);
}

export function section(title: string, ...children: (Node | false)[]): HTMLElement {
  return h("section", { class: "card" }, h("h2", {}, title), ...children);
}

export function statusTag(status: Status, words: string): HTMLElement {
  return h("span", { class: `status ${status.replace(" ", "-")}` }, icon(SIGNS[status]), words);
}

export function checksView(rows: readonly Row[], language: Language): HTMLElement {
  const head = [text("number", language), text("check", language), text("result", language)];
  return section(
    word("checks", language),
    h(
      "table",
      { class: "checks" },
      h("thead", {}, h("tr", {}, ...head.map((title) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...rows.map((row) => checkLine(row, language))),
    ),
  );
}

function checkLine(row: Row, language: Language): HTMLElement {
  const subject = row.subject && h("span", { class: "soft" }, " ", foreign(`[${row.subject}]`));
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, row.number),
    h(
      "td",
      {},
      rowTitle(row, language),
      subject || null,
      // Reasons are technical, and stand in English in every language.
      row.reason && h("p", { class: "soft small", lang: "en" }, foreign(row.reason)),
    ),
    h("td", {}, statusTag(row.status, word(`status.${row.status}`, language))),
  );
}

function copiesView(copies: readonly CopyReport[], language: Language): HTMLElement {
  return section(text("copies", language), ...copies.map((copy) => copyView(copy, language)));
}

function copyView(copy: CopyReport, language: Language): HTMLElement {
  const unfound = copy.status === "failed" && copy.what !== "mail";
  const words = word(unfound ? "copy.none" : `copy.${copy.status}`, language);
  const lines = [
    ...copy.changes.map((said) => ({ kind: "differs", said })),
    ...copy.remarks.map((said) => ({ kind: "remark", said })),
  ];
  return h(
    "article",
    { class: "copy" },
    h("h3", {}, foreign(copy.copy), " ", statusTag(copy.status, words)),
    h("p", {}, foreign(say(copy.finding, language))),
    lines.length > 0 &&
      h(
        "ul",
        {},
        ...lines.map(({ kind, said }) => h("li", { class: kind }, foreign(say(said, language)))),
      ),
    copy.matches.length > 0 && matchesView(copy, language),
  );
}

function matchesView(copy: CopyReport, language: Language): HTMLElement {
  const head = [text("part", language), text("match", language)];
  const line = (part: string, name: string, rung: string) =>
    h(
      "tr",
      { class: rung ? "" : "unmatched" },
      h("td", {}, foreign(say(called(part, name), language))),
      h("td", {}, rungWords(rung, language)),
    );
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...head.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, ...copy.matches.map(({ part, name, rung }) => line(part, name, rung))),
  );
}

function factsView(report: Report, language: Language): HTMLElement {
  const facts = report.facts;
  if (!facts.claims)
    return section(text("facts", language), h("p", {}, word("no-facts", language)));
  const claims = facts.claims as { [name: string]: Json };
  const lines = [
    sentence("kind", { kind: String(facts.kind), when: String(facts.received_at) }, language),
    ...senderLines(claims, language),
    ...statedLines(claims, language),
    ...natures(claims).map((said) => say(said, language)),
  ];
  const defects = claims.defects as string[];
  if (defects.length) lines.push(sentence("defects", { text: defects.join(", ") }, language));
  const hidden = Number(facts.hidden_or_decoys ?? 0);
  return section(
    text("facts", language),
    h("ul", { class: "plain" }, ...lines.map((line) => h("li", {}, foreign(line)))),
    h("p", { class: "soft" }, text("hidden", language, { count: hidden })),
  );
}

function senderLines(claims: { [name: string]: Json }, language: Language): string[] {
  const { sender, checks } = claims.authentication as {
    sender: string;
    checks: { method: string; result: string; domain: string }[];
  };
  return [
    sentence("sender", { sender }, language),
    ...checks.map(({ method, result, domain }) =>
      sentence("sender.check", { text: `${method} ${result} ${domain}` }, language),
    ),
  ];
}

function statedLines(claims: { [name: string]: Json }, language: Language): string[] {
  const stated = (name: string, value: string) =>
    sentence("stated", { field: word(name, language), text: value }, language);
  const subjects = (claims["header.subject"] ?? []) as string[];
  const boxes = ["header.from", "header.to", "header.cc"].flatMap((name) =>
    ((claims[name] ?? []) as { name: string; address: string }[]).map((box) =>
      stated(
        name,
        box.name && box.address ? `${box.name} <${box.address}>` : box.name || box.address,
      ),
    ),
  );
  return [...subjects.map((subject) => stated("header.subject", subject)), ...boxes];
}

function witnessesView(report: Report, language: Language): HTMLElement {
  return section(
    word("witnesses", language),
    ...report.witnesses.map((witness) =>
      h(
        "article",
        { class: "witness" },
        h(
          "h3",
          {},
          `${witness.kind} · ${witness.time.slice(0, 19).replace("T", " ")} UTC `,
          statusTag(witness.status, word(`status.${witness.status}`, language)),
        ),
        witness.caution !== "" &&
          h("p", { class: "caution" }, word(`caution.${witness.caution}`, language)),
        h(
          "dl",
          { lang: "en" },
          ...Object.entries(witness.details).flatMap(([name, value]) => [
            h("dt", {}, name),
            h("dd", {}, foreign(value)),
          ]),
        ),
      ),
    ),
  );
}

/** All that this report leaves open, in one place, `more` with it: what is not said is easily taken for proven. */
export function uncheckedView(
  rows: readonly Row[],
  more: readonly string[],
  { language, trust }: Circumstances,
): HTMLElement {
  const open = rows.filter((row) => row.status === "not checked" || row.status === "absent");
  const titles = open.map(({ number, title, status, subject, reason }) => {
    const named = rowTitle({ number, title, status, subject, reason }, language);
    const values = { number, title: named, status: word(`status.${status}`, language) };
    return text("unchecked.row", language, values) + (subject ? ` [${plain(subject)}]` : "");
  });
  const lines = [
    ...(trust ? [] : [text("unchecked.trust", language)]),
    ...more,
    ...new Set(titles),
    ...(rows.some(({ number }) => number === "V15") ? [text("unchecked.pages", language)] : []),
    text("unchecked.network", language),
    word("not-proven", language),
  ];
  return section(
    text("unchecked", language),
    h("ul", {}, ...lines.map((line) => h("li", {}, line))),
  );
}

/** The report on a case dossier: the list, the seal, and a line on each proof (SPEC §11.7). */

import { caseExistedBy, caseExitStatus, type CaseReport } from "../pdf/case.ts";
import { word } from "../words/words.ts";
import { foreign, h } from "./dom.ts";
import {
  checksView,
  section,
  sentence,
  shown,
  statusTag,
  trustLine,
  uncheckedView,
  verdict,
} from "./report.ts";
import type { Circumstances } from "./report.ts";
import { text } from "./texts.ts";

/** `choose` is called with the number of the proof of which all shall be shown. */
export function caseView(
  report: CaseReport,
  around: Circumstances,
  choose: (number: number) => void,
  waiting: number,
): HTMLElement[] {
  const { language } = around;
  const state = String(caseExitStatus(report)) as "0" | "1" | "3";
  const passed = report.members.filter((member) => member.status === "passed").length;
  const count = sentence("case.count", { passed, count: report.members.length }, language);
  const weak = report.members.some((member) => member.weak);
  const by = caseExistedBy(report);
  const key = weak ? "case.existed.weak" : "case.existed";
  const existed = by !== "" && sentence(key, { when: shown(by) }, language);
  return [
    verdict(
      state,
      language,
      h("p", {}, count),
      existed !== false && h("p", { class: "existed" }, existed),
      waiting > 0 &&
        h("p", { class: "caution" }, text("case.waiting", language, { count: waiting })),
      trustLine(around),
      report.title !== "" &&
        h("p", {}, foreign(sentence("case.title", { title: report.title }, language))),
    ),
    membersView(report, around, choose),
    checksView(report.rows, language),
    uncheckedView(report.rows, [text("unchecked.list", language)], around),
  ];
}

function membersView(
  report: CaseReport,
  { language }: Circumstances,
  choose: (number: number) => void,
): HTMLElement {
  const line = (member: CaseReport["members"][number]) => {
    const { number, status, reason } = member;
    const button = h("button", { type: "button" }, String(number));
    button.setAttribute("aria-label", text("case.show", language, { number }));
    button.addEventListener("click", () => choose(number));
    return h(
      "tr",
      {},
      h("td", {}, button),
      h("td", {}, statusTag(status, word(`status.${status}`, language))),
      h("td", {}, member.received_at),
      h("td", {}, foreign(member.sender)),
      h(
        "td",
        {},
        foreign(member.subject),
        reason !== "" && h("p", { class: "soft small", lang: "en" }, foreign(reason)),
      ),
    );
  };
  const head = (["number", "result", "received", "sender", "subject"] as const).map((key) =>
    h("th", { scope: "col" }, text(key, language)),
  );
  return section(
    word("case.proofs", language),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head)),
      h("tbody", {}, ...report.members.map(line)),
    ),
    h("p", { class: "soft" }, text("case.copies", language)),
  );
}

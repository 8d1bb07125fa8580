/** The page: three places for files, one report. Judging is the worker's; this only shows. */

import { caseView } from "./case_report.ts";
import { foreign, h, plain } from "./dom.ts";
import { kindOf, placeOf, type Place } from "./files.ts";
import type { Answer, Given, Named, Outcome, Progress, Task } from "./protocol.ts";
import { reportView, section, verdict, type Circumstances } from "./report.ts";
import { text, type Language, type TextKey } from "./texts.ts";
import { bundle } from "./zip.ts";

const PLACES: readonly Place[] = ["proof", "copies", "trust"];

interface State {
  language: Language;
  files: Record<Place, Named[]>;
  digests: string;
  number: number | null;
  worker: Worker | null;
  outcome: Outcome | null;
}

/** Builds the page and keeps it. `makeWorker` gives a fresh worker; ending it is how a check stops. */
export function startPage(makeWorker: () => Worker): void {
  const state: State = {
    language: navigator.language.toLowerCase().startsWith("fr") ? "fr" : "en",
    files: { proof: [], copies: [], trust: [] },
    digests: "",
    number: null,
    worker: null,
    outcome: null,
  };
  const result = h("div", { id: "result", "aria-live": "polite" });
  const say = (key: TextKey, values = {}) => text(key, state.language, values);

  function draw(): void {
    document.documentElement.lang = state.language;
    document.title = `${say("title")} — proofmail`;
    document.body.replaceChildren(
      top(),
      h(
        "main",
        {},
        h("h1", {}, say("title")),
        h("p", { class: "lead" }, say("lead")),
        h("div", { class: "zones" }, ...PLACES.map(zone)),
        digestBox(),
        result,
      ),
      h("footer", {}, say("mended")),
    );
    show();
  }

  function top(): HTMLElement {
    const languages = (["fr", "en"] as const).map((language) => {
      const pressed = String(language === state.language);
      const name = language === "fr" ? "Français" : "English";
      const button = h("button", { type: "button", lang: language, "aria-pressed": pressed }, name);
      button.addEventListener("click", () => {
        state.language = language;
        draw();
        document.querySelector<HTMLElement>(`header [lang=${language}]`)?.focus();
      });
      return button;
    });
    const brand = h("strong", {}, "proofmail");
    return h("div", { class: "top" }, h("header", {}, brand, h("div", {}, ...languages)));
  }

  function zone(place: Place): HTMLElement {
    const id = `file-${place}`;
    const input = h("input", { id, type: "file", multiple: place === "copies" });
    input.setAttribute("aria-describedby", `${id}-title ${id}-hint`);
    input.addEventListener("change", () => {
      add(place, [...(input.files ?? [])]);
    });
    const held = state.files[place].map((named, index) => {
      const remove = h("button", { type: "button" }, "×");
      remove.setAttribute("aria-label", say("remove", { name: plain(named.name) }));
      remove.addEventListener("click", () => {
        state.files[place].splice(index, 1);
        changed();
        document.getElementById(id)?.focus();
      });
      return h("li", {}, foreign(named.name), remove);
    });
    const given = place === "trust" && !state.files.trust.length && givenTrust() !== null;
    const box = h(
      "section",
      { class: "zone" },
      h("h2", { id: `${id}-title` }, say(`zone.${place}`)),
      h("p", { class: "soft small", id: `${id}-hint` }, say(`zone.${place}.hint`)),
      h(
        "p",
        { class: "choose" },
        input,
        h("label", { for: id }, say(place === "copies" ? "zone.choose.copies" : "zone.choose")),
        h(
          "span",
          { class: "soft small" },
          say(place === "copies" ? "zone.drop.copies" : "zone.drop"),
        ),
      ),
      given && h("p", { class: "soft small" }, say("trust.given")),
      held.length > 0 && h("ul", {}, ...held),
    );
    receive(box, (files) => add(place, files));
    return box;
  }

  function digestBox(): HTMLElement {
    const area = h("textarea", { id: "digests", rows: 3, spellcheck: "false" });
    area.value = state.digests;
    area.setAttribute("aria-describedby", "digests-hint");
    // What is typed is not judged yet: no verdict may stand beside it.
    let typed = false;
    area.addEventListener("input", () => {
      typed = true;
      state.digests = area.value;
      forget();
      show();
    });
    area.addEventListener("blur", () => {
      if (typed) judge();
      typed = false;
    });
    return h(
      "details",
      state.digests ? { open: true } : {},
      h("summary", {}, say("digests")),
      h("label", { for: "digests", id: "digests-hint" }, say("digests.hint")),
      area,
    );
  }

  /** Files for a place. Where several come to the place of one, each goes where it belongs. */
  function add(place: Place, files: File[]): void {
    const named = files.map((file) => ({ name: file.name, file }));
    if (place === "copies") state.files.copies.push(...named);
    else if (named.length !== 1) return void sort(named);
    else state.files[place] = named;
    if (place === "proof") state.number = null;
    changed();
  }

  /** Looks at the files first: until all have a place, the page shows what it showed. */
  async function sort(files: Named[]): Promise<void> {
    const kinds = await Promise.all(files.map(({ file }) => kindOf(file)));
    const before = state.files.proof;
    files.forEach((named, index) => {
      const place = placeOf(kinds[index] ?? "other", state.files.proof.length > 0);
      if (place === "copies") state.files.copies.push(named);
      else state.files[place] = [named];
    });
    if (state.files.proof !== before) state.number = null;
    changed();
  }

  function changed(): void {
    draw();
    judge();
  }

  function forget(): void {
    state.worker?.terminate();
    state.worker = null;
    state.outcome = null;
  }

  function judge(): void {
    forget();
    const [proof] = state.files.proof;
    if (!proof) return show();
    const task: Task = {
      proof: proof.file,
      trust: state.files.trust[0]?.file ?? givenTrust(),
      copies: state.files.copies,
      digests: state.digests.split(/[\s,;]+/).filter(Boolean),
      number: state.number,
    };
    const worker = makeWorker();
    state.worker = worker;
    const finish = (outcome: Outcome) => {
      worker.terminate();
      if (state.worker !== worker) return;
      state.worker = null;
      state.outcome = outcome;
      show();
    };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.kind !== "progress") finish(data);
      else if (state.worker === worker) advance(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      finish({ kind: "broken" });
    };
    show();
    worker.postMessage(task);
  }

  function advance({ name, done, total }: Progress): void {
    const bar = result.querySelector("progress");
    const label = result.querySelector(".working span");
    if (bar && total > 0) bar.value = done / total;
    if (label) label.textContent = say("working.copy", { name: plain(name) });
  }

  function show(): void {
    if (state.worker) return result.replaceChildren(working());
    if (!state.outcome) return result.replaceChildren(h("p", { class: "soft" }, say("empty")));
    result.replaceChildren(...view(state.outcome));
  }

  function working(): HTMLElement {
    const stop = h("button", { type: "button" }, say("stop"));
    stop.addEventListener("click", () => {
      forget();
      result.replaceChildren(h("p", { class: "fault" }, say("stopped")));
    });
    const bar = h("progress", { max: 1, "aria-label": say("working") });
    return h("p", { class: "working" }, h("span", {}, say("working")), bar, stop);
  }

  function view(outcome: Outcome): HTMLElement[] {
    const { language } = state;
    switch (outcome.kind) {
      case "unreadable": {
        if (outcome.what === "trust") return [fault("trust.unreadable", { why: outcome.why })];
        const why = h("p", { class: "soft", lang: "en" }, foreign(outcome.why));
        return [verdict(outcome.what === "member" ? "1" : "2", language, why)];
      }
      case "too-large": {
        return [fault("too-large", { name: plain(nameOf(outcome)), most: outcome.most })];
      }
      case "lost":
        return [fault("lost", { name: plain(nameOf(outcome)) })];
      case "broken":
        return [fault("broken", {})];
      case "case": {
        const choose = (number: number) => {
          state.number = number;
          judge();
        };
        const parts = caseView(outcome.report, around(outcome.trust), choose, outcome.waiting);
        return [...parts, givenView(outcome), actions(outcome.json)];
      }
      case "report": {
        const parts = reportView(outcome.report, around(outcome.trust));
        const back = state.number !== null && [backButton()];
        return [...(back || []), ...parts, givenView(outcome), actions(outcome.json)];
      }
    }
  }

  function fault(key: TextKey, values: Record<string, string | number>): HTMLElement {
    return h("p", { class: "fault", role: "alert" }, say(key, values));
  }

  function backButton(): HTMLElement {
    const button = h("button", { type: "button" }, say("case.back"));
    button.addEventListener("click", () => {
      state.number = null;
      judge();
    });
    return h("p", { class: "actions" }, button);
  }

  /** `trust` is the one that was judged under. */
  function around(trust: Given | null): Circumstances {
    const { language } = state;
    if (!trust) return { language, trust: null };
    const [own] = state.files.trust;
    return { language, trust: { name: own?.name ?? null, sha256: trust.sha256 } };
  }

  function nameOf({ what, name }: { what: Place; name: string }): string {
    if (what === "copies") return name;
    return state.files[what][0]?.name ?? say(`zone.${what}`);
  }

  function givenView({ files, trust }: { files: readonly Given[]; trust: Given | null }) {
    const [proof, ...copies] = files;
    const all = [
      ...(proof ? [{ ...proof, name: nameOf({ what: "proof", name: "" }) }] : []),
      ...copies,
      ...(trust ? [{ ...trust, name: nameOf({ what: "trust", name: "" }) }] : []),
    ];
    const lines = all.map(({ name, size, sha256 }) =>
      h("li", {}, foreign(name), `, ${say("size", { size })}, SHA-256 `, h("code", {}, sha256)),
    );
    return section(say("given"), h("ul", {}, ...lines));
  }

  function actions(json: string): HTMLElement {
    const button = (key: TextKey, act: () => void) => {
      const made = h("button", { type: "button" }, say(key));
      made.addEventListener("click", act);
      return made;
    };
    return h(
      "p",
      { class: "actions" },
      button("print", () => window.print()),
      button("save", () => download("report.json", new Blob([json]))),
      button("keep", () => void keep(json)),
      h("span", { class: "soft small" }, say("keep.hint")),
    );
  }

  async function keep(json: string): Promise<void> {
    const handed = givenTrust();
    const all = [...state.files.proof, ...state.files.copies, ...state.files.trust];
    if (handed && state.files.trust.length === 0) all.push({ name: "trust.json", file: handed });
    const files = [];
    for (const { name, file } of all) {
      files.push({ name, bytes: new Uint8Array(await file.arrayBuffer()) });
    }
    files.push({ name: "report.json", bytes: new TextEncoder().encode(json) });
    download("proofmail.zip", new Blob([bundle(files).slice()], { type: "application/zip" }));
  }

  receive(document.body, (files) => void sort(files.map((file) => ({ name: file.name, file }))));
  draw();
}

/** The trust that a service put into the page when it handed it out; null in a file from disk. */
function givenTrust(): Blob | null {
  return GIVEN ? new Blob([GIVEN]) : null;
}

const GIVEN =
  typeof document === "undefined"
    ? ""
    : (document.getElementById("given-trust")?.textContent ?? "").trim();

function receive(target: HTMLElement, take: (files: File[]) => void): void {
  const over = (event: DragEvent, is: boolean) => {
    event.preventDefault();
    target.classList.toggle("over", is);
  };
  target.addEventListener("dragover", (event) => over(event, true));
  target.addEventListener("dragleave", (event) => over(event, false));
  target.addEventListener("drop", (event) => {
    over(event, false);
    event.stopPropagation();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}

function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

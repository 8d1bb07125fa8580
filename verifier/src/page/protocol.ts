/** What the page and its worker say to each other. Files go over as handles, not as bytes. */

import type { CaseReport } from "../pdf/case.ts";
import type { Report } from "../report.ts";
import type { Place } from "./files.ts";

export interface Named {
  name: string;
  file: Blob;
}

/** What to judge; `proof` and `trust` are named by the page alone. `number` is that of one proof of a case dossier, from 1. */
export interface Task {
  proof: Blob;
  trust: Blob | null;
  copies: Named[];
  digests: string[];
  number: number | null;
}

/** `done` and `total` are bytes of the copies; `name` is the copy that is being compared. */
export interface Progress {
  kind: "progress";
  name: string;
  done: number;
  total: number;
}

export type Outcome =
  | { kind: "report"; report: Report; json: string; files: Given[]; trust: Given | null }
  /** `waiting`: copies and digests that were not compared, because no proof of the case was chosen. */
  | {
      kind: "case";
      report: CaseReport;
      json: string;
      files: Given[];
      trust: Given | null;
      waiting: number;
    }
  /** `member`: the proof of a case that was asked for is not the one that is listed. */
  | { kind: "unreadable"; what: "proof" | "trust" | "member"; why: string }
  /** `name` is a copy's. */
  | { kind: "too-large"; what: Place; name: string; most: number }
  /** A folder, or a file that is no longer what was given. */
  | { kind: "lost"; what: Place; name: string }
  | { kind: "broken" };

/** A file that was judged, as the printed page lists it. */
export interface Given {
  name: string;
  size: number;
  sha256: string;
}

export type Answer = Progress | Outcome;

/** A dossier as read (SPEC §11.1 to §11.4): which files it holds, and what seals it. Nothing is believed yet. */

import { CheckFailed, Unreadable } from "../errors.ts";
import { type Additions, readAdditions } from "./additions.ts";
import { CONSTANT_FILES } from "./constant.ts";
import { readFiles, readTree } from "./files.ts";
import { readPdf } from "./file.ts";
import { readSeal, type Seal } from "./seal.ts";

const MAX_FILES = 64;
const MAX_CASE_FILES = 1001 + CONSTANT_FILES;

export interface Dossier {
  /** A dossier holds `proof.json`, a case dossier `case.json`; never both. */
  readonly kind: "dossier" | "case";
  /** All files inside, unpacked, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Undefined: the file is not sealed. */
  readonly seal: Seal | undefined;
  /** How many revisions stand behind the sealed one. */
  readonly laterRevisions: number;
  /** What stands behind the seal; a text says what stands there and must not. */
  readonly additions: Additions | string;
}

/** Whether to read this file as a dossier; else it is taken for a proof file. */
export function isPdf(bytes: Uint8Array): boolean {
  return [0x25, 0x50, 0x44, 0x46, 0x2d].every((octet, at) => bytes[at] === octet);
}

/** Unreadable where the file is no dossier. */
export function readDossier(bytes: Uint8Array): Dossier {
  const pdf = readPdf(bytes);
  const names = new Set(readTree(pdf, MAX_CASE_FILES).map(({ name }) => name));
  const kind = names.has("case.json") ? "case" : "dossier";
  if (kind === "dossier" && !names.has("proof.json")) {
    throw new Unreadable("the PDF holds no file named proof.json");
  }
  if (kind === "case" && names.has("proof.json")) {
    throw new Unreadable("the PDF holds a proof and a list of proofs");
  }
  const files = readFiles(pdf, kind === "case" ? MAX_CASE_FILES : MAX_FILES);
  const seal = readSeal(pdf);
  const none: Additions = { stamps: [], certificates: [], revocation: [] };
  let additions: Additions | string = none;
  if (seal) {
    try {
      additions = readAdditions(pdf, seal);
    } catch (error) {
      if (!(error instanceof CheckFailed)) throw error;
      additions = error.message;
    }
  }
  const laterRevisions = seal ? pdf.revisions.length - 1 - seal.revision : 0;
  return { kind, files, seal, laterRevisions, additions };
}

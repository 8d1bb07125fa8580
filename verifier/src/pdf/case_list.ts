/** The list of a case dossier: which proofs lie in it (SPEC §11.7, 1). */

import { toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { readCanonical } from "../json.ts";
import { closed, digest, list, oneOf, text } from "../proof/shape.ts";

const MAX_PROOFS = 1000;
const MAX_TITLE = 200;

/** A proof that the list names: its file's name, SHA-256 of its record's bytes and of its file. */
export interface Listed {
  readonly name: string;
  readonly record: Uint8Array;
  readonly sha256: Uint8Array;
}

export interface CaseList {
  /** The word of whoever made the list. */
  readonly title: string;
  readonly proofs: readonly Listed[];
}

/** Unreadable for anything but a list. */
export function readCaseList(bytes: Uint8Array): CaseList {
  const members = closed(readCanonical(bytes), ["format", "proofs", "title"], []);
  oneOf(members["format"], ["proofmail/case/0"]);
  const proofs = list(members["proofs"], MAX_PROOFS, (item) => {
    const found = closed(item, ["name", "record", "sha256"], []);
    return {
      name: text(found["name"], 64),
      record: digest(found["record"]),
      sha256: digest(found["sha256"]),
    };
  });
  if (proofs.length === 0) throw new Unreadable("the case list is empty");
  if (proofs.some(({ name }, at) => name !== proofName(at + 1))) {
    throw new Unreadable("the case list names a proof otherwise than by its place");
  }
  for (const member of ["record", "sha256"] as const) {
    if (new Set(proofs.map((proof) => toHex(proof[member]))).size !== proofs.length) {
      throw new Unreadable("the case list names a record or a proof twice");
    }
  }
  return { title: text(members["title"], MAX_TITLE), proofs };
}

/** The name of the file of the proof at this place, from 1. */
export function proofName(number: number): string {
  return `proof-${String(number).padStart(4, "0")}.json`;
}

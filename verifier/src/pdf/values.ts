/** The values of a PDF (ISO 32000-1 §7.3), as they are read and compared (SPEC §11.2, §11.4). */

import { equal } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

export type Value =
  | { readonly kind: "null" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "real"; readonly value: number }
  | PdfString
  | Name
  | PdfArray
  | Dictionary
  | Reference;

/** `start` and `end` are the offsets of the first delimiter and behind the last. */
export interface PdfString {
  readonly kind: "string";
  readonly bytes: Uint8Array;
  readonly hexadecimal: boolean;
  readonly start: number;
  readonly end: number;
}

/** Without the solidus, each `#xx` undone. */
export interface Name {
  readonly kind: "name";
  readonly name: string;
}

export interface PdfArray {
  readonly kind: "array";
  readonly items: readonly Value[];
}

export interface Dictionary {
  readonly kind: "dictionary";
  readonly entries: ReadonlyMap<string, Value>;
}

/** Generation 0, as no other is read. */
export interface Reference {
  readonly kind: "reference";
  readonly number: number;
}

/** An object of one revision. `data` are a stream's bytes as they stand. */
export interface PdfObject {
  readonly number: number;
  readonly value: Value;
  readonly data: Uint8Array | undefined;
}

/** `objects` are those of this revision alone; `end` is the offset behind it. */
export interface Revision {
  readonly objects: ReadonlyMap<number, PdfObject>;
  readonly trailer: Dictionary;
  readonly end: number;
}

/** A file that keeps SPEC §11.2. */
export interface Pdf {
  readonly bytes: Uint8Array;
  readonly root: Reference;
  readonly revisions: readonly Revision[];
}

const NULL: Value = { kind: "null" };

/** What an object's number means to a reader of the file up to and with this revision. */
export function object(pdf: Pdf, number: number, revision: number): PdfObject | undefined {
  for (let at = revision; at >= 0; at--) {
    const found = pdf.revisions[at]?.objects.get(number);
    if (found) return found;
  }
  return undefined;
}

/** The value, or the one that a reference leads to; null where it leads nowhere, or to a stream. */
export function resolve(pdf: Pdf, value: Value | undefined, revision: number): Value {
  if (value?.kind !== "reference") return value ?? NULL;
  const found = object(pdf, value.number, revision);
  return found === undefined || found.data !== undefined ? NULL : found.value;
}

/** The catalog, as a reader of the file up to and with this revision sees it. */
export function catalog(pdf: Pdf, revision: number): Dictionary {
  const found = object(pdf, pdf.root.number, revision);
  if (
    found?.value.kind !== "dictionary" ||
    found.data ||
    !isName(found.value.entries.get("Type"), "Catalog")
  ) {
    throw new Unreadable("the root is not a catalog");
  }
  return found.value;
}

/** The value, unless it is missing or null, which is the same (ISO 32000-1 §7.3.7). */
export function given(value: Value | undefined): Value | undefined {
  return value?.kind === "null" ? undefined : value;
}

export function isName(value: Value | undefined, name: string): boolean {
  return value?.kind === "name" && value.name === name;
}

export function isInteger(value: Value | undefined, number: number): boolean {
  return value?.kind === "integer" && value.value === BigInt(number);
}

/** Same kind and same content: 1 and 1.0 differ (SPEC §11.4, 4). */
export function same(one: Value, other: Value): boolean {
  switch (one.kind) {
    case "null":
      return other.kind === "null";
    case "boolean":
      return other.kind === "boolean" && one.value === other.value;
    case "integer":
      return other.kind === "integer" && one.value === other.value;
    case "real":
      return other.kind === "real" && one.value === other.value;
    case "string":
      return other.kind === "string" && equal(one.bytes, other.bytes);
    case "name":
      return other.kind === "name" && one.name === other.name;
    case "reference":
      return other.kind === "reference" && one.number === other.number;
    case "array":
      return (
        other.kind === "array" &&
        one.items.length === other.items.length &&
        one.items.every((item, at) => same(item, other.items[at] ?? NULL))
      );
    case "dictionary":
      return other.kind === "dictionary" && sameEntries(one, other);
  }
}

/** Two dictionaries with the same entries, those named aside. */
export function sameEntries(
  one: Dictionary,
  other: Dictionary,
  aside = new Set<string>(),
): boolean {
  const left = [...one.entries].filter(([key]) => !aside.has(key));
  const right = [...other.entries.keys()].filter((key) => !aside.has(key));
  return (
    left.length === right.length &&
    left.every(([key, value]) => {
      const there = other.entries.get(key);
      return there !== undefined && same(value, there);
    })
  );
}

/** Every dictionary inside a value, itself too; nesting is bounded by the reader. */
export function* dictionaries(value: Value): Generator<Dictionary> {
  if (value.kind === "dictionary") {
    yield value;
    for (const inside of value.entries.values()) yield* dictionaries(inside);
  } else if (value.kind === "array") {
    for (const inside of value.items) yield* dictionaries(inside);
  }
}

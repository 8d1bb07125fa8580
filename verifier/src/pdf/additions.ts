/** Revisions behind the seal: validation data or a document time-stamp each, nothing else (SPEC §11.4, 4). */

import { CheckFailed } from "../errors.ts";
import type { RevocationItem } from "../proof/model.ts";
import { readSigned, type Seal, type Signed } from "./seal.ts";
import {
  catalog,
  type Dictionary,
  given,
  isInteger,
  isName,
  object,
  type Pdf,
  type PdfObject,
  type Reference,
  resolve,
  same,
  sameEntries,
  type Value,
} from "./values.ts";

const MAX_LISTED = 256;
const MAX_STREAM_BYTES = 1 << 20;

/** What stands behind the seal. */
export interface Additions {
  readonly stamps: readonly Signed[];
  /** DER of the store's `Certs`: untrusted. */
  readonly certificates: readonly Uint8Array[];
  readonly revocation: readonly RevocationItem[];
}

/** The store as it grows: what it lists, and the numbers of all streams that it ever brought. */
interface Store {
  readonly streams: Set<number>;
  lists: ReadonlyMap<string, readonly number[]>;
}

/** CheckFailed where a later revision holds anything else. */
export function readAdditions(pdf: Pdf, seal: Seal): Additions {
  const store: Store = { streams: new Set(), lists: new Map() };
  const stamps: Signed[] = [];
  for (let at = seal.revision + 1; at < pdf.revisions.length; at++) {
    checkTrailer(pdf, at);
    const added = [...objectsOf(pdf, at).values()];
    const stamp = added.find(({ value }) => entry(value, "Type", "DocTimeStamp"));
    if (stamp) stamps.push(readStamp(pdf, at, stamp));
    else growStore(pdf, at, store);
  }
  const listed = (key: string) =>
    (store.lists.get(key) ?? []).map(
      (number) => object(pdf, number, pdf.revisions.length)?.data ?? new Uint8Array(),
    );
  return {
    stamps,
    certificates: listed("Certs"),
    revocation: [
      ...listed("CRLs").map((value) => ({ known: true as const, kind: "crl" as const, value })),
      ...listed("OCSPs").map((value) => ({ known: true as const, kind: "ocsp" as const, value })),
    ],
  };
}

function refuse(what: string): never {
  throw new CheckFailed(`the file was added to after it was sealed: ${what}`);
}

function objectsOf(pdf: Pdf, revision: number): ReadonlyMap<number, PdfObject> {
  return pdf.revisions[revision]?.objects ?? new Map();
}

function entry(value: Value, key: string, name: string): boolean {
  return value.kind === "dictionary" && isName(value.entries.get(key), name);
}

function sameOrNone(one: Value | undefined, other: Value | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return same(one, other);
}

/** The same `Info`, and an `ID` of as many strings with the same first; or none where there was none. */
function checkTrailer(pdf: Pdf, at: number): void {
  const now = pdf.revisions[at]?.trailer.entries;
  const before = pdf.revisions[at - 1]?.trailer.entries;
  if (!sameOrNone(given(now?.get("Info")), given(before?.get("Info")))) {
    refuse("another description");
  }
  const [one, other] = [identifiers(now?.get("ID")), identifiers(before?.get("ID"))];
  if (one.length !== other.length || !sameOrNone(one[0], other[0])) refuse("other identifiers");
  if (one.some((value) => value.kind !== "string")) refuse("other identifiers");
}

function identifiers(value: Value | undefined): readonly Value[] {
  if (value === undefined) return [];
  return value.kind === "array" ? value.items : refuse("other identifiers");
}

/** The dictionary of an object that is no stream, in this very revision. */
function dictionaryIn(pdf: Pdf, at: number, number: number): Dictionary | undefined {
  const found = objectsOf(pdf, at).get(number);
  return found?.data === undefined && found?.value.kind === "dictionary" ? found.value : undefined;
}

function isNew(pdf: Pdf, at: number, number: number): boolean {
  return object(pdf, number, at - 1) === undefined;
}

function growStore(pdf: Pdf, at: number, store: Store): void {
  const before = catalog(pdf, at - 1).entries.get("DSS");
  const changed = dictionaryIn(pdf, at, pdf.root.number);
  if (objectsOf(pdf, at).has(pdf.root.number) && !changed) refuse("more of the catalog");
  if (changed && !sameEntries(changed, catalog(pdf, at - 1), new Set(["DSS"]))) {
    refuse("more of the catalog");
  }
  const place = catalog(pdf, at).entries.get("DSS");
  if (place?.kind !== "reference") refuse("neither validation data nor a document time-stamp");
  const known = before?.kind === "reference" && before.number === place.number;
  const held = dictionaryIn(pdf, at, place.number);
  if (!held || place.number === pdf.root.number) refuse("no store");
  if (!known && !isNew(pdf, at, place.number)) refuse("the store replaces an object");
  const lists = readStore(held);
  const fresh = checkStreams(pdf, at, [pdf.root.number, place.number]);
  const listed = new Set([...lists.values()].flat());
  for (const number of fresh) {
    if (!listed.has(number)) refuse("more than validation data");
    store.streams.add(number);
  }
  for (const number of listed) {
    if (!store.streams.has(number))
      refuse("the store refers to what is no plain stream of its own");
  }
  store.lists = lists;
}

const LISTS = ["Certs", "CRLs", "OCSPs"];

/** `Type` `DSS` or none, and the lists of references. */
function readStore(held: Dictionary): ReadonlyMap<string, readonly number[]> {
  const lists = new Map<string, readonly number[]>();
  const all = new Set<number>();
  for (const [key, value] of held.entries) {
    if (key === "Type" && isName(value, "DSS")) continue;
    if (!LISTS.includes(key)) refuse("a store with what dossiers have not");
    if (value.kind !== "array") refuse("no list in the store");
    const numbers: number[] = [];
    for (const item of value.items) {
      if (item.kind !== "reference" || all.has(item.number)) {
        refuse("the store refers twice to the same, or to nothing");
      }
      if (all.add(item.number).size > MAX_LISTED) refuse("a store that is too long");
      numbers.push(item.number);
    }
    lists.set(key, numbers);
  }
  return lists;
}

/** The numbers of all objects but those aside, which are new and plain streams. */
function checkStreams(pdf: Pdf, at: number, aside: readonly number[]): readonly number[] {
  const numbers: number[] = [];
  for (const { number, value, data } of objectsOf(pdf, at).values()) {
    if (aside.includes(number)) continue;
    const plain =
      data !== undefined &&
      data.length <= MAX_STREAM_BYTES &&
      value.kind === "dictionary" &&
      value.entries.size === 1;
    if (!plain) refuse("more than validation data, or no plain stream");
    if (!isNew(pdf, at, number)) refuse("it replaces an object by validation data");
    numbers.push(number);
  }
  return numbers;
}

function readStamp(pdf: Pdf, at: number, stamp: PdfObject): Signed {
  const place = catalog(pdf, at - 1).entries.get("AcroForm");
  if (place?.kind !== "reference") refuse("the form is no object of its own");
  const before = resolve(pdf, place, at - 1);
  const form = dictionaryIn(pdf, at, place.number);
  if (!form || before.kind !== "dictionary") refuse("a time-stamp without the form");
  if (!sameEntries(form, before, new Set(["Fields"]))) refuse("more of the form");
  const leads = addedField(form, before);
  const field = dictionaryIn(pdf, at, leads.number);
  const numbers = [place.number, leads.number, stamp.number];
  if (!field || new Set(numbers).size !== 3 || objectsOf(pdf, at).size !== 3) {
    refuse("more than a document time-stamp");
  }
  if (!isNew(pdf, at, leads.number) || !isNew(pdf, at, stamp.number)) {
    refuse("a document time-stamp replaces an object");
  }
  checkField(pdf, at, field, before, stamp.number);
  const signature = dictionaryIn(pdf, at, stamp.number);
  if (!signature || !isDocumentStamp(signature)) refuse("no document time-stamp");
  return readSigned(pdf, signature, at);
}

/** `Fields` as before, and one reference more at the end. */
function addedField(form: Dictionary, before: Dictionary): Reference {
  const [now, then] = [form.entries.get("Fields"), before.entries.get("Fields")];
  if (now?.kind === "array" && then?.kind === "array") {
    const last = now.items.at(-1);
    const kept = then.items.every((item, at) => sameOrNone(item, now.items[at]));
    if (now.items.length === then.items.length + 1 && kept && last?.kind === "reference") {
      return last;
    }
  }
  return refuse("it does not add exactly one field");
}

const FIELD = new Set(["FT", "Type", "Subtype", "F", "Rect", "T", "TU", "P", "V"]);

function checkField(
  pdf: Pdf,
  at: number,
  field: Dictionary,
  before: Dictionary,
  signature: number,
): void {
  const { entries } = field;
  for (const key of entries.keys()) {
    if (!FIELD.has(key)) refuse("a field with what dossiers have not");
  }
  const kind: [string, string][] = [["FT", "Sig"], ["Type", "Annot"], ["Subtype", "Widget"]]; // prettier-ignore
  if (!kind.every(([key, name]) => isName(entries.get(key), name))) {
    refuse("a field that is none for a signature");
  }
  const rectangle = entries.get("Rect");
  const unseen =
    isInteger(entries.get("F"), 132) &&
    rectangle?.kind === "array" &&
    rectangle.items.length === 4 &&
    rectangle.items.every((item) => isInteger(item, 0));
  if (!unseen) refuse("a field that could be seen");
  const tip = given(entries.get("TU"));
  if (tip !== undefined && (tip.kind !== "string" || tip.bytes.length > 0)) {
    refuse("a field with words");
  }
  const name = titleOf(field);
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name) || titles(pdf, at - 1, before).has(name)) {
    refuse("a field without a name of its own");
  }
  const page = given(entries.get("P"));
  const onPage = page?.kind === "reference" && entry(resolve(pdf, page, at - 1), "Type", "Page");
  if (page !== undefined && !onPage) refuse("a field on no page");
  const value = entries.get("V");
  if (value?.kind !== "reference" || value.number !== signature) {
    refuse("a field without a time-stamp");
  }
}

function titleOf(field: Dictionary): string {
  const title = field.entries.get("T");
  return title?.kind === "string" ? String.fromCharCode(...title.bytes.subarray(0, 65)) : "";
}

function titles(pdf: Pdf, at: number, form: Dictionary): ReadonlySet<string> {
  const fields = form.entries.get("Fields");
  const taken = new Set<string>();
  for (const item of fields?.kind === "array" ? fields.items : []) {
    const field = resolve(pdf, item, at);
    if (field.kind === "dictionary") taken.add(titleOf(field));
  }
  return taken;
}

const STAMP = new Set(["Type", "Filter", "SubFilter", "Contents", "ByteRange"]);

function isDocumentStamp({ entries }: Dictionary): boolean {
  return (
    [...entries.keys()].every((key) => STAMP.has(key)) &&
    isName(entries.get("Type"), "DocTimeStamp") &&
    isName(entries.get("Filter"), "Adobe.PPKLite") &&
    isName(entries.get("SubFilter"), "ETSI.RFC3161")
  );
}

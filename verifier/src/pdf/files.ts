/** The files inside a dossier (SPEC §11.3): one flat tree names each, and nothing else holds one. */

import { equal, toHex } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { inflate } from "./flate.ts";
import {
  catalog,
  dictionaries,
  type Dictionary,
  given,
  isName,
  object,
  type Pdf,
  type PdfObject,
  resolve,
  type Value,
} from "./values.ts";

const MAX_FILE_BYTES = 32 << 20;
const MAX_BYTES = 64 << 20;
const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** One embedded file, still packed. */
interface Entry {
  readonly name: string;
  readonly specification: Dictionary;
  readonly stream: PdfObject;
}

/** The unpacked files by name, at most `most` of them, in the order of the tree. */
export function readFiles(pdf: Pdf, most: number): ReadonlyMap<string, Uint8Array> {
  const entries = readTree(pdf, most);
  refuseHidden(pdf, entries);
  const files = new Map<string, Uint8Array>();
  let left = MAX_BYTES;
  for (const { name, stream } of entries) {
    const content = unpack(stream, Math.min(left, MAX_FILE_BYTES));
    left -= content.length;
    files.set(name, content);
  }
  return files;
}

/** The names in the tree, nothing unpacked. */
export function readTree(pdf: Pdf, most: number): readonly Entry[] {
  const last = pdf.revisions.length - 1;
  const root = catalog(pdf, last);
  const names = dictionary(pdf, root.entries.get("Names"), "Names");
  const tree = dictionary(pdf, names.entries.get("EmbeddedFiles"), "EmbeddedFiles");
  const flat = resolve(pdf, tree.entries.get("Names"), last);
  if (tree.entries.size !== 1 || flat.kind !== "array" || flat.items.length % 2 !== 0) {
    throw new Unreadable("the tree of embedded files is not flat");
  }
  if (flat.items.length > 2 * most) throw new Unreadable(`over ${most} files are embedded`);
  const taken = new Set<string>();
  const entries: Entry[] = [];
  for (let at = 0; at < flat.items.length; at += 2) {
    const entry = readEntry(pdf, flat.items[at], flat.items[at + 1]);
    if (taken.has(entry.name)) throw new Unreadable("two files have the same name");
    taken.add(entry.name);
    entries.push(entry);
  }
  return entries;
}

function dictionary(pdf: Pdf, value: Value | undefined, what: string): Dictionary {
  const found = resolve(pdf, value, pdf.revisions.length - 1);
  if (found.kind !== "dictionary") throw new Unreadable(`${what} is not a dictionary`);
  return found;
}

function readEntry(pdf: Pdf, label: Value | undefined, leads: Value | undefined): Entry {
  const last = pdf.revisions.length - 1;
  const specification = dictionary(pdf, leads, "a file specification");
  const key = label;
  if (key?.kind !== "string") throw new Unreadable("an embedded file has no name");
  const name = String.fromCharCode(...key.bytes.subarray(0, 65));
  for (const member of ["F", "UF"]) {
    const other = specification.entries.get(member);
    if (other?.kind !== "string" || !equal(other.bytes, key.bytes) || !NAME.test(name)) {
      throw new Unreadable(`the names differ, or are none: ${toHex(key.bytes.subarray(0, 65))}`);
    }
  }
  const embedded = dictionary(pdf, specification.entries.get("EF"), "EF");
  const place = embedded.entries.get("F");
  const second = embedded.entries.get("UF");
  const members = second === undefined ? 1 : 2;
  const one =
    place?.kind === "reference" &&
    (second === undefined || (second.kind === "reference" && second.number === place.number));
  if (!one || embedded.entries.size !== members) {
    throw new Unreadable("a name stands for two files, or for none");
  }
  const stream = object(pdf, place.number, last);
  if (stream?.data === undefined || !isEmbeddedFile(stream)) {
    throw new Unreadable("a name stands for no file");
  }
  return { name, specification, stream };
}

function isEmbeddedFile(found: PdfObject): boolean {
  return (
    found.value.kind === "dictionary" && isName(found.value.entries.get("Type"), "EmbeddedFile")
  );
}

/** SPEC §11.3, 4: readers that go back, or take whatever lies about, find no other file. */
function refuseHidden(pdf: Pdf, entries: readonly Entry[]): void {
  const specifications = new Set(entries.map((entry) => entry.specification));
  const streams = new Set(entries.map((entry) => entry.stream));
  for (const { objects, trailer } of pdf.revisions) {
    const values: Value[] = [trailer];
    for (const found of objects.values()) {
      const loose = found.data !== undefined && isEmbeddedFile(found) && !streams.has(found);
      if (loose) throw new Unreadable("a file is hidden in the PDF");
      values.push(found.value);
    }
    for (const inside of values.flatMap((value) => [...dictionaries(value)])) {
      if (inside.entries.has("EF") && !specifications.has(inside)) {
        throw new Unreadable("a file is hidden in the PDF");
      }
    }
  }
}

/** SPEC §11.3, 3: stored plainly or by one FlateDecode without parameters. */
function unpack(stream: PdfObject, most: number): Uint8Array {
  if (stream.value.kind !== "dictionary" || stream.data === undefined) {
    throw new Unreadable("a name stands for no file");
  }
  const { entries } = stream.value;
  if (entries.has("DecodeParms"))
    throw new Unreadable("an embedded file is packed with parameters");
  const filter = given(entries.get("Filter"));
  if (filter === undefined) {
    if (stream.data.length > most) throw new Unreadable("an embedded file is too large");
    return stream.data;
  }
  const alone = filter.kind === "array" && filter.items.length === 1 ? filter.items[0] : filter;
  if (!isName(alone, "FlateDecode")) {
    throw new Unreadable("an embedded file is packed by another filter");
  }
  return inflate(stream.data, most);
}

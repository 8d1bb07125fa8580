/** Where the seal lies, and what it covers (SPEC §11.4, 1 to 3); its CMS is judged elsewhere (V16). */

import { Unreadable } from "../errors.ts";
import { isBlank } from "./tokens.ts";
import {
  catalog,
  dictionaries,
  type Dictionary,
  isInteger,
  isName,
  type Pdf,
  type PdfString,
  resolve,
} from "./values.ts";

const MAX_CMS_BYTES = 128 << 10;

/** A CMS, and the bytes of the file that it covers: those before and those behind its own place. */
export interface Signed {
  readonly cms: Uint8Array;
  readonly covered: readonly [Uint8Array, Uint8Array];
}

/** `revision` is the place of the one that it ends, from 0. */
export interface Seal extends Signed {
  readonly revision: number;
}

/** A dictionary, and the place of its revision. */
interface Found {
  readonly dictionary: Dictionary;
  readonly revision: number;
}

export function readSeal(pdf: Pdf): Seal | undefined {
  const ranges = find(pdf, (entries) => entries.has("ByteRange"));
  const fields = find(pdf, (entries) => isName(entries.get("FT"), "Sig"));
  const last = pdf.revisions.length - 1;
  const revision = ranges[0]?.revision ?? last;
  if (ranges.length + fields.length === 0 && !catalog(pdf, last).entries.has("AcroForm")) {
    return undefined;
  }
  const [signature, second] = ranges.filter(
    (found) =>
      found.revision === revision || !isName(found.dictionary.entries.get("Type"), "DocTimeStamp"),
  );
  const [field, other] = fields.filter((found) => found.revision <= revision);
  if (!signature || second || !field || other) {
    throw new Unreadable("not exactly one signature and one field for it");
  }
  checkForm(pdf, signature, field);
  const { entries } = signature.dictionary;
  if (!isName(entries.get("Type"), "Sig")) throw new Unreadable("the signature has another type");
  if (!isName(entries.get("SubFilter"), "ETSI.CAdES.detached")) {
    throw new Unreadable("the signature is of another kind");
  }
  return { ...readSigned(pdf, signature.dictionary, revision), revision };
}

/** Every dictionary of any revision with such entries. */
function find(pdf: Pdf, wanted: (entries: Dictionary["entries"]) => boolean): Found[] {
  const found: Found[] = [];
  pdf.revisions.forEach(({ objects }, revision) => {
    for (const { value } of objects.values()) {
      for (const dictionary of dictionaries(value)) {
        if (wanted(dictionary.entries)) found.push({ dictionary, revision });
      }
    }
  });
  return found;
}

/** `AcroForm` → `Fields` (one item) → `V`, as the sealed revision has them. */
function checkForm(pdf: Pdf, signature: Found, field: Found): void {
  const { revision } = signature;
  const form = resolve(pdf, catalog(pdf, revision).entries.get("AcroForm"), revision);
  if (form.kind !== "dictionary") throw new Unreadable("the form does not lead to the signature");
  const fields = resolve(pdf, form.entries.get("Fields"), revision);
  if (fields.kind !== "array" || fields.items.length !== 1) {
    throw new Unreadable("the form has other fields than the signature's");
  }
  const target = field.dictionary.entries.get("V");
  const leads =
    resolve(pdf, fields.items[0], revision) === field.dictionary &&
    target?.kind === "reference" &&
    resolve(pdf, target, revision) === signature.dictionary;
  if (!leads) throw new Unreadable("the form does not lead to the signature");
}

/** `Contents` and `ByteRange` of a signature in this revision (SPEC §11.4, 2 and 3). */
export function readSigned(pdf: Pdf, signature: Dictionary, revision: number): Signed {
  const contents = signature.entries.get("Contents");
  if (contents?.kind !== "string" || !contents.hexadecimal) {
    throw new Unreadable("the signature is not hexadecimal");
  }
  const { start, end } = contents;
  const whole = pdf.revisions[revision]?.end ?? 0;
  const range = signature.entries.get("ByteRange");
  const due = [0, start, end, whole - end];
  const covers =
    range?.kind === "array" &&
    range.items.length === due.length &&
    due.every((number, at) => isInteger(range.items[at], number));
  if (!covers) throw new Unreadable("the signature does not cover every byte but its own");
  const cms = readContents(pdf.bytes, contents);
  return { cms, covered: [pdf.bytes.subarray(0, start), pdf.bytes.subarray(end, whole)] };
}

/** A DER element, behind it zeros alone. */
function readContents(bytes: Uint8Array, contents: PdfString): Uint8Array {
  const digits = contents.end - contents.start - 2;
  for (let at = contents.start + 1; at < contents.end - 1; at++) {
    if (isBlank(bytes[at])) throw new Unreadable("there is more than the seal in its place");
  }
  const content = contents.bytes;
  if (digits % 2 !== 0) throw new Unreadable("there is more than the seal in its place");
  if (content.length > MAX_CMS_BYTES) {
    throw new Unreadable(`the place of a seal has at most ${MAX_CMS_BYTES} bytes`);
  }
  const length = elementLength(content);
  for (let at = length; at < content.length; at++) {
    if (content[at] !== 0) throw new Unreadable("there is more than the seal in its place");
  }
  return content.subarray(0, length);
}

/** Of the SEQUENCE that these bytes begin with, its header counted; lengths are definite and shortest. */
function elementLength(bytes: Uint8Array): number {
  const [tag, first] = bytes;
  if (tag !== 0x30 || first === undefined) throw new Unreadable("the seal is not DER");
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const octets = first - 0x80;
    if (octets < 1 || octets > 3) throw new Unreadable("the seal is not DER");
    length = 0;
    for (; header < 2 + octets; header++) length = length * 256 + (bytes[header] ?? 0);
    if (length < (octets === 1 ? 0x80 : 256 ** (octets - 1))) {
      throw new Unreadable("the seal is not DER");
    }
  }
  if (header + length > bytes.length) throw new Unreadable("the seal is not DER");
  return header + length;
}

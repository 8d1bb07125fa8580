/** A part: what it decodes to, as a claim (SPEC §3.2.9, §3.9.2, §4.2). */

import type { Json } from "../json.ts";
import { asciiLower } from "./charsets.ts";
import type { Fields } from "./fields.ts";
import { fingerprint, type Fingerprint } from "./fingerprint.ts";
import type { Defects } from "./header_text.ts";
import { headerValuesFingerprint } from "./header_values.ts";
import { addLinks, type Links } from "./links.ts";
import type { PartHeader } from "./part_header.ts";
import {
  contentIdDigest,
  contentLocationDigest,
  type NameBudget,
  type Wanted,
  wantedImages,
} from "./pictures.ts";
import { protectionNotes } from "./protection.ts";
import {
  readInlineReport,
  readReport,
  type ReceiptReport,
  reportKind,
  reportTypeOf,
} from "./receipt_report.ts";
import { textRules, type TextRules } from "./text.ts";
import { readTnef } from "./tnef.ts";
import { decodeTransfer, isIdentity } from "./transfer.ts";

export type PartClaim = { [member: string]: Json };

/** What is gathered over the whole scan, enclosed messages included. */
export interface ScanState {
  readonly defects: Defects;
  /** By number less one; undefined until the part has ended. */
  readonly parts: (PartClaim | undefined)[];
  readonly links: Links;
  /** Form → the first report of that form. */
  readonly reports: Map<string, ReceiptReport>;
  readonly pictures: NameBudget;
  /** Files of winmail.dat that may still be listed. */
  tnefFiles: number;
  /** Structure is read up to this octet of the input. */
  readonly reached: (octet: number) => void;
}

/** A part by its header; `within` are the multiparts that it stands in, from the outside in. */
export interface Leaf {
  readonly header: PartHeader;
  readonly path: string;
  readonly isMessage: boolean;
  readonly within: readonly PartHeader[];
  /** A child of the outermost multipart of the outermost message. */
  readonly isDirect: boolean;
  readonly number: number;
}

/** A page whose `images` wait for the end of its message. */
export interface Page {
  readonly claim: PartClaim;
  readonly wanted: Wanted | number[];
}

/** Reads what an enclosed message decodes to, and tells its header. */
export type ReadEnclosed = (decoded: Uint8Array, sees: (fields: Fields) => void) => void;

const SUBTYPES = ["alternative", "digest", "encrypted", "mixed", "related", "report", "signed"];
const METHODS = "add cancel counter declinecounter publish refresh reply request".split(" ");
const TNEF_TYPES = ["application/ms-tnef", "application/vnd.ms-tnef"];
const NO_TEXT: TextRules = { fingerprints: [], notes: [] };

export function readLeaf(
  leaf: Leaf,
  content: Uint8Array,
  state: ScanState,
  readEnclosed: ReadEnclosed,
): { claim: PartClaim; wanted: Wanted | number[] | undefined } {
  const { header } = leaf;
  const decoded = decodeTransfer(content, header.encoding);
  for (const defect of decoded.defects) state.defects.add(defect);
  const role = roleOf(leaf);
  const fingerprints: Fingerprint[] = [fingerprint("decoded/1", decoded.octets)];
  const notes = [...decoded.defects, ...placeNotes(leaf)];
  const text = header.type.startsWith("text/") ? rulesOfText(header, decoded.octets) : NO_TEXT;
  fingerprints.push(...text.fingerprints);
  notes.push(...text.notes);
  const within = leaf.within.at(-1)?.type.slice("multipart/".length);
  notes.push(...protectionNotes(header, within, decoded.octets));
  const claim: PartClaim = { fingerprints, path: leaf.path, role, type: header.type };
  if (header.charset !== undefined) claim["charset"] = header.charset;
  if (header.name !== undefined) claim["name"] = header.name;
  addContentNames(claim, header);
  if (role === "body") addLinks(state.links, decoded.octets);
  noteReport(leaf, role, decoded.octets, state);
  if (isTnef(header)) {
    const tnef = readTnef(decoded.octets, state.tnefFiles, state.defects);
    state.tnefFiles -= tnef.files.length;
    notes.push(...tnef.notes);
    if (tnef.files.length > 0) claim["files"] = [...tnef.files];
  }
  if (leaf.isMessage) {
    if (!isIdentity(header.encoding) && isDecoded(header)) state.defects.add("transfer.on-message");
    readEnclosed(decoded.octets, (fields) => {
      const values = headerValuesFingerprint(fields);
      if (values !== undefined) fingerprints.push(values);
    });
  }
  if (notes.length > 0) claim["notes"] = [...new Set(notes)].sort();
  return { claim, wanted: text.images && wantedImages(text.images, state.pictures) };
}

function isDecoded(header: PartHeader): boolean {
  return header.encoding === "base64" || header.encoding === "quoted-printable";
}

function rulesOfText(header: PartHeader, decoded: Uint8Array): TextRules {
  return textRules(decoded, {
    type: header.type,
    charset: header.charset,
    format: header.parameters.get("format"),
    delsp: header.parameters.get("delsp"),
  });
}

function addContentNames(claim: PartClaim, header: PartHeader): void {
  const id = contentIdDigest(header.contentId);
  const location = contentLocationDigest(header.contentLocation);
  if (id !== undefined) claim["content_id"] = id;
  if (location !== undefined) claim["content_location"] = location;
}

function roleOf({ header, isMessage }: Leaf): string {
  const { type, disposition, name } = header;
  const isAttached = disposition !== undefined && disposition !== "inline";
  if (isMessage) return "message";
  if (reportKind(type) !== undefined) return "report";
  const isText = type === "text/plain" || type === "text/html";
  if (!isAttached && isText && name === undefined) return "body";
  if (isAttached || type.startsWith("text/")) return "attachment";
  return disposition === "inline" || header.contentId !== undefined ? "inline" : "attachment";
}

/** Notes by the header, and by the multiparts around (§3.9.2). */
function placeNotes({ header, within }: Leaf): string[] {
  const notes: string[] = [];
  const method = header.parameters.get("method");
  if (header.type === "text/calendar" && method !== undefined) {
    notes.push(`method.${listed(METHODS, asciiLower(method))}`);
  }
  [...within].reverse().forEach((multipart, further) => {
    const subtype = listed(SUBTYPES, multipart.type.slice("multipart/".length));
    if (further === 0) notes.push(`in.${subtype}`);
    else if (subtype !== "mixed") notes.push(`in.${further + 1}.${subtype}`);
  });
  return notes;
}

function listed(names: readonly string[], name: string): string {
  return names.includes(name) ? name : "other";
}

function isTnef(header: PartHeader): boolean {
  if (TNEF_TYPES.includes(header.type)) return true;
  const isNamed = asciiLower(header.name ?? "") === "winmail.dat";
  return header.type === "application/octet-stream" && isNamed;
}

function noteReport(leaf: Leaf, role: string, decoded: Uint8Array, state: ScanState): void {
  const { header } = leaf;
  const kind = reportKind(header.type);
  const report =
    kind !== undefined
      ? readReport(kind, formOf(leaf, kind), decoded, state.defects)
      : role === "body" && header.type === "text/plain"
        ? readInlineReport(decoded)
        : undefined;
  if (report !== undefined && !state.reports.has(report.form)) {
    state.reports.set(report.form, report);
  }
}

function formOf(leaf: Leaf, kind: string): string {
  const outer = leaf.within[0];
  if (!leaf.isDirect || outer?.type !== "multipart/report") return "attached";
  const said = outer.parameters.get("report-type");
  return said === undefined || said === "" || asciiLower(said) === reportTypeOf(kind)
    ? "direct"
    : "attached";
}

/** Files inside a winmail.dat (SPEC §3.18). */

import { toBase64url } from "../bytes.ts";
import { sha256, sha3_256 } from "../hash.ts";
import type { Defects } from "./header_text.ts";
import { CR, LF } from "./octets.ts";
import {
  beforeNul,
  narrowName,
  readTnefProperties,
  type TnefProperties,
} from "./tnef_properties.ts";

/** As the claim spells it. A type alias, so that it is a value of JSON, too. */
export type TnefFile = { name?: string; size: number; sha256: string; "sha3-256": string };

export interface Tnef {
  readonly files: readonly TnefFile[];
  readonly notes: readonly string[];
}

const SIGNATURE = [0x78, 0x9f, 0x3e, 0x22];
const HEADER = 6;
const FILES_MAX = 100;
const ATTRIBUTES_MAX = 10_000;
const HELD_MAX = 262_144;
const TITLE_MAX = 1024;
const PROPERTIES_MAX = 65_536;

const BEGINS_FILE = 0x69002;
const CONTENT = 0x6800f;
const TITLE = 0x18010;
const PROPERTIES = 0x69005;
const OF_FILES = [BEGINS_FILE, CONTENT, TITLE, PROPERTIES];
const TEXTS = [0x2800c, 0x69003];
const CODE_PAGE = 0x69007;

const CODE_PAGES = new Map<number, string>([
  [874, "windows-874"],
  [10_000, "macintosh"],
  [20_866, "koi8-r"],
  [21_866, "koi8-u"],
  [65_001, "utf-8"],
  ...[1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map(
    (page) => [page, `windows-${page}`] as const,
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 15].map(
    (page) => [28_590 + page, `iso-8859-${page}`] as const,
  ),
]);

interface Attribute {
  readonly level: number;
  readonly id: number;
  readonly value: Uint8Array;
}

/** Identifier → value, of what belongs to one file. */
type Gathered = Map<number, Uint8Array>;

interface Contents {
  readonly files: Gathered[];
  readonly hasText: boolean;
  readonly charset: string;
}

/** `budget` is how many files it may have: 1,000 less those listed before in this scan. */
export function readTnef(octets: Uint8Array, budget: number, defects: Defects): Tnef {
  const contents = readContents(octets);
  const listed = contents && listedFiles(contents, budget);
  if (contents === undefined || listed === undefined) {
    defects.add("tnef.malformed");
    return { files: [], notes: ["tnef", "tnef.malformed"] };
  }
  const notes = ["tnef"];
  if (contents.hasText) notes.push("tnef.text");
  if (listed.length < contents.files.length) notes.push("tnef.unlisted");
  const files = listed.map(({ file, properties }) => fileClaim(file, properties, contents.charset));
  return { files, notes };
}

/** Undefined if it is malformed. */
function readContents(octets: Uint8Array): Contents | undefined {
  const attributes = readAttributes(octets);
  if (attributes === undefined) return undefined;
  const files: Gathered[] = [];
  let hasText = false;
  let charset = "us-ascii";
  for (const { level, id, value } of attributes) {
    const isOfMail = TEXTS.includes(id) || id === CODE_PAGE;
    const isOfFile = OF_FILES.includes(id);
    if (level === 2 ? isOfMail : isOfFile) return undefined;
    if (id === CODE_PAGE) charset = charsetOfPage(value);
    else if (isOfMail) hasText = true;
    if (level === 1) continue;
    if (id === BEGINS_FILE) files.push(new Map());
    const file = files.at(-1);
    if (file === undefined || files.length > FILES_MAX || (isOfFile && file.has(id))) {
      return undefined;
    }
    file.set(id, value);
  }
  return { files, hasText, charset };
}

function readAttributes(octets: Uint8Array): Attribute[] | undefined {
  if (octets.length < HEADER || SIGNATURE.some((octet, i) => octets[i] !== octet)) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const attributes: Attribute[] = [];
  let at = HEADER;
  while (at < octets.length && !isLastLineEnd(octets, at)) {
    if (octets.length - at < 11 || attributes.length === ATTRIBUTES_MAX) return undefined;
    const level = view.getUint8(at);
    const id = view.getUint32(at + 1, true);
    const length = view.getUint32(at + 5, true);
    const end = at + 9 + length;
    if ((level !== 1 && level !== 2) || octets.length - end < 2) return undefined;
    const value = octets.subarray(at + 9, end);
    if (checksum(value) !== view.getUint16(end, true)) return undefined;
    attributes.push({ level, id, value });
    at = end + 2;
  }
  return attributes;
}

function isLastLineEnd(octets: Uint8Array, at: number): boolean {
  const left = octets.length - at;
  return (
    (left === 1 && octets[at] === LF) || (left === 2 && octets[at] === CR && octets[at + 1] === LF)
  );
}

function checksum(value: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < value.length; i++) sum = (sum + value[i]!) & 0xffff;
  return sum;
}

function charsetOfPage(value: Uint8Array): string {
  const page = value.subarray(0, 4).reduceRight((sum, octet) => sum * 256 + octet, 0);
  return CODE_PAGES.get(page) ?? "us-ascii";
}

interface Listed {
  readonly file: Gathered;
  readonly properties: TnefProperties;
}

/** The files that are listed; undefined if all files or their names are more than may be. */
function listedFiles({ files }: Contents, budget: number): Listed[] | undefined {
  const read = files.map((file) => {
    const properties = file.get(PROPERTIES);
    return {
      file,
      properties: properties && readTnefProperties(properties.subarray(0, PROPERTIES_MAX)),
    };
  });
  const held = read.reduce((sum, { properties }) => sum + (properties?.held ?? 0), 0);
  const listed = read.flatMap(({ file, properties = NO_PROPERTIES }) =>
    file.has(CONTENT) && properties.isWhole ? [{ file, properties }] : [],
  );
  return held > HELD_MAX || files.length > budget ? undefined : listed;
}

const NO_PROPERTIES: TnefProperties = { names: [], held: 0, isWhole: true };

function fileClaim(file: Gathered, properties: TnefProperties, charset: string): TnefFile {
  const content = file.get(CONTENT)!;
  const claim: TnefFile = {
    size: content.length,
    sha256: toBase64url(sha256(content)),
    "sha3-256": toBase64url(sha3_256(content)),
  };
  const title = beforeNul((file.get(TITLE) ?? new Uint8Array()).subarray(0, TITLE_MAX));
  for (const name of [...properties.names, title]) {
    const text = typeof name === "string" ? name : narrowName(name, charset);
    if (text !== "") return { ...claim, name: text };
  }
  return claim;
}

/** What a part's own header says of it (SPEC §3.7). */

import { asciiLower } from "./charsets.ts";
import { fileName } from "./file_name.ts";
import type { Fields } from "./fields.ts";
import type { Defects } from "./header_text.ts";
import { CR, isBlank, octetsOf, trimBlanks } from "./octets.ts";
import { isCommonForm, type Parameters, readParameters } from "./parameters.ts";

export interface PartHeader {
  /** In lower case. */
  readonly type: string;
  /** Of Content-Type. */
  readonly parameters: Parameters;
  /** For `text/` types alone; `?` if it is malformed. */
  readonly charset: string | undefined;
  /** Content-Transfer-Encoding in lower case. */
  readonly encoding: string | undefined;
  /** In lower case. */
  readonly disposition: string | undefined;
  readonly name: string | undefined;
  /** Values without blanks at the ends; the first field counts. */
  readonly contentId: string | undefined;
  readonly contentLocation: string | undefined;
}

const TYPE = /^[ \t]*([!#-'*+.^-~0-9A-Z-]{1,127}\/[!#-'*+.^-~0-9A-Z-]{1,127})(?=[ \t;(]|$)/;
const DISPOSITION_TOKEN = /^[ \t]*[!#-'*+.^-~0-9A-Z-]{1,127}/;
const CHARSET = /^[!#-'*+.^-~0-9A-Z-]{1,64}$/;
const BOUNDARY_MAX = 256;

/** `absent` is the type of a part without Content-Type. */
export function readPartHeader(fields: Fields, absent: string, defects: Defects): PartHeader {
  const { type, parameters } = readType(fields.get("content-type")?.[0], absent, defects);
  const disposition = fields.get("content-disposition")?.[0];
  const ofDisposition = readDispositionParameters(disposition, defects);
  return {
    type,
    parameters,
    charset: type.startsWith("text/") ? charset(parameters.get("charset")) : undefined,
    encoding: readEncoding(fields.get("content-transfer-encoding")?.[0], defects),
    disposition: disposition === undefined ? undefined : firstWord(disposition),
    name: fileName(ofDisposition, parameters, defects),
    contentId: trimmed(fields.get("content-id")?.[0]),
    contentLocation: trimmed(fields.get("content-location")?.[0]),
  };
}

/** Where there is no type to be read, the form of the parameters is not judged. */
function readType(
  value: string | undefined,
  absent: string,
  defects: Defects,
): { type: string; parameters: Parameters } {
  if (value === undefined) return { type: absent, parameters: new Map() };
  const match = TYPE.exec(value);
  const rest = value.slice(match?.[0].length ?? 0);
  if (match === null || !/^[ \t]*(?:;|$)/.test(rest)) defects.add("header.content-type");
  if (match !== null && !isCommonForm(rest)) defects.add("header.parameter");
  const type = match === null ? "text/plain" : asciiLower(match[1]!);
  return { type, parameters: readParameters(rest, defects) };
}

function readDispositionParameters(value: string | undefined, defects: Defects): Parameters {
  if (value === undefined) return new Map();
  const token = DISPOSITION_TOKEN.exec(value);
  if (token === null || !isCommonForm(value.slice(token[0].length))) {
    defects.add("header.parameter");
  }
  return readParameters(value, defects);
}

/** Leading blanks removed, up to the first blank or `;`, in lower case; undefined if empty. */
function firstWord(value: string): string | undefined {
  return asciiLower(/^[ \t]*([^ \t;]*)/.exec(value)![1]!) || undefined;
}

function readEncoding(value: string | undefined, defects: Defects): string | undefined {
  if (value === undefined) return undefined;
  const encoding = firstWord(value);
  if (trimBlanks(value).length !== (encoding ?? "").length) defects.add("transfer.parameter");
  return encoding;
}

function charset(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  return CHARSET.test(value) ? asciiLower(value) : "?";
}

function trimmed(value: string | undefined): string | undefined {
  return value === undefined ? undefined : trimBlanks(value);
}

/** The octets of a usable boundary (§3.7.4). */
export function readBoundary(parameters: Parameters, defects: Defects): Uint8Array | undefined {
  const value = parameters.get("boundary");
  if (value === undefined) return undefined;
  const octets = octetsOf(value);
  let size = octets.length;
  while (size > 0 && (isBlank(octets[size - 1]!) || octets[size - 1] === CR)) size--;
  if (size < octets.length) defects.add("header.parameter");
  return size >= 1 && size <= BOUNDARY_MAX ? octets.subarray(0, size) : undefined;
}

/** Read receipts and delivery reports (SPEC §3.8). */

import { asciiLower, decodeReplacing } from "./charsets.ts";
import { type Defects, headerText } from "./header_text.ts";
import { characters, isBlank, trimBlanks, trimSpaces } from "./octets.ts";

/** As the claim spells it. A type alias, so that it is a value of JSON, too. */
export type ReceiptReport = {
  kind: string;
  form: string;
  disposition: string;
  final_recipient: string;
};

const LOOKED_AT = 65_536;
const VALUE_MAX = 998;
const FIELD = /^([!-9;-~]+)[ \t]*:/;
// No `u`, so that only ASCII's letters are alike; a match never takes the LF behind it.
const INLINE_FIELD = new RegExp(
  "(?:^|\\n)[ \\t>|]*(Final-Recipient|Original-Recipient|Disposition|Original-Message-ID)" +
    "[ \\t]*:([^\\r\\n]*)(?:\\r?\\n[ \\t>|]*(<[^<>\\r\\n]*>))?",
  "gi",
);

const KINDS = new Map([
  ["message/disposition-notification", "mdn"],
  ["message/global-disposition-notification", "mdn"],
  ["message/delivery-status", "dsn"],
  ["message/global-delivery-status", "dsn"],
]);
const REPORT_TYPES = new Map([
  ["mdn", "disposition-notification"],
  ["dsn", "delivery-status"],
]);

/** `mdn` or `dsn` for the types that are reports (§3.2.9). */
export function reportKind(type: string): string | undefined {
  return KINDS.get(type);
}

/** The `report-type` that a multipart/report of this kind of report names. */
export function reportTypeOf(kind: string): string | undefined {
  return REPORT_TYPES.get(kind);
}

/** Name in lower case → value; the first of each name. */
type Group = ReadonlyMap<string, string>;

const EMPTY: Group = new Map();

/** The report in a part of such a type. */
export function readReport(
  kind: string,
  form: string,
  decoded: Uint8Array,
  defects: Defects,
): ReceiptReport {
  const groups = readGroups(decoded);
  if (kind === "mdn") return mdn(groups[0] ?? EMPTY, form);
  const ofRecipients = groups.filter(
    (group) => group.has("action") || group.has("final-recipient"),
  );
  if (ofRecipients.length > 1) defects.add("report.several-recipients");
  const group = ofRecipients[0] ?? EMPTY;
  return {
    kind,
    form,
    disposition: asciiLower(text(group.get("action"))),
    final_recipient: recipient(group),
  };
}

function mdn(group: Group, form: string): ReceiptReport {
  const disposition = behindSemicolon(text(group.get("disposition")));
  return {
    kind: "mdn",
    form,
    disposition: asciiLower(trimSpaces(disposition.split(/[/,;]/, 1)[0]!)),
    final_recipient: recipient(group),
  };
}

function recipient(group: Group): string {
  const final = behindSemicolon(text(group.get("final-recipient")));
  return final !== "" ? final : behindSemicolon(text(group.get("original-recipient")));
}

function text(value: string | undefined): string {
  return value === undefined ? "" : headerText(value, new Set(), VALUE_MAX);
}

function behindSemicolon(value: string): string {
  return trimSpaces(value.slice(value.indexOf(";") + 1));
}

/** Groups of fields that are not empty. */
function readGroups(decoded: Uint8Array): Group[] {
  const groups: Group[] = [];
  let group = new Map<string, string[]>();
  let field: string[] | undefined;
  const endGroup = (): void => {
    if (group.size > 0)
      groups.push(new Map([...group].map(([name, lines]) => [name, lines.join("")])));
    group = new Map();
    field = undefined;
  };
  for (const lineWithCr of characters(decoded.subarray(0, LOOKED_AT)).split("\n")) {
    const line = lineWithCr.endsWith("\r") ? lineWithCr.slice(0, -1) : lineWithCr;
    const match = FIELD.exec(line);
    if (trimBlanks(line) === "") endGroup();
    else if (isBlank(line.charCodeAt(0))) field?.push(line);
    else if (match !== null) {
      const name = asciiLower(match[1]!);
      field = [line.slice(match[0].length)];
      if (!group.has(name)) group.set(name, field);
    }
  }
  endGroup();
  return groups;
}

/** A receipt that a program wrote into its text. */
export function readInlineReport(decoded: Uint8Array): ReceiptReport | undefined {
  const octets = decoded.subarray(0, LOOKED_AT);
  const group = new Map<string, string>();
  for (const match of decodeReplacing(octets, "utf-8").text.matchAll(INLINE_FIELD)) {
    const name = asciiLower(match[1]!);
    const value = trimBlanks(match[2]!) || (match[3] ?? "");
    if (!group.has(name)) group.set(name, value);
  }
  const has = (name: string): boolean => text(group.get(name)) !== "";
  const isWhole = has("original-message-id") && has("disposition");
  const hasRecipient = has("final-recipient") || has("original-recipient");
  return isWhole && hasRecipient ? mdn(group, "inline") : undefined;
}

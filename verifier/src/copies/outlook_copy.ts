/**
 * An Outlook file against a proof, part by part (SPEC §10.2.5, §10.4).
 *
 * It never holds the mail's bytes, and says less than the mail did. What it does not say is an open
 * question, and with one the file is not checked, never a match. What it says otherwise differs.
 */

import { Unreadable } from "../errors.ts";
import { asciiLower } from "../mail/charsets.ts";
import type { Claims, CopyReport } from "../report.ts";
import { said } from "../words/words.ts";
import { type Comparison, concluded, newComparison, recordedParts } from "./comparison.ts";
import { compareHeaders } from "./fields.ts";
import { readMsg } from "./msg.ts";
import type { OutlookMessage, RichText } from "./outlook.ts";
import { compareEnclosed, compareFile, outlookFiles, tellAdded } from "./outlook_files.ts";
import { headerValues } from "./outlook_header.ts";
import { compareText, outlookTexts, tellTheRest } from "./outlook_texts.ts";
import { readRtf } from "./rtf.ts";
import { unpackedRtf } from "./rtf_packed.ts";
import type { CopyFile, Scan } from "./source.ts";

const MAGIC = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const PLAIN_MAIL = ["", "ipm.note"];
const SHOWN_CLASS = 200;

/** Whether a file is of the kind that Outlook files are. */
export function isOutlook(bytes: Uint8Array): boolean {
  return MAGIC.every((octet, at) => bytes[at] === octet);
}

/** The file as a mail; not checked where it cannot be read. */
export function judgeOutlook({ name, bytes }: CopyFile, claims: Claims, scan: Scan): CopyReport {
  const unjudged = { copy: name, what: "mail", status: "not checked", matches: [], changes: [] };
  let message: OutlookMessage;
  try {
    message = readMsg(bytes);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const finding = said("unreadable", { reason: error.message });
    return { ...unjudged, status: "not checked", finding, remarks: [] };
  }
  if (!PLAIN_MAIL.includes(asciiLower(message.messageClass))) {
    const shown = [...message.messageClass].slice(0, SHOWN_CLASS).join("");
    const finding = said("msg.class", { name: shown });
    return { ...unjudged, status: "not checked", finding, remarks: [said("msg.kind")] };
  }
  const comparison = newComparison();
  for (const [field, value] of headerValues(message, claims, scan)) {
    if (value !== undefined) compareHeaders(comparison, [[field, value]], claims);
    else comparison.questions.push(said("header.untold", { field: said(field) }));
  }
  compareParts(comparison, message, claims, scan);
  const notes = [said("msg.kind")];
  if (comparison.differences.length > 0) notes.push(said("msg.rewrites"));
  return concluded(comparison, name, notes);
}

function compareParts(
  comparison: Comparison,
  message: OutlookMessage,
  claims: Claims,
  scan: Scan,
): void {
  const { recorded, complete } = recordedParts(comparison, claims);
  const rich = richTextOf(comparison, message);
  const texts = outlookTexts(comparison, message, rich, recorded, scan);
  const files = outlookFiles(comparison, message.attachments);
  const enclosed: string[] = [];
  for (const row of recorded) {
    const { number, part } = row;
    const inside = enclosed.some((path) => part.path.startsWith(path));
    let rung = "";
    if (inside) rung = "";
    else if (part.role === "message") {
      enclosed.push(`${part.path}.`);
      compareEnclosed(files, row);
    } else if (part.role === "body") rung = compareText(texts, row);
    else rung = compareFile(files, row);
    comparison.matches.push({ part: `part.${number}`, name: part.name ?? "", rung });
  }
  tellTheRest(texts, complete);
  if (complete) tellAdded(files);
}

function richTextOf(comparison: Comparison, { rtf }: OutlookMessage): RichText | undefined {
  if (rtf === undefined) return undefined;
  try {
    return readRtf(unpackedRtf(rtf));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    comparison.questions.push(said("msg.rtf", { reason: error.message }));
    return undefined;
  }
}

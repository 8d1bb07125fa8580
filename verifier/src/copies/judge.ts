/**
 * Copies in whatever a person has them: a mail, an mbox, a folder of mails, an Outlook
 * file, a saved text or attachment (SPEC §10).
 */

import { asciiLower } from "../mail/charsets.ts";
import { readMail } from "../mail/scan.ts";
import type { Claims, CopyReport } from "../report.ts";
import { said } from "../words/words.ts";
import { type Box, judgeBox } from "./box.ts";
import { judgeFile } from "./file.ts";
import { judgeMail } from "./mail.ts";
import { isMbox, messages } from "./mbox.ts";
import { isOutlook, judgeOutlook } from "./outlook_copy.ts";
import { judgeText, savedTextType } from "./saved_text.ts";
import { type CopyFile, type CopyFolder, type Scan, latin1, withCrlf } from "./source.ts";

export { judgeDigest } from "./file.ts";

/** Ends of names of files that hold one mail. */
export const MAIL_SUFFIXES = [".eml", ".mail"];
/** Two fields at least, behind an mbox's first line if there is one. */
const MAIL_START = /^(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2}/;
const START_BYTES = 65_536;

/** What the copy matches of the disclosed `claims`; never throws for what it holds. */
export function judgeCopy(
  name: string,
  bytes: Uint8Array,
  claims: Claims,
  scan: Scan = readMail,
): CopyReport {
  const copy = { name, bytes };
  const file = judgeFile(copy, claims);
  if (file.status === "passed") return file;
  if (isOutlook(bytes)) return judgeOutlook(copy, claims, scan);
  if (isMbox(copy.bytes)) return judgeMbox(copy, claims, scan);
  const type = savedTextType(copy.name);
  if (type !== undefined) {
    const text = judgeText(copy, type, claims, scan);
    if (text.status !== "failed" || !looksLikeMail(copy)) return text;
  }
  return looksLikeMail(copy) ? judgeMail(copy, claims, scan) : file;
}

function isNamedMail(name: string): boolean {
  const lower = asciiLower(name);
  return MAIL_SUFFIXES.some((suffix) => lower.endsWith(suffix));
}

function looksLikeMail({ name, bytes }: CopyFile): boolean {
  return isNamedMail(name) || MAIL_START.test(latin1(bytes.subarray(0, START_BYTES)));
}

function judgeMbox(copy: CopyFile, claims: Claims, scan: Scan): CopyReport {
  const inside = messages(copy.bytes);
  inside.next();
  const single = inside.next().done === true;
  // Programs open it as one mail, and show what follows as part of its text.
  if (!single && isNamedMail(copy.name)) return judgeMail(copy, claims, scan);
  const report = judgeBox(mboxOf(copy), claims, scan);
  if (report.finding.key === "same.bytes" || !single) return report;
  // A mail that the service received with such a first line: then the whole file is the mail.
  const whole = judgeMail(copy, claims, scan);
  return whole.finding.key === "same.bytes" ? whole : report;
}

function mboxOf({ name, bytes }: CopyFile): Box {
  function* read() {
    let number = 0;
    for (const message of messages(bytes)) {
      yield { place: said("box.message", { number: ++number }), bytes: message };
    }
  }
  return { name, messages: read, escapes: true };
}

/** The message of a folder that belongs to the proof. */
export function judgeFolder(folder: CopyFolder, claims: Claims, scan: Scan = readMail): CopyReport {
  function* read() {
    for (const { name, bytes } of folder.files) {
      yield { place: said("box.file", { name }), bytes: withCrlf(bytes) };
    }
  }
  const report = judgeBox({ name: folder.name, messages: read, escapes: false }, claims, scan);
  if (folder.passedOver === 0) return report;
  const note = said("box.passed-over", { count: folder.passedOver });
  return { ...report, remarks: [...report.remarks, note] };
}

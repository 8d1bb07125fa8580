/**
 * A mailbox or a folder: the message that belongs to the proof is looked for, by its bytes (raw/1),
 * else by its Message-ID, else by what matches most (SPEC §10.2.5). The report is on that message,
 * and says which it is, and how many were looked at.
 */

import { ascii, concat, toBase64url } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import type { Json } from "../json.ts";
import type { Claims, CopyReport, Said, Status } from "../report.ts";
import { said } from "../words/words.ts";
import { HEADER_VALUES } from "./fields.ts";
import { judgeMail } from "./mail.ts";
import { unescaped } from "./mbox.ts";
import { type Fingerprint, type Part, claim, sameJson, shownParts } from "./recorded.ts";
import { contentRung } from "./rungs.ts";
import { type Scan, latin1 } from "./source.ts";

/** Most messages of one mbox or folder that are looked at. */
export const MAX_MESSAGES = 500_000;
/** Most messages that are compared in full. */
const MAX_CANDIDATES = 8;
const HEAD_BYTES = 2 ** 20;
const [CR, LF] = [13, 10];
const CRLF = Uint8Array.of(CR, LF);
const MESSAGE_ID = /(?:^|\n)message-id[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)/i;
const ORDER: Record<Status, number> = { passed: 0, "not checked": 1, absent: 1, failed: 2 };

/** Messages in turn, with CRLF line ends; `escapes` if `>` may stand before lines with `From `. */
export interface Box {
  readonly name: string;
  readonly messages: () => Iterable<{ readonly place: Said; readonly bytes: Uint8Array }>;
  readonly escapes: boolean;
}

/** A message by its place in the box, and how it is read: see `asRead`. */
interface Found {
  readonly index: number;
  readonly place: Said;
  readonly bytes: Uint8Array;
  readonly unescape: boolean;
  /** Line ends that it has more (1) or less (-1) than stored: programs put some behind it. */
  readonly lineEnds: -1 | 0 | 1;
  /** It has the recorded bytes, so read: then no other reading of it is asked for. */
  readonly exact: boolean;
}

interface Survey {
  count: number;
  cut: boolean;
  exact: Found | undefined;
  exactCount: number;
  readonly exactPlaces: Said[];
  readonly byId: Found[];
}

/** The best report on a message of the box; its status is failed if none is the recorded mail. */
export function judgeBox(box: Box, claims: Claims, scan: Scan): CopyReport {
  const survey = surveyed(box, claims, scan);
  const near = survey.exact ? [survey.exact] : survey.byId;
  const judged = near.map((found) => judgeMessage(box, found, claims, scan));
  if (!survey.exact && !judged.some((report) => report.status === "passed")) {
    const known = new Set(near.map(({ index }) => index));
    const further = ranked(box, claims, scan).filter(({ index }) => !known.has(index));
    judged.push(...further.map((found) => judgeMessage(box, found, claims, scan)));
  }
  const allFail = judged.every((report) => report.status === "failed");
  const undecided = allFail && survey.cut && !survey.exact;
  if (judged.length === 0 || undecided) return noneFound(box, survey, claims);
  return told(survey, judged);
}

function noneFound(box: Box, survey: Survey, claims: Claims): CopyReport {
  const decided = !survey.cut && isComparable(claims);
  const key = decided ? "box.none" : "box.undecided";
  const finding = survey.count === 1 ? said(`${key}-one`) : said(key, { count: survey.count });
  const status = decided ? "failed" : "not checked";
  const remarks = [looked(survey)];
  return { copy: box.name, what: "mail", status, finding, matches: [], changes: [], remarks };
}

function told(survey: Survey, judged: readonly CopyReport[]): CopyReport {
  const best = judged.reduce((one, other) => (isBetter(other, one) ? other : one));
  const [place] = best.remarks;
  const same = judged.filter((report) => report.status === best.status);
  const alike = Math.max(same.length, survey.exactCount);
  const notes: Said[] = [said("box.at", { place: place! })];
  if (best.status === "failed" && survey.count > 1) notes.push(said("box.closest"));
  if (best.status === "passed" && alike > 1) {
    const places =
      survey.exactCount > 0 ? survey.exactPlaces : same.map(({ remarks }) => remarks[0]!);
    const others = places.filter((one) => JSON.stringify(one) !== JSON.stringify(place));
    notes.push(said("box.several", { count: alike }));
    notes.push(...others.map((one) => said("box.also", { place: one })));
  }
  return { ...best, remarks: [...notes, looked(survey), ...best.remarks.slice(1)] };
}

function isBetter(one: CopyReport, other: CopyReport): boolean {
  const apart = ORDER[one.status] - ORDER[other.status];
  return apart < 0 || (apart === 0 && one.changes.length < other.changes.length);
}

function looked(survey: Survey): Said {
  if (survey.cut) return said("box.looked-part", { count: survey.count });
  return survey.count === 1 ? said("box.looked-one") : said("box.looked", { count: survey.count });
}

/** Whether the proof shows enough to tell that a message is not the recorded one. */
function isComparable(claims: Claims): boolean {
  if (claim(claims, "message.fingerprints") || claim(claims, "link.message_id")) return true;
  return shownParts(claims).length > 0;
}

/** One reading of all: by the digest of the whole, and by the Message-ID. */
function surveyed(box: Box, claims: Claims, scan: Scan): Survey {
  const survey: Survey = {
    count: 0,
    cut: false,
    exact: undefined,
    exactCount: 0,
    exactPlaces: [],
    byId: [],
  };
  const whole = claim<Fingerprint[]>(claims, "message.fingerprints") ?? [];
  const raw = whole.find((item) => item.rule === "raw/1");
  const wanted = claim<string>(claims, "link.message_id");
  for (const { place, bytes } of box.messages()) {
    if (survey.count === MAX_MESSAGES) {
      survey.cut = true;
      break;
    }
    const stored: Found = {
      index: survey.count++,
      place,
      bytes,
      unescape: false,
      lineEnds: 0,
      exact: false,
    };
    const exact = raw && exactReading(box, stored, raw);
    if (exact) {
      survey.exact ??= exact;
      survey.exactCount++;
      if (survey.exactPlaces.length < MAX_CANDIDATES) survey.exactPlaces.push(place);
    }
    if (wanted === undefined || survey.byId.length === MAX_CANDIDATES) continue;
    if (messageId(bytes, scan) === wanted) survey.byId.push(stored);
  }
  return survey;
}

/** The way of reading the message in which it has the recorded bytes. */
function exactReading(box: Box, stored: Found, raw: Fingerprint): Found | undefined {
  const ways: Found[] = [stored];
  if (box.escapes) {
    ways.push({ ...stored, lineEnds: 1 }, { ...stored, lineEnds: -1 });
    if (unescaped(stored.bytes)) ways.push(...ways.map((way) => ({ ...way, unescape: true })));
  }
  const found = ways.find((way) => {
    const bytes = asRead(way);
    return bytes.length === raw.size && toBase64url(sha256(bytes)) === raw.sha256;
  });
  return found && { ...found, exact: true };
}

function asRead({ bytes, unescape, lineEnds }: Found): Uint8Array {
  const plain = unescape ? (unescaped(bytes) ?? bytes) : bytes;
  if (lineEnds > 0) return concat(plain, CRLF);
  const ends = plain[plain.length - 2] === CR && plain[plain.length - 1] === LF;
  return lineEnds < 0 && ends ? plain.subarray(0, -2) : plain;
}

/** The digest of the Message-ID in the lines that a message begins with, up to an empty one. */
function messageId(bytes: Uint8Array, scan: Scan): string | undefined {
  const head = bytes.subarray(0, HEAD_BYTES);
  let end = head.indexOf(LF);
  while (end >= 0 && !(head[end + 1] === CR && head[end + 2] === LF)) {
    end = head.indexOf(LF, end + 1);
  }
  const field = MESSAGE_ID.exec(latin1(end < 0 ? head : head.subarray(0, end + 1)));
  if (field === null) return undefined;
  const header = ascii(`Message-ID:${field[1]!.replace(/\r?$/, "")}\r\n\r\n`);
  return claim<string>(scan(header).claims, "link.message_id");
}

/** The messages that match most, best first: parts count before values of the header. */
function ranked(box: Box, claims: Claims, scan: Scan): Found[] {
  const best: { found: Found; parts: number; headers: number }[] = [];
  const recorded = byDigest(claims);
  let index = 0;
  for (const { place, bytes } of box.messages()) {
    if (index === MAX_MESSAGES) break;
    const found: Found = {
      index: index++,
      place,
      bytes,
      unescape: false,
      lineEnds: 0,
      exact: false,
    };
    const read = box.escapes ? (unescaped(bytes) ?? bytes) : bytes;
    const { parts, headers } = likeness(scan(read).claims, claims, recorded);
    if (parts === 0 && headers < 3) continue;
    best.push({ found, parts, headers });
    best.sort(
      (a, b) => b.parts - a.parts || b.headers - a.headers || a.found.index - b.found.index,
    );
    best.length = Math.min(best.length, MAX_CANDIDATES);
  }
  return best.map(({ found }) => found);
}

/** The recorded parts by rule and digest: those without one in common match on no rung. */
function byDigest(claims: Claims): Map<string, Part[]> {
  const found = new Map<string, Part[]>();
  for (const { part } of shownParts(claims)) {
    for (const { rule, sha256: digest } of part.fingerprints) {
      const key = `${rule} ${digest}`;
      found.set(key, [...(found.get(key) ?? []), part]);
    }
  }
  return found;
}

function likeness(
  copy: Claims,
  claims: Claims,
  recorded: ReadonlyMap<string, Part[]>,
): { parts: number; headers: number } {
  const parts = new Set<Part>();
  for (const { part: other } of shownParts(copy)) {
    for (const { rule, sha256: digest } of other.fingerprints) {
      for (const part of recorded.get(`${rule} ${digest}`) ?? []) {
        if (!parts.has(part) && contentRung(part, other) !== "") parts.add(part);
      }
    }
  }
  const headers = HEADER_VALUES.filter((name) => {
    const value = claim<Json[]>(claims, name);
    return value !== undefined && value.length > 0 && sameJson(value, claim<Json>(copy, name));
  });
  return { parts: parts.size, headers: headers.length };
}

/** The message, unless it has the recorded bytes both as stored and unescaped: the better one. */
function judgeMessage(box: Box, found: Found, claims: Claims, scan: Scan): CopyReport {
  const read = (way: Found): CopyReport => {
    const report = judgeMail({ name: box.name, bytes: asRead(way) }, claims, scan);
    const notes = way.unescape ? [way.place, said("unescaped")] : [way.place];
    return { ...report, remarks: [...notes, ...report.remarks] };
  };
  const report = read(found);
  if (!box.escapes || found.exact || report.status === "passed") return report;
  if (!unescaped(found.bytes)) return report;
  const other = read({ ...found, unescape: !found.unescape });
  return isBetter(other, report) ? other : report;
}

/**
 * What an Outlook file says: properties of MAPI in a compound file (MS-OXMSG, MS-OXPROPS, SPEC
 * §10.6.2). Nothing is guessed: what is in an unknown code page, or stands there twice, is not read.
 */

import { utf8 } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { hasLoneSurrogate } from "../json.ts";
import { asciiLower, decodeStrictly } from "../mail/charsets.ts";
import { readCompoundFile, type CompoundFile, type Entry } from "./cfb.ts";
import type { Attachment, OutlookMessage, Person } from "./outlook.ts";

export const MSG_MAX_OCTETS = 256 * 2 ** 20;
const ATTACHMENTS_MAX = 1_000;
const RECIPIENTS_MAX = 5_000;

const TABLE = "__PROPERTIES_VERSION1.0";
const STRING8 = 0x001e;
const UNICODE = 0x001f;
const OBJECT = 0x000d;
const BINARY = 0x0102;
const LONG = 0x0003;
const BOOLEAN = 0x000b;
const TIME = 0x0040;
/** Types whose values are streams. */
const STREAMED = [STRING8, UNICODE, BINARY, OBJECT];
const CODE_PAGES: ReadonlyMap<number, string> = new Map([
  [1252, "windows-1252"],
  [20127, "us-ascii"],
  [28591, "iso-8859-1"],
  [28605, "iso-8859-15"],
  [65001, "utf-8"],
]);
const TICKS_A_SECOND = 10_000_000n;
/** 1601-01-01, of which times count from, and the last second that a mail can state. */
const FIRST_SECOND = -11_644_473_600n;
const LAST_SECOND = 253_402_300_799n;

/** Name, kind of address, address, SMTP address. */
const REPRESENTED = [0x0042, 0x0064, 0x0065, 0x5d02] as const;
const SENDER = [0x0c1a, 0x0c1e, 0x0c1f, 0x5d01] as const;
const RECIPIENT = [0x3001, 0x3002, 0x3003, 0x39fe] as const;

const BY_VALUE = 1;
const EMBEDDED = 5;
const IN_TEXT = 4;

/** The properties of a message, recipient or attachment, by their numbers in MS-OXPROPS. */
interface Properties {
  has(number: number): boolean;
  /** A string; undefined without it, or where its characters cannot be told. */
  text(number: number): string | undefined;
  binary(number: number): Uint8Array | undefined;
  integer(number: number): number | undefined;
  flag(number: number): boolean;
  time(number: number): string | undefined;
}

interface Fixed {
  readonly kind: number;
  readonly value: DataView;
}

/** Unreadable if the octets are no Outlook file, or a bent one. */
export function readMsg(octets: Uint8Array): OutlookMessage {
  if (octets.length > MSG_MAX_OCTETS) {
    throw new Unreadable(`an Outlook file of more than ${MSG_MAX_OCTETS / 2 ** 20} MiB`);
  }
  const file = readCompoundFile(octets);
  const entries = file.entries(file.root);
  const fixed = readFixed(file, entries, 32);
  const codePage = integerOf(fixed, 0x3ffd) ?? 0;
  const charset = CODE_PAGES.get(codePage) ?? "us-ascii";
  const own = propertiesOf(file, entries, fixed, charset);
  const below = <T>(prefix: string, most: number, read: (inside: Properties) => T) =>
    numbered(entries, prefix, most).map((storage) => {
      const inside = file.entries(storage);
      return read(propertiesOf(file, inside, readFixed(file, inside, 8), charset));
    });
  const recipients = below("__RECIP_VERSION1.0_#", RECIPIENTS_MAX, readRecipient);
  const attachments = below("__ATTACH_VERSION1.0_#", ATTACHMENTS_MAX, readAttachment);
  return {
    messageClass: own.text(0x001a) ?? "",
    subject: readSubject(own),
    headers: own.text(0x007d),
    submitted: own.time(0x0039),
    represented: readRepresented(own),
    sender: readPerson(own, SENDER),
    recipients,
    shownTo: own.text(0x0e04),
    shownCc: own.text(0x0e03),
    body: own.text(0x1000),
    hasBody: own.has(0x1000),
    html: readHtml(own),
    rtf: own.binary(0x1009),
    attachments,
  };
}

/** The storages of recipients or attachments, in the order of their names. */
function numbered(entries: Map<string, Entry>, prefix: string, most: number): Entry[] {
  const names = [...entries.keys()].filter((name) => name.startsWith(prefix)).sort();
  const found = names.map((name) => entries.get(name)!);
  if (found.length > most || found.some(({ isStream }) => isStream)) {
    throw new Unreadable(`an Outlook file with more than ${most} recipients or attachments`);
  }
  return found;
}

/** The table of properties: `headerOctets`, then 16 octets each. */
function readFixed(
  file: CompoundFile,
  entries: Map<string, Entry>,
  headerOctets: number,
): Map<number, Fixed> {
  const table = entries.get(TABLE);
  if (table === undefined) throw new Unreadable("an Outlook file without its table of properties");
  const octets = file.read(table);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const fixed = new Map<number, Fixed>();
  for (let at = headerOctets; at + 16 <= octets.length; at += 16) {
    const number = view.getUint16(at + 2, true);
    if (fixed.has(number)) throw new Unreadable("an Outlook file states a property twice");
    const value = new DataView(octets.buffer, octets.byteOffset + at + 8, 8);
    fixed.set(number, { kind: view.getUint16(at, true), value });
  }
  return fixed;
}

function integerOf(fixed: Map<number, Fixed>, number: number): number | undefined {
  const found = fixed.get(number);
  return found?.kind === LONG ? found.value.getUint32(0, true) : undefined;
}

function propertiesOf(
  file: CompoundFile,
  entries: Map<string, Entry>,
  fixed: Map<number, Fixed>,
  charset: string,
): Properties {
  const read = new Map<string, Uint8Array>();
  const stream = (number: number, kind: number): Uint8Array => {
    const name = streamName(number, kind);
    const data = read.get(name) ?? file.read(entries.get(name)!);
    read.set(name, data);
    return data;
  };
  const kindOf = (number: number) => kindOfStream(entries, fixed, number);
  return {
    has: (number) => kindOf(number) !== undefined,
    text: (number) => {
      const kind = kindOf(number);
      if (kind === UNICODE) return fromUtf16(stream(number, kind));
      if (kind !== STRING8) return undefined;
      const data = stream(number, kind);
      return decodeStrictly(data.at(-1) === 0 ? data.subarray(0, -1) : data, charset);
    },
    binary: (number) => {
      const kind = kindOf(number);
      return kind === BINARY ? stream(number, kind) : undefined;
    },
    integer: (number) => integerOf(fixed, number),
    flag: (number) => {
      const found = fixed.get(number);
      return found?.kind === BOOLEAN && found.value.getUint16(0, true) !== 0;
    },
    time: (number) => {
      const found = fixed.get(number);
      return found?.kind === TIME ? timeOf(found.value.getBigUint64(0, true)) : undefined;
    },
  };
}

function streamName(number: number, kind: number): string {
  const hexadecimal = (value: number) => value.toString(16).toUpperCase().padStart(4, "0");
  return `__SUBSTG1.0_${hexadecimal(number)}${hexadecimal(kind)}`;
}

/**
 * The type of a property with a stream; undefined if there is none. Table and streams must agree
 * (MS-OXMSG §2.4): programs go by the one or by the other.
 */
function kindOfStream(
  entries: Map<string, Entry>,
  fixed: Map<number, Fixed>,
  number: number,
): number | undefined {
  const kinds = STREAMED.filter((kind) => entries.has(streamName(number, kind)));
  const listed = fixed.get(number)?.kind;
  if (kinds.length === 0 && (listed === undefined || !STREAMED.includes(listed))) return undefined;
  if (kinds.length !== 1 || kinds[0] !== listed) {
    throw new Unreadable("an Outlook file whose table of properties is not that of its streams");
  }
  return listed;
}

/** UTF-16, little-endian, without one NUL at its end; undefined if it is not well-formed. */
function fromUtf16(octets: Uint8Array): string | undefined {
  if (octets.length % 2 !== 0) return undefined;
  const units = new Uint16Array(octets.length / 2);
  for (let i = 0; i < units.length; i++) units[i] = octets[2 * i]! | (octets[2 * i + 1]! << 8);
  const count = units.at(-1) === 0 ? units.length - 1 : units.length;
  const pieces: string[] = [];
  for (let at = 0; at < count; at += 8192) {
    const piece = units.subarray(at, Math.min(at + 8192, count));
    pieces.push(String.fromCharCode.apply(null, piece as unknown as number[]));
  }
  const text = pieces.join("");
  return hasLoneSurrogate(text) ? undefined : text;
}

/** A FILETIME: 100 nanoseconds since 1601. Cut to whole seconds, as a mail states it. */
function timeOf(ticks: bigint): string | undefined {
  const second = ticks / TICKS_A_SECOND + FIRST_SECOND;
  if (second > LAST_SECOND) return undefined;
  return new Date(Number(second) * 1000).toISOString().replace(".000Z", "Z");
}

/** PR_SUBJECT; undefined where what other programs show for it is something else. */
function readSubject(own: Properties): string | undefined {
  const subject = own.text(0x0037);
  const normalized = own.text(0x0e1d);
  if (normalized === undefined) return subject;
  const joined = (own.text(0x003d) ?? "") + normalized;
  return subject === undefined || subject === joined ? joined : undefined;
}

type PersonNumbers = readonly [name: number, type: number, address: number, smtp: number];

function readPerson(own: Properties, numbers: PersonNumbers): Person | undefined {
  const [name, type, address, smtp] = numbers;
  const shown = own.text(name);
  let found = own.text(smtp);
  if (found === undefined && asciiLower(own.text(type) ?? "") === "smtp") found = own.text(address);
  if (shown === undefined && found === undefined) return undefined;
  return { name: shown ?? "", address: found, kind: 0 };
}

/**
 * Who the mail is from. Exchange may give the SMTP address beside the sender alone; it counts
 * where both are the same entry of its directory.
 */
function readRepresented(own: Properties): Person | undefined {
  const person = readPerson(own, REPRESENTED);
  const sender = readPerson(own, SENDER);
  const entry = own.text(REPRESENTED[2]);
  const same = entry === own.text(SENDER[2]) && entry !== undefined;
  if (person === undefined || person.address !== undefined || sender === undefined) return person;
  return same ? { ...person, address: sender.address } : person;
}

function readRecipient(own: Properties): Person {
  const person = readPerson(own, RECIPIENT) ?? { name: "", address: undefined };
  return { ...person, kind: own.integer(0x0c15) ?? 0 };
}

function readHtml(own: Properties): OutlookMessage["html"] {
  const octets = own.binary(0x1013);
  if (octets !== undefined) return { octets, charset: CODE_PAGES.get(own.integer(0x3fde) ?? 0) };
  const text = own.text(0x1013);
  return text === undefined ? undefined : { octets: utf8(text), charset: "utf-8" };
}

function readAttachment(own: Properties): Attachment {
  const method = own.integer(0x3705);
  return {
    name: own.text(0x3707) || own.text(0x3704),
    shownName: own.text(0x3001),
    data: method === BY_VALUE ? own.binary(0x3701) : undefined,
    embedded: method === EMBEDDED,
    hidden: own.flag(0x7ffe) || ((own.integer(0x3714) ?? 0) & IN_TEXT) !== 0,
    contentId: own.text(0x3712) ?? "",
    contentLocation: own.text(0x3713) ?? "",
  };
}

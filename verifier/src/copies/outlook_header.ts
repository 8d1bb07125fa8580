/** What an Outlook file says of a mail's header (SPEC §10.4): as it came, and as Outlook shows it. */

import { utf8 } from "../bytes.ts";
import type { Json } from "../json.ts";
import { asciiLower } from "../mail/charsets.ts";
import { normalised } from "../mail/header_text.ts";
import type { Claims } from "../report.ts";
import { HEADER_VALUES, type Mailbox } from "./fields.ts";
import type { OutlookMessage, Person } from "./outlook.ts";
import { claim, sameJson } from "./recorded.ts";
import type { Scan } from "./source.ts";

const OLD_FIRST_LINE = "Microsoft Mail Internet Headers Version 2.0";
/** Of a header that is not read: it is not whole, or has a field twice. */
const BENT = ["header.no-separator", "header.too-large", "header.duplicate"];
/** Of recipients: To, Cc, Bcc. */
const KINDS = [1, 2, 3];

/**
 * What the file says of each field, in the order in which it is compared; undefined where Outlook
 * does not tell what it shows. Both the header as it came and what is shown must be the recorded
 * value, for either is what a person may be shown.
 */
export function headerValues(
  message: OutlookMessage,
  claims: Claims,
  scan: Scan,
): (readonly [string, Json | undefined])[] {
  const came = asItCame(message.headers, scan);
  return HEADER_VALUES.flatMap((name) => {
    const shown = shownValue(name, message, claims) as unknown as Json | undefined;
    const stated = came === undefined ? [] : [claim<Json>(came, name)];
    const values = shown === undefined ? [shown, ...stated] : [...stated, shown];
    return values.map((value) => [name, value] as const);
  });
}

/** The header as it came, read by the rules for mails; undefined without one that is whole. */
function asItCame(headers: string | undefined, scan: Scan): Claims | undefined {
  if (headers === undefined) return undefined;
  const rest = headers.startsWith(OLD_FIRST_LINE) ? headers.slice(OLD_FIRST_LINE.length) : headers;
  const lines = rest.replace(/^[\r\n]+/, "").replaceAll("\r\n", "\n");
  let end = lines.length;
  while (lines[end - 1] === "\n") end--;
  const text = `${lines.slice(0, end).replaceAll("\n", "\r\n")}\r\n\r\n`;
  if (/[\ud800-\udfff]/u.test(text)) return undefined;
  const { claims } = scan(utf8(text));
  const defects = claim<string[]>(claims, "defects") ?? [];
  const bent = BENT.some((defect) => defects.includes(defect));
  return bent || (claim<Json[]>(claims, "header.from") ?? []).length === 0 ? undefined : claims;
}

/** The value that Outlook shows; undefined where it cannot be told from this file. */
function shownValue(
  name: (typeof HEADER_VALUES)[number],
  message: OutlookMessage,
  claims: Claims,
): readonly (string | Mailbox)[] | undefined {
  switch (name) {
    case "header.subject":
      return shownSubject(message, claims);
    case "header.date":
      return message.submitted === undefined ? undefined : [message.submitted];
    case "header.from":
      return shownFrom(message);
    case "header.to":
      return shownRecipients(message, 1, message.shownTo, claim(claims, name) ?? []);
    case "header.cc":
      return shownRecipients(message, 2, message.shownCc, claim(claims, name) ?? []);
  }
}

function shownSubject(message: OutlookMessage, claims: Claims): string[] | undefined {
  if (message.subject === undefined) return undefined;
  const subject = cleaned(message.subject);
  const recorded = claim<string[]>(claims, "header.subject") ?? [];
  return subject === "" && recorded.length === 0 ? [] : [subject];
}

function shownFrom({ represented, sender }: OutlookMessage): Mailbox[] | undefined {
  const shown = represented ?? sender;
  if (shown?.address === undefined) return undefined;
  // Otherwise shown as "one on behalf of another".
  const same = sender?.address === undefined || mailbox(sender).address === mailbox(shown).address;
  return same ? [mailbox(shown)] : undefined;
}

function shownRecipients(
  message: OutlookMessage,
  kind: number,
  line: string | undefined,
  recorded: readonly Mailbox[],
): Mailbox[] | undefined {
  const people = message.recipients.filter((person) => person.kind === kind);
  // One of another kind, or with flags beside it, is shown by some programs and not by others.
  const strange = message.recipients.some((person) => !KINDS.includes(person.kind));
  if (strange || people.some((person) => person.address === undefined)) return undefined;
  const found = people.map(mailbox);
  const same = sameJson(found as unknown as Json, recorded as unknown as Json);
  if (!same) return isReordered(found, recorded) ? undefined : found;
  return line === undefined || namesAll(line, found) ? found : undefined;
}

function isReordered(found: readonly Mailbox[], recorded: readonly Mailbox[]): boolean {
  const spelt = (all: readonly Mailbox[]) =>
    JSON.stringify(all.map(({ address, name }) => JSON.stringify([address, name])).sort());
  return spelt(found) === spelt(recorded);
}

/** Whether the line of names that Outlook keeps beside the recipients names the same. */
function namesAll(line: string, people: readonly Mailbox[]): boolean {
  const whole = line.endsWith("\0") ? line.slice(0, -1) : line;
  const names = whole.split(";").filter((name) => cleaned(name) !== "");
  if (names.length !== people.length) return false;
  return people.every((person, at) => {
    const name = unquoted(names[at]!);
    return name === person.name || asciiLower(name) === asciiLower(person.address);
  });
}

/** Spelt as §3.6.2 does. Outlook puts the address where there was no name. */
function mailbox(person: Person): Mailbox {
  const address = cleaned(person.address ?? "");
  const domain = address.lastIndexOf("@") + 1;
  const name = unquoted(person.name);
  return {
    address: address.slice(0, domain) + asciiLower(address.slice(domain)),
    name: asciiLower(name) === asciiLower(address) ? "" : name,
  };
}

function unquoted(name: string): string {
  const text = cleaned(name);
  const quoted = text.length > 1 && text[0] === text.at(-1) && /^['"]/.test(text);
  return quoted ? cleaned(text.slice(1, -1)) : text;
}

/** As text of a header is made comparable (§3.6.1, steps 4 and 5). */
export function cleaned(text: string): string {
  return normalised(text.replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, ""), new Set());
}

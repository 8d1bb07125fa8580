/** The values of a header that stand as claims (SPEC §3.6), and `header-values/1` (§3.15). */

import { canonical } from "../json.ts";
import { dateValue } from "./dates.ts";
import type { Fields } from "./fields.ts";
import { fingerprint, type Fingerprint } from "./fingerprint.ts";
import { decodedText, type Defects, digestOf, headerText } from "./header_text.ts";
import { firstIdentifier, linkedIdentifiers } from "./identifiers.ts";
import { type Mailbox, mailboxes } from "./mailboxes.ts";
import { unifySpace } from "./octets.ts";

/** A type alias, so that it is a value of JSON, too. */
export type StatedValues = {
  cc: Mailbox[];
  date: string[];
  from: Mailbox[];
  subject: string[];
  to: Mailbox[];
};

export interface HeaderValues {
  readonly stated: StatedValues;
  readonly receiptRequested: boolean;
  readonly messageId: string | undefined;
  /** What In-Reply-To, then References name; each once. */
  readonly references: readonly string[];
}

const OCCURRENCES_MAX = 100;
const IN_HEADER_VALUES = ["from", "to", "cc", "subject", "date", "bcc", "reply-to", "sender"];
const EMPTY: Fields = new Map();

/** Of the outermost header; undefined if that was too large, and then nothing is missing in it. */
export function readHeaderValues(fields: Fields | undefined, defects: Defects): HeaderValues {
  const all = fields ?? EMPTY;
  if (fields !== undefined) {
    if (!all.has("from")) defects.add("header.missing-from");
    if (!all.has("date")) defects.add("header.missing-date");
  }
  const linked = [...(all.get("in-reply-to") ?? []), ...(all.get("references") ?? [])];
  return {
    stated: statedValues(all, defects),
    receiptRequested: all.has("disposition-notification-to"),
    messageId: firstIdentifier(all.get("message-id")?.[0] ?? ""),
    references: linkedIdentifiers(linked, defects),
  };
}

function statedValues(fields: Fields, defects: Defects): StatedValues {
  return {
    cc: mailboxes(fields.get("cc") ?? [], defects),
    date: occurrences(fields.get("date") ?? [], dateValue, defects),
    from: mailboxes(fields.get("from") ?? [], defects),
    subject: occurrences(fields.get("subject") ?? [], headerText, defects),
    to: mailboxes(fields.get("to") ?? [], defects),
  };
}

/** A text for each occurrence; beyond 100, one for all others. */
function occurrences(
  values: readonly string[],
  read: (value: string, defects: Defects) => string,
  defects: Defects,
): string[] {
  const texts = values.slice(0, OCCURRENCES_MAX).map((value) => read(value, defects));
  if (values.length > OCCURRENCES_MAX) {
    const rest = values
      .slice(OCCURRENCES_MAX)
      .map((value) => unifySpace(decodedText(value, defects)));
    defects.add("header.too-long");
    texts.push(digestOf(rest.join("\n")));
  }
  return texts;
}

/** Of an enclosed message's own header; undefined where the values could be read in two ways. */
export function headerValuesFingerprint(fields: Fields): Fingerprint | undefined {
  if (IN_HEADER_VALUES.some((name) => (fields.get(name) ?? []).length > 1)) return undefined;
  const defects: Defects = new Set();
  const values: { [name: string]: Mailbox[] | string[] } = statedValues(fields, defects);
  for (const name of ["bcc", "reply-to", "sender"]) {
    const field = fields.get(name);
    if (field !== undefined) values[name] = mailboxes(field, defects);
  }
  const texts = Object.values(values).flatMap((list) =>
    list.flatMap((item) => (typeof item === "string" ? [item] : [item.address, item.name])),
  );
  if (defects.size > 0 || texts.some(isOpen)) return undefined;
  return fingerprint("header-values/1", canonical(values));
}

/** §10.3 (1): text that stands for lost octets, or that programs show in different ways. */
export function isOpen(text: string): boolean {
  return /[\ufffd\x00-\x1f\x7f-\x9f]|=\?[^ ?]+\?[bBqQ]\?/.test(text);
}

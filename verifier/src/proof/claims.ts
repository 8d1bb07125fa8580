/** The registry of claims (SPEC §4.2): closed names, kinds of record, shapes and limits. */

import { CheckFailed, Unreadable } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Claims } from "../report.ts";
import type { RecordKind, Shown } from "./model.ts";
import { closed, digest, integer, list, oneOf, text, truth } from "./shape.ts";

const LONGEST_TEXT = 10_065;
const LONGEST_FILE_NAME = 1200;
const LONGEST_NAME = 100;
const MOST_MAILBOXES = 2001;
const MOST_OCCURRENCES = 101;
const MOST_NAMES = 200;
const MOST_PARTS = 500;
const NAME = /^[a-z0-9]+(?:[._/-][a-z0-9]+)*$/;
const DATE = /^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$|\?)/;
const NUMBERED = /^(part|digest)\.([1-9][0-9]{0,2})$/;

type Check = (value: Json | undefined) => unknown;

interface Row {
  readonly kinds: readonly RecordKind[];
  readonly neverHidden: boolean;
  readonly check: Check;
}

const ALL: readonly RecordKind[] = ["message", "receipt", "addendum", "digests", "audit"];
const MAIL: readonly RecordKind[] = ["message", "receipt"];

const string: Check = (value) => text(value, LONGEST_TEXT);
const strings: Check = (value) => list(value, MOST_OCCURRENCES, string);
const size: Check = (value) => integer(value, 0);

/** Rows by name; `part` and `digest` stand for their numbered claims. */
const REGISTRY: ReadonlyMap<string, Row> = new Map([
  ["authentication", { kinds: ALL, neverHidden: true, check: authentication }],
  ["defects", { kinds: ALL, neverHidden: true, check: names }],
  ...rows(MAIL, {
    "envelope.from": string,
    "envelope.proof_addresses": strings,
    "envelope.peer": peer,
    "envelope.tls": string,
    "header.from": mailboxes,
    "header.to": mailboxes,
    "header.cc": mailboxes,
    "header.subject": strings,
    "header.date": (value) => list(value, MOST_OCCURRENCES, date),
    "header.receipt_requested": truth,
    "link.message_id": digest,
    "message.fingerprints": fingerprints,
    "message.links": (value) => list(value, 100, link),
    "message.parts": (value) => integer(value, 1, MOST_PARTS),
    part,
  }),
  ...rows(["receipt"], { "receipt.report": receipt, "receipt.of": digest }),
  ...rows(["addendum"], {
    "addendum.of": digest,
    "addendum.name": name,
    "addendum.value": string,
  }),
  ...rows(["digests"], { digest: file }),
  ...rows(["audit"], { "audit.head": digest, "audit.entries": size }),
]);

function rows(kinds: readonly RecordKind[], checks: Record<string, Check>): [string, Row][] {
  return Object.entries(checks).map(([key, check]) => [key, { kinds, neverHidden: false, check }]);
}

/**
 * The claims of a record's disclosures, by name (V3). CheckFailed or Unreadable if one is none of the
 * registry's, stands there twice, or if one that is never hidden is missing.
 */
export function checkClaims(kind: RecordKind, shown: readonly Shown[]): Claims {
  const claims = Object.create(null) as Claims;
  for (const { name: key, value } of shown) {
    if (Object.hasOwn(claims, key)) throw new CheckFailed("a claim is disclosed twice");
    claims[key] = value;
  }
  for (const { name: key, value } of shown) checkClaim(kind, key, value);
  for (const [key, row] of REGISTRY) {
    if (row.neverHidden && row.kinds.includes(kind) && !Object.hasOwn(claims, key)) {
      throw new CheckFailed(`the claim ${key} may not be hidden, but is not disclosed`);
    }
  }
  checkParts(claims);
  return claims;
}

function checkClaim(kind: RecordKind, key: string, value: Json): void {
  const numbered = NUMBERED.exec(key);
  const row = numbered ? numberedRow(numbered) : unnumberedRow(key);
  if (row === undefined) throw new Unreadable("a claim that the registry does not list");
  if (!row.kinds.includes(kind)) {
    throw new Unreadable(`a record of kind ${kind} has no claim ${key}`);
  }
  row.check(value);
}

function numberedRow(found: RegExpExecArray): Row | undefined {
  return Number(found[2]) <= MOST_PARTS ? REGISTRY.get(found[1] ?? "") : undefined;
}

function unnumberedRow(key: string): Row | undefined {
  return key === "part" || key === "digest" ? undefined : REGISTRY.get(key);
}

/** No shown part has a number above a shown `message.parts`. */
function checkParts(claims: Claims): void {
  const count = claims["message.parts"];
  if (typeof count !== "number") return;
  for (const key of Object.keys(claims)) {
    const found = NUMBERED.exec(key);
    if (found?.[1] === "part" && Number(found[2]) > count) {
      throw new CheckFailed("a part is disclosed whose number is above the number of parts");
    }
  }
}

function name(value: Json | undefined): string {
  const spelt = text(value, LONGEST_NAME);
  if (!NAME.test(spelt)) throw new Unreadable("not a name");
  return spelt;
}

function names(value: Json | undefined): void {
  const found = list(value, MOST_NAMES, name);
  if (found.some((one, place) => place > 0 && found[place - 1]! >= one)) {
    throw new Unreadable("names that are not sorted, or one of them twice");
  }
}

function date(value: Json): void {
  if (!DATE.test(text(value, LONGEST_TEXT))) throw new Unreadable("not a date of a header");
}

function authentication(value: Json | undefined): void {
  const members = closed(value, ["sender", "checks"]);
  oneOf(members["sender"], ["none", "relay", "api-key"]);
  list(members["checks"], 32, (item) => {
    const check = closed(item, ["method", "result", "domain"]);
    name(check["method"]);
    name(check["result"]);
    text(check["domain"], 255);
  });
}

function peer(value: Json | undefined): void {
  const members = closed(value, ["address", "helo"]);
  text(members["address"], 64);
  text(members["helo"], 255);
}

function mailboxes(value: Json | undefined): void {
  list(value, MOST_MAILBOXES, (item) => {
    const members = closed(item, ["address", "name"]);
    string(members["address"]);
    string(members["name"]);
  });
}

function link(value: Json): void {
  const members = closed(value, ["count", "host"]);
  integer(members["count"], 1, 1000);
  text(members["host"], 255);
}

function fingerprints(value: Json | undefined): void {
  const rules = list(value, 16, (item) => {
    const members = closed(item, ["rule", "size", "sha256"], ["sha3-256"]);
    size(members["size"]);
    digest(members["sha256"]);
    if (members["sha3-256"] !== undefined) digest(members["sha3-256"]);
    return name(members["rule"]);
  });
  if (new Set(rules).size !== rules.length) throw new Unreadable("a rule stands there twice");
}

function part(value: Json | undefined): void {
  const members = closed(
    value,
    ["path", "role", "type", "fingerprints"],
    ["charset", "name", "notes", "content_id", "content_location", "images", "files"],
  );
  text(members["path"], 255);
  oneOf(members["role"], ["body", "attachment", "inline", "message", "report"]);
  text(members["type"], 255);
  fingerprints(members["fingerprints"]);
  const { charset, notes, content_id, content_location, images, files } = members;
  if (charset !== undefined) text(charset, 100);
  if (members["name"] !== undefined) text(members["name"], LONGEST_FILE_NAME);
  if (notes !== undefined) names(notes);
  if (content_id !== undefined) digest(content_id);
  if (content_location !== undefined) digest(content_location);
  if (images !== undefined) list(images, 200, (image) => integer(image, -1, MOST_PARTS));
  if (files !== undefined) list(files, 100, file);
}

function file(value: Json | undefined): void {
  const members = closed(value, ["sha256", "size"], ["name", "sha3-256"]);
  size(members["size"]);
  digest(members["sha256"]);
  if (members["name"] !== undefined) text(members["name"], LONGEST_FILE_NAME);
  if (members["sha3-256"] !== undefined) digest(members["sha3-256"]);
}

function receipt(value: Json | undefined): void {
  const members = closed(value, ["kind", "form", "disposition", "final_recipient"]);
  oneOf(members["kind"], ["mdn", "dsn"]);
  oneOf(members["form"], ["direct", "attached", "inline"]);
  string(members["disposition"]);
  string(members["final_recipient"]);
}

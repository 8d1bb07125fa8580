/** An item of `tokens` of kind `rfc3161` (SPEC §5.1), with its revocation data (§5.7) and extracts (§5.8). */

import { Unreadable } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Json } from "../json.ts";
import type {
  RevocationItem,
  TokenItem,
  TokenTree,
  TrustedListExtract,
  UnknownItem,
} from "./model.ts";
import { closed, digest, integer, list, octets, oneOf, text, time } from "./shape.ts";
import { unknownItem } from "./unknown_item.ts";

const LARGEST_RESPONSE = 65_536;
const LARGEST_CERTIFICATE = 65_536;
const LARGEST_REVOCATION = 1024 * 1024;
const MOST_CERTIFICATES = 16;
const MOST_REVOCATION = 24;
const MOST_EXTRACTS = 8;
const LONGEST_PATH = 63;
const LONGEST_NAME = 200;
/** The last steps of the status URIs that §5.8 names. */
export const LIST_STATUSES = [
  "granted",
  "withdrawn",
  "undersupervision",
  "supervisionincessation",
  "supervisionceased",
  "supervisionrevoked",
  "accredited",
  "accreditationceased",
  "accreditationrevoked",
  "recognisedatnationallevel",
  "deprecatedatnationallevel",
  "setbynationallaw",
  "deprecatedbynationallaw",
  "other",
] as const;
export const LIST_TYPES = ["QTST", "TSA"] as const;

export function tokenItem(value: Json): TokenItem {
  const members = closed(
    value,
    ["kind", "response", "certificates"],
    ["tree", "revocation", "extracts"],
  );
  const { tree, revocation, extracts } = members;
  return {
    known: true,
    kind: "rfc3161",
    response: octets(members["response"], LARGEST_RESPONSE),
    certificates: list(members["certificates"], MOST_CERTIFICATES, (item) =>
      octets(item, LARGEST_CERTIFICATE),
    ),
    tree: tree === undefined ? undefined : treeOf(tree),
    revocation: revocation === undefined ? [] : list(revocation, MOST_REVOCATION, revocationOf, 1),
    extracts: extracts === undefined ? [] : list(extracts, MOST_EXTRACTS, extractOf, 1),
  };
}

function treeOf(value: Json): TokenTree {
  const members = closed(value, ["index", "size", "path"]);
  const size = integer(members["size"], 1, 2 ** 32);
  return {
    index: integer(members["index"], 0, size - 1),
    size,
    path: list(members["path"], LONGEST_PATH, digest),
  };
}

function revocationOf(value: Json): RevocationItem | UnknownItem {
  const kind = isObject(value) ? value["kind"] : undefined;
  if (kind !== "crl" && kind !== "ocsp") return unknownItem(value);
  const members = closed(value, ["kind", "value"]);
  return { known: true, kind, value: octets(members["value"], LARGEST_REVOCATION) };
}

function extractOf(value: Json): TrustedListExtract | UnknownItem {
  if (!isObject(value) || value["kind"] !== "trusted-list") return unknownItem(value);
  const members = closed(value, [
    "kind",
    "territory",
    "sequence",
    "issued",
    "list_sha256",
    "provider",
    "service",
    "type",
    "status",
    "since",
  ]);
  return {
    known: true,
    kind: "trusted-list",
    territory: territory(members["territory"]),
    sequence: integer(members["sequence"], 0),
    issued: time(members["issued"]),
    list_sha256: digest(members["list_sha256"]),
    provider: text(members["provider"], LONGEST_NAME),
    service: text(members["service"], LONGEST_NAME),
    type: oneOf(members["type"], LIST_TYPES),
    status: oneOf(members["status"], LIST_STATUSES),
    since: time(members["since"]),
  };
}

/** Two capital letters. */
export function territory(value: Json | undefined): string {
  if (typeof value !== "string" || !/^[A-Z]{2}$/.test(value))
    throw new Unreadable("not a territory");
  return value;
}

/** The trust file (SPEC §8.1): the only thing that a verification believes. */

import { Unreadable } from "../errors.ts";
import { readJson } from "../json.ts";
import type { Json } from "../json.ts";
import { readCertificate, readTrustedCertificate } from "../token/certificate.ts";
import { readHeader } from "./evm.ts";
import { logName } from "./log_name.ts";
import { pointOf } from "./record_signature.ts";
import { closed, digest, integer, list, octets, oneOf, text, time, truth } from "./shape.ts";
import { LIST_STATUSES, LIST_TYPES, territory } from "./token_item.ts";
import type {
  ListedPeriod,
  ListedService,
  Trust,
  TrustedAuthority,
  TrustedChain,
  TrustedList,
  TrustedService,
} from "./trust_model.ts";

const LARGEST_FILE = 64 * 1024 * 1024;
const LARGEST_CERTIFICATE = 65_536;
const LARGEST_HEADER = 65_536;
const LARGEST_KEY = 1024;
const MOST = 1000;
const MOST_OF_ONE = 100;
const MOST_BLOCKS = 1_000_000;
const MOST_HEADERS = 100_000;
const MOST_LISTS = 64;
const MOST_SERVICES = 5000;
const MOST_LISTED_CERTIFICATES = 64;
const MOST_PERIODS = 256;
const LONGEST_NAME = 200;

/** Nothing is believed: what is verified under when no trust is given. */
export const NO_TRUST: Trust = {
  services: [],
  authorities: [],
  chains: [],
  lists: [],
  seals: [],
  witnesses: 1,
};

/** The trust in a file's bytes; Unreadable for anything else. */
export function readTrust(bytes: Uint8Array): Trust {
  if (bytes.length > LARGEST_FILE) throw new Unreadable("the trust file is over 64 MiB");
  const members = closed(
    readJson(bytes),
    ["format"],
    ["services", "authorities", "chains", "lists", "seals", "witnesses"],
  );
  oneOf(members["format"], ["proofmail/trust/0"]);
  const trust: Trust = {
    services: list(members["services"] ?? [], MOST, serviceOf),
    authorities: list(members["authorities"] ?? [], MOST, authorityOf),
    chains: list(members["chains"] ?? [], MOST, chainOf),
    lists: list(members["lists"] ?? [], MOST_LISTS, listOf),
    seals: list(members["seals"] ?? [], MOST, certificate),
    witnesses: integer(members["witnesses"] ?? 1, 1, 64),
  };
  unique(trust.services.map((service) => service.log));
  unique(trust.chains.map((chain) => chain.chain_id));
  unique(trust.lists.map((one) => one.territory));
  return trust;
}

/** A certificate as it stands: what it says beyond its names and key is judged where it is used. */
function certificate(value: Json | undefined): Uint8Array {
  const der = octets(value, LARGEST_CERTIFICATE);
  readTrustedCertificate(der);
  return der;
}

function listedCertificate(value: Json): Uint8Array {
  const der = octets(value, LARGEST_CERTIFICATE);
  readCertificate(der);
  return der;
}

function unique(names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new Unreadable("the trust lists one thing twice");
}

function serviceOf(value: Json): TrustedService {
  const members = closed(value, ["log", "keys", "senders"]);
  return {
    log: logName(members["log"]),
    keys: list(members["keys"], MOST_OF_ONE, keyOf),
    senders: list(members["senders"], MOST_OF_ONE, (sender) => hexOf(sender, 40)),
  };
}

function keyOf(value: Json): Uint8Array {
  const key = octets(value, LARGEST_KEY);
  pointOf(key);
  return key;
}

/** `0x` and so many hexadecimal digits of either case, as lower case. */
function hexOf(value: Json, digits: number): string {
  if (typeof value !== "string" || value.length !== digits + 2 || !/^0x[0-9a-fA-F]*$/.test(value)) {
    throw new Unreadable("not 0x and hexadecimal digits");
  }
  return value.toLowerCase();
}

function authorityOf(value: Json): TrustedAuthority {
  const members = closed(
    value,
    ["name", "certificate"],
    ["policies", "built_in", "revocation_required", "qualified_required"],
  );
  return {
    name: text(members["name"], LONGEST_NAME),
    certificate: certificate(members["certificate"]),
    policies: list(members["policies"] ?? [], MOST_OF_ONE, objectIdentifier),
    built_in: truth(members["built_in"] ?? false),
    revocation_required: truth(members["revocation_required"] ?? false),
    qualified_required: truth(members["qualified_required"] ?? false),
  };
}

function objectIdentifier(value: Json): string {
  const spelt = text(value, LONGEST_NAME);
  if (!/^[0-9]+(?:\.[0-9]+)+$/.test(spelt)) throw new Unreadable("not an object identifier");
  return spelt;
}

function chainOf(value: Json): TrustedChain {
  const members = closed(value, ["chain_id", "name"], ["blocks", "headers", "development"]);
  const id = text(members["chain_id"], 20);
  if (!/^[1-9][0-9]*$/.test(id)) throw new Unreadable("not a chain id");
  const blocks = list(members["blocks"] ?? [], MOST_BLOCKS, (block) => hexOf(block, 64));
  const headers = list(members["headers"] ?? [], MOST_HEADERS, (header) =>
    readHeader(octets(header, LARGEST_HEADER)),
  );
  return {
    chain_id: id,
    name: text(members["name"], LONGEST_NAME),
    blocks: believed(blocks, new Map(headers.map((header) => [header.hash, header.parent]))),
    development: truth(members["development"] ?? false),
  };
}

/** The listed blocks, and the parents of believed blocks whose header is here, all the way back. */
function believed(
  blocks: readonly string[],
  parents: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const found = new Set(blocks);
  for (const block of blocks) {
    let parent = parents.get(block);
    while (parent !== undefined && !found.has(parent)) {
      found.add(parent);
      parent = parents.get(parent);
    }
  }
  return found;
}

function listOf(value: Json): TrustedList {
  const members = closed(
    value,
    ["territory", "sequence", "issued", "sha256", "services"],
    ["next_update", "signer"],
  );
  const { next_update, signer } = members;
  return {
    territory: territory(members["territory"]),
    sequence: integer(members["sequence"], 0),
    issued: time(members["issued"]),
    next_update: next_update === undefined ? undefined : time(next_update),
    sha256: digest(members["sha256"]),
    signer: signer === undefined ? undefined : digest(signer),
    services: list(members["services"], MOST_SERVICES, listedOf),
  };
}

function listedOf(value: Json): ListedService {
  const members = closed(value, ["provider", "name", "certificates", "periods"]);
  const periods = list(members["periods"], MOST_PERIODS, periodOf, 1);
  if (periods.some((period, place) => place > 0 && periods[place - 1]!.start > period.start)) {
    throw new Unreadable("the periods of a listed service are not in the order of time");
  }
  return {
    provider: text(members["provider"], LONGEST_NAME),
    name: text(members["name"], LONGEST_NAME),
    certificates: list(members["certificates"], MOST_LISTED_CERTIFICATES, listedCertificate, 1),
    periods,
  };
}

function periodOf(value: Json): ListedPeriod {
  const members = closed(value, ["start", "status", "type"]);
  return {
    start: time(members["start"]),
    status: oneOf(members["status"], LIST_STATUSES),
    type: oneOf(members["type"], LIST_TYPES),
  };
}

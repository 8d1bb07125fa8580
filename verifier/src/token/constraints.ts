/** nameConstraints (RFC 5280 §4.2.1.10) as SPEC §5.4, 5 has them. */

import { equal } from "../bytes.ts";
import { CheckFailed } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import {
  nameConstraints,
  subjectAlternativeNames,
  type GeneralName,
  type NameConstraints,
} from "./extensions.ts";

/** Thrown where a search for a path is at its end: nothing else is tried. */
export class Exhausted extends CheckFailed {
  override name = "Exhausted";
}

type Kind = "permitted" | "excluded";

/** Comparisons of one name with one subtree, in one search for a path. */
export interface Budget {
  comparisons: number;
}

export const MOST_COMPARISONS = 1 << 20;
const DIRECTORY_NAME = 4;
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** A certificate whose name is its issuer's. */
export function isSelfIssued(certificate: Certificate): boolean {
  return equal(certificate.issuer.der, certificate.subject.der);
}

/**
 * CheckFailed unless the alternative names of a path so far (signer's certificate first) are within the
 * constraints that its last certificate sets. Self-issued intermediates are not asked. Directory names are
 * not compared: a path with a constraint on them does not hold.
 */
export function checkAlternativeNames(path: readonly Certificate[], budget: Budget): void {
  const last = path[path.length - 1];
  const constraints = last && nameConstraints(last.extensions);
  if (constraints === undefined) return;
  const bases = [...constraints.permitted, ...constraints.excluded];
  if (bases.some((base) => base.tag === DIRECTORY_NAME)) {
    throw new Exhausted("a certificate of the path constrains directory names");
  }
  for (const certificate of judged(path)) {
    for (const name of subjectAlternativeNames(certificate.extensions)) {
      checkName(name, constraints, budget);
    }
  }
}

/** The signer's certificate, and those above it that are not self-issued. */
function judged(path: readonly Certificate[]): readonly Certificate[] {
  return path.filter((certificate, place) => place === 0 || !isSelfIssued(certificate));
}

function checkName(name: GeneralName, constraints: NameConstraints, budget: Budget): void {
  const bases = constraints.permitted.filter((base) => base.tag === name.tag);
  if (bases.length > 0 && !bases.some((base) => matches("permitted", base, name, budget))) {
    throw new CheckFailed("a name is outside of what its issuer is for");
  }
  for (const base of constraints.excluded) {
    if (base.tag === name.tag && matches("excluded", base, name, budget)) {
      throw new CheckFailed("a name is one that its issuer is not for");
    }
  }
}

/** Whether a name lies in a subtree of the same kind; CheckFailed where that cannot be told. */
function matches(kind: Kind, base: GeneralName, name: GeneralName, budget: Budget): boolean {
  if (++budget.comparisons > MOST_COMPARISONS) throw new Exhausted("too many names to compare");
  if (name.tag === 1) return mailMatches(base.text, name.text);
  if (name.tag === 2) return hostMatches(kind, base.text, name.text);
  if (name.tag === 7) return addressMatches(base.octets, name.octets);
  throw new CheckFailed("a name of a kind whose constraints are not compared");
}

/** Labels from the last to the first, A–Z in lower case; CheckFailed for what is no host's name. */
function labelsOf(host: string): readonly string[] {
  const labels = host.split(".");
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    throw new CheckFailed("a host's name is malformed");
  }
  return labels.map((label) => label.toLowerCase()).reverse();
}

/** Whether `host` is `base` or below it; both as labels from the last to the first. */
function isWithin(host: readonly string[], base: readonly string[]): boolean {
  return base.every((label, i) => host[i] === label);
}

/** A pattern `*.example.com` stands for each host one label below: all must be permitted, none excluded. */
function hostMatches(kind: Kind, base: string, name: string): boolean {
  const tree = labelsOf(base);
  const isPattern = name.startsWith("*.");
  const host = labelsOf(isPattern ? name.slice(2) : name);
  if (isWithin(host, tree)) return true;
  return (
    isPattern && kind === "excluded" && isWithin(tree, host) && tree.length === host.length + 1
  );
}

interface Mailbox {
  readonly local: string;
  readonly domain: readonly string[];
}

function mailbox(text: string): Mailbox | undefined {
  const at = text.indexOf("@");
  if (at < 0 || !LOCAL_PART.test(text.slice(0, at))) return undefined;
  return { local: text.slice(0, at), domain: labelsOf(text.slice(at + 1)) };
}

/** A base is a mailbox, a host whose mailboxes are meant, or `.` and a domain whose hosts' are. */
function mailMatches(base: string, name: string): boolean {
  const own = mailbox(name);
  if (own === undefined) throw new CheckFailed("a mail address is malformed");
  if (base.startsWith(".")) {
    const domain = labelsOf(base.slice(1));
    return own.domain.length > domain.length && isWithin(own.domain, domain);
  }
  const exact = base.includes("@") ? mailbox(base) : undefined;
  if (exact !== undefined && exact.local !== own.local) return false;
  const domain = exact?.domain ?? labelsOf(base);
  return own.domain.length === domain.length && isWithin(own.domain, domain);
}

/** `base` is an address and its mask. */
function addressMatches(base: Uint8Array, address: Uint8Array): boolean {
  const size = base.length / 2;
  if (address.length !== size) return false;
  return address.every((octet, i) => ((octet ^ base[i]!) & base[size + i]!) === 0);
}

/**
 * Extensions of certificates (RFC 5280 §4.2). Those of RFC 5280 are read whole when the certificate is,
 * whether or not anything is decided on them: SPEC §5.2 makes a certificate with one that is malformed
 * unreadable. The value of any other extension is not looked at.
 */

import { fromUtf8 } from "../bytes.ts";
import { Unreadable } from "../errors.ts";
import { BOOLEAN, INTEGER, OID, Reader, SEQUENCE, context, whole } from "./der.ts";
import { readGeneralizedTime } from "./moment.ts";
import { BMP_STRING, fromWide, readName, readRdn, type Name } from "./names.ts";

export const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
export const KEY_USAGE = "2.5.29.15";
export const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
export const BASIC_CONSTRAINTS = "2.5.29.19";
export const NAME_CONSTRAINTS = "2.5.29.30";
export const CRL_DISTRIBUTION_POINTS = "2.5.29.31";
export const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
export const EXTENDED_KEY_USAGE = "2.5.29.37";
export const NO_REVOCATION = "2.5.29.56";
export const AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1";
export const OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5";

/** Bits of keyUsage. */
export const DIGITAL_SIGNATURE = 0;
export const NON_REPUDIATION = 1;
export const KEY_CERT_SIGN = 5;
export const CRL_SIGN = 6;
const KEY_AGREEMENT = 4;
const ENCIPHER_ONLY = 7;
const DECIPHER_ONLY = 8;
const KEY_USAGES = 9;

const MOST_ITEMS = 10_000;
const MOST_NUMBER = (1n << 64n) - 1n;
const QUALIFIER_CPS = "1.3.6.1.5.5.7.2.1";
const QUALIFIER_NOTICE = "1.3.6.1.5.5.7.2.2";
const IA5_STRING = 0x16;
/** UTF8String, IA5String, VisibleString, BMPString. */
const DISPLAY_TEXT: ReadonlySet<number> = new Set([0x0c, IA5_STRING, 0x1a, BMP_STRING]);

export interface Extension {
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Each by its identifier, none twice. */
export type Extensions = ReadonlyMap<string, Extension>;

/** RFC 5280 §4.2.1.6. `tag` is the number of the choice; `text` its characters where it has any. */
export interface GeneralName {
  readonly tag: number;
  readonly der: Uint8Array;
  readonly text: string;
  /** An address, or an address and its mask. */
  readonly octets: Uint8Array;
  readonly name: Name | undefined;
}

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: bigint | undefined;
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
}

/** The extensions of a certificate, CRL or entry: SEQUENCE OF Extension. Unreadable for one that is there
 * twice, or whose critical FALSE is written out. */
export function readExtensions(reader: Reader): Extensions {
  return byIdentifier(readExtensionList(reader));
}

export type ExtensionList = readonly (readonly [oid: string, extension: Extension])[];

/** The same, one after the other, as OCSP's answers have them. */
export function readExtensionList(reader: Reader): ExtensionList {
  return reader.enter().each(MOST_ITEMS, "extensions", readExtension);
}

export function byIdentifier(list: ExtensionList): Extensions {
  const found = new Map(list);
  if (found.size < list.length) throw new Unreadable("an extension is there twice");
  return found;
}

function readExtension(reader: Reader): readonly [string, Extension] {
  const inside = reader.enter();
  const oid = inside.oid();
  const critical = readDefaultFalse(inside, BOOLEAN);
  const value = inside.content(0x04);
  inside.done();
  return [oid, { critical, value }];
}

/** A BOOLEAN DEFAULT FALSE: left out, or TRUE. */
export function readDefaultFalse(reader: Reader, tag: number): boolean {
  if (reader.peek() !== tag) return false;
  if (!reader.boolean(tag)) throw new Unreadable("DER: a DEFAULT value is written out");
  return true;
}

/** Reads the values of all that RFC 5280 defines, for nothing but to be sure that they can be read. */
export function checkSyntax(extensions: Extensions): void {
  for (const [oid, extension] of extensions) {
    const syntax = SYNTAX.get(oid);
    if (syntax !== undefined) whole(extension.value, syntax);
  }
}

/** What an extension says, undefined if it is not there. */
function valueOf<T>(
  extensions: Extensions,
  oid: string,
  read: (reader: Reader) => T,
): T | undefined {
  const extension = extensions.get(oid);
  return extension && whole(extension.value, read);
}

export function basicConstraints(extensions: Extensions): BasicConstraints | undefined {
  return valueOf(extensions, BASIC_CONSTRAINTS, readBasicConstraints);
}

/** The numbers of the bits set. */
export function keyUsage(extensions: Extensions): ReadonlySet<number> | undefined {
  return valueOf(extensions, KEY_USAGE, readKeyUsage);
}

export function extendedKeyUsage(extensions: Extensions): readonly string[] | undefined {
  return valueOf(extensions, EXTENDED_KEY_USAGE, readIdentifiers);
}

export function subjectKeyIdentifier(extensions: Extensions): Uint8Array | undefined {
  return valueOf(extensions, SUBJECT_KEY_IDENTIFIER, (reader) => reader.content(0x04));
}

export function authorityKeyIdentifier(extensions: Extensions): Uint8Array | undefined {
  return valueOf(extensions, AUTHORITY_KEY_IDENTIFIER, readAuthorityKey)?.keyIdentifier;
}

export function subjectAlternativeNames(extensions: Extensions): readonly GeneralName[] {
  return valueOf(extensions, SUBJECT_ALTERNATIVE_NAME, readGeneralNames) ?? [];
}

export function nameConstraints(extensions: Extensions): NameConstraints | undefined {
  return valueOf(extensions, NAME_CONSTRAINTS, readNameConstraints);
}

/** The full names of all of a certificate's cRLDistributionPoints. */
export function distributionPoints(extensions: Extensions): readonly GeneralName[] {
  return (valueOf(extensions, CRL_DISTRIBUTION_POINTS, readDistributionPoints) ?? []).flat();
}

/** The bits of RFC 5280 §4.2.1.3; encipherOnly and decipherOnly are not read without keyAgreement. */
function readKeyUsage(reader: Reader): ReadonlySet<number> {
  const { octets } = reader.bitString();
  const bits = Array.from({ length: KEY_USAGES }, (_, bit) => bit);
  const found = new Set(bits.filter((bit) => (octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))));
  if (!found.has(KEY_AGREEMENT) && (found.has(ENCIPHER_ONLY) || found.has(DECIPHER_ONLY))) {
    throw new Unreadable("a key usage that is for nothing");
  }
  return found;
}

function readBasicConstraints(reader: Reader): BasicConstraints {
  const inside = reader.enter();
  const ca = readDefaultFalse(inside, BOOLEAN);
  const pathLength = inside.peek() === INTEGER ? readNumber(inside) : undefined;
  inside.done();
  if (pathLength !== undefined && !ca) throw new Unreadable("a path length without cA");
  return { ca, pathLength };
}

function readNumber(reader: Reader, tag: number = INTEGER): bigint {
  const value = readCount(reader, tag);
  if (value > MOST_NUMBER) throw new Unreadable("a number is out of bounds");
  return value;
}

/** A number of any size that is not negative. */
function readCount(reader: Reader, tag: number = INTEGER): bigint {
  const value = reader.integer(tag);
  if (value < 0n) throw new Unreadable("a number is negative");
  return value;
}

function readIdentifiers(reader: Reader): readonly string[] {
  const found = reader.enter().each(MOST_ITEMS, "identifiers", (one) => one.oid());
  if (found.length === 0) throw new Unreadable("a usage that is for nothing");
  return found;
}

function readAuthorityKey(reader: Reader): AuthorityKeyIdentifier {
  const inside = reader.enter();
  const key = context(0, "primitive");
  const keyIdentifier = inside.peek() === key ? inside.content(key) : undefined;
  const named = inside.peek() === context(1);
  if (named) readGeneralNames(inside, context(1));
  const numbered = inside.peek() === context(2, "primitive");
  if (numbered) inside.integer(context(2, "primitive"));
  inside.done();
  if (named !== numbered) throw new Unreadable("an issuer without its serial number");
  return { keyIdentifier };
}

/** GeneralNames under the tag given. */
export function readGeneralNames(reader: Reader, tag: number = SEQUENCE): readonly GeneralName[] {
  return reader.enter(tag).each(MOST_ITEMS, "names", (one) => readGeneralName(one));
}

/** `addresses`: how many octets an address has; twice as many in nameConstraints, with its mask. */
export function readGeneralName(
  reader: Reader,
  addresses: readonly number[] = [4, 16],
): GeneralName {
  const tag = reader.peek() & 0x1f;
  const der = reader.raw();
  const inside = new Reader(der);
  const none = { tag, der, text: "", octets: new Uint8Array(), name: undefined };
  if (tag === 0 && der[0] === context(0)) {
    const other = inside.enter(context(0));
    other.oid();
    const value = other.enter(context(0));
    value.raw();
    value.done();
    other.done();
    return none;
  }
  if (tag === 1 || tag === 2 || tag === 6) {
    return { ...none, text: fromUtf8(inside.content(context(tag, "primitive"))) };
  }
  if (tag === 4) return { ...none, name: whole(inside.content(context(4)), readName) };
  if (tag === 7) {
    const octets = inside.content(context(7, "primitive"));
    if (!addresses.includes(octets.length)) throw new Unreadable("an address of another length");
    return { ...none, octets };
  }
  if (tag !== 8) throw new Unreadable("a general name of a kind that is not read");
  return { ...none, text: inside.oid(context(8, "primitive")) };
}

function readNameConstraints(reader: Reader): NameConstraints {
  const inside = reader.enter();
  const [permitted, excluded] = [0, 1].map((number) =>
    inside.peek() === context(number) ? readSubtrees(inside.enter(context(number))) : [],
  ) as [readonly GeneralName[], readonly GeneralName[]];
  inside.done();
  if (permitted.length + excluded.length === 0) throw new Unreadable("no name constraints");
  return { permitted, excluded };
}

function readSubtrees(reader: Reader): readonly GeneralName[] {
  const found = reader.each(MOST_ITEMS, "subtrees", readSubtree);
  if (found.length === 0) throw new Unreadable("a list of no subtrees");
  return found;
}

function readSubtree(reader: Reader): GeneralName {
  const inside = reader.enter();
  const base = readGeneralName(inside, [8, 32]);
  if (base.tag === 7 && !isNetwork(base.octets)) {
    throw new Unreadable("an address and its mask are no network");
  }
  if (base.tag === 2 && base.text.includes("*")) throw new Unreadable("a pattern as constraint");
  for (const tag of [context(0, "primitive"), context(1, "primitive")]) {
    if (inside.peek() !== tag) continue;
    if (readNumber(inside, tag) === 0n && tag === context(0, "primitive")) {
      throw new Unreadable("DER: a DEFAULT value is written out");
    }
  }
  inside.done();
  return base;
}

/** The mask, which is the second half, is ones and then zeros; the address has no bit set outside of it. */
function isNetwork(octets: Uint8Array): boolean {
  const mask = octets.subarray(octets.length / 2);
  return isMask(mask) && mask.every((one, i) => (octets[i]! & ~one) === 0);
}

function isMask(octets: Uint8Array): boolean {
  const bits = Array.from(octets, (one) => one.toString(2).padStart(8, "0")).join("");
  return !bits.includes("01");
}

function readDistributionPoints(reader: Reader): readonly (readonly GeneralName[])[] {
  return reader.enter().each(MOST_ITEMS, "distribution points", readDistributionPoint);
}

function readDistributionPoint(reader: Reader): readonly GeneralName[] {
  const inside = reader.enter();
  const point = inside.peek() === context(0) ? readPointName(inside.enter(context(0))) : undefined;
  if (inside.peek() === context(1, "primitive")) inside.bitString(context(1, "primitive"));
  const issuers = inside.peek() === context(2) ? readGeneralNames(inside, context(2)) : [];
  inside.done();
  const full = point?.full ?? [];
  const relative = point !== undefined && point.full === undefined;
  if (full.length === 0 && !relative && issuers.length === 0) {
    throw new Unreadable("a distribution point without a name");
  }
  return full;
}

/** RFC 5280 §4.2.1.13: full names, or a name relative to the issuer. */
export interface PointName {
  readonly full: readonly GeneralName[] | undefined;
}

export function readPointName(reader: Reader): PointName {
  const relative = reader.peek() === context(1);
  if (relative) readRdn(reader, context(1));
  const full = relative ? undefined : readGeneralNames(reader, context(0));
  reader.done();
  return { full };
}

function readPolicies(reader: Reader): void {
  reader.enter().each(MOST_ITEMS, "policies", (one) => {
    const policy = one.enter();
    policy.oid();
    if (policy.peek() === SEQUENCE) policy.enter().each(MOST_ITEMS, "qualifiers", readQualifier);
    policy.done();
  });
}

function readQualifier(reader: Reader): void {
  const inside = reader.enter();
  const oid = inside.oid();
  if (oid === QUALIFIER_CPS) readText(inside, IA5_STRING);
  else if (oid === QUALIFIER_NOTICE) readNotice(inside.enter());
  else throw new Unreadable("a policy qualifier of a kind that is not read");
  inside.done();
}

function readNotice(reader: Reader): void {
  if (reader.peek() === SEQUENCE) {
    const reference = reader.enter();
    readDisplayText(reference);
    reference.enter().each(MOST_ITEMS, "numbers", readCount);
    reference.done();
  }
  if (reader.peek() !== 0) readDisplayText(reader);
  reader.done();
}

function readDisplayText(reader: Reader): void {
  const tag = reader.peek();
  if (!DISPLAY_TEXT.has(tag)) throw new Unreadable("a text in a kind of string that is not read");
  readText(reader, tag);
}

function readText(reader: Reader, tag: number): void {
  const content = reader.content(tag);
  const text = tag === BMP_STRING ? fromWide(content, 2) : fromUtf8(content);
  if (tag === IA5_STRING && text.length < content.length) {
    throw new Unreadable("an IA5String that is not ASCII");
  }
}

function readPolicyConstraints(reader: Reader): void {
  const inside = reader.enter();
  readSomeOf(inside, (tag) => readNumber(inside, tag));
}

function readAccess(reader: Reader): void {
  reader.enter().each(MOST_ITEMS, "access descriptions", (one) => {
    const inside = one.enter();
    inside.oid(OID);
    readGeneralName(inside);
    inside.done();
  });
}

function readUsagePeriod(reader: Reader): void {
  const inside = reader.enter();
  readSomeOf(inside, (tag) => readGeneralizedTime(inside, tag));
}

/** [0] and [1], of which one at least is there. */
function readSomeOf(reader: Reader, read: (tag: number) => unknown): void {
  const tags = [context(0, "primitive"), context(1, "primitive")];
  const found = tags.filter((tag) => reader.peek() === tag && read(tag) !== undefined);
  reader.done();
  if (found.length === 0) throw new Unreadable("an extension that says nothing");
}

const SYNTAX: ReadonlyMap<string, (reader: Reader) => unknown> = new Map<
  string,
  (reader: Reader) => unknown
>([
  [SUBJECT_KEY_IDENTIFIER, (reader) => reader.content(0x04)],
  [KEY_USAGE, readKeyUsage],
  ["2.5.29.16", readUsagePeriod],
  [SUBJECT_ALTERNATIVE_NAME, (reader) => readGeneralNames(reader)],
  ["2.5.29.18", (reader) => readGeneralNames(reader)],
  [BASIC_CONSTRAINTS, readBasicConstraints],
  [NAME_CONSTRAINTS, readNameConstraints],
  [CRL_DISTRIBUTION_POINTS, readDistributionPoints],
  ["2.5.29.32", readPolicies],
  [AUTHORITY_KEY_IDENTIFIER, readAuthorityKey],
  ["2.5.29.36", readPolicyConstraints],
  [EXTENDED_KEY_USAGE, readIdentifiers],
  ["2.5.29.46", readDistributionPoints],
  ["2.5.29.54", (reader) => readNumber(reader)],
  [AUTHORITY_INFORMATION_ACCESS, readAccess],
  ["1.3.6.1.5.5.7.1.11", readAccess],
  [OCSP_NO_CHECK, (reader) => reader.nothing()],
]);

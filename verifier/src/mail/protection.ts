/** What protects a part (SPEC §3.17): notes by its type and its first octets. */

import { toHex } from "../bytes.ts";
import { asciiLower } from "./charsets.ts";
import { LF } from "./octets.ts";
import type { PartHeader } from "./part_header.ts";

const BY_TYPE = new Map([
  ["application/pgp-signature", "signed.pgp"],
  ["application/pkcs7-signature", "signed.smime"],
  ["application/x-pkcs7-signature", "signed.smime"],
  ["application/pgp-encrypted", "encrypted.pgp"],
]);
const CMS_TYPES = ["application/pkcs7-mime", "application/x-pkcs7-mime"];
const BY_SMIME_TYPE = new Map([
  ["enveloped-data", "encrypted.smime"],
  ["authenveloped-data", "encrypted.smime"],
  ["signed-data", "signed.smime-opaque"],
  ["compressed-data", "smime.compressed"],
  ["certs-only", "smime.certificates"],
]);
/** The contentType of a ContentInfo, behind its outer tag and length. */
const CONTENT_TYPE =
  /^30(?:[0-7].|80|81..|82.{4}|83.{6}|84.{8})(?:06092a864886f70d0107(..)|060b2a864886f70d01091001(..))/;
const LOOKED_AT = 64;

const ARMOUR: readonly (readonly [beginning: string, note: string])[] = [
  ["-----BEGIN PGP SIGNED MESSAGE-----", "signed.pgp-inline"],
  ["-----BEGIN PGP MESSAGE-----", "encrypted.pgp-inline"],
  ["-----BEGIN PGP MESSAGE, PART ", "encrypted.pgp-inline"],
];
const HYPHEN = 0x2d;
const ARMOUR_MAX = 40;

/** `parent` is the subtype of the multipart that the part is a child of. */
export function protectionNotes(
  header: PartHeader,
  parent: string | undefined,
  decoded: Uint8Array,
): string[] {
  const byType = BY_TYPE.get(header.type);
  if (byType !== undefined) return [byType];
  const notes = parent === "encrypted" ? ["encrypted.pgp"] : [];
  if (CMS_TYPES.includes(header.type)) notes.push(cmsNote(header, decoded));
  return header.type.startsWith("text/") ? [...notes, ...armourNotes(decoded)] : notes;
}

function cmsNote(header: PartHeader, decoded: Uint8Array): string {
  const said = asciiLower(header.parameters.get("smime-type") ?? "");
  const match = CONTENT_TYPE.exec(toHex(decoded.subarray(0, LOOKED_AT)));
  const [, ofPkcs7, ofSmime] = match ?? [];
  if (ofPkcs7 === "02") return said === "certs-only" ? "smime.certificates" : "signed.smime-opaque";
  if (ofPkcs7 === "03" || ofSmime === "17") return "encrypted.smime";
  if (ofSmime === "09") return "smime.compressed";
  return BY_SMIME_TYPE.get(said) ?? "smime.other";
}

function armourNotes(decoded: Uint8Array): string[] {
  const notes = new Set<string>();
  for (let at = 0; at < decoded.length;) {
    if (decoded[at] === HYPHEN) {
      const line = String.fromCharCode(...decoded.subarray(at, at + ARMOUR_MAX));
      const armour = ARMOUR.find(([beginning]) => line.startsWith(beginning));
      if (armour !== undefined) notes.add(armour[1]);
    }
    const feed = decoded.indexOf(LF, at);
    at = feed < 0 ? decoded.length : feed + 1;
  }
  return [...notes];
}

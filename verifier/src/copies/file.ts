/** A saved file or a bare digest: only ever "this file", never "this mail" (SPEC §10.1). */

import { fromHex, toBase64url } from "../bytes.ts";
import { sha256, sha3_256 } from "../hash.ts";
import type { Claims, CopyReport } from "../report.ts";
import { called } from "../words/parts.ts";
import { said } from "../words/words.ts";
import { type RecordedFingerprint, recordedFingerprints } from "./recorded.ts";
import type { CopyFile } from "./source.ts";

/** Rules over the very bytes of a file. */
const BYTES = ["decoded/1", "digest"];

/** Whether the file is, byte for byte, a recorded part, a file in one, or a recorded digest. */
export function judgeFile({ name, bytes }: CopyFile, claims: Claims): CopyReport {
  const base = { copy: name, what: "file", changes: [] };
  const files = recordedFingerprints(claims).filter((one) => BYTES.includes(one.fingerprint.rule));
  const size = bytes.length;
  const sized = files.filter(({ fingerprint }) => fingerprint.size === size);
  const first = sized.length > 0 ? toBase64url(sha256(bytes)) : "";
  const found = sized.find(({ fingerprint }) => {
    if (fingerprint.sha256 !== first) return false;
    const second = fingerprint["sha3-256"];
    return second === undefined || second === toBase64url(sha3_256(bytes));
  });
  if (found !== undefined) {
    const finding = said("file.same", { part: called(found.claim, found.label) });
    return { ...base, status: "passed", finding, matches: [matchOf(found)], remarks: [] };
  }
  // A saved file that was changed is still the one that its name says.
  const remarks = files
    .filter(({ label }) => label !== "" && label === name)
    .map(({ claim, fingerprint }) => {
      const values = { part: called(claim, ""), before: fingerprint.size, now: size };
      return said("file.other-content", values);
    });
  return { ...base, status: "failed", finding: said("file.none"), matches: [], remarks };
}

function matchOf({ claim, label, fingerprint }: RecordedFingerprint) {
  return { part: claim, name: label, rung: fingerprint.rule };
}

/** A SHA-256 or SHA3-256 in hexadecimal digits, white space aside, against every fingerprint. */
export function judgeDigest(hexadecimal: string, claims: Claims): CopyReport {
  const base = { copy: `digest ${hexadecimal}`, what: "digest", changes: [], remarks: [] };
  const digits = hexadecimal.replace(/[ \t\n\v\f\r]+/g, "");
  const wanted = /^(?:[0-9a-fA-F]{2})+$/.test(digits) ? toBase64url(fromHex(digits)) : "";
  const found = recordedFingerprints(claims).find(
    ({ fingerprint }) =>
      wanted !== "" && (fingerprint.sha256 === wanted || fingerprint["sha3-256"] === wanted),
  );
  if (found === undefined) {
    return { ...base, status: "failed", finding: said("digest.none"), matches: [] };
  }
  const finding = said("digest.same", { part: called(found.claim, found.label) });
  return { ...base, status: "passed", finding, matches: [matchOf(found)] };
}

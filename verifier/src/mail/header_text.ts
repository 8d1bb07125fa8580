/** A header's value as text (SPEC §3.6.1): encoded words, white space, NFC, bounding. */

import { toHex, utf8 } from "../bytes.ts";
import { sha256 } from "../hash.ts";
import { charsetOf, decodeReplacing } from "./charsets.ts";
import { joined } from "../bytes.ts";
import { firstPoints, octetsOf, replacing, unifySpace } from "./octets.ts";
import { decodeBase64, hexValue } from "./transfer.ts";
import { hasLongMarkRun, hasUnassigned, nfc } from "./unicode14.ts";

export const TEXT_MAX = 10_000;
export const ELLIPSIS = "\u2026";

/** Names of §3.9.1, gathered. */
export type Defects = Set<string>;

// No `u`: the classes are ASCII's. Between two `?` each place is looked at a few times at most.
const ENCODED_WORD = /=\?([!-)+->@-~]{1,64})(?:\*[!->@-~]{0,64})?\?([bBqQ])\?([ ->@-~]*)\?=/g;

interface Run {
  readonly charset: string;
  readonly octets: Uint8Array[];
}

/** `limit` is in code points. */
export function headerText(value: string, defects: Defects, limit = TEXT_MAX): string {
  return bounded(
    normalised(unifySpace(withoutEncodedWords(value, defects)), defects),
    defects,
    limit,
  );
}

/** Steps 1 to 3. */
function withoutEncodedWords(value: string, defects: Defects): string {
  const pieces: string[] = [];
  let run: Run | undefined;
  let kept = 0;
  const endRun = (): void => {
    if (run !== undefined) pieces.push(decoded(joined(run.octets), run.charset, defects));
    run = undefined;
  };
  const ordinary = (end: number): void => {
    pieces.push(decodedText(value.slice(kept, end), defects));
  };
  for (const match of value.matchAll(ENCODED_WORD)) {
    const charset = charsetOf(match[1]!);
    if (charset === undefined) {
      defects.add("header.charset-unknown");
      continue;
    }
    const between = value.slice(kept, match.index);
    if (run === undefined || !/^[ \t]*$/.test(between)) {
      endRun();
      ordinary(match.index);
    } else if (run.charset !== charset) endRun();
    run ??= { charset, octets: [] };
    run.octets.push(wordOctets(match[2]!, match[3]!, defects));
    kept = match.index + match[0].length;
  }
  endRun();
  ordinary(value.length);
  return pieces.join("");
}

function decoded(octets: Uint8Array, charset: string, defects: Defects): string {
  const { text, replaced } = decodeReplacing(octets, charset);
  if (replaced) defects.add("header.undecodable");
  return text;
}

function wordOctets(encoding: string, text: string, defects: Defects): Uint8Array {
  const octets = octetsOf(text);
  if (encoding === "b" || encoding === "B") {
    const found = decodeBase64(octets);
    if (found.defects.length > 0) defects.add("header.encoded-word");
    return found.octets;
  }
  const made = new Uint8Array(octets.length);
  let size = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i]!;
    const value = octet === 0x3d ? hexValue(octets[i + 1], octets[i + 2]) : -1;
    if (octet === 0x3d && value < 0) defects.add("header.encoded-word");
    made[size++] = value >= 0 ? value : octet === 0x5f ? 0x20 : octet;
    if (value >= 0) i += 2;
  }
  return made.subarray(0, size);
}

/** As utf-8 with replacement. */
export function decodedText(value: string, defects: Defects): string {
  const { text, replaced } = replacing(value);
  if (replaced) defects.add("header.undecodable");
  return text;
}

/** Step 5. */
export function normalised(text: string, defects: Defects): string {
  if (!hasUnassigned(text) && !hasLongMarkRun(text)) return nfc(text);
  defects.add("header.not-normalised");
  return text;
}

/** Step 6. */
export function bounded(text: string, defects: Defects, limit = TEXT_MAX): string {
  const first = firstPoints(text, limit);
  if (first.length === text.length) return text;
  defects.add("header.too-long");
  return first + digestOf(text);
}

/** What stands for text that is not kept: U+2026 and its SHA-256. */
export function digestOf(text: string): string {
  return ELLIPSIS + toHex(sha256(utf8(text)));
}

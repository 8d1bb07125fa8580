/** Charsets (SPEC §3.4, §3.14): the closed list, its labels, and decoding by tables of our own. */

import { TABLES } from "./charset_tables.ts";

const REPLACEMENT = 0xfffd;
const UNDECODABLE = 0;
/** Characters made at once: few enough to be passed as arguments. */
const AT_ONCE = 8192;

/** Label in lower case → charset. */
const LABELS = new Map<string, string>([
  ["utf-8", "utf-8"],
  ["utf8", "utf-8"],
  ["us-ascii", "us-ascii"],
  ["ascii", "us-ascii"],
  ["iso-8859-1", "iso-8859-1"],
  ["latin1", "iso-8859-1"],
  ["iso-8859-15", "iso-8859-15"],
  ["windows-1252", "windows-1252"],
  ["cp1252", "windows-1252"],
  ["latin2", "iso-8859-2"],
  ["tis-620", "windows-874"],
  ["mac", "macintosh"],
  ["x-mac-roman", "macintosh"],
]);

/** Charset → the code points of octets 80–FF; 0 where undecodable. */
const HIGH_HALVES = new Map<string, Uint16Array>([
  ["us-ascii", new Uint16Array(128)],
  ["iso-8859-1", latin1()],
  ["iso-8859-15", latin9()],
  ["windows-1252", windows1252()],
]);

for (const [charset, notation] of Object.entries(TABLES)) {
  HIGH_HALVES.set(charset, readTable(notation));
  LABELS.set(charset, charset);
  if (/^windows-125[0-9]$/.test(charset)) LABELS.set(`cp${charset.slice(8)}`, charset);
}

/** The 80–FF of windows-1252, which numeric references of HTML use, too. */
export const WINDOWS_1252_HIGH = windows1252();

function latin1(): Uint16Array {
  return Uint16Array.from({ length: 128 }, (_, i) => (i < 32 ? UNDECODABLE : 0x80 + i));
}

function latin9(): Uint16Array {
  const table = latin1();
  const changes = [0xa4, 0x20ac, 0xa6, 0x160, 0xa8, 0x161, 0xb4, 0x17d, 0xb8, 0x17e];
  changes.push(0xbc, 0x152, 0xbd, 0x153, 0xbe, 0x178);
  for (let i = 0; i < changes.length; i += 2) table[changes[i]! - 0x80] = changes[i + 1]!;
  return table;
}

function windows1252(): Uint16Array {
  const table = latin1();
  const names =
    "20AC - 201A 0192 201E 2026 2020 2021 02C6 2030 0160 2039 0152 - 017D - - " +
    "2018 2019 201C 201D 2022 2013 2014 02DC 2122 0161 203A 0153 - 017E 0178";
  names.split(" ").forEach((name, i) => {
    table[i] = name === "-" ? UNDECODABLE : Number.parseInt(name, 16);
  });
  return table;
}

/** The notation of §3.14. */
function readTable(notation: string): Uint16Array {
  const table = new Uint16Array(128);
  let at = 0;
  for (const item of notation.trim().split(/\s+/)) {
    if (item.startsWith("-")) {
      at += item === "-" ? 1 : Number(item.slice(2));
      continue;
    }
    const [first, further] = item.split("+");
    const point = Number.parseInt(first!, 16);
    for (let i = 0; i <= Number(further ?? 0); i++) table[at++] = point + i;
  }
  if (at !== 128) throw new Error("a table of 128 octets");
  // C1 controls: other programs show another code page's signs there.
  return table.map((point) => (point >= 0x80 && point <= 0x9f ? UNDECODABLE : point));
}

/** A to Z alone become lower case. */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The charset that a label stands for, whatever its case; undefined if the list has it not. */
export function charsetOf(label: string): string | undefined {
  return LABELS.get(asciiLower(label));
}

/** Text, if every octet can be decoded. `charset` is one of `charsetOf`. A U+FEFF stays. */
export function decodeStrictly(octets: Uint8Array, charset: string): string | undefined {
  if (charset !== "utf-8") {
    const { text, replaced } = decodeByTable(octets, charset);
    return replaced ? undefined : text;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/**
 * Text with U+FFFD for each undecodable octet; in utf-8 for each maximal subpart of an ill-formed
 * sequence. `replaced` says whether there was any.
 */
export function decodeReplacing(
  octets: Uint8Array,
  charset: string,
): { text: string; replaced: boolean } {
  if (charset !== "utf-8") return decodeByTable(octets, charset);
  const text = decodeStrictly(octets, "utf-8");
  if (text !== undefined) return { text, replaced: false };
  // The Encoding Standard's decoder replaces maximal subparts.
  return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets), replaced: true };
}

function decodeByTable(octets: Uint8Array, charset: string): { text: string; replaced: boolean } {
  const high = HIGH_HALVES.get(charset);
  if (high === undefined) throw new Error("a charset of the list");
  const units = new Uint16Array(AT_ONCE);
  const pieces: string[] = [];
  let replaced = false;
  for (let start = 0; start < octets.length; start += AT_ONCE) {
    const count = Math.min(AT_ONCE, octets.length - start);
    for (let i = 0; i < count; i++) {
      const octet = octets[start + i]!;
      let unit = octet < 0x80 ? octet : high[octet - 0x80]!;
      if (octet >= 0x80 && unit === UNDECODABLE) {
        unit = REPLACEMENT;
        replaced = true;
      }
      units[i] = unit;
    }
    pieces.push(String.fromCharCode.apply(null, units.subarray(0, count) as unknown as number[]));
  }
  return { text: pieces.join(""), replaced };
}

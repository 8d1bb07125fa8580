/** A ZIP of the files that were given, for keeping: the service keeps no original, so they should. */

import { zipSync } from "fflate";
import { utf8 } from "../bytes.ts";

/** Files stored as they are, no name twice. Names keep letters that every system can write. */
export function bundle(files: readonly { name: string; bytes: Uint8Array }[]): Uint8Array {
  const names = new Set<string>();
  const entries: Record<string, Uint8Array> = Object.create(null);
  for (const { name, bytes } of files) entries[fresh(name, names)] = bytes;
  return zipSync(entries, { level: 0, mtime: "1980-01-02T00:00:00" });
}

/** Names of devices, with any ending: Windows writes no such file. */
const RESERVED = /^(?:aux|com[0-9¹²³]|con|lpt[0-9¹²³]|nul|prn) *(?:\.|$)/i;

export function fresh(name: string, taken: Set<string>): string {
  const safe = name.replace(/[^\p{L}\p{N}._ -]/gu, "_").replace(/^[. ]+/, "_");
  let cut =
    [...safe]
      .slice(0, 80)
      .join("")
      .replace(/[. ]+$/, "") || "file";
  if (utf8(cut).length > 200) cut = "file";
  if (RESERVED.test(cut)) cut = `_${cut}`;
  const dot = cut.lastIndexOf(".");
  const [stem, end] = dot > 0 ? [cut.slice(0, dot), cut.slice(dot)] : [cut, ""];
  let name_ = cut;
  for (let n = 2; taken.has(name_.toLowerCase()); n++) name_ = `${stem} (${n})${end}`;
  taken.add(name_.toLowerCase());
  return name_;
}

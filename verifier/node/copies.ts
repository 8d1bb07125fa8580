/** Copies on a disk, as the checks take them: a file, a Maildir, or a folder of .eml files (SPEC §10.2, 5). */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { CopyFile, CopyFolder } from "../src/copies/source.ts";
import { Unreadable } from "../src/errors.ts";

const MAILDIR = ["cur", "new"];
const MAIL_SUFFIXES = [".eml", ".mail"];
const MAX_MESSAGES = 500_000;
const MAX_NAME = 500;

/** Errors of the file system are thrown as they are; Unreadable for a pipe, a device or too large a folder. */
export function copyAt(path: string): CopyFile | CopyFolder {
  const last = path.split("/").filter((part) => part !== "" && part !== ".");
  const name = plain(last.at(-1) ?? basename(resolve(path)));
  const found = statSync(path);
  if (found.isDirectory()) return folderAt(path, name);
  if (!found.isFile()) throw new Unreadable(`${name}: neither a file nor a folder`);
  return { name, bytes: bytesAt(path) };
}

export function bytesAt(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

function folderAt(path: string, name: string): CopyFolder {
  const inside = MAILDIR.filter((part) => isFolder(join(path, part)));
  const names: string[] = [];
  let passedOver = 0;
  for (const part of inside.length > 0 ? inside : [""]) {
    for (const entry of readdirSync(join(path, part), { withFileTypes: true })) {
      const lower = entry.name.toLowerCase();
      const mail = inside.length > 0 || MAIL_SUFFIXES.some((suffix) => lower.endsWith(suffix));
      // A link could lead out of the folder, to what nobody named: it is no file here.
      if (mail && entry.isFile()) names.push(join(part, entry.name));
      else passedOver++;
      if (names.length > MAX_MESSAGES) throw new Unreadable(`${name}: too many messages`);
    }
  }
  const files = names.sort(byCodePoints).map((inner) => ({
    name: plain(inner),
    // Read when it is looked at, and let go: a Maildir does not fit in memory.
    get bytes() {
      return bytesAt(join(path, inner));
    },
  }));
  return { name, files, passedOver };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function byCodePoints(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Text from outside on one line, with ‹U+202E› for what would act on a terminal. */
export function plain(text: string): string {
  const letters = [...text];
  const cut = letters.length > MAX_NAME ? [...letters.slice(0, MAX_NAME), "…"] : letters;
  return cut
    .map((letter) => (/[\p{C}\p{Zl}\p{Zp}]/u.test(letter) ? `‹U+${hexadecimal(letter)}›` : letter))
    .join("");
}

function hexadecimal(letter: string): string {
  return (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

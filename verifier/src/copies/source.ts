/** What an auditor compares with a proof: files as they were read, and their line ends. */

import type { Claims } from "../report.ts";

/** A file, by the name that reports call it. */
export interface CopyFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A folder of mail files, each a message; `passedOver` counts the files that are none. */
export interface CopyFolder {
  readonly name: string;
  readonly files: readonly CopyFile[];
  readonly passedOver: number;
}

/** What §3 makes of a mail: its claims, and the Message-IDs that it refers to (§3.6.4). */
export interface ScannedMail {
  readonly claims: Claims;
  readonly references: readonly string[];
}

export type Scan = (mail: Uint8Array) => ScannedMail;

const CR = 13;
const LF = 10;

/** Whether a CR, and whether an LF, stands outside a CRLF. */
export function bareLineEnds(bytes: Uint8Array): { returns: boolean; feeds: boolean } {
  let returns = false;
  let feeds = false;
  for (let at = bytes.indexOf(CR); at >= 0 && !returns; at = bytes.indexOf(CR, at + 1)) {
    returns = bytes[at + 1] !== LF;
  }
  for (let at = bytes.indexOf(LF); at >= 0 && !feeds; at = bytes.indexOf(LF, at + 1)) {
    feeds = bytes[at - 1] !== CR;
  }
  return { returns, feeds };
}

/** The same bytes, every lone LF as CRLF (SPEC §3.1.1). */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  let lone = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] !== CR) lone++;
  }
  if (lone === 0) return bytes;
  const whole = new Uint8Array(bytes.length + lone);
  let from = 0;
  let to = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at - 1] === CR) continue;
    whole.set(bytes.subarray(from, at), to);
    to += at - from;
    whole[to++] = CR;
    from = at;
  }
  whole.set(bytes.subarray(from), to);
  return whole;
}

/** Octets as characters U+0000 to U+00FF, for regular expressions that ask for ASCII alone. */
export function latin1(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return pieces.join("");
}

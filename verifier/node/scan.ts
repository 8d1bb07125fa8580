/**
 * Scans many mails in one process: on the input, each mail is its length (four octets, big-endian)
 * and its octets; on the output, each scan is a line of JSON, its claims. Tests compare these with
 * what another implementation makes of the same mails.
 */

import { readFileSync, writeSync } from "node:fs";
import { canonical } from "../src/json.ts";
import { scanMail } from "../src/mail/scan.ts";

const LENGTH = 4;
const OUTPUT = 1;

function write(octets: Uint8Array): void {
  for (let at = 0; at < octets.length;) at += writeSync(OUTPUT, octets, at);
}

const input = readFileSync(0);
for (let at = 0; at < input.length;) {
  const length = input.readUInt32BE(at);
  const mail = new Uint8Array(input.subarray(at + LENGTH, at + LENGTH + length));
  write(canonical(scanMail(mail)));
  write(Uint8Array.of(0x0a));
  at += LENGTH + length;
}

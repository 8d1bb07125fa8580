/**
 * Scans many mails in one process: on the input, each mail is its length (four octets, big-endian)
 * and its octets; on the output, each scan is a line of JSON, its claims. Tests compare these with
 * what another implementation makes of the same mails.
 */

import { canonical } from "../src/json.ts";
import { scanMail } from "../src/mail/scan.ts";

const LENGTH = 4;

const pieces: Buffer[] = [];
for await (const piece of process.stdin) pieces.push(piece as Buffer);
const input = Buffer.concat(pieces);
for (let at = 0; at < input.length;) {
  const start = at + LENGTH;
  at = start + input.readUInt32BE(at);
  process.stdout.write(canonical(scanMail(new Uint8Array(input.subarray(start, at)))));
  process.stdout.write("\n");
}

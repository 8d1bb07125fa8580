import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ascii } from "../../src/bytes.ts";
import { readCompoundFile } from "../../src/copies/cfb.ts";
import { readMsg } from "../../src/copies/msg.ts";
import type { OutlookMessage } from "../../src/copies/outlook.ts";
import { Unreadable } from "../../src/errors.ts";

/** Made by tests/verify/msg_maker.py: `_made()` of tests/verify/test_msg.py. */
const FILE = new Uint8Array(readFileSync("tests/copies/offre.msg"));

/** A copy with the octets at `at` put in place of its own. */
function bent(at: number, ...octets: number[]): Uint8Array {
  const copy = FILE.slice();
  copy.set(octets, at);
  return copy;
}

/** Where a name stands in the directory. */
function entryAt(name: string): number {
  const wanted = [...name].flatMap((letter) => [letter.charCodeAt(0), 0]);
  for (let at = 0; at < FILE.length; at += 128) {
    if (wanted.every((octet, i) => FILE[at + i] === octet)) return at;
  }
  throw new Error(`no entry ${name}`);
}

function read(octets: Uint8Array): OutlookMessage | string {
  try {
    return readMsg(octets);
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}

describe("an Outlook file", () => {
  it("says what its properties hold", () => {
    const message = readMsg(FILE);
    expect(message).toMatchObject({
      messageClass: "IPM.Note",
      submitted: "2026-11-21T10:00:00Z",
      sender: undefined,
      represented: { name: "Claire Dubois", address: "claire@Atelier.example", kind: 0 },
      body: "Voici notre offre : 1 200 €.\r\n",
      hasBody: true,
      html: undefined,
      rtf: undefined,
    });
    expect(message.recipients).toEqual([
      { name: "Jean Petit", address: "jean@client.example", kind: 1 },
      { name: "'notaire@etude.example'", address: "notaire@etude.example", kind: 1 },
      { name: "luc@atelier.example", address: "luc@atelier.example", kind: 2 },
    ]);
    const [attachment, ...others] = message.attachments;
    expect(others).toEqual([]);
    expect(attachment).toMatchObject({ name: "offre.pdf", embedded: false, hidden: false });
    expect(attachment?.data?.length).toBeGreaterThan(0);
  });

  it("is a compound file of a known form", () => {
    expect(() => readCompoundFile(ascii("x".repeat(600)))).toThrow("not a compound file");
    expect(read(bent(26, 5))).toBe("a compound file of an unknown form");
    expect(read(bent(32, 7))).toBe("a compound file of an unknown form");
    expect(read(FILE.subarray(0, 511))).toBe("this is not a compound file");
  });

  it("has each sector once, and no circles", () => {
    const root = entryAt("Root Entry");
    // The table of small sectors is then the directory itself.
    expect(read(bent(60, ...FILE.subarray(48, 52)))).toMatch(/used twice/);
    // A stream's left neighbour is the first entry of the root.
    const first = FILE.subarray(root + 76, root + 80);
    expect(read(bent(entryAt("__substg1.0_0037001F") + 68, ...first))).toMatch(/circle|order/);
    expect(read(bent(entryAt("__substg1.0_0037001F") + 120, 255, 255, 255, 255))).toMatch(/larger/);
  });

  it("has names of ASCII, in their order, and one table of properties", () => {
    const subject = entryAt("__substg1.0_0037001F");
    expect(read(bent(subject + 1, 1))).toMatch(/not ASCII/);
    expect(read(bent(subject, 0x7e))).toMatch(/not in order/);
    expect(read(bent(subject + 66, 9))).toMatch(/unknown kind/);
    // Another type of the subject than its stream has.
    expect(read(bent(subject + 38, 0x45))).toMatch(/table of properties/);
    expect(read(bent(entryAt("__properties_version1.0"), 0x5e))).toMatch(/in order|its table/);
  });

  it("never ends otherwise than by a message or Unreadable", () => {
    for (let at = 0; at < FILE.length; at += 5) read(bent(at, FILE[at]! ^ 0xff));
    for (let at = 0; at < FILE.length; at += 97) read(FILE.subarray(0, at));
  });
});

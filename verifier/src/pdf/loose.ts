/** The files that lie loose beside a dossier's proof, made anew from it (SPEC §11.1, V15). */

import { ascii, equal, toBase64url, toHex } from "../bytes.ts";
import { CheckFailed } from "../errors.ts";
import { canonical, isObject, readCanonical } from "../json.ts";
import type { Proof, TokenItem } from "../proof/model.ts";
import { withoutConstant } from "./constant.ts";
import { context, only, type Reader, SEQUENCE, SET } from "../token/der.ts";

/**
 * CheckFailed unless `held` (the proof's own aside) are these very ones, and constant ones of a known version;
 * Unreadable as looseFiles.
 */
export function checkLoose(held: ReadonlyMap<string, Uint8Array>, proof: Proof): void {
  const due = looseFiles(proof);
  const files = withoutConstant(held);
  if (files.size !== due.size || [...due.keys()].some((name) => !files.has(name))) {
    throw new CheckFailed("the files in the dossier are not those that belong to its proof");
  }
  for (const [name, content] of due) {
    if (!equal(files.get(name)!, content)) {
      throw new CheckFailed(`the file ${name} in the dossier differs from its proof`);
    }
  }
}

/** By name. Unreadable where the first token is no response with signed data: nothing can equal its certificates. */
export function looseFiles(proof: Proof): ReadonlyMap<string, Uint8Array> {
  const files = new Map([
    ["record.json", proof.record.bytes],
    ["disclosures.json", disclosures(proof)],
  ]);
  const token = proof.tokens.find((item): item is TokenItem => item.known);
  if (token) {
    const carried = [...certificatesIn(token.response), ...token.certificates];
    files.set("token.tsr", token.response);
    files.set("tsa-certificates.pem", pem(carried));
  }
  return files;
}

function disclosures(proof: Proof): Uint8Array {
  const value = readCanonical(proof.bytes);
  const entries = isObject(value) ? value["entries"] : undefined;
  return canonical(Array.isArray(entries) ? entries.filter(Array.isArray) : []);
}

/** The elements of `certificates` with tag 30, in their order (RFC 3161 §2.4.2, RFC 5652 §5.1). */
function certificatesIn(response: Uint8Array): Uint8Array[] {
  const whole = only(response);
  whole.raw(SEQUENCE); // the status
  const information = whole.enter();
  information.oid();
  const signed = information.enter(context(0)).enter();
  signed.integer();
  signed.raw(SET); // digest algorithms
  signed.raw(SEQUENCE); // the content
  if (signed.peek() !== context(0)) return [];
  return sequences(signed.enter(context(0)));
}

function sequences(carried: Reader): Uint8Array[] {
  const found: Uint8Array[] = [];
  while (carried.peek() !== 0) {
    const element = carried.raw();
    if (element[0] === SEQUENCE) found.push(element);
  }
  return found;
}

const LINE_LETTERS = 64;

/** RFC 7468, each certificate once, at its first place. */
function pem(certificates: readonly Uint8Array[]): Uint8Array {
  const once = new Map(certificates.map((der) => [toHex(der), der]));
  const lines: string[] = [];
  for (const der of once.values()) {
    const text = base64(der);
    lines.push("-----BEGIN CERTIFICATE-----\n");
    for (let at = 0; at < text.length; at += LINE_LETTERS) {
      lines.push(text.slice(at, at + LINE_LETTERS) + "\n");
    }
    lines.push("-----END CERTIFICATE-----\n");
  }
  return ascii(lines.join(""));
}

/** RFC 4648 §4, padded. */
function base64(bytes: Uint8Array): string {
  const plain = toBase64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return plain + "=".repeat((4 - (plain.length % 4)) % 4);
}

/** The kept vectors of tests/vectors/rfc3161, for tests. */

import { readFileSync } from "node:fs";

import { sha256 } from "../../src/hash.ts";
import type { TrustedAuthority } from "../../src/proof/trust_model.ts";

const FOLDER = new URL("../../../tests/vectors/rfc3161/", import.meta.url);

export interface Expected {
  readonly verification: string;
  readonly outcome: string;
  readonly policy: string;
}

export function bytes(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(name, FOLDER)));
}

export function pem(name: string): Uint8Array {
  const text = readFileSync(new URL(`${name}.pem`, FOLDER), "ascii");
  const inside = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(text)?.[1] ?? "";
  return Uint8Array.from(Buffer.from(inside, "base64"));
}

export const EXPECTED = new Map(
  Object.entries(
    JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8")) as Record<string, Expected>,
  ),
);

export const IMPRINT = sha256(bytes("data"));

export function authority(root: string, policy?: string): TrustedAuthority {
  return {
    name: root,
    certificate: pem(root),
    policies: policy === undefined ? [] : [policy],
    built_in: false,
    revocation_required: false,
    qualified_required: false,
  };
}

const POLICY_OF = {
  root: "good-p256",
  "built-in-p256-root": "good-built-in-p256",
  "built-in-rsa3072-root": "good-built-in-rsa3072",
};

/** Each root for its own policy. */
export const AUTHORITIES = Object.entries(POLICY_OF).map(([root, name]) =>
  authority(root, EXPECTED.get(name)?.policy),
);

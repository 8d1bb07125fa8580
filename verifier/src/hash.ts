/** The hash functions of SPEC, by name. Synchronous: the checks are, and a worker runs them. */

import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { sha3_256 } from "./keccak.ts";

export { keccak_256, sha256, sha384, sha3_256, sha512 };

/** Trees of RFC 9162 §2.1 over SHA-256 (SPEC §5.1, §6.1): from a leaf and its audit path to the root. */

import { concat, equal } from "../bytes.ts";
import { CheckFailed } from "../errors.ts";
import { sha256 } from "../hash.ts";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * The root to which a path leads (RFC 9162 §2.1.3.2); CheckFailed if the path is not as long as this
 * place in a tree of this size has it. `index` is from 0 and below `size`, which is at most 2^53.
 */
export function rootOf(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array {
  let place = BigInt(index);
  let last = BigInt(size) - 1n;
  let node = sha256(concat(LEAF, leaf));
  for (const other of path) {
    if (last === 0n) throw new CheckFailed("the audit path is too long");
    if (place % 2n === 1n || place === last) {
      node = sha256(concat(NODE, other, node));
      while (place % 2n === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else node = sha256(concat(NODE, node, other));
    place >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new CheckFailed("the audit path is too short");
  return node;
}

/** The one root of a batch (SPEC §6.3): header and record both lead to it, or CheckFailed. */
export function commonRoot(
  header: Uint8Array,
  headerPath: readonly Uint8Array[],
  record: Uint8Array,
  index: number,
  path: readonly Uint8Array[],
  count: number,
): Uint8Array {
  const root = rootOf(header, 0, count + 1, headerPath);
  if (!equal(root, rootOf(record, index, count + 1, path))) {
    throw new CheckFailed("the record's path leads to another root than the header's");
  }
  return root;
}

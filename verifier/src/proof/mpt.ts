/** A value in a Merkle Patricia trie, by the nodes on the way to it (SPEC §6.4.5). */

import { equal } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { keccak_256 } from "../hash.ts";
import { decodeRlp, encodeRlp } from "./rlp.ts";
import type { Rlp } from "./rlp.ts";

const LARGEST_NODE = 1024;
const LONGEST_INLINE = 31;
const BRANCH = 17;

/** The way so far: what is left of the key, and the nodes that nobody referred to yet. */
interface Way {
  readonly key: readonly number[];
  readonly nodes: readonly Uint8Array[];
  used: number;
}

/** One step: the reference that comes next, or the value at the end. */
type Step = { readonly next: Rlp; readonly key: readonly number[] } | { readonly value: Rlp };

/**
 * The value that `nodes` prove at `key` under `root`, and nothing else. Unreadable for nodes that are
 * none, CheckFailed for a way that does not hold.
 */
export function valueUnder(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
): Uint8Array {
  if (nodes.length < 1 || nodes.length > 2 * key.length + 1) {
    throw new Unreadable("too few or too many trie nodes");
  }
  const way: Way = { key: nibblesOf(key), nodes, used: 0 };
  let left = way.key;
  for (let reference: Rlp = root; ;) {
    const step = stepFrom(nodeAt(reference, way), left);
    if ("value" in step) return valueAtEnd(step.value, way);
    reference = step.next;
    left = step.key;
  }
}

function valueAtEnd(value: Rlp, way: Way): Uint8Array {
  if (way.used !== way.nodes.length) throw new CheckFailed("a trie node was not used");
  if (!(value instanceof Uint8Array) || value.length === 0) {
    throw new CheckFailed("the trie has no value at this index");
  }
  return value;
}

/** The node that a reference means: the next of the proof by its hash, or a list that is the node itself. */
function nodeAt(reference: Rlp, way: Way): readonly Rlp[] {
  if (!(reference instanceof Uint8Array)) {
    if (encodeRlp(reference).length > LONGEST_INLINE) {
      throw new CheckFailed("a trie node within another is too long");
    }
    return reference;
  }
  if (reference.length !== 32) throw new CheckFailed("the trie's way ends without a value");
  const bytes = way.nodes[way.used];
  if (bytes === undefined) throw new CheckFailed("a trie node is missing");
  if (bytes.length > LARGEST_NODE) throw new Unreadable("a trie node is too large");
  if (!equal(keccak_256(bytes), reference))
    throw new CheckFailed("a trie node is not the one referred to");
  way.used++;
  const node = decodeRlp(bytes);
  if (node instanceof Uint8Array) throw new Unreadable("a trie node is no list");
  return node;
}

function stepFrom(node: readonly Rlp[], key: readonly number[]): Step {
  if (node.length === BRANCH) {
    const [nibble, ...rest] = key;
    if (nibble === undefined) return { value: node[BRANCH - 1]! };
    return { next: node[nibble]!, key: rest };
  }
  if (node.length !== 2) throw new Unreadable("a trie node of neither 2 nor 17 items");
  const { nibbles, leaf } = hexPrefix(node[0]);
  if (!leaf && nibbles.length === 0) throw new Unreadable("a trie extension without a nibble");
  if (nibbles.some((nibble, place) => key[place] !== nibble)) {
    throw new CheckFailed("the trie's way leads elsewhere");
  }
  if (!leaf) return { next: node[1]!, key: key.slice(nibbles.length) };
  if (nibbles.length !== key.length) throw new CheckFailed("the trie's way ends too early");
  return { value: node[1]! };
}

/** A path in hex-prefix form: the flag's nibble has 2 for a leaf, 1 for an odd number of nibbles. */
function hexPrefix(path: Rlp | undefined): { nibbles: readonly number[]; leaf: boolean } {
  if (!(path instanceof Uint8Array)) throw new Unreadable("a trie path is no byte string");
  const [flag, second, ...rest] = nibblesOf(path);
  if (flag === undefined || second === undefined || flag > 3) {
    throw new Unreadable("a trie path without its flag");
  }
  if (flag % 2 === 0 && second !== 0) throw new Unreadable("a trie path with a stray nibble");
  return { nibbles: flag % 2 === 1 ? [second, ...rest] : rest, leaf: flag >= 2 };
}

function nibblesOf(bytes: Uint8Array): readonly number[] {
  return Array.from(bytes).flatMap((octet) => [octet >> 4, octet & 15]);
}

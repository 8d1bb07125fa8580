/**
 * Compound files, the container of Outlook's .msg files (MS-CFB, SPEC §10.6.1). Strict: a file in
 * which two readers could see different things is Unreadable. Every chain of sectors is bounded by
 * the file, and no sector may belong to two streams, so that what is read is never more than it.
 */

import { joined } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

/** The first octets of a compound file. */
export const MAGIC = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1);

/** Most streams and storages that are looked at; a mail has a hundred, and ten an attachment. */
const ENTRIES_MAX = 20_000;
const LAST_SECTOR = 0xfffffffa;
const END = 0xfffffffe;
const FREE = 0xffffffff;
const STORAGE = 1;
const STREAM = 2;
const ROOT = 5;
const HEADER_OCTETS = 512;
const FIRST_NUMBERS = 76;
const CUTOFF_OCTETS = 4096;
const MINI_OCTETS = 64;
const ENTRY_OCTETS = 128;
const OUT_OF_PLACE = "a sector is out of place, or used twice";

/** A stream or storage. */
export interface Entry {
  readonly name: string;
  readonly isStream: boolean;
  readonly start: number;
  readonly size: number;
  /** Of a storage: the entry from which those in it are found. */
  readonly child: number;
}

export interface CompoundFile {
  readonly root: Entry;
  /** What stands directly in a storage, by name in upper case. Ask once for each. */
  entries(storage: Entry): Map<string, Entry>;
  /** A stream's octets. Ask once for each: what two streams share is refused. */
  read(stream: Entry): Uint8Array;
}

/** Where sectors lie, and which follows which. A sector is given once. */
interface Sectors {
  /** The octets of the sectors from `start` on: as many as `size` needs. */
  chain(start: number, size?: number): Uint8Array;
}

export function readCompoundFile(octets: Uint8Array): CompoundFile {
  if (octets.length < HEADER_OCTETS || !MAGIC.every((octet, i) => octets[i] === octet)) {
    throw new Unreadable("this is not a compound file");
  }
  const header = viewOf(octets);
  const major = header.getUint16(26, true);
  const shift = header.getUint16(30, true);
  const known =
    ((major === 3 && shift === 9) || (major === 4 && shift === 12)) &&
    header.getUint16(28, true) === 0xfffe &&
    header.getUint16(32, true) === 6 &&
    header.getUint32(56, true) === CUTOFF_OCTETS;
  if (!known) throw new Unreadable("a compound file of an unknown form");
  const sectors = readSectors(octets, 1 << shift);
  const directory = sectors.chain(header.getUint32(48, true));
  const root = readEntry(directory, 0, major === 4).entry;
  const miniStart = header.getUint32(60, true);
  const miniNumbers = miniStart <= LAST_SECTOR ? sectors.chain(miniStart) : new Uint8Array();
  const mini = root.size > 0 ? sectors.chain(root.start).subarray(0, root.size) : new Uint8Array();
  // Numbers for what does not exist are never asked for.
  const needed = 4 * (Math.floor(mini.length / MINI_OCTETS) + 1);
  const miniTable = integers(miniNumbers.subarray(0, needed));
  const seen = new Set([0]);
  const miniUsed = new Set<number>();
  return {
    root,
    entries: (storage) => namedEntries(directory, major === 4, storage.child, seen),
    read: (stream) => {
      if (!stream.isStream || stream.size > octets.length) {
        throw new Unreadable("a stream is larger than its file");
      }
      if (stream.size === 0) return new Uint8Array();
      const data =
        stream.size < CUTOFF_OCTETS
          ? miniChain(mini, miniTable, miniUsed, stream)
          : sectors.chain(stream.start, stream.size);
      if (data.length < stream.size) throw new Unreadable("a stream is cut short");
      return data.subarray(0, stream.size);
    },
  };
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** Little-endian, four octets each; what is left at the end does not count. */
function integers(octets: Uint8Array): Uint32Array {
  const view = viewOf(octets);
  const numbers = new Uint32Array(Math.floor(octets.length / 4));
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getUint32(4 * i, true);
  return numbers;
}

function readSectors(octets: Uint8Array, sectorOctets: number): Sectors {
  const count = Math.ceil(octets.length / sectorOctets) - 1;
  const used = new Uint8Array(Math.max(count, 0));
  const sector = (number: number): Uint8Array => {
    if (number >= count || used[number] === 1) throw new Unreadable(OUT_OF_PLACE);
    used[number] = 1;
    return octets.subarray((number + 1) * sectorOctets, (number + 2) * sectorOctets);
  };
  const table = readTable(octets, count, sector);
  return {
    chain: (start, size = Number.POSITIVE_INFINITY) => {
      const pieces: Uint8Array[] = [];
      let got = 0;
      for (let number = start; number !== END && got < size;) {
        const piece = sector(number);
        const next = table[number];
        if (next === undefined) throw new Unreadable("a sector is not in the table of sectors");
        got += piece.length;
        pieces.push(piece);
        number = next;
      }
      return joined(pieces);
    },
  };
}

/** The table that says which sector follows each of `count`. */
function readTable(
  octets: Uint8Array,
  count: number,
  sector: (number: number) => Uint8Array,
): Uint32Array {
  const header = viewOf(octets);
  const pieces: Uint8Array[] = [];
  const take = (numbers: Uint32Array) => {
    for (const number of numbers) if (number <= LAST_SECTOR) pieces.push(sector(number));
  };
  take(integers(octets.subarray(FIRST_NUMBERS, HEADER_OCTETS)));
  let next = header.getUint32(68, true);
  for (let left = header.getUint32(72, true); left > 0; left--) {
    const block = integers(sector(next));
    take(block.subarray(0, -1));
    const last = block.at(-1);
    if (last === undefined) throw new Unreadable(OUT_OF_PLACE);
    next = last;
  }
  // Numbers for what does not exist are never asked for.
  const kept: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size > 4 * count) break;
    kept.push(piece);
    size += piece.length;
  }
  return integers(joined(kept));
}

function miniChain(
  mini: Uint8Array,
  table: Uint32Array,
  used: Set<number>,
  stream: Entry,
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let got = 0;
  for (let number = stream.start; number !== END && got < stream.size; got += MINI_OCTETS) {
    const next = table[number];
    const at = number * MINI_OCTETS;
    if (next === undefined || at >= mini.length || used.has(number)) {
      throw new Unreadable(OUT_OF_PLACE);
    }
    used.add(number);
    pieces.push(mini.subarray(at, at + MINI_OCTETS));
    number = next;
  }
  return joined(pieces);
}

interface Linked {
  readonly entry: Entry;
  readonly left: number;
  readonly right: number;
}

function readEntry(directory: Uint8Array, number: number, longSizes: boolean): Linked {
  const at = number * ENTRY_OCTETS;
  if (at + ENTRY_OCTETS > directory.length) {
    throw new Unreadable("an entry of the compound file's directory does not exist");
  }
  const view = viewOf(directory.subarray(at, at + ENTRY_OCTETS));
  const kind = view.getUint8(66);
  if (![STORAGE, STREAM, ROOT].includes(kind) || (kind === ROOT) !== (number === 0)) {
    throw new Unreadable("an entry of the compound file's directory has an unknown kind");
  }
  const nameOctets = view.getUint16(64, true);
  if (nameOctets < 2 || nameOctets > 64) {
    throw new Unreadable("an entry of the compound file's directory has no name");
  }
  const size = view.getUint32(120, true) + (longSizes ? view.getUint32(124, true) * 2 ** 32 : 0);
  return {
    entry: {
      name: readName(view, nameOctets - 2),
      isStream: kind === STREAM,
      start: view.getUint32(116, true),
      size,
      child: view.getUint32(76, true),
    },
    left: view.getUint32(68, true),
    right: view.getUint32(72, true),
  };
}

/** Names of Outlook's are ASCII, and programs do not agree on the letter case of others. */
function readName(view: DataView, octets: number): string {
  let name = "";
  for (let at = 0; at < octets; at += 2) {
    const unit = at + 1 < octets ? view.getUint16(at, true) : 0x80;
    if (unit > 0x7f) throw new Unreadable("a name in the compound file is not ASCII");
    name += String.fromCharCode(unit);
  }
  return name;
}

/** The tree below an entry from left to right, without recursion. */
function namedEntries(
  directory: Uint8Array,
  longSizes: boolean,
  child: number,
  seen: Set<number>,
): Map<string, Entry> {
  const found = new Map<string, Entry>();
  const waiting: Linked[] = [];
  let previous = "";
  let number = child;
  while (waiting.length > 0 || number !== FREE) {
    while (number !== FREE) {
      if (seen.has(number) || seen.size > ENTRIES_MAX) {
        throw new Unreadable("the compound file's directory runs in a circle or is too large");
      }
      seen.add(number);
      const linked = readEntry(directory, number, longSizes);
      waiting.push(linked);
      number = linked.left;
    }
    const next = waiting.pop();
    if (next === undefined) break;
    const name = next.entry.name.toUpperCase();
    // MS-CFB §2.6.4: a reader that searches the tree sees only what stands in its place.
    if (name.length < previous.length || (name.length === previous.length && name <= previous)) {
      throw new Unreadable("the names in the compound file are not in order");
    }
    previous = name;
    found.set(name, next.entry);
    number = next.right;
  }
  return found;
}

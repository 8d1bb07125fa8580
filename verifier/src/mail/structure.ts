/**
 * The structure of a message (SPEC §3.2): headers, delimiter lines, the parts in the order in which
 * they begin. Nothing is copied but what a transfer encoding changes; messages enclosed in messages
 * are read where they end, so depth of calls is at most that of enclosing.
 */

import {
  type Fields,
  type Header,
  type Line,
  lineAt,
  noteDuplicates,
  readHeader,
} from "./fields.ts";
import { type Leaf, type Page, readLeaf, type ScanState } from "./leaf.ts";
import { imageNumbers } from "./pictures.ts";
import { CR, isBlank, isSpace, LF } from "./octets.ts";
import { type PartHeader, readBoundary, readPartHeader } from "./part_header.ts";
import { isIdentity } from "./transfer.ts";

const LEVEL_MAX = 50;
const PARTS_MAX = 500;
const ENCLOSED_MAX = 10;
const MESSAGE_HEADER_MAX = 1_048_576;
const PART_HEADER_MAX = 262_144;
const DELIMITER_MAX = 1000;
const HYPHEN = 0x2d;

/** Ends the reading of structure (§3.2.10); the message names the defect. */
export class CapExceeded extends Error {
  override name = "CapExceeded";
}

/** Where a message stands: paths inside it begin with `prefix`; `enclosed` in so many others. */
export interface Place {
  readonly prefix: string;
  readonly level: number;
  readonly enclosed: number;
}

interface Multipart {
  readonly boundary: Uint8Array;
  readonly header: PartHeader;
  readonly path: string;
  readonly level: number;
  children: number;
}

interface Message {
  readonly octets: Uint8Array;
  readonly place: Place;
  readonly state: ScanState;
  /** From the outside in. */
  readonly open: Multipart[];
  /** Digest of a Content-ID → the numbers of this message's own parts that have it. */
  readonly contentIds: Map<string, number[]>;
  readonly pages: Page[];
}

/** A delimiter line of the open multipart of this depth. */
interface Delimiter {
  readonly depth: number;
  readonly closes: boolean;
  readonly start: number;
  readonly next: number;
}

/** Adds the message's parts to the state; `seesHeader` is told its header as soon as it is read. */
export function readMessage(
  octets: Uint8Array,
  place: Place,
  state: ScanState,
  seesHeader: (fields: Fields) => void,
): void {
  const message: Message = { octets, place, state, open: [], contentIds: new Map(), pages: [] };
  let delimiter = readEntity(message, 0, seesHeader);
  while (delimiter !== undefined) {
    if (place.enclosed === 0) state.reached(delimiter.next);
    endMultiparts(message, delimiter.closes ? delimiter.depth : delimiter.depth + 1, delimiter);
    delimiter = delimiter.closes
      ? passOver(message, delimiter.next, undefined, "structure.epilogue")
      : readEntity(message, delimiter.next, undefined);
  }
  endMultiparts(message, 0, undefined);
  for (const { claim, wanted } of message.pages) {
    claim["images"] = imageNumbers(wanted, message.contentIds);
  }
}

/** Ends the multiparts of this depth and deeper; the one that the line closes is not unclosed. */
function endMultiparts(message: Message, depth: number, by: Delimiter | undefined): void {
  const { open, state } = message;
  while (open.length > depth) {
    const isClosed = by !== undefined && by.closes && by.depth === open.length - 1;
    if (!isClosed) state.defects.add("structure.unclosed");
    if (open.pop()!.children === 0) state.defects.add("structure.no-parts");
  }
}

/** Reads the entity that begins at `start`; returns the delimiter line that ends it. */
function readEntity(
  message: Message,
  start: number,
  seesHeader: ((fields: Fields) => void) | undefined,
): Delimiter | undefined {
  const { octets, place, state, open } = message;
  const parent = open.at(-1);
  const level = parent === undefined ? place.level : parent.level + 1;
  if (parent !== undefined) parent.children++;
  if (level > LEVEL_MAX) throw new CapExceeded("structure.too-deep");
  const found = readHeader(
    octets,
    start,
    {
      isMessage: parent === undefined,
      most: parent === undefined ? MESSAGE_HEADER_MAX : PART_HEADER_MAX,
      delimiterAt: (line) => delimiterAt(message, line),
    },
    state.defects,
  );
  if (found === undefined) throw new CapExceeded("header.too-large");
  noteDuplicates(found.fields, state.defects);
  seesHeader?.(found.fields);
  const absent = parent?.header.type === "multipart/digest" ? "message/rfc822" : "text/plain";
  const header = readPartHeader(found.fields, absent, state.defects);
  if (parent !== undefined) checkRoot(parent, header, state);
  const paths = parent === undefined ? place.prefix : parent.path;
  if (header.type.startsWith("multipart/")) {
    const boundary = readBoundary(header.parameters, state.defects);
    if (boundary !== undefined) {
      if (!isIdentity(header.encoding)) state.defects.add("transfer.on-multipart");
      const path = parent === undefined ? paths : joinPath(paths, parent.children);
      open.push({ boundary, header, path, level, children: 0 });
      return passOver(message, found.body, found.delimiter, "structure.preamble");
    }
    state.defects.add("structure.no-boundary");
  }
  return readPart(message, header, level, joinPath(paths, parent?.children ?? 1), found);
}

function joinPath(prefix: string, number: number): string {
  return prefix === "" ? `${number}` : `${prefix}.${number}`;
}

/** §3.7.7, once the first child's header is there. */
function checkRoot(parent: Multipart, header: PartHeader, state: ScanState): void {
  if (parent.children !== 1 || parent.header.type !== "multipart/related") return;
  const start = parent.header.parameters.get("start");
  if (start !== undefined && start !== (header.contentId ?? ""))
    state.defects.add("structure.start");
}

function readPart(
  message: Message,
  header: PartHeader,
  level: number,
  path: string,
  found: Header<Delimiter>,
): Delimiter | undefined {
  const { octets, place, state, open } = message;
  const isMessage = header.type === "message/rfc822" || header.type === "message/global";
  if (isMessage && level === LEVEL_MAX) throw new CapExceeded("structure.too-deep");
  if (state.parts.length === PARTS_MAX) throw new CapExceeded("structure.too-many-parts");
  if (isMessage && place.enclosed === ENCLOSED_MAX) throw new CapExceeded("structure.too-deep");
  const leaf: Leaf = {
    header,
    path,
    isMessage,
    within: open.map((multipart) => multipart.header),
    isDirect: place.enclosed === 0 && open.length === 1,
    number: state.parts.length + 1,
  };
  state.parts.push(undefined);
  const delimiter = found.delimiter ?? nextDelimiter(message, found.body);
  const content = octets.subarray(found.body, contentEnd(octets, found.body, delimiter));
  const { claim, wanted } = readLeaf(leaf, content, state, (decoded, sees) => {
    readMessage(
      decoded,
      { prefix: path, level: level + 1, enclosed: place.enclosed + 1 },
      state,
      sees,
    );
  });
  state.parts[leaf.number - 1] = claim;
  if (wanted !== undefined) message.pages.push({ claim, wanted });
  const contentId = claim["content_id"];
  if (typeof contentId === "string") {
    message.contentIds.set(contentId, [...(message.contentIds.get(contentId) ?? []), leaf.number]);
  }
  return delimiter;
}

/** The line end before a delimiter line belongs to that line. */
function contentEnd(octets: Uint8Array, body: number, delimiter: Delimiter | undefined): number {
  if (delimiter === undefined) return octets.length;
  const end = delimiter.start;
  if (end === body) return end;
  return end - body >= 2 && octets[end - 2] === CR ? end - 2 : end - 1;
}

/** A preamble or an epilogue, which only `raw/1` covers. */
function passOver(
  message: Message,
  start: number,
  known: Delimiter | undefined,
  defect: string,
): Delimiter | undefined {
  const delimiter = known ?? nextDelimiter(message, start);
  const end = delimiter?.start ?? message.octets.length;
  for (let at = start; at < end; at++) {
    if (isSpace(message.octets[at]!)) continue;
    message.state.defects.add(defect);
    break;
  }
  return delimiter;
}

function nextDelimiter(message: Message, from: number): Delimiter | undefined {
  const { octets, open } = message;
  if (open.length === 0) return undefined;
  for (let at = from; at < octets.length;) {
    if (octets[at] === HYPHEN && octets[at + 1] === HYPHEN) {
      const delimiter = delimiterAt(message, lineAt(octets, at));
      if (delimiter !== undefined) return delimiter;
    }
    const feed = octets.indexOf(LF, at);
    at = feed < 0 ? octets.length : feed + 1;
  }
  return undefined;
}

/** What the line is to the open multiparts (§3.2.4). */
function delimiterAt(message: Message, line: Line): Delimiter | undefined {
  const { octets, open, state } = message;
  const { start, next } = line;
  if (open.length === 0 || octets[start] !== HYPHEN || octets[start + 1] !== HYPHEN)
    return undefined;
  let end = next > start && octets[next - 1] === LF ? next - 1 : next;
  const isShort = end - start <= DELIMITER_MAX;
  while (isShort && end > start && (isBlank(octets[end - 1]!) || octets[end - 1] === CR)) end--;
  const says = octets.subarray(start + 2, Math.max(start + 2, end));
  const isClosing = says.at(-1) === HYPHEN && says.at(-2) === HYPHEN;
  const lengths = isClosing ? [says.length, says.length - 2] : [says.length];
  for (const length of isShort ? lengths : []) {
    for (let depth = open.length - 1; depth >= 0; depth--) {
      const { boundary } = open[depth]!;
      if (boundary.length === length && begins(says, boundary)) {
        return { depth, closes: length < says.length, start, next };
      }
    }
  }
  if (open.some(({ boundary }) => begins(says, boundary))) {
    state.defects.add("structure.near-boundary");
  }
  return undefined;
}

function begins(octets: Uint8Array, beginning: Uint8Array): boolean {
  if (octets.length < beginning.length) return false;
  for (let i = 0; i < beginning.length; i++) if (octets[i] !== beginning[i]) return false;
  return true;
}

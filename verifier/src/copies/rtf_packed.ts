/** Compressed RTF, as Outlook keeps it (MS-OXRTFCP, SPEC §10.6.3). One way to read it, or none. */

import { ascii } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

/** Most octets of RTF, unpacked. */
export const RTF_MAX_OCTETS = 4 * 2 ** 20;

const HEADER_OCTETS = 16;
const COMPRESSED = 0x75465a4c;
const UNCOMPRESSED = 0x414c454d;
const WINDOW_OCTETS = 4096;
/** What the window holds before the first octet (MS-OXRTFCP §2.1.2.1). */
const FIRST = ascii(
  "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern " +
    "\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier" +
    "{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx",
);

/** The RTF in a PidTagRtfCompressed; Unreadable if it is bent or too large. */
export function unpackedRtf(octets: Uint8Array): Uint8Array {
  if (octets.length < HEADER_OCTETS) throw new Unreadable("the rich text is cut short");
  const header = new DataView(octets.buffer, octets.byteOffset, HEADER_OCTETS);
  const [packed, size, kind, crc] = [0, 4, 8, 12].map((at) => header.getUint32(at, true));
  const end = packed! + 4; // the field itself is not counted
  if (end < HEADER_OCTETS || end > octets.length || size! > RTF_MAX_OCTETS) {
    throw new Unreadable("the rich text is cut short, or too large");
  }
  const content = octets.subarray(HEADER_OCTETS, end);
  if (kind === UNCOMPRESSED) {
    if (content.length !== size) {
      throw new Unreadable("the rich text has another size than it states");
    }
    return content;
  }
  if (kind !== COMPRESSED || crcOf(content) !== crc) {
    throw new Unreadable("the rich text is damaged, or packed in an unknown way");
  }
  return unpack(content, size!);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** MS-OXRTFCP §2.1.3.1: a CRC-32 that begins with 0 and is not inverted at the end. */
function crcOf(octets: Uint8Array): number {
  let crc = 0;
  for (const octet of octets) crc = (CRC_TABLE[(crc ^ octet) & 0xff]! ^ (crc >>> 8)) >>> 0;
  return crc;
}

/** Exactly `size` octets. */
function unpack(content: Uint8Array, size: number): Uint8Array {
  const most = FIRST.length + size;
  // A reference may pass the end by its length, before that is noticed.
  const out = new Uint8Array(most + WINDOW_OCTETS);
  out.set(FIRST);
  let length = FIRST.length;
  let at = 0;
  while (at < content.length && length <= most) {
    const control = content[at++]!;
    for (let bit = 0; bit < 8 && at < content.length; bit++) {
      if (((control >> bit) & 1) === 0) {
        out[length++] = content[at++]!;
        continue;
      }
      const second = content[at + 1];
      const pair = second === undefined ? content[at]! : (content[at]! << 8) | second;
      at += 2;
      const distance = (((length - (pair >> 4)) % WINDOW_OCTETS) + WINDOW_OCTETS) % WINDOW_OCTETS;
      if (distance === 0 && at === content.length) {
        if (length !== most) throw new Unreadable("the rich text has another size than it states");
        return out.slice(FIRST.length, length);
      }
      if (distance === 0 || distance > length) {
        throw new Unreadable("the rich text points to what is not there");
      }
      for (let left = (pair & 15) + 2; left > 0; left--, length++) {
        out[length] = out[length - distance]!;
      }
    }
  }
  throw new Unreadable("the rich text has no end");
}

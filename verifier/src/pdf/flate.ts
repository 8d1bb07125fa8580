/** FlateDecode (RFC 1950), bounded: no more is unpacked than is asked for. */

import { ZStream, zlibInflate, zlibInflateInit2, Z_NO_FLUSH, Z_OK, Z_STREAM_END } from "pako";
import { concat } from "../bytes.ts";
import { Unreadable } from "../errors.ts";

const CHUNK_BYTES = 1 << 16;
const WINDOW_BITS = 15;

/** The unpacked bytes, at most `most`; the packed data must end exactly where `packed` does. */
export function inflate(packed: Uint8Array, most: number): Uint8Array {
  const stream = new ZStream();
  if (zlibInflateInit2(stream, WINDOW_BITS) !== Z_OK) throw new Error("inflate did not start");
  stream.input = packed;
  stream.avail_in = packed.length;
  const chunks: Uint8Array[] = [];
  let length = 0;
  let status: number = Z_OK;
  while (status === Z_OK) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    stream.output = chunk;
    stream.next_out = 0;
    stream.avail_out = chunk.length;
    status = zlibInflate(stream, Z_NO_FLUSH);
    if (stream.next_out > 0) chunks.push(chunk.subarray(0, stream.next_out));
    length += stream.next_out;
    if (length > most) throw new Unreadable(`an embedded file unpacks to over ${most} bytes`);
  }
  if (status !== Z_STREAM_END || stream.avail_in !== 0) {
    throw new Unreadable("an embedded file is damaged");
  }
  return concat(...chunks);
}

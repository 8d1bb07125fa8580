/** `body-relaxed/1` (SPEC §3.11): the body in DKIM's relaxed form, in pieces of a fixed size. */

import { CR, isBlank, LF, SP } from "./octets.ts";
import { lineAt } from "./fields.ts";

/** What a hash function takes, piece after piece. */
export interface Sink {
  update(piece: Uint8Array): unknown;
}

const PIECE = 65_536;

/** Gives the form's octets to the sink; returns how many there are. */
export function relaxBody(message: Uint8Array, sink: Sink): number {
  const piece = new Uint8Array(PIECE);
  let used = 0;
  let size = 0;
  const put = (octet: number): void => {
    piece[used++] = octet;
    if (used < PIECE) return;
    sink.update(piece);
    size += used;
    used = 0;
  };
  let lineEnds = 0;
  let blank = false;
  for (let at = bodyStart(message); at < message.length; at++) {
    const octet = message[at]!;
    if (isBlank(octet)) blank = true;
    else if (octet === LF || (octet === CR && message[at + 1] === LF)) {
      if (octet === CR) at++;
      lineEnds++;
      blank = false;
    } else {
      for (; lineEnds > 0; lineEnds--) {
        put(CR);
        put(LF);
      }
      if (blank) put(SP);
      blank = false;
      put(octet);
    }
  }
  if (size + used > 0) {
    put(CR);
    put(LF);
  }
  sink.update(piece.subarray(0, used));
  return size + used;
}

/** Behind the first empty line, or the end. */
function bodyStart(message: Uint8Array): number {
  for (let at = 0; at < message.length;) {
    const line = lineAt(message, at);
    if (line.end === line.start) return line.next;
    at = line.next;
  }
  return message.length;
}

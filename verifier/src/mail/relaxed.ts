/** `body-relaxed/1` (SPEC §3.11): the body in DKIM's relaxed form, in pieces of a fixed size. */

import { CR, isBlank, LF, SP } from "./octets.ts";
import { lineAt } from "./fields.ts";

/** What a hash function takes, piece after piece. */
export interface Sink {
  update(piece: Uint8Array): unknown;
}

const PIECE = 65_536;
/** An SP and an octet, or a line end; and the last line end. */
const MOST_AT_ONCE = 4;

/**
 * Gives the form's octets to the sink; returns how many there are. No closure over what changes with
 * each octet: bodies are long.
 */
export function relaxBody(message: Uint8Array, sink: Sink): number {
  const piece = new Uint8Array(PIECE);
  let used = 0;
  let size = 0;
  let lineEnds = 0;
  let blank = false;
  for (let at = bodyStart(message); at < message.length; at++) {
    const octet = message[at]!;
    if (isBlank(octet)) {
      blank = true;
      continue;
    }
    if (octet === LF || (octet === CR && message[at + 1] === LF)) {
      if (octet === CR) at++;
      lineEnds++;
      blank = false;
      continue;
    }
    for (; lineEnds > 0; lineEnds--) {
      if (used > PIECE - MOST_AT_ONCE) [size, used] = [size + used, give(sink, piece, used)];
      piece[used++] = CR;
      piece[used++] = LF;
    }
    if (used > PIECE - MOST_AT_ONCE) [size, used] = [size + used, give(sink, piece, used)];
    if (blank) piece[used++] = SP;
    blank = false;
    piece[used++] = octet;
  }
  if (size + used > 0) {
    piece[used++] = CR;
    piece[used++] = LF;
  }
  give(sink, piece, used);
  return size + used;
}

/** Gives away what the piece holds; returns how much it holds then. */
function give(sink: Sink, piece: Uint8Array, used: number): number {
  sink.update(piece.subarray(0, used));
  return 0;
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

/** Time-stamp responses and tokens (RFC 3161 §2.4.2): bytes in, values out, no judgement (SPEC §5.2). */

import { Unreadable } from "../errors.ts";
import { isPlain, readAlgorithm } from "./algorithm.ts";
import { readSignedData, type SignedData } from "./cms.ts";
import { BOOLEAN, INTEGER, OCTET_STRING, Reader, SEQUENCE, context, only } from "./der.ts";
import { SECOND, readGenTime, yearOf, type Moment } from "./moment.ts";

export const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const MOST_BYTES = 65_536;
const MOST_EXTENSIONS = 10_000;
const DAY = 86_400n;
const MILLISECOND = 1_000n;

/** A TimeStampResp; `failures` are the numbers of the bits of PKIFailureInfo that are set. */
export interface Response {
  readonly status: bigint;
  readonly failures: ReadonlySet<number>;
  readonly token: Uint8Array | undefined;
}

/** A TSTInfo. `accuracy` is in microseconds. */
export interface TokenInfo {
  readonly policy: string;
  readonly imprintOid: string;
  readonly imprint: Uint8Array;
  readonly serial: bigint;
  readonly genTime: Moment;
  readonly accuracy: bigint | undefined;
}

export interface Token {
  readonly info: TokenInfo;
  readonly content: Uint8Array;
  readonly signed: SignedData;
}

/** A response, whatever its status. Its text is passed over: it is a stranger's words. */
export function readResponse(der: Uint8Array): Response {
  if (der.length > MOST_BYTES) {
    throw new Unreadable(`a time-stamp response has at most ${MOST_BYTES} bytes`);
  }
  const body = only(der);
  const info = body.enter();
  const status = info.integer();
  if (info.peek() === SEQUENCE) info.raw();
  const failures = info.peek() === 0 ? new Set<number>() : info.bits();
  info.done();
  const token = body.peek() === 0 ? undefined : body.raw(SEQUENCE);
  body.done();
  return { status, failures, token };
}

/** A token taken apart. */
export function readToken(der: Uint8Array): Token {
  const signed = readSignedData(der);
  const content = signed.content;
  if (signed.contentType !== TST_INFO || content === undefined) {
    throw new Unreadable("the signed content is not that of a time-stamp token");
  }
  return { info: readInfo(only(content)), content, signed };
}

function readInfo(body: Reader): TokenInfo {
  if (body.integer() !== 1n) throw new Unreadable("unknown version of a time-stamp token");
  const policy = body.oid();
  const messageImprint = body.enter();
  const algorithm = readAlgorithm(messageImprint);
  if (!isPlain(algorithm)) throw new Unreadable("the imprint's digest algorithm has parameters");
  const imprint = messageImprint.content(OCTET_STRING);
  messageImprint.done();
  const serial = body.integer();
  const genTime = readGenTime(body);
  const year = yearOf(genTime);
  if (year < 1970 || year > 9998) throw new Unreadable("genTime is out of bounds");
  const accuracy = body.peek() === SEQUENCE ? readAccuracy(body.enter()) : undefined;
  if (body.peek() === BOOLEAN) body.boolean();
  if (body.peek() === INTEGER) body.integer();
  if (body.peek() === context(0)) {
    const tsa = body.enter(context(0));
    tsa.raw();
    tsa.done();
  }
  if (body.peek() !== 0) readTokenExtensions(body.enter(context(1)));
  body.done();
  return { policy, imprintOid: algorithm.oid, imprint, serial, genTime, accuracy };
}

/** What is missing counts as zero; a day or more is no accuracy at all. */
function readAccuracy(reader: Reader): bigint {
  const seconds = reader.peek() === INTEGER ? reader.integer() : 0n;
  const [milliseconds, microseconds] = [0, 1].map((number) => {
    const tag = context(number, "primitive");
    if (reader.peek() !== tag) return 0n;
    const value = reader.integer(tag);
    if (value < 1n || value > 999n) throw new Unreadable("the accuracy is out of bounds");
    return value;
  }) as [bigint, bigint];
  reader.done();
  if (seconds < 0n || seconds >= DAY) throw new Unreadable("the accuracy is out of bounds");
  return seconds * SECOND + milliseconds * MILLISECOND + microseconds;
}

/** None is known here, so a critical one makes the token unreadable (RFC 5280 §4.2). */
function readTokenExtensions(reader: Reader): void {
  reader.each(MOST_EXTENSIONS, "extensions", (one) => {
    const extension = one.enter();
    extension.oid();
    if (extension.peek() === BOOLEAN && extension.boolean()) {
      throw new Unreadable("the token has a critical extension that is not known");
    }
    extension.content(OCTET_STRING);
    extension.done();
  });
}

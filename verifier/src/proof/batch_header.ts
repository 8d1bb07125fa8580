/** The header of a batch (SPEC §6.2): leaf 0 of its tree. */

import { Unreadable } from "../errors.ts";
import { canonical } from "../json.ts";
import type { Json } from "../json.ts";
import { logName } from "./log_name.ts";
import type { BatchHeader } from "./model.ts";
import { closed, digest, integer, oneOf, time } from "./shape.ts";

const MOST_RECORDS = 1_000_000;

/** Its previous root is 32 zero bytes for sequence 1, and for no other. */
export function batchHeader(value: Json | undefined): BatchHeader {
  const members = closed(value, ["format", "log", "sequence", "previous", "count", "closed_at"]);
  oneOf(members["format"], ["proofmail/batch-header/0"]);
  const sequence = integer(members["sequence"], 1);
  const previous = digest(members["previous"]);
  if ((sequence === 1) !== previous.every((octet) => octet === 0)) {
    throw new Unreadable("a previous root that does not suit the sequence");
  }
  return {
    log: logName(members["log"]),
    sequence,
    previous,
    count: integer(members["count"], 1, MOST_RECORDS),
    closed_at: time(members["closed_at"]),
    bytes: canonical(members),
  };
}

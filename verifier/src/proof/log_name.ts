/** The name of a log (SPEC §2.1). */

import { Unreadable } from "../errors.ts";
import type { Json } from "../json.ts";

const LOG = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?(?:\/[a-z0-9-]{1,32})?$/;

export function logName(value: Json | undefined): string {
  if (typeof value !== "string" || !LOG.test(value)) throw new Unreadable("not the name of a log");
  return value;
}

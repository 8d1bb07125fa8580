/** Items of a list by their kind; one of a kind that is not known is kept (SPEC §1.1). */

import { Unreadable } from "../errors.ts";
import { isObject } from "../json.ts";
import type { Json } from "../json.ts";
import type { UnknownItem } from "./model.ts";
import { text } from "./shape.ts";

const LONGEST_KIND = 64;

/** A reader that takes an item of this kind by `read`, and any other as unknown. */
export function byKind<T>(kind: string, read: (item: Json) => T): (item: Json) => T | UnknownItem {
  return (item) => (isObject(item) && item["kind"] === kind ? read(item) : unknownItem(item));
}

/** Its other members are not judged. */
export function unknownItem(item: Json): UnknownItem {
  if (!isObject(item)) throw new Unreadable("an item of a list is no object");
  return { known: false, kind: text(item["kind"], LONGEST_KIND) };
}

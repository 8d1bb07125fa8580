/** How a report names a part. */

import type { Part } from "../copies/recorded.ts";
import type { Said } from "../report.ts";
import { said } from "./words.ts";

/** What a claim is about: `part 2 (offre.pdf)`. */
export function called(claim: string, label: string): Said {
  const dot = claim.indexOf(".");
  if (dot < 0) return said(claim);
  const kind = claim.slice(0, dot);
  const number = claim.slice(dot + 1);
  return label ? said(`${kind}.named`, { number, name: label }) : said(kind, { number });
}

/** A part by its role and its name or type: `attachment offre.pdf`, `body (plain text)`. */
export function described(part: Part): Said {
  const role = said(`role.${part.role}`);
  if (part.name !== undefined) return said("described", { role, name: part.name });
  const known = part.type === "text/html" || part.type === "text/plain";
  const type = known ? said(`type.${part.type}`) : part.type;
  return said("described.type", { role, type });
}

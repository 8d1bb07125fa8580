/** The rows on a dossier beside those on its proof: V15, V16 and V16.D (SPEC §11.5). */

import { concat } from "../bytes.ts";
import { CheckFailed, Unreadable } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { Proof } from "../proof/model.ts";
import type { Trust } from "../proof/trust_model.ts";
import type { Row } from "../report.ts";
import { digest } from "../token/algorithm.ts";
import { judgeSeal } from "../token/seal.ts";
import { judgeStamp } from "../token/stamp.ts";
import type { Additions } from "./additions.ts";
import type { Dossier } from "./dossier.ts";
import { checkLoose } from "./loose.ts";
import type { Signed } from "./seal.ts";

const SEAL_TITLE = "one seal over the file, by a trusted signer";
const STAMP_TITLE = "a document time-stamp over the sealed file, by a trusted authority";

/** V15 on the dossier of one proof. */
export function looseRow(dossier: Dossier, proof: Proof): Row {
  const title = "one proof, and loose files equal to it";
  const loose = new Map(dossier.files);
  loose.delete("proof.json");
  try {
    checkLoose(loose, proof);
  } catch (error) {
    if (!(error instanceof CheckFailed || error instanceof Unreadable)) throw error;
    return { number: "V15", title, status: "failed", reason: error.message, subject: "" };
  }
  const reason = `${loose.size} loose files; the pages are not read, nor believed`;
  return { number: "V15", title, status: "passed", reason, subject: "" };
}

/** V16, and V16.D for each document time-stamp behind the seal. */
export async function sealRows(dossier: Dossier, trust: Trust): Promise<Row[]> {
  const { seal, additions } = dossier;
  const row = { number: "V16", title: SEAL_TITLE, subject: "" };
  if (!seal) return [{ ...row, status: "failed", reason: "the dossier is not sealed" }];
  if (typeof additions === "string") return [{ ...row, status: "failed", reason: additions }];
  const covered = concat(...seal.covered);
  const { status, reason, signer } = await judgeSeal(
    seal.cms,
    (name) => digest(name, covered),
    trust.seals,
  );
  const words = status === "passed" ? `signer ${signer}${behind(dossier, additions)}` : reason;
  const rows: Row[] = [{ ...row, status, reason: words }];
  for (const [place, imprint] of imprints(additions.stamps).entries()) {
    const outcome = await judgeStamp(
      additions.stamps[place]!.cms,
      imprint,
      additions.certificates,
      additions.revocation,
      trust.authorities,
    );
    const subject = `document time-stamp ${place + 1}`;
    rows.push({ number: "V16.D", title: STAMP_TITLE, ...outcome, subject });
  }
  return rows;
}

/** The SHA-256 of what each covers. What lies before a later one begins with what lies before this: it is hashed once. */
function imprints(stamps: readonly Signed[]): Uint8Array[] {
  const running = sha256.create();
  let done = 0;
  return stamps.map(({ covered: [before, behind] }) => {
    running.update(before.subarray(done));
    done = before.length;
    return running.clone().update(behind).digest();
  });
}

/** What stands behind the seal, so that a level is not believed to hold more than it does. */
function behind({ laterRevisions }: Dossier, additions: Additions): string {
  if (laterRevisions === 0) return "";
  const items = additions.revocation.length;
  return (
    `; behind the seal: ${additions.stamps.length} document time-stamps, ` +
    `${additions.certificates.length} certificates, revocation data: ${items > 0 ? `${items} items` : "none"}`
  );
}

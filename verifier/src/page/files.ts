/** Which of the three places a file dropped anywhere belongs to, by its first bytes. */

export type Place = "proof" | "copies" | "trust";

/** What a file looks like. Nothing is judged here. */
export type Kind = "pdf" | "proof" | "trust" | "other";

const HEAD_BYTES = 4096;

/** A trust file names its format, and so does a proof. What cannot be read looks like nothing. */
export async function kindOf(file: Blob): Promise<Kind> {
  const head = await headOf(file);
  if (head.startsWith("%PDF-")) return "pdf";
  if (!/^\s*\{/.test(head)) return "other";
  if (/^\s*\{\s*"batches"\s*:/.test(head)) return "proof";
  if (head.includes('"proofmail/trust/0"')) return "trust";
  const keys = /^\s*\{\s*"(authorities|chains|lists|seals|services|witnesses)"\s*:/;
  return keys.test(head) ? "trust" : "other";
}

/** A PDF is the dossier while there is none, and an attachment after that; so is a proof. */
export function placeOf(kind: Kind, hasProof: boolean): Place {
  if (kind === "trust") return "trust";
  return kind === "other" || hasProof ? "copies" : "proof";
}

async function headOf(file: Blob): Promise<string> {
  try {
    const head = await file.slice(0, HEAD_BYTES).arrayBuffer();
    return new TextDecoder("latin1").decode(head);
  } catch {
    return ""; // a folder, or gone: the judging says so by its name
  }
}

/** Which of the three places a file dropped anywhere belongs to, by its first bytes. */

export type Place = "proof" | "copies" | "trust";

const HEAD_BYTES = 4096;

/**
 * A PDF is the dossier while there is none, and an attachment after that; a trust file names its
 * format, and so does a proof. All else is a copy. Nothing is judged here.
 */
export async function placeOf(file: Blob, hasProof: boolean): Promise<Place> {
  const head = new TextDecoder("latin1").decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (head.startsWith("%PDF-")) return hasProof ? "copies" : "proof";
  if (!/^\s*\{/.test(head)) return "copies";
  if (head.includes('"proofmail/trust/0"')) return "trust";
  const keys = /^\s*\{\s*"(authorities|chains|lists|seals|services|witnesses)"\s*:/;
  if (keys.test(head)) return "trust";
  return /^\s*\{\s*"batches"\s*:/.test(head) && !hasProof ? "proof" : "copies";
}

/** The files that are the same in every dossier, for people who check by hand (SPEC §11.1, 3). */

import { toHex } from "../bytes.ts";
import { CheckFailed } from "../errors.ts";
import { sha256 } from "../hash.ts";

/** The SHA-256 of each version; a later one is added, and none goes. */
const VERSIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ["check.py", ["d8c84b982d558af3f4e11029bb18d7750137da5cba2f9f7cd04bc16948d12418"]],
  ["instructions.txt", ["ba08f8a8b7509374d147c153ad61240d90c1ddfca31eb209e3070d8a92064d0e"]],
]);

export const CONSTANT_FILES = VERSIONS.size;

/** `files` without these. CheckFailed where one is of no known version: who checks by hand runs it. */
export function withoutConstant(
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<string, Uint8Array> {
  const own = new Map(files);
  for (const [name, versions] of VERSIONS) {
    const content = own.get(name);
    if (content && !versions.includes(toHex(sha256(content)))) {
      throw new CheckFailed(`the file ${name} in the dossier is no known version of it`);
    }
    own.delete(name);
  }
  return own;
}

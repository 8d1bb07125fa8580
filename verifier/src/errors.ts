/** How a check ends other than by passing (SPEC §9.1). Texts hold no content of a mail. */

/** The bytes are not what they should be: no proof, no dossier, no token. */
export class Unreadable extends Error {
  override name = "Unreadable";
}

/** A readable thing breaks a rule. */
export class CheckFailed extends Error {
  override name = "CheckFailed";
}

/** It cannot be judged under this trust. */
export class NotChecked extends Error {
  override name = "NotChecked";
}

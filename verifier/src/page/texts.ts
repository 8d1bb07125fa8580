/** What the page itself says, in English and French. What a report says is in src/words. */

export type Language = "en" | "fr";

const TEXTS = {
  title: ["Check a proof", "Vérifier une preuve"],
  lead: [
    "Everything happens in this page. No file leaves this computer, nothing is kept, and no network is used.",
    "Tout se passe dans cette page. Aucun fichier ne quitte cet ordinateur, rien n’est conservé, aucun réseau n’est utilisé.",
  ],
  "zone.proof": ["The dossier or proof", "Le dossier ou la preuve"],
  "zone.proof.hint": [
    "A dossier (PDF), a case dossier, or a proof.json.",
    "Un dossier (PDF), un dossier d’affaire, ou un proof.json.",
  ],
  "zone.copies": ["What you hold", "Ce que vous détenez"],
  "zone.copies.hint": [
    "The mail (.eml, mbox, .msg), its attachments, a saved text: each is compared with the proof. Optional.",
    "Le mail (.eml, mbox, .msg), ses pièces jointes, un texte enregistré : chacun est comparé à la preuve. Facultatif.",
  ],
  "zone.trust": ["The trust file", "Le fichier de confiance"],
  "zone.trust.hint": [
    "What you decide to believe: keys, authorities, blocks. Get it from somebody whom you believe, not from who gave you the proof.",
    "Ce que vous décidez de croire : clés, autorités, blocs. Obtenez-le de quelqu’un que vous croyez, pas de qui vous a remis la preuve.",
  ],
  "zone.choose": ["Choose a file", "Choisir un fichier"],
  "zone.choose.copies": ["Choose files", "Choisir des fichiers"],
  "zone.drop": ["or drop it here", "ou déposez-le ici"],
  "zone.drop.copies": ["or drop them here", "ou déposez-les ici"],
  "trust.given": [
    "The trust of the service that handed out this page is used. It is the word of that service; another file replaces it.",
    "La confiance du service qui a remis cette page est utilisée. C’est la parole de ce service ; un autre fichier la remplace.",
  ],
  "trust.none": ["No trust was given", "Aucune confiance n’a été donnée"],
  "trust.file": ["Under the trust file", "Selon le fichier de confiance"],
  "trust.page": [
    "Under the trust that came with this page: it is the word of the service that handed it out",
    "Selon la confiance venue avec cette page : c’est la parole du service qui l’a remise",
  ],
  digests: ["Digests to look for", "Empreintes à chercher"],
  "digests.hint": [
    "SHA-256 or SHA3-256 in hexadecimal, one a line. Optional.",
    "SHA-256 ou SHA3-256 en hexadécimal, une par ligne. Facultatif.",
  ],
  remove: ["Remove {name}", "Retirer {name}"],
  empty: [
    "Nothing is checked yet: give a dossier or a proof.",
    "Rien n’est encore vérifié : donnez un dossier ou une preuve.",
  ],
  working: ["Checking…", "Vérification en cours…"],
  "working.copy": ["Comparing {name}…", "Comparaison de {name}…"],
  stop: ["Stop", "Arrêter"],
  stopped: ["Stopped: nothing was judged.", "Arrêté : rien n’a été jugé."],
  "state.0": ["Verified", "Vérifié"],
  "state.1": ["Failed", "Échec"],
  "state.differs": ["Differs", "Diffère"],
  "state.2": ["Unreadable", "Illisible"],
  "state.3": ["Not verified under this trust", "Non vérifié avec cette confiance"],
  "state.0.means": [
    "Every check that decides passed, under the trust given.",
    "Tous les contrôles décisifs sont réussis, avec la confiance donnée.",
  ],
  "state.1.means": [
    "At least one check failed: do not rely on this proof.",
    "Au moins un contrôle a échoué : ne vous fiez pas à cette preuve.",
  ],
  "state.differs.means": [
    "The proof itself has no fault, but something that you hold is not what was recorded.",
    "La preuve elle-même est sans défaut, mais quelque chose que vous détenez n’est pas ce qui a été enregistré.",
  ],
  "state.2.means": [
    "This is no proof and no dossier, or it is damaged. Nothing was judged.",
    "Ce n’est ni une preuve ni un dossier, ou il est endommagé. Rien n’a été jugé.",
  ],
  "state.3.means": [
    "Nothing failed, but the service, a witness, the seal or a copy could not be judged under this trust.",
    "Rien n’a échoué, mais le service, un témoin, le sceau ou une copie n’a pas pu être jugé avec cette confiance.",
  ],
  facts: ["What the record says", "Ce que dit l’enregistrement"],
  hidden: [
    "{count} entries are not shown, padding among them.",
    "{count} entrées ne sont pas montrées, remplissage compris.",
  ],
  copies: ["What you hold, compared", "Ce que vous détenez, comparé"],
  unchecked: ["What was not checked", "Ce qui n’a pas été vérifié"],
  "unchecked.trust": [
    "No trust file was given, so nothing can be verified, only examined.",
    "Aucun fichier de confiance n’a été donné : rien ne peut être vérifié, seulement examiné.",
  ],
  "unchecked.copies": [
    "Nothing was compared with the proof: whether a mail or file that you hold is the recorded one is open.",
    "Rien n’a été comparé à la preuve : on ne sait pas si un mail ou un fichier que vous détenez est celui qui a été enregistré.",
  ],
  "unchecked.copy": ["{name}: {status}", "{name} : {status}"],
  "unchecked.list": [
    "That the list is complete is the word of whoever made it. Nothing was compared with its proofs. What each of them leaves open stands in its own report.",
    "Que la liste soit complète est la parole de qui l’a constituée. Rien n’a été comparé à ses preuves. Ce que chacune laisse ouvert se trouve dans son propre rapport.",
  ],
  "unchecked.row": ["{number} {title}: {status}", "{number} {title} : {status}"],
  "unchecked.network": [
    "No node, authority or explorer was asked: blocks and revocation are judged by the trust file and by what the proof holds.",
    "Aucun nœud, autorité ni explorateur n’a été interrogé : blocs et révocations sont jugés par le fichier de confiance et par ce que contient la preuve.",
  ],
  "unchecked.pages": [
    "The pages of the PDF were not read: all that is said here comes from the proof inside it.",
    "Les pages du PDF n’ont pas été lues : tout ce qui est dit ici vient de la preuve qu’il contient.",
  ],
  given: ["Files judged", "Fichiers jugés"],
  size: ["{size} bytes", "{size} octets"],
  print: ["Print", "Imprimer"],
  save: ["Save the report (JSON)", "Enregistrer le rapport (JSON)"],
  keep: ["Keep all together (ZIP)", "Conserver le tout (ZIP)"],
  "keep.hint": [
    "The service keeps no original: keep the dossier with the mail.",
    "Le service ne conserve aucun original : gardez le dossier avec le mail.",
  ],
  number: ["Number", "Numéro"],
  check: ["Check", "Contrôle"],
  result: ["Result", "Résultat"],
  reason: ["Why", "Pourquoi"],
  part: ["Part", "Partie"],
  match: ["Match", "Correspondance"],
  received: ["Received", "Reçu"],
  sender: ["Sender", "Expéditeur"],
  subject: ["Subject", "Objet"],
  "case.show": ["Proof {number}: show all", "Preuve {number} : tout montrer"],
  "case.back": ["Back to the list", "Retour à la liste"],
  "case.copies": [
    "Copies are compared with one proof: choose it in the list.",
    "Les copies sont comparées à une preuve : choisissez-la dans la liste.",
  ],
  "case.waiting": [
    "{count} of what you gave was compared with nothing: choose the proof that it belongs to.",
    "{count} de ce que vous avez donné n’a été comparé à rien : choisissez la preuve concernée.",
  ],
  lost: [
    "{name} cannot be read: it is a folder, or it was changed or moved since you gave it. Nothing was judged.",
    "{name} est illisible : c’est un dossier du disque, ou il a été modifié ou déplacé depuis. Rien n’a été jugé.",
  ],
  "too-large": [
    "{name} is larger than {most} MiB: too large for this page; use `proofmail verify`.",
    "{name} dépasse {most} Mio : trop pour cette page ; utilisez `proofmail verify`.",
  ],
  "trust.unreadable": [
    "The trust file cannot be read: {why}",
    "Le fichier de confiance est illisible : {why}",
  ],
  broken: [
    "This page met a fault of its own, and judged nothing. Use `proofmail verify`, and tell us.",
    "Cette page a rencontré un défaut qui lui est propre, et n’a rien jugé. Utilisez `proofmail verify`, et signalez-le.",
  ],
  mended: [
    "An independent second implementation of SPEC.md. It is no authority: what it says rests on the trust file.",
    "Une seconde implémentation, indépendante, de SPEC.md. Elle n’est pas une autorité : ce qu’elle dit repose sur le fichier de confiance.",
  ],
} as const satisfies Record<string, readonly [string, string]>;

export type TextKey = keyof typeof TEXTS;

/** The text of a key, its `{places}` filled with values as they are. */
export function text(
  key: TextKey,
  language: Language,
  values: Record<string, string | number> = {},
): string {
  const open = TEXTS[key][language === "fr" ? 1 : 0];
  return open.replace(/\{([a-z]+)\}/g, (place, name: string) => String(values[name] ?? place));
}

"""Every text of the pages, French and English side by side, so that neither can be forgotten.

`{name}` stands for a value; values are escaped where a template writes them. The words are those
of the glossary: record, token, batch, anchor, proof, receipt, dossier, trust, verdict.
"""

from __future__ import annotations

import re

from proofmail.web.services import Language

LANGUAGES: tuple[Language, Language] = ("fr", "en")

TEXTS: dict[str, tuple[str, str]] = {
    # Frame of every page
    "nav.main": ("Menu principal", "Main menu"),
    "nav.skip": ("Aller au contenu", "Skip to content"),
    "nav.home": ("Synthèse", "Synthesis"),
    "nav.records": ("Enregistrements", "Records"),
    "nav.exports": ("Exports", "Exports"),
    "list.export": (
        "Réunir ces enregistrements en un dossier d’affaire ou une archive…",
        "Put these records into one case dossier or archive…",
    ),
    "exports.title": ("Exports", "Exports"),
    "exports.lead": (
        "Réunissez beaucoup d’enregistrements dans un seul fichier : un dossier d’affaire (un PDF "
        "scellé avec une table et toutes les preuves) ou une archive (un ZIP avec un dossier par "
        "enregistrement, un index et le fichier de confiance).",
        "Put many records into one file: a case dossier (a sealed PDF with a table and every "
        "proof) or an archive (a ZIP file with a dossier for each record, an index and the trust "
        "file).",
    ),
    "exports.what": ("Nature", "What"),
    "exports.case": ("Dossier d’affaire (PDF)", "Case dossier (PDF)"),
    "exports.archive": ("Archive (ZIP)", "Archive (ZIP)"),
    "exports.name": ("Nom donné à l’affaire", "Name given to the case"),
    "exports.submit": ("Demander", "Ask for it"),
    "exports.most": (
        "Un dossier d’affaire contient au plus {count} enregistrements, des mails sauf mention "
        "contraire ; leurs accusés sont dans leurs preuves.",
        "A case dossier holds at most {count} records, mails unless another kind is chosen; their "
        "receipts are in their proofs.",
    ),
    "exports.made": ("Demandes", "Asked for"),
    "exports.asked_at": ("Demandé le", "Asked on"),
    "exports.file": ("Fichier", "File"),
    "exports.fetch": ("Télécharger", "Download"),
    "exports.until": ("jusqu’au {when}", "until {when}"),
    "exports.remove": ("Retirer", "Remove"),
    "exports.progress": ("{done} sur {total}", "{done} of {total}"),
    "exports.wait": ("Un export est en cours.", "An export is being made."),
    "exports.again": ("Actualiser", "Refresh"),
    "exports.kept": (
        "Un fichier est gardé {hours} heures. Il disparaît aussi dès qu’un enregistrement est "
        "effacé.",
        "A file is kept for {hours} hours. It also goes as soon as a record is erased.",
    ),
    "exports.empty": (
        "Rien n’a encore été demandé. Choisissez ci-dessus, ou partez d’une recherche dans les "
        "enregistrements.",
        "Nothing has been asked for yet. Choose above, or start from a search in the records.",
    ),
    "exports.many": (
        "Trop d’exports sont en cours ou gardés : attendez, ou retirez-en un.",
        "Too many exports are being made or kept: wait, or remove one.",
    ),
    "exports.bad": ("La demande n’a pu être lue.", "What was asked for could not be read."),
    "exports.state.waiting": ("en attente", "waiting"),
    "exports.state.running": ("en cours", "being made"),
    "exports.state.done": ("prêt", "ready"),
    "exports.state.failed": ("échec", "failed"),
    "nav.verify": ("Vérifier", "Verify"),
    "nav.sign_out": ("Se déconnecter", "Sign out"),
    "nav.signed_in_as": ("Connecté : {name}", "Signed in: {name}"),
    "nav.language": ("Langue", "Language"),
    "foot.trust": ("Fichier de confiance de ce service", "This service's trust file"),
    "foot.api": ("Description de l’API", "API description"),
    "caution.title": ("Attention", "Caution"),
    "caution.authority": (
        "Ce service utilise sa propre autorité d’horodatage : elle n’est pas qualifiée, et ne vaut "
        "que pour qui croit ce service.",
        "This service uses its own time-stamping authority: it is not a qualified one, and "
        "convinces only those who believe this service.",
    ),
    "caution.chain": (
        "Ce service ancre dans une chaîne de développement : cet ancrage ne prouve rien à des "
        "tiers.",
        "This service anchors in a development chain: these anchors prove nothing to others.",
    ),
    # Words used in several places
    "state.recorded": ("enregistré", "recorded"),
    "state.stamped": ("horodaté", "time-stamped"),
    "state.batched": ("mis en lot", "batched"),
    "state.anchored": ("ancré", "anchored"),
    "state.final": ("définitif", "final"),
    "kind.message": ("mail", "mail"),
    "kind.receipt": ("accusé", "receipt"),
    "kind.addendum": ("complément", "addendum"),
    "kind.digests": ("empreintes", "digests"),
    "kind.audit": ("journal d’audit", "audit trail"),
    "source.observed": ("observé par le service", "observed by the service"),
    "source.stated": ("déclaré par le mail", "stated by the mail"),
    "source.derived": ("calculé par le service", "derived by the service"),
    "status.passed": ("réussi", "passed"),
    "status.failed": ("échec", "failed"),
    "status.absent": ("absent", "absent"),
    "status.not checked": ("non vérifié", "not checked"),
    "word.unknown": ("non indiqué", "not stated"),
    "word.erased": ("effacé", "erased"),
    "word.stamp_missing": ("pas encore horodaté", "not yet time-stamped"),
    "word.stamp_partly": (
        "horodaté en partie : il manque une autorité",
        "time-stamped in part: an authority is missing",
    ),
    "word.stamp_present": ("horodaté", "time-stamped"),
    "word.no_subject": ("(sans objet)", "(no subject)"),
    "unit.bytes": ("{n} octets", "{n} bytes"),
    # Sign-in
    "signin.title": ("Connexion", "Sign in"),
    "signin.lead": (
        "La preuve de vos mails, sans en garder le contenu.",
        "Evidence of your mails, without keeping their content.",
    ),
    "signin.email": ("Adresse e-mail", "E-mail address"),
    "signin.password": ("Mot de passe", "Password"),
    "signin.submit": ("Se connecter", "Sign in"),
    "signin.wrong": (
        "L’adresse ou le mot de passe est faux.",
        "The address or the password is wrong.",
    ),
    "signin.limited": (
        "Trop d’essais. Attendez {minutes} minutes, puis réessayez.",
        "Too many tries. Wait {minutes} minutes, then try again.",
    ),
    # Synthesis
    "home.title": ("Synthèse", "Synthesis"),
    "home.mails": ("mails", "mails"),
    "home.attachments": ("pièces jointes", "attachments"),
    "home.receipts": ("accusés", "receipts"),
    "home.others": ("autres enregistrements", "other records"),
    "home.progress": ("Où en sont les preuves", "How far the proofs are"),
    "home.progress_of": (
        "{n} enregistrements, mails et accusés compris",
        "{n} records, mails and receipts together",
    ),
    "home.progress_note": (
        "Horodatage et ancrage sont deux témoins indépendants : aucun n’attend l’autre.",
        "Time-stamp and anchor are two independent witnesses: neither waits for the other.",
    ),
    "home.troubles": ("Ce qui retarde l’ancrage", "What delays the anchors"),
    "home.since": ("depuis le {when}", "since {when}"),
    "home.costs": ("Coût des ancrages", "What anchors cost"),
    "home.costs.paid": (
        "Chaîne {chain} : {paid} payés pour {anchors} ancrages et {records} preuves, soit {each} "
        "par preuve, dans la monnaie de la chaîne.",
        "Chain {chain}: {paid} paid for {anchors} anchors and {records} proofs, {each} a proof, in "
        "the chain’s coin.",
    ),
    "home.costs.stake": ("Engagé au plus : {stake}.", "At stake at most: {stake}."),
    "home.costs.today": ("Compté aujourd’hui : {today}.", "Counted today: {today}."),
    "home.costs.budget": ("Budget par jour : {budget}.", "Budget a day: {budget}."),
    "condition.ledger.clock-ahead": (
        "L’horloge du service avance de {seconds} s sur celle de la chaîne : les lots attendent "
        "que la chaîne y soit.",
        "The service’s clock is {seconds} s ahead of the chain’s: batches wait until the chain is "
        "there.",
    ),
    "condition.ledger.clock-behind": (
        "L’horloge du service retarde de {seconds} s sur celle de la chaîne : remettez-la à "
        "l’heure.",
        "The service’s clock is {seconds} s behind the chain’s: set it right.",
    ),
    "condition.ledger.fee-ceiling": (
        "La chaîne demande {base_fee_wei} wei par unité de gaz, plus que le plafond de "
        "{ceiling_wei} : les lots attendent.",
        "The chain asks {base_fee_wei} wei per gas, more than the ceiling of {ceiling_wei}: "
        "batches wait.",
    ),
    "condition.ledger.budget": (
        "Le budget du jour ({budget_wei} wei) est épuisé : les lots attendent demain (UTC).",
        "The day’s budget ({budget_wei} wei) is used up: batches wait for tomorrow (UTC).",
    ),
    "condition.ledger.unfunded": (
        "Le compte {address} ne peut pas payer {needed_wei} wei : alimentez-le.",
        "The account {address} cannot pay {needed_wei} wei: fund it.",
    ),
    "condition.ledger.nonce-taken": (
        "Un autre programme a utilisé la clé d’ancrage (numéro {subject}) : le lot attend que ce "
        "soit définitif.",
        "Another program used the anchor key (nonce {subject}): the batch waits until that is "
        "final.",
    ),
    "condition.ledger.block-too-old": (
        "Le bloc {subject} est plus ancien que les mails de son lot : cet ancrage n’est pas gardé.",
        "Block {subject} is older than the mails of its batch: this anchor is not kept.",
    ),
    "condition.ledger.node": (
        "Le nœud {subject} est mis à l’écart ({why}).",
        "Node {subject} is set aside ({why}).",
    ),
    "condition.ledger.nodes-disagree": (
        "Trop peu de nœuds s’accordent ({why}) : rien ne devient définitif.",
        "Too few nodes agree ({why}): nothing becomes final.",
    ),
    "home.stage": ("Étape", "Stage"),
    "home.share": ("Part", "Share"),
    "home.number": ("Nombre", "Number"),
    "home.stage.recorded": ("Enregistrés", "Recorded"),
    "home.stage.stamped": ("Horodatés", "Time-stamped"),
    "home.stage.anchored": ("Dans un bloc", "In a block"),
    "home.stage.final": ("Définitifs", "Final"),
    "home.newest": ("Derniers enregistrements", "Newest records"),
    "home.all": ("Tous les enregistrements", "All records"),
    "home.empty.title": ("Rien n’est encore enregistré", "Nothing is recorded yet"),
    "home.empty.how": (
        "Mettez cette adresse en copie d’un mail, et envoyez-le comme d’habitude :",
        "Put this address in copy of a mail, and send it as usual:",
    ),
    "home.empty.none": (
        "Votre organisation n’a pas encore d’adresse de preuve. L’exploitant du service en donne "
        "une.",
        "Your organisation has no proof address yet. The service’s operator gives one.",
    ),
    "home.empty.then": (
        "Le service prend les empreintes du mail et de chaque pièce jointe, n’en garde pas le "
        "contenu, et affiche ici l’enregistrement quelques secondes plus tard.",
        "The service fingerprints the mail and each attachment, keeps none of the content, and "
        "shows the record here a few seconds later.",
    ),
    # Health of the witnesses
    "health.title": ("État des témoins", "Health of the witnesses"),
    "health.lead": (
        "Comment répondent les autorités d’horodatage, et si l’horloge de ce service est juste.",
        "How the time-stamping authorities answer, and whether this service’s clock is right.",
    ),
    "health.clock": ("Horloge de ce service", "This service’s clock"),
    "health.clock.unknown": (
        "Aucune autre autorité n’a répondu depuis une heure : rien ne dit si elle est juste.",
        "No other authority has answered for an hour: nothing says whether it is right.",
    ),
    "health.clock.off": (
        "L’horloge est fausse d’au moins {seconds} s, selon les autorités. L’exploitant doit la "
        "régler (NTP).",
        "The clock is off by at least {seconds} s, as the authorities say. The operator has to set "
        "it (NTP).",
    ),
    "health.clock.disputed": (
        "Les autorités se contredisent : au moins l’une d’elles a une horloge fausse.",
        "The authorities contradict one another: at least one of them has a wrong clock.",
    ),
    "health.clock.span": (
        "Avance de l’horloge sur celles de {n} autorités : entre {low} et {high} s (mesuré le "
        "{when}).",
        "The clock is ahead of those of {n} authorities by {low} to {high} s (measured on {when}).",
    ),
    "health.clock.one": (
        "avance sur celle-ci : entre {low} et {high} s (le {when})",
        "ahead of this one’s by {low} to {high} s (on {when})",
    ),
    "health.authorities": ("Autorités d’horodatage", "Time-stamping authorities"),
    "health.none": ("Aucune n’a encore été interrogée.", "None has been asked yet."),
    "health.waiting": (
        "Enregistrements en attente d’horodatage, toutes organisations : {n}.",
        "Records that wait for a time-stamp, of all organisations: {n}.",
    ),
    "health.partly": (
        "Horodatés en partie (il manque une autorité) : {n}.",
        "Time-stamped in part (one authority is missing): {n}.",
    ),
    "health.standing.new": ("pas encore de réponse", "no answer yet"),
    "health.standing.good": ("répond", "answers"),
    "health.standing.failing": ("a échoué", "failed"),
    "health.standing.resting": ("a échoué, en pause", "failed, left alone"),
    "health.good": ("Dernière bonne réponse", "Last good answer"),
    "health.error": ("Dernière erreur", "Last error"),
    "health.never": ("jamais", "never"),
    "health.retry": ("Interrogée à nouveau après", "Asked again after"),
    "health.delay": ("Délai de réponse", "Delay of answers"),
    "health.delay.value": (
        "médiane {median} ms, 99 sur 100 en {late} ms (les {n} dernières)",
        "median {median} ms, 99 of 100 within {late} ms (the last {n})",
    ),
    "health.counts": ("Depuis le début", "Since the beginning"),
    "health.counts.value": (
        "{answers} bonnes réponses, {errors} erreurs, {waits} attentes imposées par son débit",
        "{answers} good answers, {errors} errors, {waits} waits for its rate cap",
    ),
    # List
    "list.title": ("Enregistrements", "Records"),
    "list.search": ("Objet, adresses, noms de fichiers", "Subject, addresses, file names"),
    "list.state": ("État", "State"),
    "list.kind": ("Nature", "Kind"),
    "list.any": ("tous", "any"),
    "list.label": ("Étiquette", "Label"),
    "list.thread": ("Fil de l’enregistrement", "Thread of record"),
    "record.labels": ("Étiquettes", "Labels"),
    "record.labels_note": (
        "Une étiquette sert à retrouver des enregistrements et à en faire un dossier d’affaire. "
        "Elle n’est dans aucune preuve.",
        "A label serves to find records again and to make a case dossier of them. It is in no "
        "proof.",
    ),
    "record.label_new": ("Nouvelle étiquette", "New label"),
    "record.label_give": ("Étiqueter", "Give the label"),
    "record.label_remove": ("Retirer l’étiquette {name}", "Remove the label {name}"),
    "record.thread": ("Fil", "Thread"),
    "record.thread_mails": ("{count} mails enregistrés", "{count} recorded mails"),
    "record.thread_case": ("en faire un dossier d’affaire", "make a case dossier of it"),
    "list.since": ("Du", "From"),
    "list.until": ("Au", "To"),
    "list.submit": ("Chercher", "Search"),
    "list.reset": ("Effacer les critères", "Clear filters"),
    "list.received": ("Reçu", "Received"),
    "list.subject": ("Objet", "Subject"),
    "list.sender": ("Expéditeur", "Sender"),
    "list.recipients": ("Destinataires", "Addressees"),
    "list.attachments": ("Pièces jointes", "Attachments"),
    "list.next": ("Plus anciens", "Older"),
    "list.first": ("Les plus récents", "Newest"),
    "list.empty": ("Aucun enregistrement ne correspond.", "No record fits."),
    "list.searched": (
        "La recherche est remontée jusqu’au {when}. « Plus anciens » la continue.",
        "The search went back to {when}. “Older” goes on from there.",
    ),
    "list.bad_filter": (
        "Un critère ne peut être lu ; il a été ignoré.",
        "A filter cannot be read; it was ignored.",
    ),
    "list.zone": ("Heures : {zone}", "Times: {zone}"),
    # Record
    "record.received": ("Reçu par le service", "Received by the service"),
    "record.received_note": ("heure déclarée par le service", "as the service states"),
    "record.of": ("Accusé ou complément du mail", "Receipt or addendum of the mail"),
    "record.erased": (
        "Cet enregistrement a été effacé le {when}. Ses preuves restent vérifiables par qui en "
        "détient un dossier ; le service n’en sait plus rien.",
        "This record was erased on {when}. Whoever holds a dossier of it can still verify it; the "
        "service no longer knows what it said.",
    ),
    "record.broken": (
        "Cette preuve ne se vérifie pas. Prévenez l’exploitant du service : voir les contrôles "
        "ci-dessous.",
        "This proof does not verify. Tell the service’s operator: see the checks below.",
    ),
    "record.downloads": ("Télécharger", "Download"),
    "record.dossier_fr": ("Dossier (français)", "Dossier (French)"),
    "record.dossier_en": ("Dossier (anglais)", "Dossier (English)"),
    "record.proof": ("Fichier de preuve (JSON)", "Proof file (JSON)"),
    "record.redact": ("Choisir ce qui est montré…", "Choose what is shown…"),
    "verifier.offered": (
        "Un seul fichier, à enregistrer puis à ouvrir dans un navigateur, vérifie un dossier sans "
        "réseau et sans nous :",
        "One file, to be saved and then opened in a browser, checks a dossier without a network "
        "and without us:",
    ),
    "record.verifier": (
        "Vérificateur hors ligne (verifier.html)",
        "Offline verifier (verifier.html)",
    ),
    "redact.title": ("Dossier occulté", "Redacted dossier"),
    "redact.lead": (
        "Un dossier du même enregistrement qui ne montre que ce que vous choisissez. Le reste n’y "
        "figure que par deux empreintes salées, que nul ne peut deviner.",
        "A dossier of the same record that shows only what you choose. The rest is there as two "
        "salted digests alone, which nobody can guess.",
    ),
    "redact.presets": ("Choix tout faits", "Ready-made choices"),
    "redact.preset.least": ("Le strict minimum", "The least possible"),
    "redact.preset.part": ("Seulement « {name} »", "Only “{name}”"),
    "redact.preset.people": ("Seulement les personnes", "Only the people"),
    "redact.preset.parts": ("Seulement les parties", "Only the parts"),
    "redact.choose": ("Ce qui est montré", "What is shown"),
    "redact.whole": (
        "Un énoncé est montré en entier ou pas du tout : les destinataires d’un même champ ne se "
        "séparent pas.",
        "A claim is shown whole or not at all: the recipients of one field cannot be parted.",
    ),
    "redact.show": ("Montrer", "Show"),
    "redact.always": ("toujours montré", "always shown"),
    "redact.together": ("{count} personnes ensemble", "{count} people together"),
    "redact.linked": (
        "Garder les {count} accusés et compléments liés, sans leurs en-têtes (le domaine qui les a "
        "authentifiés reste visible)",
        "Keep the {count} linked receipts and addenda, without their header (the domain that "
        "authenticated them stays visible)",
    ),
    "redact.preview": ("Aperçu", "Preview"),
    "redact.result": ("Ce dossier occulté", "This redacted dossier"),
    "redact.count": (
        "{shown} des {count} entrées sont montrées ; les {hidden} autres sont des énoncés masqués "
        "ou du remplissage, sans qu’on puisse les distinguer.",
        "{shown} of {count} entries are shown; the other {hidden} are hidden claims or padding, "
        "and nobody can tell which.",
    ),
    "redact.kept": (
        "Accusés et compléments gardés : {kept} sur {count}.",
        "Receipts and addenda kept: {kept} of {count}.",
    ),
    "redact.same": (
        "Il se vérifie comme le dossier complet : mêmes enregistrement, signature et témoins.",
        "It verifies as the full dossier does: same record, signature and witnesses.",
    ),
    "record.provisional": (
        "Le dossier est provisoire tant qu’un témoin manque ou que le bloc n’est pas définitif.",
        "The dossier is provisional as long as a witness is missing or the block is not final.",
    ),
    "record.timeline": ("De la réception à la preuve définitive", "From reception to finality"),
    "record.timeline_lane.token": ("Horodatage", "Time-stamp"),
    "record.timeline_lane.ledger": ("Registre", "Ledger"),
    "step.received": ("Reçu", "Received"),
    "step.stamped": ("Horodaté", "Time-stamped"),
    "step.batched": ("Mis en lot", "Batched"),
    "step.anchored": ("Dans un bloc", "In a block"),
    "step.final": ("Définitif", "Final"),
    "step.waiting": ("en attente", "waiting"),
    "step.done": ("fait", "done"),
    "step.when": ("Quand", "When"),
    "step.what": ("Étape", "Stage"),
    "record.existed": (
        "Cet enregistrement existait au plus tard le {when}.",
        "This record existed no later than {when}.",
    ),
    "record.not_existed": (
        "Aucun témoin n’a encore répondu : rien n’est encore prouvé à un tiers.",
        "No witness has answered yet: nothing is proven to others yet.",
    ),
    "record.proves": ("Ce que cela prouve", "What this proves"),
    "record.proves.time": (
        "Les empreintes ci-dessous existaient au plus tard à l’heure de chaque témoin, pour qui "
        "croit ce témoin.",
        "The fingerprints below existed no later than each witness’s time, for whoever believes "
        "that witness.",
    ),
    "record.proves.copy": (
        "Une copie du mail ou d’une pièce jointe peut être comparée à ces empreintes, à tout "
        "moment et sans ce service.",
        "A copy of the mail or of an attachment can be compared with these fingerprints, at any "
        "time and without this service.",
    ),
    "record.proves_not": ("Ce que cela ne prouve pas", "What this does not prove"),
    "record.proves_not.delivery": (
        "La remise aux destinataires, ou la lecture.",
        "Delivery to the addressees, or reading.",
    ),
    "record.proves_not.author": (
        "Qui a vraiment écrit : l’expéditeur affiché est celui que le mail déclare.",
        "Who really wrote: the sender shown is the one that the mail states.",
    ),
    "record.proves_not.before": (
        "Que le mail n’existait pas plus tôt.",
        "That the mail did not exist earlier.",
    ),
    "record.authentication.none": (
        "L’expéditeur n’a pas été authentifié.",
        "The sender was not authenticated.",
    ),
    "record.authentication.relay": (
        "Remis par un relais que l’organisation a désigné.",
        "Handed in by a relay that the organisation listed.",
    ),
    "record.authentication.api-key": (
        "Remis avec une clé d’API de l’organisation.",
        "Handed in with an API key of the organisation.",
    ),
    "record.people": ("Personnes", "People"),
    "record.people_note": (
        "Le mail nomme {sender} comme expéditeur et {addressees} comme destinataires ; la remise "
        "n’est pas prouvée.",
        "The mail names {sender} as sender and {addressees} as addressees; delivery is not proven.",
    ),
    "record.role": ("Rôle", "Role"),
    "record.address": ("Adresse", "Address"),
    "record.name": ("Nom", "Name"),
    "record.source": ("Source", "Source"),
    "person.from": ("De", "From"),
    "person.to": ("À", "To"),
    "person.cc": ("Copie", "Cc"),
    "person.envelope": ("Adresse d’enveloppe (MAIL FROM)", "Envelope sender (MAIL FROM)"),
    "person.proof": ("Adresse de preuve", "Proof address"),
    "record.null_sender": ("(expéditeur nul)", "(null sender)"),
    "record.dates": ("Date du mail", "Date of the mail"),
    "record.defects": ("Défauts de structure", "Structural defects"),
    "record.parts": ("Parties et empreintes", "Parts and fingerprints"),
    "record.parts_none": (
        "Seules les empreintes du mail entier ont été prises.",
        "Only the mail as a whole was fingerprinted.",
    ),
    "record.part": ("Partie", "Part"),
    "record.type": ("Type", "Type"),
    "record.size": ("Taille", "Size"),
    "record.digest": ("SHA-256", "SHA-256"),
    "record.rule": ("Règle", "Rule"),
    "record.whole": ("le mail entier", "the whole mail"),
    "role.body": ("corps", "body"),
    "role.attachment": ("pièce jointe", "attachment"),
    "role.inline": ("incorporé", "inline"),
    "role.message": ("message joint", "enclosed message"),
    "role.report": ("rapport", "report"),
    "record.receipts": ("Accusés et compléments", "Receipts and addenda"),
    "record.receipts_note": (
        "Ce qu’un accusé dit est déclaré par qui l’a émis ; seule son existence est prouvée.",
        "What a receipt says is stated by whoever issued it; only its existence is proven.",
    ),
    "record.receipts_none": ("Aucun jusqu’ici.", "None so far."),
    "record.witnesses": ("Témoins", "Witnesses"),
    "record.witness.rfc3161": ("Jeton d’horodatage (RFC 3161)", "Time-stamp token (RFC 3161)"),
    "record.witness.evm": ("Ancrage dans une chaîne (EVM)", "Anchor in a chain (EVM)"),
    "record.witness.time": ("Heure", "Time"),
    "record.witness.accuracy": ("Précision", "Accuracy"),
    "record.witness.built-in authority": (
        "autorité intégrée, non qualifiée",
        "built-in authority, not qualified",
    ),
    "record.witness.development chain": (
        "chaîne de développement : ne prouve rien à des tiers",
        "development chain: proves nothing to others",
    ),
    "record.witness_none": ("Aucun témoin n’a encore répondu.", "No witness has answered yet."),
    "record.batch_value": (
        "lot {sequence} du journal {log}, {count} enregistrements",
        "batch {sequence} of log {log}, {count} records",
    ),
    "detail.authority": ("Autorité", "Authority"),
    "detail.signer": ("Signataire", "Signer"),
    "detail.policy": ("Politique", "Policy"),
    "detail.serial": ("Numéro de série", "Serial number"),
    "detail.certificate_bound_by": (
        "Certificat lié par ESSCertID",
        "Certificate bound by ESSCertID",
    ),
    "detail.not_revoked_as_of": ("Non révoqué, à la date du", "Not revoked, as of"),
    "detail.qualified": ("Autorité à cette heure", "Authority at that time"),
    "detail.qualified_by": ("Selon la liste de confiance", "According to the trusted list"),
    "detail.service_saw": ("Ce que le service a vu", "What the service saw"),
    "value.qualified": ("autorité qualifiée", "a qualified authority"),
    "value.qualified by an unsigned list": (
        "autorité qualifiée selon une liste non vérifiée",
        "a qualified authority by a list that was not verified",
    ),
    "value.not qualified": ("autorité non qualifiée", "not a qualified authority"),
    "value.not checked": ("qualification non contrôlée", "qualification not checked"),
    "detail.tree_place": (
        "Place dans l’arbre horodaté (à partir de 0)",
        "Place in the tree that was time-stamped (from 0)",
    ),
    "detail.tree_root": ("Racine de cet arbre", "Root of that tree"),
    "detail.chain_id": ("Identifiant de la chaîne", "Chain id"),
    "detail.chain": ("Chaîne", "Chain"),
    "detail.block_number": ("Bloc", "Block"),
    "detail.block_hash": ("Empreinte du bloc", "Block hash"),
    "detail.transaction": ("Transaction", "Transaction"),
    "detail.sender": ("Émetteur", "Sender"),
    "detail.root": ("Racine du lot", "Batch root"),
    "record.claims": ("Toutes les déclarations enregistrées", "All recorded claims"),
    "record.claim": ("Déclaration", "Claim"),
    "record.value": ("Valeur", "Value"),
    "record.checks": (
        "Contrôles, avec la confiance de ce service",
        "Checks, under this service’s trust",
    ),
    # Verification
    "checks.number": ("N°", "No."),
    "checks.check": ("Contrôle", "Check"),
    "checks.status": ("Résultat", "Result"),
    "checks.reason": ("Détail", "Detail"),
    "check.V1": ("le fichier est une preuve intacte", "the file is an undamaged proof"),
    "check.V2": ("les entrées sont celles de l’engagement", "the entries are those committed to"),
    "check.V3": ("chaque déclaration est connue et typée", "every claim is known and typed"),
    "check.V4": ("signé par une clé de confiance du service", "signed by a trusted service key"),
    "check.V5": ("jeton d’horodatage", "time-stamp token"),
    "check.V6": ("reçu avant l’horodatage", "not received after the time-stamp"),
    "check.V7": (
        "l’en-tête nomme le journal de l’enregistrement",
        "the header names the record’s log",
    ),
    "check.V8": (
        "en-tête et enregistrement sont dans un même arbre",
        "header and record are in one tree",
    ),
    "check.V9": (
        "la transaction porte la racine et est dans le bloc",
        "the transaction carries the root and is in the block",
    ),
    "check.V10": ("émise par un émetteur de confiance", "sent by a trusted sender of this log"),
    "check.V11": ("le bloc est dans la chaîne", "the block is in the chain"),
    "check.V12": ("reçu avant le bloc", "not received after the block"),
    "check.V13": ("renouvellement", "renewal"),
    "check.V14": ("preuve liée", "linked proof"),
    "check.V15": (
        "une preuve, et des fichiers joints égaux à elle",
        "one proof, and loose files equal to it",
    ),
    "check.V16": (
        "un sceau sur tout le fichier, par un signataire de confiance",
        "one seal over the file, by a trusted signer",
    ),
    "check.V17": ("assez de témoins indépendants", "enough independent witnesses"),
    "check.T0": ("ce que le jeton doit couvrir", "what the token must cover"),
    "check.T1": (
        "la réponse est en DER strict et contient un jeton",
        "the response is strict DER and holds a time-stamp token",
    ),
    "check.T2": ("le statut est « accordé »", "the status is granted"),
    "check.T3": (
        "l’algorithme et l’empreinte sont ceux attendus",
        "the imprint's algorithm and bytes are those due",
    ),
    "check.T4": ("il y a exactement un signataire", "there is exactly one signer"),
    "check.T5": ("le certificat du signataire est fourni", "the signer's certificate is carried"),
    "check.T6": ("le type de contenu est signé", "the content type is signed"),
    "check.T7": (
        "l’empreinte signée est celle du contenu",
        "the message digest is that of the content",
    ),
    "check.T8": (
        "le certificat du signataire est lié par ESSCertID",
        "the signer's certificate is bound by ESSCertID",
    ),
    "check.T9": ("la signature est bonne", "the signature is good"),
    "check.T10": (
        "le certificat du signataire ne sert qu’à horodater",
        "the signer's certificate is for time-stamping alone",
    ),
    "check.T11": (
        "le certificat du signataire était valide à l’heure du jeton",
        "the signer's certificate was valid at genTime",
    ),
    "check.T12": (
        "le chemin vers une autorité de confiance tient à l’heure du jeton",
        "the path to a trusted authority holds at genTime",
    ),
    "check.T13": (
        "la politique est de celles que l’on croit de cette autorité",
        "the policy is one that the authority is trusted for",
    ),
    "check.S": (
        "aucun certificat du chemin n’a été révoqué",
        "no certificate of the path was revoked",
    ),
    # Refusals
    "error.back": ("Retour à la synthèse", "Back to the synthesis"),
    "error.400": ("La demande ne peut être lue.", "The request cannot be read."),
    "error.403": (
        "La demande venait d’une page d’un autre site.",
        "The request came from a page of another site.",
    ),
    "error.404": ("Il n’y a rien à cette adresse.", "There is nothing at this address."),
    "error.405": ("Cette adresse ne s’utilise pas ainsi.", "This address is not used that way."),
    "error.408": ("L’envoi a duré trop longtemps.", "The upload took too long."),
    "error.410": (
        "Cet enregistrement a été effacé : ce qu’il disait ne peut plus être montré.",
        "This record was erased: what it said cannot be shown any more.",
    ),
    "error.413": ("L’envoi est trop grand.", "The upload is too large."),
    "error.415": ("La demande n’est pas un formulaire.", "The request is not a form."),
    "error.422": ("Une valeur n’est pas comme il faut.", "A value is not as it should be."),
    "error.429": ("Trop de demandes. Réessayez plus tard.", "Too many requests. Try again later."),
    "error.500": (
        "Le service n’a pas pu répondre ; le journal de l’exploitant en dit plus.",
        "The service failed to answer; its operator’s log says more.",
    ),
    "error.503": (
        "Le service ne peut répondre maintenant ; rien n’est perdu. Réessayez plus tard.",
        "The service cannot answer now; nothing was lost. Try again later.",
    ),
}

# French sets a space beside these signs; no line may end there.
_TALL_SIGNS = re.compile(r" (?=[:;?!»])|(?<=«) ")
_WEIGHT = re.compile(
    r"\s*([a-zA-Z*]{1,8})(?:-[a-zA-Z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z"
)


def text(language: Language, key: str, **values: object) -> str:
    """The text of a key in a language, plain, with its values filled in."""
    found = TEXTS[key][LANGUAGES.index(language)]
    if language == "fr":
        found = _TALL_SIGNS.sub("\u00a0", found)
    return found.format(**values) if values else found


def has(key: str) -> bool:
    return key in TEXTS


def choose(cookie: str | None, accept_language: str, otherwise: Language) -> Language:
    """The cookie's language, else the one that the browser likes best (RFC 9110 §12.5.4)."""
    for language in LANGUAGES:
        if cookie == language:
            return language
    best, best_weight = otherwise, 0.0
    for item in accept_language[:500].split(","):
        match = _WEIGHT.match(item)
        if not match:
            continue
        weight = float(match[2]) if match[2] else 1.0
        for language in LANGUAGES:
            if match[1].lower() == language and weight > best_weight:
                best, best_weight = language, weight
    return best

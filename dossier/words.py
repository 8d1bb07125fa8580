"""Every text that a dossier prints, in French and in English, and how it spells numbers and times.

A key has both languages side by side, so that none can be forgotten; braces name what is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")

TEXTS: Mapping[str, tuple[str, str]] = {
    # -- the frame of every page
    "title": ("Dossier de preuve", "Evidence dossier"),
    "page": ("Page {number} sur {total}", "Page {number} of {total}"),
    "footer": ("Enregistrement {digest}", "Record {digest}"),
    "provisional": (
        "PROVISOIRE : toutes les preuves attendues ne sont pas encore réunies",
        "PROVISIONAL: not all of the expected evidence has been gathered yet",
    ),
    "caution.built-in authority": (
        "L’horodatage provient de l’autorité intégrée au service : "
        "ce n’est pas une autorité qualifiée.",
        "The time-stamp comes from the authority built into the service: "
        "it is not a qualified one.",
    ),
    "caution.development chain": (
        "L’ancrage est dans une chaîne de développement : il ne prouve rien à des tiers.",
        "The anchor is in a development chain: it proves nothing to others.",
    ),
    "caution.other": (
        "Un témoin porte une réserve : {caution}.",
        "A witness carries a caution: {caution}.",
    ),
    # -- first page
    "kind.message": ("Message électronique", "Mail message"),
    "kind.receipt": ("Accusé", "Receipt"),
    "kind.addendum": ("Complément à un enregistrement", "Addendum to a record"),
    "kind.digests": ("Empreintes fournies par un client", "Fingerprints made by a client"),
    "kind.audit": ("Journal d’audit", "Audit trail"),
    "verdict.verified": ("Vérifié", "Verified"),
    "verdict.weak": (
        "Vérifié, par les seuls témoins du service",
        "Verified, by the service’s own witnesses alone",
    ),
    "verdict.undecided": ("Pas encore vérifié", "Not yet verified"),
    "verdict.existed": (
        "Cet enregistrement existait au plus tard le {time}",
        "This record existed no later than {time}",
    ),
    "verdict.existed.weak": (
        "Selon ces seuls témoins, cet enregistrement existait au plus tard le {time}",
        "By these witnesses alone, this record existed no later than {time}",
    ),
    "verdict.unknown": (
        "Aucun témoin indépendant ne date encore cet enregistrement.",
        "No independent witness dates this record yet.",
    ),
    "verdict.judged": (
        "Jugé par le service lui-même à l’établissement du dossier, selon sa propre confiance. "
        "Vérifiez-le vous-même : voir «\u00a0Comment vérifier\u00a0».",
        "Judged by the service itself when the dossier was made, under its own trust. "
        "Check it yourself: see “How to verify”.",
    ),
    "strength.rfc3161": (
        "Horodatage RFC 3161 par {name} : {status}, {qualified}",
        "RFC 3161 time-stamp by {name}: {status}, {qualified}",
    ),
    "qualified.qualified": ("autorité qualifiée", "a qualified authority"),
    "qualified.qualified by an unsigned list": (
        "autorité qualifiée selon une liste non vérifiée",
        "a qualified authority by a list that was not verified",
    ),
    "qualified.not qualified": ("autorité non qualifiée", "not a qualified authority"),
    "qualified.not checked": ("qualification non contrôlée", "qualification not checked"),
    "strength.evm": (
        "Ancrage dans la chaîne {name}, bloc {block} : {status}",
        "Anchor in the chain {name}, block {block}: {status}",
    ),
    "strength.no-token": ("Horodatage RFC 3161 : absent", "RFC 3161 time-stamp: absent"),
    "strength.no-anchor": (
        "Ancrage dans une chaîne de blocs : absent",
        "Anchor in a blockchain: absent",
    ),
    "summary": ("En bref", "In brief"),
    "summary.organisation": ("Établi pour", "Made for"),
    "summary.kind": ("Objet du dossier", "What this is about"),
    "summary.parts": ("Parties", "Parts"),
    "summary.parts.value": (
        "{count} dont l’empreinte a été prise",
        "{count} that were fingerprinted",
    ),
    "summary.record": ("SHA-256 de l’enregistrement", "SHA-256 of the record"),
    "received": ("Reçu (déclaration du service)", "Received (the service’s statement)"),
    # -- a redacted copy
    "redacted.mark": ("COPIE OCCULTÉE", "REDACTED COPY"),
    "redacted.subtitle": ("{kind} · copie occultée", "{kind} · redacted copy"),
    "redacted": ("Ce que cette copie ne montre pas", "What this copy does not show"),
    "redacted.count": (
        "{hidden} des {count} entrées de l’enregistrement ne sont pas montrées. Ce sont des "
        "énoncés masqués ou du remplissage : le service seul peut les distinguer. {shown} "
        "sont montrées.",
        "{hidden} of the record’s {count} entries are not shown. They are hidden claims or "
        "padding: only the service can tell which. {shown} are shown.",
    ),
    "redacted.linked": (
        "Accusés et compléments liés qui figurent dans cette copie, sans leurs en-têtes : {count}.",
        "Linked receipts and addenda in this copy, without their header fields: {count}.",
    ),
    "redacted.same": (
        "L’enregistrement, la signature et les témoins sont ceux du dossier complet : ce qui "
        "manque peut être montré plus tard sans rien refaire.",
        "Record, signature and witnesses are those of the full dossier: what is missing can be "
        "shown later, and nothing has to be made again.",
    ),
    "redacted.copy": (
        "Une copie du mail ne peut pas être entièrement comparée à cette copie occultée ; une "
        "pièce jointe dont la partie est montrée peut l’être.",
        "A copy of the mail cannot be compared in full with this redacted copy; an attachment "
        "whose part is shown can be.",
    ),
    # -- a case
    "case": ("Dossier d’affaire", "Case dossier"),
    "case.untitled": ("Affaire sans nom", "Case without a name"),
    "case.footer": ("Liste {digest}", "List {digest}"),
    "case.name": ("Nom donné à l’affaire", "Name given to the case"),
    "case.count": ("Enregistrements", "Records"),
    "case.from": ("Premier reçu (déclaration du service)", "First received (service’s statement)"),
    "case.to": ("Dernier reçu (déclaration du service)", "Last received (service’s statement)"),
    "case.linked": ("Accusés et compléments liés", "Linked receipts and addenda"),
    "case.list": ("SHA-256 de la liste (case.json)", "SHA-256 of the list (case.json)"),
    "case.complete": (
        "La liste contient ce que son auteur a choisi : rien ne prouve qu’elle est complète.",
        "The list holds what whoever made it chose: nothing proves that it is complete.",
    ),
    "case.pages": (
        "Ces pages sont une lecture des preuves. Seules les preuves contenues dans ce fichier font "
        "foi.",
        "These pages are a reading of the proofs. The proofs inside this file alone are evidence.",
    ),
    "case.verdict.verified": ("Tout est vérifié", "All verified"),
    "case.verdict.weak": (
        "Vérifié, en partie par les seuls témoins du service",
        "Verified, in part by the service’s own witnesses alone",
    ),
    "case.verdict.undecided": ("Pas encore tout vérifié", "Not all verified yet"),
    "case.verdict.unknown": (
        "Tous les enregistrements ne sont pas encore datés par un témoin.",
        "Not every record is dated by a witness yet.",
    ),
    "case.existed": (
        "Tous ces enregistrements existaient au plus tard le {time}",
        "All of these records existed no later than {time}",
    ),
    "case.existed.weak": (
        "Selon ces témoins, tous ces enregistrements existaient au plus tard le {time}",
        "By these witnesses, all of these records existed no later than {time}",
    ),
    "case.strength.verified": (
        "Vérifiés par un témoin indépendant : {count}",
        "Verified by an independent witness: {count}",
    ),
    "case.strength.weak": (
        "Vérifiés par les seuls témoins du service : {count}",
        "Verified by the service’s own witnesses alone: {count}",
    ),
    "case.strength.undecided": ("Pas encore vérifiés : {count}", "Not yet verified: {count}"),
    "case.strength.provisional": (
        "Provisoires, car une preuve attendue manque : {count}",
        "Provisional, for expected evidence is missing: {count}",
    ),
    "case.table": ("Table des enregistrements", "Table of records"),
    "case.table.note": (
        "Expéditeur et objet : déclarés par le mail. Heures en UTC. Chaque ligne a sa section plus "
        "loin et sa preuve dans ce fichier.",
        "Sender and subject: stated by the mail. Times in UTC. Each line has its section further "
        "on, and its proof in this file.",
    ),
    "case.column.number": ("N°", "No."),
    "case.column.received": ("Reçu", "Received"),
    "case.column.mail": ("Objet et expéditeur", "Subject and sender"),
    "case.column.parts": ("Parties", "Parts"),
    "case.column.witnesses": ("Témoins", "Witnesses"),
    "case.column.state": ("État", "State"),
    "case.tokens": ("horodatages : {count}", "time-stamps: {count}"),
    "case.anchors": ("ancrages : {count}", "anchors: {count}"),
    "case.state.verified": ("vérifié", "verified"),
    "case.state.weak": ("vérifié (témoins du service)", "verified (own witnesses)"),
    "case.state.undecided": ("pas encore vérifié", "not yet verified"),
    "case.state.provisional": ("provisoire", "provisional"),
    "case.records": ("Les enregistrements", "The records"),
    "case.section": ("{number} · {subject}", "{number} · {subject}"),
    "case.names": ("Fichiers", "Files"),
    "case.more": ("{count} autres", "{count} more"),
    "case.by": ("Existait au plus tard", "Existed no later than"),
    "case.by.unknown": ("aucun témoin encore", "no witness yet"),
    "case.verify.own": (
        "Vérifie le sceau, la liste, et chaque preuve :",
        "Checks the seal, the list, and each proof:",
    ),
    "case.verify.one": (
        "Dit tout d’une preuve, et lui compare une copie du mail :",
        "Tells all on one proof, and compares a copy of the mail with it:",
    ),
    "case.verify.files": (
        "À la main, preuve par preuve ; {name} donne le SHA-256 de chacune. Avant de lancer "
        "check.py, comparez son SHA-256 avec la spécification du format (SPEC.md, 11.1), obtenue "
        "par vous-même, ou lisez ses 60 lignes, imprimées en annexe :",
        "By hand, proof by proof; {name} has the SHA-256 of each. Before you run check.py, compare "
        "its SHA-256 with the format’s specification (SPEC.md, 11.1), from a source of your own, "
        "or read its 60 lines, printed in the appendix:",
    ),
    "case.verify.token": (
        "L’horodatage d’un enregistrement est joint sous forme de fichier à son propre dossier.",
        "The time-stamp of a record is attached as a file to its own dossier.",
    ),
    "file.case.json": ("La liste des preuves de l’affaire", "The list of the case’s proofs"),
    # -- the timeline
    "time.received": ("Reçu par le service", "Received by the service"),
    "time.rfc3161": ("Horodaté par {name}", "Time-stamped by {name}"),
    "time.evm": ("Bloc {block}, chaîne {name}", "Block {block}, chain {name}"),
    "time.no-rfc3161": ("Horodatage attendu", "Time-stamp awaited"),
    "time.no-evm": ("Ancrage attendu", "Anchor awaited"),
    "time.final": ("Définitif", "Final"),
    "time.not-final": ("Pas encore définitif", "Not final yet"),
    "time.told": ("Chronologie : {events}", "Timeline: {events}"),
    "time.legend": (
        "Rond plein : établi par un témoin. Rond vide : déclaré par le service, ou attendu. "
        "Les distances ne sont pas à l’échelle.",
        "Filled dot: shown by a witness. Open dot: stated by the service, or awaited. "
        "Distances are not to scale.",
    ),
    # -- how to check, in a box on the first page
    "check": ("Vérifier ce dossier", "Check this dossier"),
    "check.page": (
        "Ouvrez {address} (code ci-contre) et déposez-y ce fichier, avec votre copie du message "
        "si vous en avez une.",
        "Open {address} (the code beside) and drop this file there, with your copy of the mail "
        "if you have one.",
    ),
    "check.command": (
        "Hors ligne et sans nous : verifier.html, un seul fichier qui vérifie ce dossier dans un "
        "navigateur sans réseau (page /verify du service, ou toute archive portable) ; le "
        "vérificateur libre proofmail ; ou des outils courants, voir «\u00a0Comment "
        "vérifier\u00a0».",
        "Offline and without us: verifier.html, one file that checks this dossier in a browser "
        "without network (from the service’s /verify page or any portable archive); the free "
        "verifier proofmail; or stock tools, see “How to verify”.",
    ),
    "check.signer": (
        "Un lecteur de PDF peut dire le signataire « inconnu » : le sceau est celui du service, "
        "dont le certificat ne figure pas dans la liste du lecteur. Comparez ce certificat à celui "
        "du fichier de confiance du service.",
        "A PDF reader may call the signer “unknown”: the seal is the service’s own, whose "
        "certificate is not on the reader’s list. Compare that certificate with the one in the "
        "service’s trust file.",
    ),
    "check.keep": (
        "Vous pouvez garder ce dossier et le transmettre sans limite. C’est le fichier qui "
        "prouve : gardez-le intact, avec le message d’origine ; un tirage sur papier ne suffit "
        "pas.",
        "You may keep this dossier and hand it on without limit. The file is the proof: keep it "
        "unchanged, with the original mail; a print on paper is not enough.",
    ),
    # -- glossary
    "glossary": ("Glossaire", "Glossary"),
    "glossary.fingerprint": ("Empreinte", "Fingerprint"),
    "glossary.fingerprint.is": (
        "Un nombre calculé à partir d’un fichier (SHA-256, SHA3-256). Le moindre changement en "
        "donne un autre ; on ne peut pas revenir au contenu.",
        "A number computed from a file (SHA-256, SHA3-256). The least change gives another one; "
        "the content cannot be got back from it.",
    ),
    "glossary.record": ("Enregistrement", "Record"),
    "glossary.record.is": (
        "Le petit fichier qui engage le service sur toutes les empreintes et tous les énoncés "
        "d’un message.",
        "The small file that commits to all fingerprints and claims of one mail.",
    ),
    "glossary.token": ("Jeton d’horodatage", "Time-stamp token"),
    "glossary.token.is": (
        "La déclaration signée d’une autorité : cette empreinte existait à cette heure (RFC 3161).",
        "The signed statement of an authority: this digest existed at this time (RFC 3161).",
    ),
    "glossary.batch": ("Lot et racine", "Batch and root"),
    "glossary.batch.is": (
        "Des enregistrements réunis en un arbre d’empreintes (RFC 9162) ; sa racine les engage "
        "tous, et un court chemin relie chacun à elle.",
        "Records put together as a tree of hashes (RFC 9162); its root commits to all of them, "
        "and a short path leads from each to it.",
    ),
    "glossary.anchor": ("Ancrage", "Anchor"),
    "glossary.anchor.is": (
        "Une transaction dans une chaîne de blocs qui porte une racine ; le bloc la date.",
        "A transaction in a blockchain that carries a root; the block dates it.",
    ),
    "glossary.trust": ("Confiance", "Trust"),
    "glossary.trust.is": (
        "Ce que le vérificateur choisit de croire : autorités, chaînes, clés du service. Rien de "
        "ce qu’un dossier apporte n’en fait partie.",
        "What the verifier decides to believe: authorities, chains, the service’s keys. Nothing "
        "that a dossier brings along is part of it.",
    ),
    # -- persons
    "persons": ("Personnes et objet", "Persons and subject"),
    "persons.stated": ("Ce que le message déclare", "What the mail states"),
    "persons.stated.note": (
        "Le message nomme ces personnes comme expéditeur et destinataires ; "
        "la remise aux destinataires n’est pas prouvée.",
        "The mail names these persons as sender and addressees; "
        "delivery to the addressees is not proven.",
    ),
    "persons.sentence": (
        "Le message nomme {sender} comme expéditeur et {addressees} comme destinataires ; "
        "la remise à ces destinataires n’est pas prouvée.",
        "The mail names {sender} as sender and {addressees} as addressees; "
        "delivery to these addressees is not proven.",
    ),
    "persons.observed": ("Ce que le service a observé", "What the service observed"),
    "header.from": ("Expéditeur (From)", "Sender (From)"),
    "header.to": ("Destinataires (To)", "Addressees (To)"),
    "header.cc": ("En copie (Cc)", "In copy (Cc)"),
    "header.subject": ("Objet (Subject)", "Subject"),
    "header.date": ("Date indiquée (Date)", "Date given (Date)"),
    "header.receipt_requested": ("Accusé de lecture demandé", "Read receipt requested"),
    "envelope.from": ("Expéditeur de l’enveloppe", "Envelope sender"),
    "envelope.proof_addresses": ("Adresses de preuve utilisées", "Proof addresses used"),
    "envelope.peer": ("Serveur émetteur", "Sending server"),
    "envelope.peer.value": (
        "{address}, s’annonçant comme {helo}",
        "{address}, announcing itself as {helo}",
    ),
    "envelope.tls": ("Chiffrement du transport", "Transport encryption"),
    "authentication": ("Authentification de l’expéditeur", "Authentication of the sender"),
    "authentication.none": ("aucune", "none"),
    "authentication.relay": ("relais enregistré", "registered relay"),
    "authentication.api-key": ("clé d’API", "API key"),
    "defects": ("Défauts de structure", "Defects of structure"),
    "empty": ("(vide)", "(empty)"),
    "none": ("aucun", "none"),
    "not-shown": ("(non divulgué)", "(not shown)"),
    "more": ("… ({count} autres, voir proof.json)", "… ({count} more, see proof.json)"),
    "cut": ("… (encore {count} caractères)", "… ({count} more characters)"),
    "yes": ("oui", "yes"),
    "no": ("non", "no"),
    # -- fingerprints
    "parts": ("Ce dont l’empreinte a été prise", "What was fingerprinted"),
    "parts.note": (
        "Le service n’a conservé aucun contenu. Chaque empreinte permet de vérifier une copie que "
        "vous détenez. Toutes les empreintes (SHA-256 et SHA3-256) sont dans proof.json.",
        "The service kept no content. Each fingerprint lets you check a copy that you hold. "
        "All fingerprints (SHA-256 and SHA3-256) are in proof.json.",
    ),
    "parts.left": (
        "{shown} parties sur {count} sont montrées ici.",
        "{shown} of {count} parts are shown here.",
    ),
    "parts.none": ("Aucune partie n’est divulguée ici.", "No part is shown here."),
    "parts.number": ("N°", "No."),
    "parts.name": ("Nom et type", "Name and type"),
    "parts.size": ("Octets", "Bytes"),
    "parts.digest": ("SHA-256 et règle", "SHA-256 and rule"),
    "parts.order": ("dans l’ordre d’écriture : {codes}", "in the order of writing: {codes}"),
    "parts.whole": ("Message entier", "Whole message"),
    "parts.also": ("{rule} ; aussi : {others}", "{rule}; also: {others}"),
    "role.body": ("corps du message", "body of the mail"),
    "role.attachment": ("pièce jointe", "attachment"),
    "role.inline": ("fichier incorporé", "inline file"),
    "role.message": ("message joint", "enclosed message"),
    "role.report": ("rapport", "report"),
    "rules": ("Ce que chaque règle prouve", "What each rule proves"),
    "rule.raw/1": (
        "les octets tels que reçus : la copie est identique à l’octet près",
        "the bytes as received: the copy is the same to the byte",
    ),
    "rule.body-relaxed/1": (
        "le corps, aux blancs près (relaxed, DKIM) : même corps malgré des en-têtes ajoutés",
        "the body up to white space (relaxed, DKIM): the same body despite added headers",
    ),
    "rule.decoded/1": (
        "la partie sans son codage de transport : le fichier tel qu’on l’enregistre",
        "the part without its transfer encoding: the file as one saves it",
    ),
    "rule.text/1": (
        "le texte en Unicode : mêmes caractères, fins de ligne et blancs finaux unifiés",
        "the text as Unicode: the same characters, line ends and trailing blanks unified",
    ),
    "rule.html-text/1": (
        "ce que lit un lecteur du HTML : mots, cellules, cibles des liens",
        "what a reader of the HTML sees: words, cells, link targets",
    ),
    "rule.words/1": (
        "les mots dans l’ordre : mêmes mots ; l’apparence n’est pas prouvée",
        "the words in order: the same words; appearance is not proven",
    ),
    "rule.header-values/1": (
        "adresses, Objet et Date d’un message joint : mêmes valeurs, quels que soient les octets",
        "addresses, Subject and Date of an enclosed message: the same values, whatever the bytes",
    ),
    "rule.other": ("voir la spécification du format", "see the specification of the format"),
    "digests": ("Empreintes fournies", "Fingerprints given"),
    "digests.note": (
        "Ces empreintes ont été calculées par le client ; le service n’a jamais vu les contenus.",
        "These fingerprints were made by the client; the service never saw the contents.",
    ),
    "claims": ("Énoncés de l’enregistrement", "Claims of the record"),
    "hidden": (
        "L’enregistrement compte {count} entrées ; {shown} sont divulguées ici. Les {hidden} "
        "autres sont des énoncés masqués ou du remplissage : le service seul peut les distinguer.",
        "The record has {count} entries; {shown} are shown here. The other {hidden} are hidden "
        "claims or padding: only the service can tell which.",
    ),
    # -- witnesses
    "witnesses": ("Témoins", "Witnesses"),
    "witnesses.token": ("Horodatage RFC 3161, n° {index}", "RFC 3161 time-stamp no. {index}"),
    "witnesses.anchor": ("Ancrage, n° {index}", "Anchor no. {index}"),
    "witnesses.none": (
        "Aucun témoin pour l’instant : ni horodatage, ni ancrage.",
        "No witness so far: neither a time-stamp nor an anchor.",
    ),
    "detail.status": ("Verdict", "Verdict"),
    "detail.time": ("Heure", "Time"),
    "detail.accuracy": ("Précision", "Accuracy"),
    "detail.accuracy.value": ("± {seconds} s", "± {seconds} s"),
    "detail.latest": ("Existait au plus tard", "Existed no later than"),
    "detail.authority": ("Autorité (selon la confiance)", "Authority (as in the trust)"),
    "detail.signer": ("Unité d’horodatage", "Time-stamping unit"),
    "detail.policy": ("Politique", "Policy"),
    "detail.serial": ("Numéro de série", "Serial number"),
    "detail.not_revoked_as_of": ("Non révoqué, à la date du", "Not revoked, as of"),
    "detail.qualified": ("Autorité à cette heure", "Authority at that time"),
    "detail.qualified_by": ("Selon la liste de confiance", "According to the trusted list"),
    "detail.service_saw": ("Ce que le service a vu", "What the service saw"),
    "detail.certificate_bound_by": (
        "Certificat lié par ESSCertID",
        "Certificate bound by ESSCertID",
    ),
    "detail.tree_place": (
        "Place dans l’arbre horodaté (à partir de 0)",
        "Place in the tree that was time-stamped (from 0)",
    ),
    "detail.tree_root": ("Racine de cet arbre", "Root of that tree"),
    "detail.chain_id": ("Identifiant de chaîne", "Chain id"),
    "detail.chain": ("Chaîne (selon la confiance)", "Chain (as in the trust)"),
    "detail.block_number": ("Bloc", "Block"),
    "detail.block_hash": ("Empreinte du bloc", "Block hash"),
    "detail.transaction": ("Transaction", "Transaction"),
    "detail.sender": ("Émetteur", "Sender"),
    "detail.root": ("Racine ancrée", "Anchored root"),
    "detail.batch": ("Lot", "Batch"),
    "detail.batch.value": (
        "n° {sequence} du journal {log}, enregistrement {index} sur {count}",
        "no. {sequence} of the log {log}, record {index} of {count}",
    ),
    "detail.tree": ("Ce qui est horodaté", "What is time-stamped"),
    "detail.tree.record": ("l’enregistrement seul", "the record alone"),
    "detail.tree.value": (
        "la racine d’un arbre de {size} enregistrements, dont celui-ci",
        "the root of a tree of {size} records, this one among them",
    ),
    # -- receipts and addenda
    "linked": ("Accusés et compléments", "Receipts and addenda"),
    "linked.note": (
        "Un accusé est lui-même un courrier : son contenu est déclaré par qui l’a émis. Ce qui est "
        "prouvé est que cet accusé existait, non qui l’a émis, ni que le message a été lu.",
        "A receipt is a mail itself: its content is stated by whoever issued it. What is proven is "
        "that this receipt existed, not who issued it, nor that the message was read.",
    ),
    "linked.left-out": (
        "Les accusés et compléments éventuels ne figurent pas dans cette copie occultée.",
        "Receipts and addenda, if there are any, are left out of this redacted copy.",
    ),
    "linked.none": ("Aucun accusé n’est lié à ce jour.", "No receipt is linked so far."),
    "linked.what": ("Nature", "What"),
    "linked.recipient": ("Destinataire déclaré", "Recipient, as stated"),
    "linked.received": ("Reçu", "Received"),
    "linked.state": ("État", "State"),
    "linked.state.passed": ("existence prouvée", "existence proven"),
    "linked.state.absent": ("enregistré, sans témoin encore", "recorded, no witness yet"),
    "linked.state.not checked": ("non contrôlé", "not checked"),
    "linked.mdn": ("accusé de lecture", "read receipt"),
    "linked.dsn": ("rapport de remise", "delivery report"),
    "linked.receipt": ("accusé", "receipt"),
    "linked.addendum": ("complément", "addendum"),
    "linked.sender.none": ("émetteur non vérifié", "issuer not verified"),
    "linked.sender.relay": ("transmis par l’organisation", "handed in by the organisation"),
    "form.direct": ("direct", "direct"),
    "form.attached": ("joint", "attached"),
    "form.inline": ("dans le texte", "inline"),
    # -- checks
    "checks": ("Contrôles effectués", "Checks carried out"),
    "checks.note": (
        "Numéros de la spécification du format. Les motifs sont ceux du vérificateur, en anglais.",
        "Numbers of the format’s specification. Reasons are in the verifier’s own words.",
    ),
    "checks.number": ("N°", "No."),
    "checks.title": ("Contrôle", "Check"),
    "checks.status": ("Verdict", "Verdict"),
    "status.passed": ("réussi", "passed"),
    "status.failed": ("échoué", "failed"),
    "status.absent": ("absent", "absent"),
    "status.not checked": ("non contrôlé", "not checked"),
    "checks.token": (
        "jeton d’horodatage : les {count} contrôles",
        "time-stamp token: all {count} checks",
    ),
    "check:the file is an undamaged proof": (
        "le fichier est une preuve intacte",
        "the file is an undamaged proof",
    ),
    "check:the entries are those committed to": (
        "les entrées sont celles sur lesquelles l’enregistrement s’engage",
        "the entries are those committed to",
    ),
    "check:every claim is known and typed": (
        "chaque énoncé est connu et bien formé",
        "every claim is known and typed",
    ),
    "check:signed by a trusted service key": (
        "signé par une clé du service jugée de confiance",
        "signed by a trusted service key",
    ),
    "check:what the token must cover": (
        "ce que le jeton doit couvrir",
        "what the token must cover",
    ),
    "check:the response is strict DER and holds a time-stamp token": (
        "la réponse est en DER strict et contient un jeton",
        "the response is strict DER and holds a time-stamp token",
    ),
    "check:the status is granted": (
        "le jeton a été accordé",
        "the status is granted",
    ),
    "check:the imprint's algorithm and bytes are those due": (
        "l’empreinte du jeton est celle attendue",
        "the imprint's algorithm and bytes are those due",
    ),
    "check:there is exactly one signer": (
        "il y a un seul signataire",
        "there is exactly one signer",
    ),
    "check:the signer's certificate is carried": (
        "le certificat du signataire est présent",
        "the signer's certificate is carried",
    ),
    "check:the content type is signed": (
        "le type du contenu est signé",
        "the content type is signed",
    ),
    "check:the message digest is that of the content": (
        "l’empreinte signée est celle du contenu",
        "the message digest is that of the content",
    ),
    "check:the signer's certificate is bound by ESSCertID": (
        "le certificat du signataire est lié par ESSCertID",
        "the signer's certificate is bound by ESSCertID",
    ),
    "check:the signature is good": (
        "la signature est bonne",
        "the signature is good",
    ),
    "check:the signer's certificate is for time-stamping alone": (
        "le certificat ne sert qu’à l’horodatage",
        "the signer's certificate is for time-stamping alone",
    ),
    "check:the signer's certificate was valid at genTime": (
        "le certificat était valide à l’heure du jeton",
        "the signer's certificate was valid at genTime",
    ),
    "check:the path to a trusted authority holds at genTime": (
        "le chemin vers une autorité de confiance tient à cette heure",
        "the path to a trusted authority holds at genTime",
    ),
    "check:the policy is one that the authority is trusted for": (
        "la politique est admise pour cette autorité",
        "the policy is one that the authority is trusted for",
    ),
    "check:no certificate of the path was revoked": (
        "aucun certificat du chemin n’a été révoqué",
        "no certificate of the path was revoked",
    ),
    "check:the authority was a qualified one at genTime": (
        "l’autorité était qualifiée à cette heure",
        "the authority was a qualified one at genTime",
    ),
    "check:extract": (
        "extrait d’un registre",
        "extract",
    ),
    "check:revocation data": (
        "données de révocation",
        "revocation data",
    ),
    "check:time-stamp token": (
        "jeton d’horodatage",
        "time-stamp token",
    ),
    "check:not received after the time-stamp": (
        "non reçu après l’horodatage",
        "not received after the time-stamp",
    ),
    "check:batch": (
        "lot",
        "batch",
    ),
    "check:the header names the record's log": (
        "l’en-tête du lot nomme le journal de l’enregistrement",
        "the header names the record's log",
    ),
    "check:header and record are in one tree": (
        "l’en-tête et l’enregistrement sont dans un même arbre",
        "header and record are in one tree",
    ),
    "check:anchor": (
        "ancrage",
        "anchor",
    ),
    "check:the transaction carries the root and is in the block": (
        "la transaction porte la racine et figure dans le bloc",
        "the transaction carries the root and is in the block",
    ),
    "check:sent by a trusted sender of this log": (
        "émise par un émetteur de confiance de ce journal",
        "sent by a trusted sender of this log",
    ),
    "check:the block is in the chain": (
        "le bloc est dans la chaîne",
        "the block is in the chain",
    ),
    "check:not received after the block": (
        "non reçu après le bloc",
        "not received after the block",
    ),
    "check:renewal": (
        "renouvellement",
        "renewal",
    ),
    "check:linked receipt": (
        "accusé lié",
        "linked receipt",
    ),
    "check:linked addendum": (
        "complément lié",
        "linked addendum",
    ),
    "check:enough independent witnesses": (
        "assez de témoins indépendants",
        "enough independent witnesses",
    ),
    # -- meaning
    "meaning": (
        "Ce que ce dossier prouve, et ne prouve pas",
        "What this dossier proves, and what it does not",
    ),
    "meaning.proves.record": (
        "Prouvé : l’enregistrement, et donc les empreintes et énoncés ci-dessus, existait au plus "
        "tard à l’heure de chaque témoin vérifié, pour qui se fie à ce témoin.",
        "Proven: the record, and so the fingerprints and claims above, existed no later than the "
        "time of each verified witness, for whoever trusts that witness.",
    ),
    "meaning.proves.qualified": (
        "Horodatage qualifié : selon la liste de confiance nommée parmi les témoins, l’autorité "
        "était qualifiée à cette heure. Dans l’Union européenne, un tel horodatage bénéficie "
        "d’une présomption d’exactitude de la date et de l’heure qu’il indique et d’intégrité "
        "des données auxquelles elles se rapportent, ici l’enregistrement ou l’arbre qui le "
        "contient (règlement (UE) n° 910/2014, article 41, paragraphe 2) ; l’apprécier revient "
        "au juge.",
        "Qualified time-stamp: according to the trusted list named among the witnesses, the "
        "authority was a qualified one at that time. In the European Union such a time-stamp "
        "enjoys a presumption of the accuracy of the date and time that it indicates and of the "
        "integrity of the data that they are bound to, here the record or the tree that holds it "
        "(Regulation (EU) No 910/2014, article 41(2)); to weigh it is for the court.",
    ),
    "meaning.proves.copy": (
        "Prouvé : une copie qui correspond à une empreinte est ce qui a été enregistré, "
        "dans la mesure de la règle qui correspond.",
        "Proven: a copy that matches a fingerprint is what was recorded, "
        "as far as the matching rule goes.",
    ),
    "meaning.not.delivery": (
        "Non prouvé : la remise ou la lecture du message.",
        "Not proven: that the mail was delivered or read.",
    ),
    "meaning.not.author": (
        "Non prouvé : l’auteur réel. Expéditeur, destinataires, objet et date sont ceux que le "
        "message déclare.",
        "Not proven: who really wrote it. Sender, addressees, subject and date are those that the "
        "mail states.",
    ),
    "meaning.not.before": (
        "Non prouvé : que le message n’existait pas avant. L’heure de réception est une "
        "déclaration du service.",
        "Not proven: that the mail did not exist before. The time of reception is the service’s "
        "own statement.",
    ),
    "meaning.not.pages": (
        "Ces pages sont une lecture de la preuve. Seul le fichier proof.json fait foi.",
        "These pages are a reading of the proof. Only the file proof.json is evidence.",
    ),
    # -- how to verify
    "verify": ("Comment vérifier", "How to verify"),
    "verify.own": (
        "Avec le vérificateur libre proofmail, hors ligne, et le fichier de confiance que vous "
        "avez choisi :",
        "With the free verifier proofmail, offline, and the trust file that you have chosen:",
    ),
    "verify.copy": (
        "Pour comparer la copie du message que vous détenez :",
        "To compare the copy of the mail that you hold:",
    ),
    "verify.hand": ("Vérifier à la main", "How to check by hand"),
    "verify.extract": (
        "Extraire les fichiers joints à ce PDF :",
        "Take out the files attached to this PDF:",
    ),
    "verify.digests": (
        "Comparer des SHA-256. Celui de check.py, avant de le lancer, avec la spécification du "
        "format (SPEC.md, 11.1), obtenue par vous-même ; ou lisez ses 60 lignes, imprimées en "
        "annexe.",
        "Compare SHA-256 digests. That of check.py, before you run it, with the format’s "
        "specification (SPEC.md, 11.1), from a source of your own; or read its 60 lines, printed "
        "in the appendix.",
    ),
    "verify.record": (
        "Celui de record.json avec la première page.",
        "That of record.json with the first page.",
    ),
    "verify.files": (
        "Celui d’une pièce jointe de votre copie, enregistrée telle quelle, avec la règle "
        "decoded/1 du tableau des empreintes.",
        "That of an attachment of your copy, saved as it is, with the rule decoded/1 in the table "
        "of fingerprints.",
    ),
    "verify.script": (
        "Recalculer l’enregistrement à partir de ses énoncés, et le chemin jusqu’à la racine "
        "du lot ; le script imprime les deux :",
        "Recompute the record from its claims, and the path up to the batch’s root; the script "
        "prints both:",
    ),
    "verify.script.copy": (
        "Recalculer l’enregistrement à partir de ses énoncés, et le chemin jusqu’à la racine "
        "du lot ; retrouver vos copies parmi les empreintes (le mail, s’il est resté tel que le "
        "service l’a reçu) :",
        "Recompute the record from its claims, and the path up to the batch’s root; find your "
        "copies among the fingerprints (the mail, if it is still as the service received it):",
    ),
    "verify.openssl": (
        "Vérifier l’horodatage, avec OpenSSL seul : obtenez la racine de l’autorité auprès "
        "d’elle (jamais dans ce dossier), puis :",
        "Check the time-stamp, with OpenSSL alone: get the authority’s root from the authority "
        "(never from this dossier), then:",
    ),
    "verify.ledger": (
        "Vérifier l’ancrage : cherchez la transaction et le bloc ci-dessus dans un nœud ou un "
        "explorateur auquel vous vous fiez ; comparez l’empreinte du bloc, et les données de la "
        "transaction avec 504d5630 suivi de la racine imprimée par le script.",
        "Check the anchor: look up the transaction and the block above in a node or explorer "
        "that you trust; compare the block’s hash, and the transaction’s data with 504d5630 and "
        "behind it the root that the script prints.",
    ),
    "listing": ("Annexe : le script {name}", "Appendix: the script {name}"),
    "listing.note": (
        "Les mêmes octets sont joints à ce PDF, comme à tout dossier ; leur SHA-256 est {digest}.",
        "The same bytes are attached to this PDF, as to every dossier; their SHA-256 is {digest}.",
    ),
    "files": ("Fichiers joints à ce PDF", "Files attached to this PDF"),
    "files.name": ("Fichier", "File"),
    "files.what": ("Contenu", "Content"),
    "file.proof.json": (
        "la preuve entière, pour le vérificateur",
        "the whole proof, for the verifier",
    ),
    "file.record.json": (
        "l’enregistrement horodaté, octet pour octet",
        "the time-stamped record, to the byte",
    ),
    "file.disclosures.json": ("les énoncés divulgués", "the claims shown"),
    "file.token.tsr": ("la réponse d’horodatage RFC 3161", "the RFC 3161 time-stamp response"),
    "file.check.py": (
        "un script qui recalcule l’enregistrement et ses chemins",
        "a script that recomputes the record and its paths",
    ),
    "file.instructions.txt": (
        "comment vérifier à la main, en français et en anglais",
        "how to check by hand, in English and French",
    ),
    "file.tsa-certificates.pem": (
        "les certificats fournis avec elle (sans valeur de confiance)",
        "the certificates that came with it (not to be trusted for it)",
    ),
    "seal.reason": ("Scellement du dossier de preuve", "Sealing of the evidence dossier"),
}

_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """The catalogue in one language; `zone` is the organisation's, shown beside UTC."""

    language: Language
    zone: tzinfo

    def __call__(self, key: str, **filled: object) -> str:
        text = TEXTS[key][LANGUAGES.index(self.language)]
        return text.format(**filled) if filled else text

    def either(self, key: str, fallback: str) -> str:
        """The text of a key that may not be in the catalogue."""
        return self(key) if key in TEXTS else fallback

    def number(self, value: int) -> str:
        """With thousands set apart: by a narrow space in French, by a comma in English."""
        return f"{value:,}".replace(",", "\u202f" if self.language == "fr" else ",")

    def moment(self, time: datetime) -> str:
        """A time for tables: UTC to the millisecond."""
        utc = time.astimezone(UTC)
        return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC"

    def local(self, time: datetime) -> str:
        """The same time in the organisation's zone, with the zone's offset and name."""
        there = time.astimezone(self.zone)
        offset = there.strftime("%z")
        return f"{there:%Y-%m-%d %H:%M:%S} (UTC{offset[:3]}:{offset[3:5]}, {self.zone})"

    def delay(self, time: timedelta) -> str:
        """From one event to the next, with a sign, in the two largest units that it has."""
        sign = "−" if time < timedelta(0) else "+"
        seconds = abs(time).total_seconds()
        if seconds < 60:
            spelt = f"{seconds:.1f}".removesuffix(".0")
            return f"{sign}{spelt.replace('.', ',') if self.language == 'fr' else spelt} s"
        minutes, seconds = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        day = "j" if self.language == "fr" else "d"
        units = ((days, day), (hours, "h"), (minutes, "min"), (seconds, "s"))
        first = next(i for i, (count, _) in enumerate(units) if count)
        shown = [f"{count} {unit}" for count, unit in units[first : first + 2] if count]
        return sign + " ".join(shown)

    def date(self, time: datetime) -> str:
        """A time for sentences on "no later than": in UTC, rounded up to a full second."""
        utc = time.astimezone(UTC)
        if utc.microsecond:
            utc = utc.replace(microsecond=0) + timedelta(seconds=1)
        month = _MONTHS[self.language][utc.month - 1]
        join = " à " if self.language == "fr" else ", "
        day = "1er" if self.language == "fr" and utc.day == 1 else str(utc.day)
        return f"{day} {month} {utc.year}{join}{utc:%H:%M:%S} UTC"

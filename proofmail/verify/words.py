"""What a report says, in English and French: plain sentences by key, filled with values.

A report is made of `Said`: a key and its values, so that it can be told in either language and is
the same report. JSON carries the English. Reasons of single checks are technical and stay English.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proofmail.verify.report import Row

LANGUAGES = ("en", "fr")
"""In the order of the catalogue's columns; the first is that of JSON."""


@dataclass(frozen=True)
class Said:
    """One sentence: a key of the catalogue, and the values that stand in it by name."""

    key: str
    values: tuple[tuple[str, str | int | Said], ...] = ()

    def text(self, language: str = "en") -> str:
        """The sentence in `en` or `fr`. Values from outside stand in it as they are: whoever
        shows it escapes it."""
        filled = {
            name: value.text(language) if isinstance(value, Said) else value
            for name, value in self.values
        }
        return word(self.key, language).format_map(filled)


def said(key: str, **values: str | int | Said) -> Said:
    return Said(key, tuple(values.items()))


def word(key: str, language: str = "en") -> str:
    """The catalogue's text for a key, with the places for its values still open."""
    return _CATALOGUE[key][LANGUAGES.index(language)]


def row_title(row: Row, language: str = "en") -> str:
    """The title of a check in the language; in English where there is no other."""
    if language == "en":
        return row.title
    by_number = _ROWS_FR.get(f"row.{row.number.rpartition('.')[2]}", row.title)
    return _ROWS_FR.get(row.title, by_number)


def rung_words(rung: str, language: str = "en") -> str:
    """What equality under a rule means, with the rule's name behind it."""
    if not rung:
        return word("rung.none", language)
    key = f"rung.{rung}"
    return f"{word(key, language)} ({rung})" if key in _CATALOGUE else rung


_CATALOGUE: dict[str, tuple[str, str]] = {
    # What is spoken of.
    "message": ("message", "message"),
    "part": ("part {number}", "partie {number}"),
    "part.named": ("part {number} ({name})", "partie {number} ({name})"),
    "digest": ("digest {number}", "empreinte {number}"),
    "digest.named": ("digest {number} ({name})", "empreinte {number} ({name})"),
    "described": ("{role} {name}", "{role} {name}"),
    "role.body": ("body", "corps du message"),
    "role.attachment": ("attachment", "pièce jointe"),
    "role.inline": ("inline", "fichier incorporé"),
    "role.message": ("message", "message joint"),
    "role.report": ("report", "accusé"),
    "none": ("none", "aucun"),
    "header.from": ("From", "De"),
    "header.to": ("To", "À"),
    "header.cc": ("Cc", "Cc"),
    "header.subject": ("Subject", "Objet"),
    "header.date": ("Date", "Date"),
    # Verdicts on a copy.
    "same.bytes": (
        "this is the very mail that the service received, byte for byte",
        "c’est le mail même que le service a reçu, octet pour octet",
    ),
    "same.content": (
        "same content; the bytes differ, and the appearance is not proven",
        "même contenu ; les octets diffèrent, et l’apparence n’est pas prouvée",
    ),
    "same.words": (
        "same words; appearance not proven",
        "mêmes mots ; l’apparence n’est pas prouvée",
    ),
    "record.lies": (
        "these are the recorded bytes, but not what the record states of them",
        "ce sont les octets enregistrés, mais pas ce que l’enregistrement en dit",
    ),
    "differs": (
        "this copy differs from the mail that was recorded",
        "cette copie diffère du mail enregistré",
    ),
    "undecided": (
        "nothing differs, but not all can be compared",
        "rien ne diffère, mais tout ne peut pas être comparé",
    ),
    "unreadable": (
        "this file could not be compared: {reason}",
        "ce fichier n’a pas pu être comparé : {reason}",
    ),
    "proof.failed": (
        "not compared: the proof itself failed",
        "pas de comparaison : la preuve elle-même a échoué",
    ),
    "file.same": (
        "this file has the very bytes of {part}",
        "ce fichier a exactement les octets de : {part}",
    ),
    "file.none": (
        "this file has the bytes of no recorded part",
        "ce fichier n’a les octets d’aucune partie enregistrée",
    ),
    "same.text/1": (
        "this file has the text of {part}: its characters, not its appearance; it is not the mail",
        "ce fichier a le texte de : {part}, caractère par caractère, sans l’apparence ; "
        "ce n’est pas le mail",
    ),
    "same.html-text/1": (
        "this file has the visible text of {part}, not its appearance; it is not the mail",
        "ce fichier a le texte visible de : {part}, sans l’apparence ; ce n’est pas le mail",
    ),
    "same.words/1": (
        "this file has the words of {part} in order, not its appearance; it is not the mail",
        "ce fichier a les mots de : {part} dans l’ordre, sans l’apparence ; ce n’est pas le mail",
    ),
    "text.below": (
        "the text below the first lines of this file is that of {part}; "
        "the lines above it were not compared",
        "le texte sous les premières lignes de ce fichier est celui de : {part} ; "
        "les lignes du dessus n’ont pas été comparées",
    ),
    "text.none": (
        "this file has neither the bytes nor the text of a recorded part",
        "ce fichier n’a ni les octets ni le texte d’une partie enregistrée",
    ),
    "digest.same": (
        "this digest is that of {part}",
        "cette empreinte est celle de : {part}",
    ),
    "digest.none": (
        "no recorded part has this digest",
        "aucune partie enregistrée n’a cette empreinte",
    ),
    "box.none": (
        "none of the {count} messages looked at is the recorded mail",
        "aucun des {count} messages examinés n’est le mail enregistré",
    ),
    "box.undecided": (
        "it could not be told whether the recorded mail is among the {count} messages looked at",
        "impossible de dire si le mail enregistré est parmi les {count} messages examinés",
    ),
    # Differences.
    "header.differs": ("{field} differs", "{field} : valeur différente"),
    "part.name": (
        "{part} has another name: {name}",
        "{part} porte un autre nom : {name}",
    ),
    "part.role": ("{part} is now {now}, was {before}", "{part} : maintenant {now}, avant {before}"),
    "part.type": (
        "{part} is declared as {now}, was {before}",
        "{part} : déclarée comme {now}, avant {before}",
    ),
    "part.container": (
        "the arrangement changed: {part} stands in a multipart of another kind",
        "la disposition a changé : {part} est dans un multipart d’un autre genre",
    ),
    "part.method": (
        "{part} is a calendar message of another kind",
        "{part} : message d’agenda d’un autre genre",
    ),
    "parts.grouping": (
        "the arrangement changed: the parts are grouped in another way",
        "la disposition a changé : les parties sont groupées autrement",
    ),
    "part.place": (
        "{part} stands at another place",
        "{part} n’est pas à la même place",
    ),
    "part.changed": (
        "the content of part {number} changed: {what}",
        "le contenu de la partie {number} a changé : {what}",
    ),
    "part.missing": ("part {number} is missing: {what}", "il manque la partie {number} : {what}"),
    "part.added": ("a part was added: {what}", "une partie a été ajoutée : {what}"),
    "record.contradicts": (
        "the record states another {claim}",
        "l’enregistrement dit autre chose pour : {claim}",
    ),
    # Notes: what was done, and what could not be compared.
    "bare-cr": (
        "a CR stands by itself: mail programs differ on whether it ends a line",
        "un CR est seul : les logiciels ne s’accordent pas pour dire s’il finit une ligne",
    ),
    "defect.ambiguous": (
        "the copy has {defect}: programs may show it otherwise",
        "la copie a le défaut {defect} : des logiciels peuvent la montrer autrement",
    ),
    "defect.uncovered": (
        "the copy has {defect}, which nothing but raw/1 covers",
        "la copie a le défaut {defect}, que seul raw/1 couvre",
    ),
    "part.name-vague": (
        "part {number} has a name with unreadable bytes",
        "le nom de la partie {number} contient des octets illisibles",
    ),
    "part.charset-vague": (
        "part {number} has a charset that cannot be read",
        "le jeu de caractères de la partie {number} est illisible",
    ),
    "part.said-elsewhere": (
        "part {number} is of a type whose parameters are not recorded",
        "la partie {number} est d’un type dont les paramètres ne sont pas enregistrés",
    ),
    "line-ends": ("line ends were turned into CRLF", "les fins de ligne ont été mises en CRLF"),
    "unescaped": (
        "one “>” was removed before each “From ” that this file had marked so",
        "un « > » a été ôté devant chaque « From » que ce fichier avait ainsi marqué",
    ),
    "header.hidden": ("{field} is not shown", "{field} : non montré par la preuve"),
    "header.vague": (
        "{field} is not clean text and can be compared by raw/1 only",
        "{field} n’est pas un texte net ; seul raw/1 permet de comparer",
    ),
    "header.untold": (
        "{field} cannot be compared: this file does not say it as the mail did",
        "{field} ne peut être comparé : ce fichier ne le dit pas comme le mail",
    ),
    "parts.unknown": (
        "how many parts the mail had is not shown, or was not recorded",
        "le nombre de parties du mail n’est pas montré, ou n’a pas été enregistré",
    ),
    "parts.hidden": (
        "{count} of {total} parts are not shown",
        "{count} parties sur {total} ne sont pas montrées",
    ),
    "box.message": ("message {number} of this file", "message {number} de ce fichier"),
    "box.file": ("file {name} of this folder", "fichier {name} de ce dossier"),
    "box.looked": ("{count} messages were looked at", "{count} messages ont été examinés"),
    "box.looked-part": (
        "only the first {count} messages were looked at",
        "seuls les {count} premiers messages ont été examinés",
    ),
    "box.several": (
        "{count} messages match equally well; this is the first of them",
        "{count} messages correspondent aussi bien ; celui-ci est le premier",
    ),
    "box.closest": (
        "this is the closest of them, not a match",
        "c’est le plus proche, sans correspondre",
    ),
    "box.passed-over": (
        "{count} other files of the folder were passed over",
        "{count} autres fichiers du dossier n’ont pas été examinés",
    ),
    "box.unreadable": (
        "{count} files of the folder could not be read",
        "{count} fichiers du dossier n’ont pas pu être lus",
    ),
    "text.unflowed": (
        "lines that the program had wrapped (format=flowed) were joined",
        "les lignes que le logiciel avait coupées (format=flowed) ont été rejointes",
    ),
    "msg.kind": (
        "an Outlook file never holds the mail's own bytes; it was compared part by part",
        "un fichier Outlook ne contient jamais les octets du mail ; comparaison partie par partie",
    ),
    "msg.rewrites": (
        "Outlook rewrites texts and names when it saves a mail: a difference here may be its own; "
        "compare the .eml file if there is one",
        "Outlook réécrit textes et noms quand il enregistre un mail : une différence peut venir "
        "de lui ; comparer le fichier .eml s’il existe",
    ),
    "msg.rtf": (
        "the rich text (RTF) in this file was not read",
        "le texte enrichi (RTF) de ce fichier n’a pas été lu",
    ),
    "msg.extra-text": (
        "this file also has a text as {type}, to which no recorded part corresponds",
        "ce fichier a aussi un texte en {type}, auquel aucune partie enregistrée ne correspond",
    ),
    "msg.no-text": (
        "{part} is not in this file in that form ({type})",
        "{part} n’est pas dans ce fichier sous cette forme ({type})",
    ),
    "msg.text-untold": (
        "the text of {part} cannot be compared",
        "le texte de : {part} ne peut être comparé",
    ),
    "msg.charset-untold": (
        "{part}: same bytes, but this file does not say in which charset to read them",
        "{part} : mêmes octets, mais ce fichier ne dit pas dans quel jeu de caractères les lire",
    ),
    "msg.role-untold": (
        "this file does not tell whether {part} was attached or stood in the text",
        "ce fichier ne dit pas si « {part} » était jointe ou dans le texte",
    ),
    "msg.name-untold": (
        "{part} had no name; this file calls it {name}",
        "{part} n’avait pas de nom ; ce fichier l’appelle {name}",
    ),
    "msg.enclosed": (
        "{part} is an enclosed message; Outlook keeps it in another form, which was not compared",
        "{part} est un message joint ; Outlook le garde sous une autre forme, non comparée",
    ),
    "msg.object": (
        "the attachment {name} is a link or an object, and was not read",
        "la pièce jointe {name} est un lien ou un objet, et n’a pas été lue",
    ),
    "msg.class": (
        "this is not a plain mail for Outlook ({name}): its parts are kept in another form",
        "pour Outlook ce n’est pas un simple mail ({name}) : ses parties ont une autre forme",
    ),
    # Equality under a rule.
    "rung.raw/1": ("the whole mail", "le mail entier"),
    "rung.decoded/1": ("same bytes", "mêmes octets"),
    "rung.digest": ("same bytes", "mêmes octets"),
    "rung.text/1": ("same text", "même texte"),
    "rung.html-text/1": ("same visible text", "même texte visible"),
    "rung.words/1": ("same words", "mêmes mots"),
    "rung.none": ("no match", "rien"),
    # The report around it.
    "verdict.0": ("verified", "vérifié"),
    "verdict.1": ("failed", "échec"),
    "verdict.3": ("not verified under this trust", "non vérifié avec cette confiance"),
    "status.passed": ("passed", "réussi"),
    "status.failed": ("failed", "échec"),
    "status.absent": ("absent", "absent"),
    "status.not checked": ("not checked", "non vérifié"),
    "copy.passed": ("matches", "correspond"),
    "copy.failed": ("DIFFERS", "DIFFÈRE"),
    "copy.absent": ("not checked", "non vérifié"),
    "copy.not checked": ("not checked", "non vérifié"),
    "what.mail": ("mail", "mail"),
    "what.file": ("file", "fichier"),
    "what.digest": ("digest", "empreinte"),
    "copy": ("Copy {name}: {status} ({what})", "Copie {name} : {status} ({what})"),
    "differs.line": ("differs: {text}", "différence : {text}"),
    "note.line": ("note: {text}", "note : {text}"),
    "existed": ("The record existed by {when} UTC.", "L’enregistrement existait le {when} UTC."),
    "existed.weak": (
        "The record existed by {when} UTC, on witnesses that prove nothing to others.",
        "L’enregistrement existait le {when} UTC, selon des témoins qui ne prouvent rien "
        "à des tiers.",
    ),
    "sender": (
        "Sender authenticated, as the service observed: {sender}",
        "Expéditeur authentifié, observé par le service : {sender}",
    ),
    "sender.check": (
        "Sender check, as the service observed: {text}",
        "Contrôle de l’expéditeur, observé par le service : {text}",
    ),
    "defects": ("Defects of the mail: {text}", "Défauts du mail : {text}"),
    "no-facts": (
        "The claims are no facts: V2 or V3 failed.",
        "Les déclarations ne sont pas des faits : V2 ou V3 a échoué.",
    ),
    "kind": (
        "Kind {kind}, received {when} as the service states.",
        "Nature {kind}, reçu {when} selon le service.",
    ),
    "stated": ("{field}, as the mail states: {text}", "{field}, selon le mail : {text}"),
    "checks": ("Checks", "Contrôles"),
    "witnesses": ("Witnesses", "Témoins"),
    "caution.built-in authority": (
        "built-in authority: proves nothing to others",
        "autorité intégrée : ne prouve rien à des tiers",
    ),
    "caution.development chain": (
        "development chain: proves nothing to others",
        "chaîne de développement : ne prouve rien à des tiers",
    ),
    "not-proven": (
        "Not proven: delivery, authorship, and that the record did not exist earlier.",
        "Non prouvé : la remise, l’auteur, et que l’enregistrement n’existait pas plus tôt.",
    ),
    "no-trust": (
        "No trust file was given (--trust), so nothing can be verified.",
        "Aucun fichier de confiance n’a été donné (--trust) : rien ne peut être vérifié.",
    ),
}  # fmt: skip
"""Key → (English, French)."""

_ROWS_FR = {
    "batch": "lot",
    "anchor": "ancrage",
    "linked receipt": "accusé lié",
    "linked addendum": "complément lié",
    "row.V1": "le fichier est une preuve intacte",
    "row.V2": "les entrées sont celles de l’engagement",
    "row.V3": "chaque déclaration est connue et typée",
    "row.V4": "signé par une clé de confiance du service",
    "row.V5": "jeton d’horodatage",
    "row.V6": "reçu avant l’horodatage",
    "row.V7": "l’en-tête nomme le journal de l’enregistrement",
    "row.V8": "en-tête et enregistrement sont dans un même arbre",
    "row.V9": "la transaction porte la racine et est dans le bloc",
    "row.V10": "émise par un émetteur de confiance",
    "row.V11": "le bloc est dans la chaîne",
    "row.V12": "reçu avant le bloc",
    "row.V13": "renouvellement",
    "row.V14": "preuve liée",
    "row.V15": "une preuve, et des fichiers joints égaux à elle",
    "row.V16": "un sceau sur tout le fichier, par un signataire de confiance",
    "row.V17": "assez de témoins indépendants",
    "row.T0": "ce que le jeton doit couvrir",
    "row.T1": "la réponse est en DER strict et contient un jeton",
    "row.T2": "le statut est « accordé »",
    "row.T3": "l’algorithme et l’empreinte sont ceux attendus",
    "row.T4": "il y a exactement un signataire",
    "row.T5": "le certificat du signataire est fourni",
    "row.T6": "le type de contenu est signé",
    "row.T7": "l’empreinte signée est celle du contenu",
    "row.T8": "le certificat du signataire est lié par ESSCertID",
    "row.T9": "la signature est bonne",
    "row.T10": "le certificat du signataire ne sert qu’à horodater",
    "row.T11": "le certificat du signataire était valide à l’heure du jeton",
    "row.T12": "le chemin vers une autorité de confiance tient à l’heure du jeton",
    "row.T13": "la politique est de celles que l’on croit de cette autorité",
}
"""Titles of checks by English title or, else, by number; the English stand beside the checks."""

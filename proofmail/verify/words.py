"""What a report says, in English and French: plain sentences by key, filled with values.

A report is made of `Said`: a key and its values, so that it can be told in either language and is
the same report. JSON carries the English. Reasons of single checks are technical and stay English.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofmail.verify.copy_words import COPIES

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
    return CATALOGUE[key][LANGUAGES.index(language)]


def row_title(row: Row, language: str = "en") -> str:
    """The title of a check in the language; in English where there is no other."""
    if language == "en":
        return row.title
    by_number = ROWS_FR.get(f"row.{row.number.rpartition('.')[2]}", row.title)
    return ROWS_FR.get(row.title, by_number)


def rung_words(rung: str, language: str = "en") -> str:
    """What equality under a rule means, with the rule's name behind it."""
    if not rung:
        return word("rung.none", language)
    key = f"rung.{rung}"
    return f"{word(key, language)} ({rung})" if key in CATALOGUE else rung


CATALOGUE: dict[str, tuple[str, str]] = {
    **COPIES,
    # What is spoken of.
    "message": ("the whole mail", "le mail entier"),
    "part": ("part {number}", "partie {number}"),
    "part.named": ("part {number} ({name})", "partie {number} ({name})"),
    "digest": ("digest {number}", "empreinte {number}"),
    "digest.named": ("digest {number} ({name})", "empreinte {number} ({name})"),
    "described": ("{role} {name}", "{role} {name}"),
    "described.type": ("{role} ({type})", "{role} ({type})"),
    "type.text/plain": ("plain text", "texte brut"),
    "type.text/html": ("HTML", "HTML"),
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
    # Equality under a rule.
    "rung.raw/1": ("the very bytes of the mail", "les octets mêmes du mail"),
    "rung.decoded/1": ("same bytes", "mêmes octets"),
    "rung.digest": ("same bytes", "mêmes octets"),
    "rung.text/1": ("same text", "même texte"),
    "rung.html-text/1": ("same visible text", "même texte visible"),
    "rung.header-values/1": (
        "other bytes, same header values, and each of its parts matches",
        "autres octets, mêmes valeurs d’en-tête, et chacune de ses parties correspond",
    ),
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
    "copy.none": ("NO MATCH", "NE CORRESPOND PAS"),
    "copy.absent": ("not checked", "non vérifié"),
    "copy.not checked": ("not checked", "non vérifié"),
    "what.mail": ("mail", "mail"),
    "what.file": ("file", "fichier"),
    "what.digest": ("digest", "empreinte"),
    "copy": ("Copy {name}: {status} ({what})", "Copie {name} : {status} ({what})"),
    "differs.line": ("differs: {text}", "différence : {text}"),
    "note.line": ("note: {text}", "note : {text}"),
    "existed": (
        "The record existed by {when} UTC.",
        "L’enregistrement existait au plus tard le {when} UTC.",
    ),
    "existed.weak": (
        "The record existed by {when} UTC, on witnesses that prove nothing to others.",
        "L’enregistrement existait au plus tard le {when} UTC, selon des témoins qui ne prouvent "
        "rien à des tiers.",
    ),
    "sender": (
        "Sender authenticated, as the service observed: {sender}",
        "Expéditeur authentifié, observé par le service : {sender}",
    ),
    "sender.check": (
        "Sender check, as the service observed: {text}",
        "Contrôle de l’expéditeur, observé par le service : {text}",
    ),
    "nature.encrypted": (
        "{part} is encrypted ({note}): what it says is not proven, only these bytes",
        "{part} : contenu chiffré ({note}) ; ce qu’il dit n’est pas prouvé, seulement ces octets",
    ),
    "nature.block": (
        "{part} is one block ({note}): it was not opened; only these bytes are proven",
        "{part} : un seul bloc ({note}), non ouvert ; seuls ces octets sont prouvés",
    ),
    "nature.signature": (
        "{part} is a signature ({note}): it was not checked",
        "{part} : une signature ({note}), qui n’a pas été vérifiée",
    ),
    "nature.tnef.malformed": (
        "{part} is a winmail.dat (TNEF) that is malformed: the files in it are not listed",
        "{part} : un winmail.dat (TNEF) mal formé ; ses fichiers ne sont pas listés",
    ),
    "nature.tnef.text": (
        "{part} is a winmail.dat (TNEF) with a text of the mail in it, which was not read",
        "{part} : un winmail.dat (TNEF) qui contient un texte du mail, non lu",
    ),
    "nature.tnef.unlisted": (
        "{part} is a winmail.dat (TNEF) with something in it that is not listed: a message, "
        "an object, or a file that programs read in several ways",
        "{part} : un winmail.dat (TNEF) avec un contenu non listé : message, objet, ou fichier "
        "que les logiciels lisent de plusieurs façons",
    ),
    "nature.links": (
        "files behind links (at least {count}, {host}) are not fingerprinted",
        "fichiers derrière des liens (au moins {count}, {host}) : aucune empreinte",
    ),
    "nature.file": (
        "{part} has in it the file {name}, {size} bytes, SHA-256 {sha256}",
        "{part} contient le fichier {name}, {size} octets, SHA-256 {sha256}",
    ),
    "case.count": (
        "{passed} of {count} proofs verified.",
        "{passed} preuves vérifiées sur {count}.",
    ),
    "case.existed": (
        "All of these records existed by {when} UTC.",
        "Tous ces enregistrements existaient le {when} UTC.",
    ),
    "case.existed.weak": (
        "All of these records existed by {when} UTC, some on witnesses that prove nothing to "
        "others.",
        "Tous ces enregistrements existaient le {when} UTC, certains selon des témoins qui ne "
        "prouvent rien à des tiers.",
    ),
    "case.title": (
        "Called by whoever made it: {title}",
        "Nommé par qui l’a constitué : {title}",
    ),
    "case.proofs": (
        "Proofs: received as the service states · sender and subject as the mail states",
        "Preuves : reçu selon le service · expéditeur et objet selon le mail",
    ),
    "case.not-proven": (
        "Nor is it proven that the list is complete. --number N tells all on one proof.",
        "Ni que la liste est complète. --number N dit tout d’une preuve.",
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

ROWS_FR = {
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
    "row.V18": "une preuve de l’affaire",
    "the proofs are exactly those that the list names": (
        "les preuves sont exactement celles que la liste nomme"
    ),
    "row.T0": "ce que le jeton doit couvrir",
    "row.S": "aucun certificat du chemin n’a été révoqué",
    "row.Q": "l’autorité était qualifiée à l’heure du jeton",
    "row.D": "un horodatage du fichier scellé, par une autorité de confiance",
    "revocation data": "données de révocation",
    "extract": "extrait",
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

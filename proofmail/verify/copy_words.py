"""What a report says of copies, in English and French: see `words`."""

from __future__ import annotations

COPIES: dict[str, tuple[str, str]] = {
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
    "text.charset-other": (
        "the file names another charset for itself: programs that follow it show other characters",
        "le fichier annonce un autre jeu de caractères : les logiciels qui s’y fient montrent "
        "d’autres caractères",
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
    "box.none-one": (
        "the only message looked at is not the recorded mail",
        "le seul message examiné n’est pas le mail enregistré",
    ),
    "box.undecided-one": (
        "it could not be told whether the only message looked at is the recorded mail",
        "impossible de dire si le seul message examiné est le mail enregistré",
    ),
    "box.undecided": (
        "it could not be told whether the recorded mail is among the {count} messages looked at",
        "impossible de dire si le mail enregistré est parmi les {count} messages examinés",
    ),
    # Differences.
    "header.differs": (
        "{field} differs: recorded {before}, here {now}{where}",
        "{field} : valeur différente ; enregistré {before}, ici {now}{where}",
    ),
    "header.less": (
        "{field} differs: recorded and not here {before}",
        "{field} : valeur différente ; enregistré, mais absent ici {before}",
    ),
    "header.more": (
        "{field} differs: here and not recorded {now}",
        "{field} : valeur différente ; ici, mais non enregistré {now}",
    ),
    "header.order": (
        "{field} differs: the same entries in another order",
        "{field} : mêmes valeurs dans un autre ordre",
    ),
    "header.character": (
        " (the first character that differs: recorded {before}, here {now})",
        " (premier caractère différent : enregistré {before}, ici {now})",
    ),
    "header.end": ("end of the value", "fin de la valeur"),
    "part.name": (
        "{part} has another name: {name}, recorded {before}",
        "{part} porte un autre nom : {name}, enregistré {before}",
    ),
    "part.role": ("{part} is now {now}, was {before}", "{part} : maintenant {now}, avant {before}"),
    "part.type": (
        "{part} is declared as {now}, was {before}",
        "{part} : déclarée comme {now}, avant {before}",
    ),
    "part.container": (
        "the arrangement changed: {part} stands in a group (multipart) of another kind",
        "la disposition a changé : {part} est dans un groupe (multipart) d’un autre genre",
    ),
    "part.method": (
        "{part} is a calendar message of another kind",
        "{part} : message d’agenda d’un autre genre",
    ),
    "parts.grouping": (
        "the arrangement changed: the parts are grouped in another way",
        "la disposition a changé : les parties sont groupées autrement",
    ),
    "part.images": (
        "{part} shows another picture at a place than it did, or one that came from elsewhere",
        "{part} montre à un endroit une autre image qu’avant, ou une image venue d’ailleurs",
    ),
    "part.images-untold": (
        "{part}: which pictures it shows cannot be told",
        "{part} : impossible de dire quelles images elle montre",
    ),
    "part.content-id": (
        "{part} has another Content-ID: what shows it by that name may show another file",
        "{part} a un autre Content-ID : ce qui l’affiche sous ce nom peut afficher un autre "
        "fichier",
    ),
    "part.content-location": (
        "{part} has another Content-Location, or lost or gained one",
        "{part} a un autre Content-Location, ou l’a perdu ou gagné",
    ),
    "part.wrapped": (
        "{part} is now inside {what}, with the same bytes",
        "{part} est maintenant dans : {what}, avec les mêmes octets",
    ),
    "part.unwrapped": (
        "{part} was taken apart: {what} has the bytes of a file that was in it",
        "{part} a été ouverte : {what} a les octets d’un fichier qu’elle contenait",
    ),
    "part.place": (
        "{part} stands at another place",
        "{part} n’est pas à la même place",
    ),
    "part.changed": (
        "the content of part {number} changed: {what}; {how}",
        "le contenu de la partie {number} a changé : {what} ; {how}",
    ),
    "how.words.plain": (
        "its words differ, not only white space ({before} bytes of words recorded, {now} here)",
        "ses mots diffèrent, et pas seulement les blancs ({before} octets de mots enregistrés, "
        "{now} ici)",
    ),
    "how.words.plain.same-size": (
        "its words differ, not only white space (as many bytes of words: {now})",
        "ses mots diffèrent, et pas seulement les blancs (autant d’octets de mots : {now})",
    ),
    "how.words.html": (
        "its visible words, the target of a link, or a picture's description differ "
        "({before} bytes of them recorded, {now} here)",
        "ses mots visibles, la cible d’un lien ou la description d’une image diffèrent "
        "({before} octets enregistrés, {now} ici)",
    ),
    "how.words.html.same-size": (
        "its visible words, the target of a link, or a picture's description differ "
        "(as many bytes of them: {now})",
        "ses mots visibles, la cible d’un lien ou la description d’une image diffèrent "
        "(autant d’octets : {now})",
    ),
    "how.text": (
        "its text differs ({before} bytes of text recorded, {now} here); whether its visible "
        "words do cannot be told",
        "son texte diffère ({before} octets de texte enregistrés, {now} ici) ; impossible de dire "
        "si ses mots visibles diffèrent",
    ),
    "how.text.same-size": (
        "its text differs (as many bytes of text: {now}); whether its visible words do cannot "
        "be told",
        "son texte diffère (autant d’octets de texte : {now}) ; impossible de dire si ses mots "
        "visibles diffèrent",
    ),
    "how.bytes": (
        "its bytes differ ({before} bytes recorded, {now} here)",
        "ses octets diffèrent ({before} octets enregistrés, {now} ici)",
    ),
    "how.bytes.same-size": (
        "its bytes differ (as many of them: {now})",
        "ses octets diffèrent (autant d’octets : {now})",
    ),
    "how.bytes-of-text": (
        "its bytes differ ({before} bytes recorded, {now} here); the texts cannot be compared",
        "ses octets diffèrent ({before} octets enregistrés, {now} ici) ; les textes ne peuvent "
        "être comparés",
    ),
    "how.bytes-of-text.same-size": (
        "its bytes differ (as many of them: {now}); the texts cannot be compared",
        "ses octets diffèrent (autant d’octets : {now}) ; les textes ne peuvent être comparés",
    ),
    "how.read": (
        "its bytes are the same, but this mail has them read in another way (charset or wrapped "
        "lines)",
        "ses octets sont les mêmes, mais ce mail les fait lire autrement (jeu de caractères ou "
        "lignes coupées)",
    ),
    "how.other": (
        "it is of another type, or cannot be compared by any rule",
        "il est d’un autre type, ou aucune règle ne permet de comparer",
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
    "part.place-vague": (
        "part {number} stands in a group (multipart) of an unusual kind, and which is not recorded",
        "la partie {number} est dans un groupe (multipart) d’un genre inhabituel, qui n’est pas "
        "enregistré",
    ),
    "part.said-elsewhere": (
        "part {number} is of a type whose parameters are not recorded",
        "la partie {number} est d’un type dont les paramètres ne sont pas enregistrés",
    ),
    "line-ends": ("line ends were turned into CRLF", "les fins de ligne ont été mises en CRLF"),
    "nothing-same": (
        "no part of it is a recorded one, and none of From, To, Cc, Subject and Date is the "
        "recorded value: it looks like another mail",
        "aucune de ses parties n’est enregistrée, et ni De, À, Cc, Objet ni Date n’a la valeur "
        "enregistrée : c’est, semble-t-il, un autre mail",
    ),
    "no-part-same": (
        "no part of it is a recorded one, and its Message-ID is another: it looks like another "
        "mail",
        "aucune de ses parties n’est enregistrée, et son Message-ID est un autre : c’est, "
        "semble-t-il, un autre mail",
    ),
    "body-same": (
        "below the header it is the recorded mail, but for white space (body-relaxed/1): what "
        "differs lies in the header, which also says how the rest is read, or in white space",
        "sous l’en-tête c’est le mail enregistré, aux blancs près (body-relaxed/1) : ce qui "
        "diffère est dans l’en-tête, qui dit aussi comment lire le reste, ou dans les blancs",
    ),
    "id.same": (
        "it bears the Message-ID of the recorded mail; anybody can copy one",
        "il porte le Message-ID du mail enregistré ; n’importe qui peut en copier un",
    ),
    "id.other": (
        "its Message-ID is not that of the recorded mail",
        "son Message-ID n’est pas celui du mail enregistré",
    ),
    "id.none": ("it has no Message-ID", "il n’a pas de Message-ID"),
    "id.answers": (
        "it names the recorded mail as one that it answers or continues (In-Reply-To, References): "
        "it is another mail",
        "il nomme le mail enregistré comme un mail auquel il répond ou fait suite (In-Reply-To, "
        "References) : c’est un autre mail",
    ),
    "enclosed": (
        "all recorded parts stand in the message enclosed as part {number}: save that message by "
        "itself, and compare it",
        "toutes les parties enregistrées sont dans le message joint (partie {number}) : "
        "l’enregistrer à part, et le comparer",
    ),
    "words-only.plain": (
        "{part}: its words are the same; white space or line breaks differ",
        "{part} : ses mots sont les mêmes ; des blancs ou des fins de ligne diffèrent",
    ),
    "words-only.html": (
        "{part}: its words and links are the same; line breaks, cells, lists or pictures differ",
        "{part} : ses mots et ses liens sont les mêmes ; des lignes, cellules, listes ou images "
        "diffèrent",
    ),
    "file.other-content": (
        "a recorded file has this name, {part}, and other content ({before} bytes recorded, "
        "{now} here)",
        "un fichier enregistré porte ce nom, {part}, avec un autre contenu ({before} octets "
        "enregistrés, {now} ici)",
    ),
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
    "box.at": ("this is about {place}", "il s’agit de : {place}"),
    "box.message": ("message {number} of this file", "message {number} de ce fichier"),
    "box.file": ("file {name} of this folder", "fichier {name} de ce dossier"),
    "box.looked-one": ("one message was looked at", "un seul message a été examiné"),
    "box.also": ("another that matches: {place}", "un autre qui correspond : {place}"),
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
        "the rich text (RTF) in this file could not be read: {reason}",
        "le texte enrichi (RTF) de ce fichier n’a pas pu être lu : {reason}",
    ),
    "msg.rtf-native": (
        "this file has a rich text (RTF) of Outlook's own, a form that no mail has",
        "ce fichier a un texte enrichi (RTF) propre à Outlook, une forme qu’aucun mail n’a",
    ),
    "msg.rtf-other": (
        "the rich text (RTF) in this file does not say the same as the rest of it, or shows "
        "other characters to a program that displays it by itself",
        "le texte enrichi (RTF) de ce fichier ne dit pas la même chose que le reste, ou montre "
        "d’autres caractères à un logiciel qui l’affiche tel quel",
    ),
    "msg.several-forms": (
        "this file has the text in several forms, with the same words in the same order; "
        "line breaks and appearance were not compared between them",
        "ce fichier a le texte sous plusieurs formes, avec les mêmes mots dans le même ordre ; "
        "sauts de ligne et apparence n’ont pas été comparés entre elles",
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
    "msg.content-id-untold": (
        "{part}: this file does not give the Content-ID or the Content-Location that it had",
        "{part} : ce fichier ne donne pas le Content-ID ou le Content-Location qu’elle avait",
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
}  # fmt: skip
"""Key → (English, French)."""

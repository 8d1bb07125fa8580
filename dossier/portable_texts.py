"""The instructions that lie in an archive, in English and in French."""

README = """\
An archive of evidence dossiers
===============================

dossiers/     one sealed PDF for each record: read it, and give it to whoever has to check it
index.csv     a table of them, for a spreadsheet program (UTF-8, commas, every cell in quotes;
              an apostrophe stands before a text that the program would take for a formula)
index.json    the same table for programs
trust.json    what the service that made this archive asks you to believe: its keys, its
              time-stamping authorities, the blocks that carry its anchors
verifier.html opened in a browser, it checks a dossier without a network, if it was put in
verifier/     the free verifier, if it was put in

How to check a dossier, offline:

    pip install proofmail
    proofmail verify dossiers/NAME.pdf --trust trust.json

and with a copy of the mail, to see whether it is the one that was recorded:

    proofmail verify dossiers/NAME.pdf --trust trust.json message.eml

trust.json came in the same archive as the dossiers. Whoever could forge the one could forge the
other: compare it with one that you got from somebody whom you believe; the same goes for a
verifier. Without one, each dossier says how to check it by hand, with stock tools.

What a dossier proves, and what not: the record existed no later than its witnesses say. Not that
the mail was delivered, not who really wrote it, not that it did not exist earlier; and nothing
proves that this archive is complete. The table is a convenience: the proofs alone are evidence.
"""

LISEZMOI = """\
Une archive de dossiers de preuve
=================================

dossiers/     un PDF scellé par enregistrement : à lire, et à remettre à qui doit vérifier
index.csv     leur table, pour un tableur (UTF-8, virgules, chaque cellule entre guillemets ;
              une apostrophe précède un texte que le tableur prendrait pour une formule)
index.json    la même table pour un programme
trust.json    ce que le service qui a fait cette archive vous demande de croire : ses clés, ses
              autorités d’horodatage, les blocs qui portent ses ancrages
verifier.html ouvert dans un navigateur, il vérifie un dossier sans réseau, s’il y a été mis
verifier/     le vérificateur libre, s’il y a été mis

Vérifier un dossier, hors ligne :

    pip install proofmail
    proofmail verify dossiers/NOM.pdf --trust trust.json

et avec une copie du mail, pour savoir si c’est bien celui qui a été enregistré :

    proofmail verify dossiers/NOM.pdf --trust trust.json message.eml

trust.json est venu dans la même archive que les dossiers. Qui aurait pu forger l’un aurait pu
forger l’autre : comparez-le à celui que vous tenez de quelqu’un que vous croyez ; de même pour un
vérificateur. Sans lui, chaque dossier dit comment vérifier à la main, avec des outils courants.

Ce qu’un dossier prouve, et ne prouve pas : l’enregistrement existait au plus tard à l’heure de ses
témoins. Ni que le mail a été remis, ni qui l’a vraiment écrit, ni qu’il n’existait pas plus tôt ;
et rien ne prouve que cette archive est complète. La table est une commodité : seules les preuves
font foi.
"""

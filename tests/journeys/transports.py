"""Journeys through real servers: every original in at one side, its copy out at the other."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from proofmail.verify.paths import source
from tests.journeys.dovecot import private_dovecot
from tests.journeys.exim import private_exim
from tests.journeys.originals import ORIGINALS
from tests.journeys.outcomes import Outcome, judged
from tests.journeys.sink import Sink, sink
from tests.postfix import Postfix, private_postfix

DOMAIN = "copies.example"
_SENDER = "claire@atelier.example"
_RELAY = {"smtpd_peername_lookup": "no", "always_add_missing_headers": "yes"}
_WHOLE_LINES = {"smtp_line_length_limit": "0"}
_NEW_ADDRESSES = {
    "local_header_rewrite_clients": "permit_mynetworks",
    "masquerade_domains": "atelier.example",
    "canonical_classes": "header_sender, header_recipient",
    "canonical_maps": "inline:{{jean@client.example=j.petit@client.example}}",
}


def through_postfix(settings: Mapping[str, str], *, eight_bit: bool) -> dict[str, bytes]:
    """The copies at a next hop that says 8BITMIME, or that does not."""
    with sink(eight_bit=eight_bit) as end:
        relay = {**_RELAY, "relay_transport": f"smtp:[127.0.0.1]:{end.port}", **settings}
        with private_postfix(0, domain=DOMAIN, settings=relay) as postfix:
            _send(smtplib.SMTP("127.0.0.1", postfix.port, local_hostname="peer.example"))
            _wait_for_all(end, postfix)
    return end.copies


def through_exim() -> dict[str, bytes]:
    with sink(eight_bit=True) as end, private_exim(end.port) as exim:
        _send(smtplib.SMTP("127.0.0.1", exim.port, local_hostname="peer.example"))
        exim.deliver()
        if end.copies.keys() != ORIGINALS.keys():
            raise RuntimeError("Exim did not hand on every mail:\n" + exim.log())
    return end.copies


def into_maildirs() -> dict[str, Outcome]:
    """Each mail's file, as Dovecot wrote it into the Maildir of the mail's own recipient."""
    with private_dovecot() as dovecot:
        _send(smtplib.LMTP("127.0.0.1", dovecot.port, local_hostname="peer.example"))
        files = {name: list((dovecot.maildir(name) / "new").iterdir()) for name in ORIGINALS}
        return {name: judged(name, file.read_bytes()) for name, [file] in files.items()}


def into_one_maildir() -> dict[str, Outcome]:
    """All mails in one Maildir, and the Maildir as the copy of each."""
    with private_dovecot() as dovecot:
        _send(smtplib.LMTP("127.0.0.1", dovecot.port, local_hostname="peer.example"), to="all")
        return {name: judged(name, source(dovecot.maildir("all"))) for name in ORIGINALS}


def _send(client: smtplib.SMTP, to: str = "") -> None:
    """Sends every original, to a recipient of its name or all to one."""
    with client:
        client.ehlo()
        options = ["BODY=8BITMIME"] if client.has_extn("8bitmime") else []
        for name, mail in ORIGINALS.items():
            recipient = f"{to or name}@{DOMAIN}"
            refused = client.sendmail(_SENDER, [recipient], mail, mail_options=options)
            if refused:
                raise RuntimeError(f"{name} was refused: {refused}")


def _wait_for_all(end: Sink, postfix: Postfix) -> None:
    for _ in range(300):
        if end.copies.keys() == ORIGINALS.keys():
            return
        time.sleep(0.05)
    missing = sorted(ORIGINALS.keys() - end.copies.keys())
    raise RuntimeError(f"Postfix did not hand on {missing}:\n" + postfix.log())


def _judged(copies: Callable[[], dict[str, bytes]]) -> dict[str, Outcome]:
    return {name: judged(name, copy) for name, copy in copies().items()}


def _postfix(settings: Mapping[str, str], *, eight_bit: bool) -> Callable[[], dict[str, Outcome]]:
    return partial(_judged, partial(through_postfix, settings, eight_bit=eight_bit))


@dataclass(frozen=True)
class Transport:
    """`verdict` is what every copy must get, but for the originals in `others`."""

    run: Callable[[], dict[str, Outcome]]
    verdict: str = "same.content"
    others: Mapping[str, str] = field(default_factory=dict)

    def expected(self, original: str) -> str:
        return self.others.get(original, self.verdict)


TRANSPORTS: dict[str, Transport] = {
    "postfix": Transport(_postfix(_WHOLE_LINES, eight_bit=True)),
    # The text within an enclosed message is encoded anew: its header and its parts decide.
    "postfix-to-7bit": Transport(_postfix(_WHOLE_LINES, eight_bit=False)),
    # Postfix puts a line end and a blank behind 998 octets, within a word if it comes so;
    # in html-long-line it comes between two words.
    "postfix-folding": Transport(
        _postfix({"smtp_line_length_limit": "998"}, eight_bit=True),
        others={
            "csv-long-line": "differs",
            "long-lines-ascii": "differs",
            "long-lines-8bit": "differs",
            "long-line-of-figures": "same.words",
            "html-long-line-8bit": "differs",
        },
    ),
    "postfix-new-addresses": Transport(
        _postfix(_NEW_ADDRESSES | _WHOLE_LINES, eight_bit=True), "differs"
    ),
    "exim": Transport(partial(_judged, through_exim)),
    "dovecot-maildir-file": Transport(into_maildirs),
    "dovecot-maildir-folder": Transport(into_one_maildir),
}


@cache
def transported(name: str) -> dict[str, Outcome]:
    """The outcomes of this journey; it is made once, for all who ask."""
    return TRANSPORTS[name].run()

"""One mail transaction: from MAIL to DATA. It belongs to one organisation (DESIGN §6)."""

from __future__ import annotations

from smtp_gateway.address import Sender, read_recipient
from smtp_gateway.contract import Envelope
from smtp_gateway.hall import Hall, Peer
from smtp_gateway.replies import (
    MANY_RECIPIENTS,
    NOT_OURS,
    OTHER_ORGANISATION,
    SENDER_RATE,
    Reply,
)


class Transaction:
    """`accepted` counts the RCPT commands answered 250: LMTP owes a reply to each of them, also
    to an address that was named twice (RFC 2033 §4.2)."""

    def __init__(self, hall: Hall, peer: Peer, sender: Sender) -> None:
        self._hall = hall
        self._peer = peer
        self._sender = sender
        self._organisation = ""
        self._listed = False
        self._recipients: dict[str, None] = {}
        self.accepted = 0

    @property
    def utf8(self) -> bool:
        return self._sender.utf8

    def add(self, argument: str, now_seconds: float) -> Reply:
        """RCPT TO. The first accepted recipient decides the organisation."""
        address = read_recipient(argument, utf8=self._sender.utf8)
        if isinstance(address, Reply):
            return address
        organisation = self._hall.desk.organisation_of(address)
        if organisation is None:
            return NOT_OURS
        if self.accepted >= self._hall.limits.recipients:
            return MANY_RECIPIENTS
        if self.accepted and organisation != self._organisation:
            return OTHER_ORGANISATION
        if not self.accepted and not self._admit(organisation, now_seconds):
            return SENDER_RATE
        self.accepted += 1
        self._recipients[address] = None
        return Reply(250, "2.1.5", "Recipient OK")

    def _admit(self, organisation: str, now_seconds: float) -> bool:
        """Draws on the sender's bucket. Only now, since being listed is a matter of one
        organisation. Strangers draw by peer: a forged address that one peer wears out must not
        shut out its owner, nor one peer's null senders everybody's receipts; and a peer that
        makes up a new sender for each mail gets no more."""
        sender, limits = self._sender.address, self._hall.limits
        listed = self._hall.desk.listed(organisation, sender, self._peer.address)
        by_sender = listed or self._peer.front
        key = (organisation, listed, sender.lower() if by_sender else self._peer.place)
        rate = limits.listed_rate if by_sender else limits.unlisted_rate
        if not self._hall.board.take_as_sender(key, rate, now_seconds):
            return False
        self._organisation, self._listed = organisation, listed
        return True

    def envelope(self, helo: str, tls: str) -> Envelope:
        return Envelope(
            peer=self._peer.address,
            helo=helo,
            tls=tls,
            mail_from=self._sender.address,
            organisation=self._organisation,
            recipients=tuple(self._recipients),
            listed=self._listed,
        )

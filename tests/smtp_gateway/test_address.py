"""MAIL and RCPT arguments: what is taken, and what is refused with which code."""

from __future__ import annotations

import pytest

from smtp_gateway.address import Sender, read_mail, read_recipient
from smtp_gateway.replies import Reply


def mail(argument: str, extended: bool = True) -> Sender | Reply:
    return read_mail(argument, extended=extended, message_bytes=1000)


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        ("FROM:<a@b.example>", "a@b.example"),
        ("from: <a@b.example>", "a@b.example"),
        ("FROM:<>", ""),
        ("FROM:<> BODY=8BITMIME SIZE=1000", ""),
        ("FROM:<a@b.example> body=7bit smtputf8", "a@b.example"),
        ('FROM:<"a b>\\"c"@d.example>', '"a b>\\"c"@d.example'),
        ("FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ("FROM:<@x.example,@y.example:a@b.example>", "a@b.example"),
        ("FROM:<SRS0=" + "x" * 80 + "@b.example>", "SRS0=" + "x" * 80 + "@b.example"),
        ("FROM:<" + "x" * 310 + "@b.example>", "x" * 310 + "@b.example"),
        ("FROM:<é@b.example> SMTPUTF8", "é@b.example"),
    ],
)
def test_mail_is_taken(argument: str, address: str) -> None:
    sender = mail(argument)
    assert isinstance(sender, Sender)
    assert sender.address == address


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("", "501 5.1.7"),
        ("FROM:", "501 5.1.7"),
        ("TO:<a@b.example>", "501 5.1.7"),
        ("FROM:a@b.example", "501 5.1.7"),
        ("FROM:<a>", "501 5.1.7"),
        ("FROM:<postmaster>", "501 5.1.7"),
        ("FROM:<a..b@c.example>", "501 5.1.7"),
        ("FROM:<.a@c.example>", "501 5.1.7"),
        ("FROM:<a@c.example.>", "501 5.1.7"),
        ("FROM:<a@-c.example>", "501 5.1.7"),
        ("FROM:<a b@c.example>", "501 5.1.7"),
        ("FROM:<a@b@c.example>", "501 5.1.7"),
        ("FROM:<a@b.example", "501 5.1.7"),
        ("FROM:<a@b.example>SIZE=1", "501 5.1.7"),
        ("FROM:<" + "x" * 311 + "@b.example>", "501 5.1.7"),
        ("FROM:<a@" + "x" * 250 + ".example>", "501 5.1.7"),
        ("FROM:<a\u202eb@c.example> SMTPUTF8", "501 5.1.7"),
        ("FROM:<a\u0085b@c.example> SMTPUTF8", "501 5.1.7"),
        ("FROM:<a@b.example> SIZE=1001", "552 5.3.4"),
        ("FROM:<a@b.example> SIZE", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=-1", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=1 SIZE=2", "501 5.5.4"),
        ("FROM:<a@b.example> SIZE=" + "9" * 21, "501 5.5.4"),
        ("FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
        ("FROM:<a@b.example> BODY", "501 5.5.4"),
        ("FROM:<a@b.example> SMTPUTF8=1", "501 5.5.4"),
        ("FROM:<a@b.example> RET=HDRS", "555 5.5.4"),
        ("FROM:<a@b.example> AUTH=<>", "555 5.5.4"),
        ("FROM:<é@b.example>", "553 5.6.7"),
        ("FROM:<a@é.example>", "553 5.6.7"),
    ],
)
def test_mail_is_refused(argument: str, reply: str) -> None:
    assert str(mail(argument)) == reply


def test_parameters_need_ehlo() -> None:
    assert str(mail("FROM:<a@b.example> SIZE=1", extended=False)) == "555 5.5.4"
    assert mail("FROM:<a@b.example>", extended=False) == Sender("a@b.example", False)


@pytest.mark.parametrize(
    ("argument", "result"),
    [
        ("TO:<P+x@Proofs.example>", "P+x@Proofs.example"),
        ("TO:<Postmaster>", "Postmaster"),
        ("TO:<>", "501 5.1.3"),
        ("TO:<p>", "501 5.1.3"),
        ("TO:p@proofs.example", "501 5.1.3"),
        ("FROM:<p@proofs.example>", "501 5.1.3"),
        ("TO:<" + "x" * 310 + "@proofs.example>", "501 5.1.3"),
        ("TO:<p@proofs.example> NOTIFY=NEVER", "555 5.5.4"),
        ("TO:<é@proofs.example>", "553 5.6.7"),
    ],
)
def test_recipient(argument: str, result: str) -> None:
    assert str(read_recipient(argument, utf8=False)) == result


def test_long_hostile_arguments_cost_nothing() -> None:
    for text in ("@a,", "a.", "a", '"\\"', "é", "<", "@a:"):
        mail("FROM:<" + text * (2000 // len(text)))

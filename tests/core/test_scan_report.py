"""Receipts found in messages (SPEC §3.8)."""

import pytest

from proofmail.core.model import Report
from proofmail.core.scan import scan

HEAD = ["From: a@x", "Date: Sat, 21 Nov 2026 10:00:00 +0000"]
MDN_PART = [
    "Content-Type: message/disposition-notification",
    "",
    "Reporting-UA: x; y",
    "Original-Recipient: rfc822; other@x.org",
    "Final-Recipient: rfc822;Joe@X.org",
    "Original-Message-ID:",
    " <orig@a>",
    "Disposition: manual-action/MDN-sent-manually; Displayed/error",
    "",
]
DSN_PART = [
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.x.org",
    "",
    "Final-Recipient: rfc822; joe@x.org",
    "Action: Failed",
    "Status: 5.1.1",
    "",
]
RETURNED = ["Content-Type: message/rfc822", "", "Message-ID: <orig@a>", "", "text"]
RETURNED_HEADER = ["Content-Type: text/rfc822-headers", "", "Message-ID: <orig@a>", "From: a@x"]


def multipart(kind: str, *parts: list[str], boundary: str = "X") -> list[str]:
    lines = [f"Content-Type: {kind}; boundary={boundary}", ""]
    for part in parts:
        lines += [f"--{boundary}", *part]
    return [*lines, f"--{boundary}--", ""]


def report(*lines: str) -> Report | None:
    return scan("\r\n".join([*HEAD, *lines]).encode()).report


TEXT = ["", "You sent it, I read it."]
MDN = "multipart/report; report-type=Disposition-Notification"
DSN = "multipart/report; report-type=delivery-status"
FOUND = Report("mdn", "direct", "orig@a", "Joe@X.org", "displayed")


def test_read_receipt() -> None:
    assert report(*multipart(MDN, TEXT, MDN_PART)) == FOUND
    assert report(*multipart("multipart/report", TEXT, MDN_PART)) == FOUND


@pytest.mark.parametrize(
    "lines",
    [
        multipart("multipart/mixed", TEXT, MDN_PART),
        multipart(DSN, TEXT, MDN_PART),
        MDN_PART,
        multipart("multipart/mixed", multipart(MDN, MDN_PART, boundary="Y")),
        [
            "Content-Type: message/rfc822",
            "",
            *multipart(MDN, TEXT, MDN_PART),
        ],
    ],
    ids=["mixed", "other-type", "alone", "below", "enclosed"],
)
def test_receipts_elsewhere_are_attached_ones(lines: list[str]) -> None:
    assert report(*lines) == Report("mdn", "attached", "orig@a", "Joe@X.org", "displayed")


@pytest.mark.parametrize("quote", ["", "> ", ">> ", "   ", "| "])
def test_receipt_quoted_in_a_body(quote: str) -> None:
    quoted = [quote + line for line in MDN_PART[2:]]
    found = Report("mdn", "inline", "orig@a", "other@x.org", "displayed")
    assert report("", "See below", "", *quoted) == Report(
        "mdn", "inline", "orig@a", "Joe@X.org", "displayed"
    )
    assert report("", *[line for line in quoted if "Final" not in line]) == found


@pytest.mark.parametrize("missing", ["Recipient", "Message-ID", "Disposition"])
def test_a_body_with_fewer_fields_is_no_receipt(missing: str) -> None:
    lines = [line for line in MDN_PART[2:] if missing not in line]
    assert report("", *lines) is None


def test_quoted_fields_count_in_plain_bodies_within_their_first_64_kib_only() -> None:
    fields = "\r\n".join(MDN_PART[2:])
    assert report("Content-Type: text/html", "", fields) is None
    assert report("Content-Disposition: attachment", "", fields) is None
    assert report("", "x" * 65_000, fields) is not None
    assert report("", "x" * 65_536, fields) is None


@pytest.mark.parametrize("returned", [RETURNED, RETURNED_HEADER])
def test_delivery_report(returned: list[str]) -> None:
    assert report(*multipart(DSN, TEXT, DSN_PART, returned)) == Report(
        "dsn", "direct", "orig@a", "joe@x.org", "failed"
    )
    enclosed = ["Content-Type: message/rfc822", "", *multipart(DSN, TEXT, DSN_PART, returned)]
    assert report(*enclosed) == Report("dsn", "attached", "orig@a", "joe@x.org", "failed")


def test_returned_message_of_another_multipart_is_not_taken() -> None:
    lines = multipart("multipart/mixed", multipart(DSN, TEXT, DSN_PART, boundary="Y"), RETURNED)
    found = report(*lines)
    assert found is not None
    assert found.original_message_id is None


def test_several_recipients_are_noted() -> None:
    two = [*DSN_PART, "Final-Recipient: rfc822; b@x.org", "Action: delayed", ""]
    found = scan("\r\n".join([*HEAD, *multipart(DSN, TEXT, two)]).encode())
    assert found.report == Report("dsn", "direct", None, "joe@x.org", "failed")
    assert found.defects == ("report.several-recipients",)


def test_the_direct_report_goes_before_what_it_encloses() -> None:
    returned = ["Content-Type: message/rfc822", "", *multipart(MDN, MDN_PART, boundary="Z")]
    found = report(*multipart(DSN, TEXT, DSN_PART, returned))
    assert found is not None
    assert (found.kind, found.form) == ("dsn", "direct")
    enclosed_first = multipart(MDN, returned, MDN_PART)
    assert report(*enclosed_first) == FOUND


def test_empty_report_parts() -> None:
    part = ["Content-Type: message/disposition-notification", "", ""]
    assert report(*multipart(MDN, part)) == Report("mdn", "direct", None, None, None)


def test_no_report_in_ordinary_mail() -> None:
    assert report("", "Disposition: x", "Content-Disposition: attachment") is None

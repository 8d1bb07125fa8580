from __future__ import annotations

from smtp_gateway.replies import Reply

BILINGUAL = "Not a sender here.\nCet expéditeur n’est pas enregistré à ce jour."


def test_every_line_has_both_codes() -> None:
    assert Reply(550, "5.7.1", BILINGUAL).encode() == (
        b"550-5.7.1 Not a sender here.\r\n"
        b"550 5.7.1 Cet expediteur n?est pas enregistre a ce jour.\r\n"
    )
    assert "à ce jour".encode() in Reply(550, "5.7.1", BILINGUAL).encode(utf8=True)


def test_no_enhanced_code_where_there_is_none() -> None:
    assert Reply(354, "", "Go on").encode() == b"354 Go on\r\n"
    assert Reply(250, "2.0.0", "").encode() == b"250 2.0.0 \r\n"


def test_a_reply_cannot_be_broken_out_of() -> None:
    assert Reply(250, "2.0.0", "a\r\n354 go\x00\x1b").encode() == (
        b"250-2.0.0 a\r\n250 2.0.0 354 go??\r\n"
    )


def test_long_lines_are_folded() -> None:
    wire = Reply(550, "5.7.1", "word é " * 300 + "x" * 700).encode(utf8=True)
    lines = wire.split(b"\r\n")[:-1]
    assert len(lines) > 3
    assert all(len(line) <= 510 for line in lines)  # RFC 5321 §4.5.3.1.5, with its CRLF
    assert all(line.startswith(b"550-5.7.1 ") for line in lines[:-1])
    assert lines[-1].startswith(b"550 5.7.1 ")


def test_a_plain_line_goes_out_as_it_is_up_to_the_limit() -> None:
    whole = "word " * 23 + "words"  # 120 characters
    assert Reply(250, "2.0.0", whole).encode() == f"250 2.0.0 {whole}\r\n".encode()
    assert Reply(250, "", f"{whole} more").encode() == f"250-{whole}\r\n250 more\r\n".encode()
    assert Reply(250, "", "a\r\n550 b").encode() == b"250-a\r\n250 550 b\r\n"

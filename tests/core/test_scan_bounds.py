"""What a mail can make the scanner hold is bounded, however many parts it has: many sessions hold
it at once, and strangers' mails are scanned to their end before they are refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator

from proofmail.core.pictures import IMAGES_MAX, NAMES_MAX
from proofmail.core.scan import Part, Scan, Scanner
from proofmail.core.tnef import FILES_IN_ALL_MAX, FILES_MAX
from tests.core.tnef_maker import attribute, file, properties, string_property, tnef

HEAD = b"From: a@x\r\nDate: x\r\nMIME-Version: 1.0\r\n"
MANY = b'Content-Type: multipart/mixed; boundary="B"\r\n\r\n'


def mail(parts: Iterable[bytes]) -> Iterator[bytes]:
    yield HEAD + MANY
    for part in parts:
        yield b"--B\r\n" + part + b"\r\n"
    yield b"--B--\r\n"


def scanned(pieces: Iterable[bytes]) -> Scan:
    scanner = Scanner()
    for piece in pieces:
        scanner.feed(piece)
    return scanner.finish()


def held_bytes(pieces: Iterable[bytes]) -> int:
    """The most that is held at the end of any piece."""
    scanner = Scanner()
    tracemalloc.start()
    try:
        most = 0
        for piece in pieces:
            scanner.feed(piece)
            most = max(most, tracemalloc.get_traced_memory()[0] - len(piece))
        scanner.finish()
    finally:
        tracemalloc.stop()
    return most


def page(number: int, images: int = IMAGES_MAX) -> bytes:
    shown = b"".join(b"<img src=cid:%d.%d>" % (number, n) for n in range(images))
    return b"Content-Type: text/html; charset=us-ascii\r\n\r\n<p>x" + shown


def winmail(files: list[bytes]) -> bytes:
    head = b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return head + tnef(files)


def notes_of(part: Part) -> list[str]:
    return [note for note in part.notes if note.startswith("tnef")]


def test_names_of_pictures_are_counted_over_the_whole_mail() -> None:
    full = NAMES_MAX // IMAGES_MAX
    shown = b"Content-Type: image/png\r\nContent-ID: <%d.0>\r\n\r\nx"
    inner = b"Content-Type: message/rfc822\r\n\r\n" + HEAD
    inner += page(0).replace(b"text/html;", b"text/html; x=y;")
    parts = scanned(mail([inner, *(page(n) for n in range(1, full + 1)), page(99, 1), shown % 99]))
    images = {part.path: part.images for part in parts.parts if part.type == "text/html"}
    counted = [found for found in images.values() if len(found) == IMAGES_MAX]
    assert len(images) == full + 2
    assert len(counted) == full  # the enclosed page is the first of them
    assert list(images.values())[-2:] == [(-1,), (-1,)]
    # A page that brings none too many has its list again.
    parts = scanned(mail([*(page(n) for n in range(full - 1)), page(97, 190), page(98, 11),
                          page(99, 10), shown % 99]))  # fmt: skip
    assert [len(part.images) for part in parts.parts[-4:-1]] == [190, 1, 10]
    assert parts.parts[-2].images[0] == len(parts.parts)


def test_names_of_pictures_that_are_too_many_are_not_held() -> None:
    assert held_bytes(mail(page(n) for n in range(40))) < 700_000


def test_files_in_winmails_are_counted_over_the_whole_mail() -> None:
    def many(count: int) -> bytes:
        return winmail([file(f"{n}", b"x", title=b"") for n in range(count)])

    whole = [many(FILES_MAX)] * (FILES_IN_ALL_MAX // FILES_MAX - 1)
    parts = scanned(mail([*whole, many(FILES_MAX - 1), many(2), many(1), many(1)])).parts
    assert [len(part.files) for part in parts[-4:]] == [FILES_MAX - 1, 0, 1, 0]
    bent = [part for part in parts if not part.files]
    assert list(map(notes_of, bent)) == [["tnef", "tnef.malformed"]] * 2


def test_what_files_say_of_themselves_is_not_held() -> None:
    filling = properties(string_property(0x3001, "x" * 30_000), string_property(0x3707, "a\0"))

    def files(said: bytes) -> list[bytes]:
        begin = attribute(2, 0x69002, bytes(14))
        return [begin + attribute(2, 0x6800F, b"x") + attribute(2, 0x69005, said)] * 40

    good = mail([winmail(files(filling))])
    assert [item.name for item in scanned(good).parts[0].files] == ["a"] * 40
    data = winmail(files(filling))
    pieces = [HEAD + data[:100], *(data[at : at + 4096] for at in range(100, len(data), 4096))]
    assert held_bytes(pieces) < 700_000
    # Names in a code page wait for its number: a mail that says too many of them is bent.
    for said in ([string_property(0x3707, b"n" * 60_000)], [string_property(0x3704, b" ")] * 900):
        (part,) = scanned(mail([winmail(files(properties(*said)))])).parts
        assert notes_of(part) == ["tnef", "tnef.malformed"]

"""The structure of a message, taken apart as it streams by (RFC 2045, RFC 2046; SPEC §3.2).

`Structure` reads one message: the outer one, or an enclosed one whose bytes come out of a leaf.
Content is handed on in large pieces; only lines that begin like a delimiter are looked at one by
one. What could still become a delimiter line is held back: at most one such line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proofmail.core.enclosed import header_values
from proofmail.core.headers import (
    FIELD,
    WANTED,
    WANTED_NAMES,
    WHOLE_FIELD,
    WHOLE_FIELDS,
    Fields,
    first_message_id,
    note_duplicates,
    unfold,
)
from proofmail.core.leaf import Leaf
from proofmail.core.links import LINKS_MAX
from proofmail.core.model import Part
from proofmail.core.parameters import PartHeader, part_header
from proofmail.core.pictures import NAMES_MAX, UNRESOLVED, Images
from proofmail.core.report import DSN_TYPES, HEADERS_TYPES, MDN_TYPES, Reports, returned_message_id
from proofmail.core.tnef import FILES_IN_ALL_MAX

DEPTH_MAX = 50
"""Most levels of multiparts and enclosed messages, the outermost entity being level 1."""
ENCLOSED_MAX = 10
"""Most messages within one another: each level hashes all that it encloses once more."""
PARTS_MAX = 500
MESSAGE_HEADER_MAX_BYTES = 1_048_576
PART_HEADER_MAX_BYTES = 262_144
WHOLE_HEADER_MAX_BYTES = 4_096
"""A header up to this size is looked for as a whole; each is, so this bounds the search."""
ENCODED = ("base64", "quoted-printable")
DELIMITER_MAX_BYTES = 1_000
"""A longer line, its line feed not counted, is no delimiter: it could not be held back."""

_BLANK = b" \t\r\n"
_HEADER, _CONTENT, _BETWEEN = range(3)


@dataclass
class Findings:
    """What all levels of one scan write to. `parts` has a place for each leaf from its start."""

    parts: list[Part | None] = field(default_factory=list)
    defects: set[str] = field(default_factory=set)
    exceeded: str | None = None
    links: dict[bytes, str] = field(default_factory=dict)
    image_names: int = 0
    files: int = 0
    reports: Reports = field(init=False)

    def __post_init__(self) -> None:
        self.reports = Reports(self.defects)


@dataclass
class _Multipart:
    header: PartHeader
    path: str
    boundary: bytes
    children: int = 0


class Structure:
    """Takes one message's bytes in pieces. `header` is complete once its body has begun."""

    def __init__(
        self, findings: Findings, prefix: str = "", depth: int = 1, level: int = 0
    ) -> None:
        self.header: Fields | None = None
        self._findings = findings
        self._prefix = prefix
        self._depth = depth
        self._level = level
        self._tail = b""
        self._context = 0
        self._state = _HEADER
        self._lines: dict[str, list[list[bytes]]] = {}
        self._folded: list[bytes] | None = None
        self._header_bytes = 0
        self._header_lines = 0
        self._stack: list[_Multipart] = []
        self._open: dict[bytes, int] = {}
        self._needle = b""
        self._near: tuple[bytes, ...] = ()
        self._containers: tuple[str, ...] = ()
        self._between_defect = ""
        self._leaf: Leaf | None = None
        self._place = 0
        self._inner: Structure | None = None
        self._names: dict[bytes, int] = {}
        self._pages: dict[int, Images] = {}

    def feed(self, data: bytes) -> None:
        data = self._tail + data
        self._tail = b""
        position = self._context
        self._context = 0
        while position >= 0 and self._findings.exceeded is None:
            if self._state == _HEADER:
                position = self._read_header(data, position)
            else:
                position = self._read_body(data, position)

    def finish(self) -> None:
        """The end of the input ends every line, header and part that is open."""
        if self._findings.exceeded is None:
            self._read_last_line()
        if self._findings.exceeded is None and self._state == _HEADER:
            self._begin_body()
        if self._findings.exceeded is None:
            self._end_leaf()
            self._leave(0)
            self._bind_images()

    # -- header ---------------------------------------------------------------------------------

    def _read_header(self, data: bytes, position: int) -> int:
        """Reads lines up to the body's start, and returns that; -1 when the data ends first."""
        is_message = not self._stack
        limit = MESSAGE_HEADER_MAX_BYTES if is_message else PART_HEADER_MAX_BYTES
        if not self._header_lines:
            begun = self._take_whole_header(data, position)
            if begun:
                return begun
        while True:
            position = self._take_whole_fields(data, position, limit)
            end = data.find(b"\n", position)
            line_bytes = (end + 1 if end >= 0 else len(data)) - position
            if self._header_bytes + line_bytes > limit:
                self._findings.exceeded = "header.too-large"
                return -1
            if end < 0:
                # With the line feed before it: the line may turn out to be the body's first.
                self._context = 1 if position else 0
                self._tail = data[position - self._context :]
                return -1
            line = data[position:end].removesuffix(b"\r")
            delimiter = self._delimiter(data[position:end])
            if delimiter is None and self._take_header_line(line):
                self._header_bytes += line_bytes
                self._header_lines += 1
                position = end + 1
                continue
            if line:
                self._findings.defects.add("header.no-separator")
            self._begin_body()
            if delimiter is not None:
                self._cross(delimiter)
            return position if line and delimiter is None else end + 1

    def _take_whole_header(self, data: bytes, position: int) -> int:
        """The fastest path, for a short header that is all there and has nothing but whole
        fields: returns where the body starts. 0, and nothing is done, for any other."""
        end = data.find(b"\n\r\n", position, position + WHOLE_HEADER_MAX_BYTES) + 1
        # The line feed after the last field's is not looked at: only what begins the empty line.
        found = WHOLE_FIELDS.findall(data, position, end + 1) if end else []
        if not found:
            return 0
        fields: Fields = {}
        size = len(found)
        for name, value in found:
            size += len(name) + len(value)
            wanted = WANTED_NAMES.get(name.lower())
            if wanted is not None:
                text = unfold((value.replace(b"\r\n", b"").replace(b"\n", b""),))
                if wanted in fields:
                    fields[wanted].append(text)
                else:
                    fields[wanted] = [text]
        if size != end - position:
            return 0  # they do not stand one right behind the other
        self._begin_body_of(fields)
        return end + 2

    def _take_whole_fields(self, data: bytes, position: int, limit: int) -> int:
        """The fast path over fields that are all there; line by line goes the rest."""
        while (whole := WHOLE_FIELD.match(data, position)) is not None:
            end = whole.end()
            if self._header_bytes + end - position > limit:
                break
            self._header_bytes += end - position
            self._header_lines += 1
            self._folded = None
            position = end
            key = whole[1].lower()
            if key in WANTED:
                value = whole[2].replace(b"\r\n", b"").replace(b"\n", b"")
                self._lines.setdefault(key.decode("ascii"), []).append([value])
        return position

    def _take_header_line(self, line: bytes) -> bool:
        """Whether the line belongs to the header; the field is kept if it is wanted."""
        if line[:1] in (b" ", b"\t") and self._header_lines:
            if not line.strip(b" \t\r"):
                self._findings.defects.add("header.blank-line")  # the header's end, for some
            if self._folded is not None:
                self._folded.append(line)
            return True
        name = FIELD.match(line)
        if name:
            if name.end() - name.end(1) > 1:
                self._findings.defects.add("header.blank-before-colon")
            key = name[1].lower()
            self._folded = None
            if key in WANTED:
                self._folded = [line[name.end() :]]
                self._lines.setdefault(key.decode("ascii"), []).append(self._folded)
            return True
        if not self._header_lines and not self._stack and line.startswith((b"From ", b">From ")):
            self._findings.defects.add("header.mbox-line")
            return True
        return False

    def _begin_body(self) -> None:
        fields = {name: [unfold(v) for v in values] for name, values in self._lines.items()}
        self._lines, self._folded = {}, None
        self._header_bytes = self._header_lines = 0
        self._begin_body_of(fields)

    def _begin_body_of(self, fields: Fields) -> None:
        findings = self._findings
        parent = self._stack[-1] if self._stack else None
        if parent is None:
            self.header = fields
        digest = parent is not None and parent.header.type == "multipart/digest"
        # RFC 2046 §5.1.5: in a digest, a part that does not say what it is, is a message.
        default_type = "message/rfc822" if digest else "text/plain"
        header = part_header(fields, default_type, findings.defects)
        note_duplicates(fields, findings.defects)
        if (
            parent is not None
            and parent.children == 1
            and not _begins_with_root(parent.header, fields)
        ):
            findings.defects.add("structure.start")
        if self._depth + len(self._stack) > DEPTH_MAX:
            findings.exceeded = "structure.too-deep"
            return
        if header.boundary is not None:
            self._enter(header, header.boundary, self._child_path() if parent else self._prefix)
            return
        if header.type.startswith("multipart/"):
            findings.defects.add("structure.no-boundary")
        self._begin_leaf(header, self._child_path() if parent else _join(self._prefix, 1))

    # -- body -----------------------------------------------------------------------------------

    def _read_body(self, data: bytes, position: int) -> int:
        """Hands content on up to the next delimiter line, and returns where that ends; -1 when
        the data ends first. Where `position` is not 0, the byte before it is a line feed."""
        search = max(position - 1, 0)
        while self._open:
            start = data.find(self._needle, search)
            end = data.find(b"\n", start + 1) if start >= 0 else -1
            if end < 0:
                break
            delimiter = self._delimiter(data[start + 1 : end])
            if delimiter is not None:
                self._content(data[position : _before_line_end(data, position, start)])
                if self._findings.exceeded is None:
                    self._cross(delimiter)
                return end + 1
            search = end
        self._hold_back(data, position)
        return -1

    def _hold_back(self, data: bytes, position: int) -> None:
        """Hands on all but what could be, or precede, a delimiter line."""
        cut = len(data)
        if self._open:
            start = data.rfind(b"\n", max(position - 1, 0))
            if start >= 0 and _may_be_delimiter(data, start + 1):
                cut = _before_line_end(data, position, start)
            elif start >= 0 and self._is_near(data[start + 1 : start + DELIMITER_MAX_BYTES]):
                self._findings.defects.add("structure.near-boundary")
            elif data.endswith(b"\r"):
                cut = len(data) - 1
            cut = max(cut, position)
            if cut == position and position:
                # The line feed before the position tells that a line begins there.
                self._context = 1
            self._tail = data[cut - self._context :]
        self._content(data[position:cut])

    def _read_last_line(self) -> None:
        """The held tail, whose last line has no line feed."""
        data, position = self._tail, self._context
        self._tail, self._context = b"", 0
        if self._state == _HEADER:
            line = data[position:]
            delimiter = self._delimiter(line)
            if delimiter is None and (not line or self._take_header_line(line)):
                return
            self._findings.defects.add("header.no-separator")
            self._begin_body()
            if delimiter is not None:
                self._cross(delimiter)
                return
        start = data.rfind(b"\n")
        delimiter = self._delimiter(data[start + 1 :]) if start >= 0 else None
        cut = len(data) if delimiter is None else _before_line_end(data, position, start)
        if self._findings.exceeded is None:
            self._content(data[position:cut])
        if delimiter is not None and self._findings.exceeded is None:
            self._cross(delimiter)

    def _content(self, data: bytes) -> None:
        if not data:
            return
        if self._leaf is not None:
            decoded = self._leaf.feed(data)
            if self._inner is not None and decoded:
                self._inner.feed(decoded)
        elif self._between_defect and data.strip(_BLANK):
            self._findings.defects.add(self._between_defect)
            self._between_defect = ""

    # -- the tree -------------------------------------------------------------------------------

    def _delimiter(self, line: bytes) -> tuple[int, bool] | None:
        """Which open multipart the line delimits, by its place in the stack, and whether it
        closes it (RFC 2046 §5.1.1). The line comes without its line feed."""
        if line[:2] != b"--" or not self._open:
            return None
        if len(line) <= DELIMITER_MAX_BYTES:
            name = line[2:].rstrip(_BLANK)
            place = self._open.get(name)
            if place is not None:
                return place, False
            place = self._open.get(name[:-2]) if name.endswith(b"--") else None
            if place is not None:
                return place, True
        if self._is_near(line):
            self._findings.defects.add("structure.near-boundary")
        return None

    def _is_near(self, line: bytes) -> bool:
        """RFC 2046 §5.1.1 lets a reader compare the line's beginning alone."""
        return line.startswith(self._near)

    def _cross(self, delimiter: tuple[int, bool]) -> None:
        """A delimiter line: ends what is open inside that multipart, and begins its next part."""
        place, closes = delimiter
        self._end_leaf()
        if self._findings.exceeded is not None:
            return
        self._leave(place + 1)
        if closes:
            self._leave(place, closed=True)
            self._state, self._between_defect = _BETWEEN, "structure.epilogue"
        else:
            self._stack[place].children += 1
            self._state = _HEADER

    def _enter(self, header: PartHeader, boundary: bytes, path: str) -> None:
        if header.encoding not in ("", "7bit", "8bit", "binary"):
            # RFC 2045 §6.4: a multipart is never encoded; its parts are read as they stand.
            self._findings.defects.add("transfer.on-multipart")
        self._stack.append(_Multipart(header, path, boundary))
        self._index_boundaries()
        self._state, self._between_defect = _BETWEEN, "structure.preamble"

    def _leave(self, place: int, *, closed: bool = False) -> None:
        """Takes multiparts off the stack down to this place."""
        if place >= len(self._stack):
            return
        left = self._stack[place:]
        if not closed:
            self._findings.defects.add("structure.unclosed")
        if any(multipart.children == 0 for multipart in left):
            self._findings.defects.add("structure.no-parts")
        del self._stack[place:]
        self._index_boundaries()

    def _index_boundaries(self) -> None:
        """Of two open multiparts with the same boundary, the inner one is meant."""
        self._open = {multipart.boundary: i for i, multipart in enumerate(self._stack)}
        self._needle = b"\n--" + _common_prefix(self._open) if self._open else b""
        self._near = tuple([b"--" + boundary for boundary in self._open])
        self._containers = tuple([multipart.header.type for multipart in self._stack])

    def _begin_leaf(self, header: PartHeader, path: str) -> None:
        findings = self._findings
        if len(findings.parts) == PARTS_MAX:
            findings.exceeded = "structure.too-many-parts"
            return
        self._place = len(findings.parts)
        findings.parts.append(None)
        leaf = Leaf(header, path, self._containers, FILES_IN_ALL_MAX - findings.files)
        if leaf.role == "message":
            if self._level == ENCLOSED_MAX:
                findings.exceeded = "structure.too-deep"
                return
            if header.type == "message/rfc822" and header.encoding in ENCODED:
                # RFC 2046 §5.2.1: never encoded; it is met, and some read it as it stands.
                findings.defects.add("transfer.on-message")
            depth = self._depth + len(self._stack) + 1
            self._inner = Structure(findings, path, depth, self._level + 1)
        self._leaf, self._state = leaf, _CONTENT

    def _end_leaf(self) -> None:
        leaf, inner, findings = self._leaf, self._inner, self._findings
        self._leaf = self._inner = None
        if leaf is None:
            return
        rest = leaf.drain()
        if inner is not None:
            inner.feed(rest)
            inner.finish()
        part = leaf.part()
        values = header_values(inner.header) if inner and inner.header is not None else None
        if values is not None:
            part = part._replace(fingerprints=(*part.fingerprints, values))
        findings.parts[self._place] = part
        findings.files += len(part.files)
        self._note_names(leaf)
        for link, service in leaf.links().items():
            if len(findings.links) < LINKS_MAX:
                findings.links.setdefault(link, service)
        if part.notes:
            findings.defects.update(
                [note for note in part.notes if note.startswith(("transfer.", "tnef.malformed"))]
            )
        enclosed_id = first_message_id(inner.header) if inner and inner.header else None
        self._note_report(leaf, enclosed_id)

    def _note_names(self, leaf: Leaf) -> None:
        name, images = leaf.header.content_id, leaf.images
        if name is not None:
            self._names[name] = UNRESOLVED if name in self._names else self._place + 1
        if images is not None and images.refers:
            if self._findings.image_names + images.names > NAMES_MAX:
                images.give_up()
            self._findings.image_names += images.names
            self._pages[self._place] = images

    def _bind_images(self) -> None:
        """At the end of the message: which of its parts each image refers to (SPEC §3.16)."""
        parts = self._findings.parts
        for place, images in self._pages.items():
            page, numbers = parts[place], images.numbers(self._names)
            if page is not None and numbers:
                parts[place] = page._replace(images=numbers)

    def _note_report(self, leaf: Leaf, enclosed_id: str | None) -> None:
        reports, kind = self._findings.reports, leaf.header.type
        reporting = leaf.role in ("report", "message") or kind in HEADERS_TYPES
        if not reporting and not leaf.captured:
            return
        place = f"{self._level}:{self._stack[-1].path}" if self._stack else ""
        if kind in MDN_TYPES:
            form = self._form("disposition-notification")
            reports.add_part(bytes(leaf.captured), "mdn", form, place)
        elif kind in DSN_TYPES:
            reports.add_part(bytes(leaf.captured), "dsn", self._form("delivery-status"), place)
        elif kind in HEADERS_TYPES:
            reports.add_returned(returned_message_id(bytes(leaf.captured)), place)
        elif leaf.role == "message":
            reports.add_returned(enclosed_id, place)
        elif leaf.captured:
            reports.add_text(bytes(leaf.captured))

    def _form(self, report_type: str) -> str:
        """RFC 3462 §1: a report is a multipart/report, and that is the whole message."""
        if self._level or len(self._stack) != 1:
            return "attached"
        header = self._stack[0].header
        named = header.parameter("report-type") in ("", report_type)
        return "direct" if named and header.type == "multipart/report" else "attached"

    def _child_path(self) -> str:
        parent = self._stack[-1]
        return _join(parent.path, parent.children)


def _join(path: str, number: int) -> str:
    return f"{path}.{number}" if path else str(number)


def _begins_with_root(related: PartHeader, first: Fields) -> bool:
    """Whether a multipart/related begins with its root, as readers take it who do not look for
    the `start` parameter (RFC 2387 §3.2)."""
    start = related.parameters.get("start") if related.type == "multipart/related" else None
    return start is None or start == next(iter(first.get("content-id", ())), "").strip(" \t")


def _before_line_end(data: bytes, position: int, line_feed: int) -> int:
    """Where content ends that a delimiter line follows: its line end belongs to the delimiter."""
    carriage_return = line_feed > position and data[line_feed - 1 : line_feed] == b"\r"
    return max(line_feed - carriage_return, position)


def _may_be_delimiter(data: bytes, start: int) -> bool:
    beginning = data[start : start + 2]
    return b"--".startswith(beginning) and len(data) - start <= DELIMITER_MAX_BYTES


def _common_prefix(boundaries: dict[bytes, int]) -> bytes:
    """The prefix that all of them share: of the first and the last in order."""
    first, last = min(boundaries), max(boundaries)
    size = next((i for i, byte in enumerate(first) if last[i : i + 1] != bytes((byte,))), None)
    return first if size is None else first[:size]

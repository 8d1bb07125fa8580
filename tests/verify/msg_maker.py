"""Makes compound files and Outlook files byte by byte, from MS-CFB and MS-OXMSG; a second reader
(olefile) agrees with them where it is installed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

SECTOR, MINI, CUTOFF = 512, 64, 4096
FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

Tree = dict[str, "bytes | Tree"]
"""A storage: stream or storage by name."""


@dataclass
class _Node:
    name: str
    kind: int
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    left: int = FREE
    right: int = FREE
    child: int = FREE
    start: int = END


def make_compound(tree: Tree) -> bytes:
    """A version 3 file; each storage's names as a balanced tree in the order of MS-CFB §2.6.4."""
    nodes = [_Node("Root Entry", 5)]
    _add(nodes, 0, tree)
    mini, table, sectors, fat = bytearray(), [], [], []

    def chain(data: bytes) -> int:
        first = len(sectors)
        count = -(-len(data) // SECTOR)
        for at in range(count):
            sectors.append(data[at * SECTOR : (at + 1) * SECTOR].ljust(SECTOR, b"\0"))
            fat.append(first + at + 1 if at + 1 < count else END)
        return first if count else END

    for node in nodes[1:]:
        if node.kind != 2 or not node.data:
            continue
        if len(node.data) >= CUTOFF:
            node.start = chain(node.data)
            continue
        node.start = len(table)
        count = -(-len(node.data) // MINI)
        table += [node.start + at + 1 for at in range(count - 1)] + [END]
        mini += node.data.ljust(count * MINI, b"\0")
    nodes[0].start, nodes[0].data = chain(bytes(mini)), bytes(mini)
    packed = struct.pack(f"<{len(table)}I", *table)
    mini_sectors = -(-len(packed) // SECTOR)
    mini_start = chain(packed.ljust(mini_sectors * SECTOR, b"\xff"))
    directory = b"".join(map(_entry, nodes))
    directory_start = chain(directory + _UNUSED * (-len(nodes) % 4))
    fat_count = 1
    while fat_count * 128 < len(fat) + fat_count:
        fat_count += 1
    numbers = [len(fat) + at for at in range(fat_count)]
    fat += [FAT_SECTOR] * fat_count
    fat += [FREE] * (fat_count * 128 - len(fat))
    if fat_count > 109:
        raise ValueError("this writer makes no DIFAT sectors")
    header = struct.pack(
        "<8s16s5H6s9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
        bytes(6), 0, fat_count, directory_start, 0, CUTOFF, mini_start, mini_sectors, END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *numbers, *[FREE] * (109 - fat_count))
    return header + b"".join(sectors) + struct.pack(f"<{len(fat)}I", *fat)


def _add(nodes: list[_Node], parent: int, tree: Tree) -> None:
    names = sorted(tree, key=lambda name: (len(name), name.upper()))
    numbers = []
    for name in names:
        value = tree[name]
        numbers.append(len(nodes))
        nodes.append(_Node(name, 2, value) if isinstance(value, bytes) else _Node(name, 1))
        if not isinstance(value, bytes):
            _add(nodes, numbers[-1], value)
    nodes[parent].child = _balance(nodes, numbers)


def _balance(nodes: list[_Node], numbers: list[int]) -> int:
    if not numbers:
        return FREE
    middle = len(numbers) // 2
    nodes[numbers[middle]].left = _balance(nodes, numbers[:middle])
    nodes[numbers[middle]].right = _balance(nodes, numbers[middle + 1 :])
    return numbers[middle]


def _entry(node: _Node) -> bytes:
    name = node.name.encode("utf-16-le")
    return struct.pack(
        "<64sHBB3I16sI16sIQ", name, len(name) + 2, node.kind, 1, node.left, node.right,
        node.child, bytes(16), 0, bytes(16), 0 if node.kind == 1 else node.start, len(node.data),
    )  # fmt: skip


_UNUSED = struct.pack(
    "<64sHBB3I16sI16sIQ", b"", 0, 0, 0, FREE, FREE, FREE, bytes(16), 0, bytes(16), 0, 0
)

Value = str | bytes | int | bool | datetime


def storage(properties: Mapping[int, Value], header_bytes: int, *, wide: bool = True) -> Tree:
    """A storage with these properties by number: text, binary, 32-bit, boolean or time."""
    table, tree = bytes(header_bytes), Tree()
    for number, value in properties.items():
        if isinstance(value, bool):
            kind, cell = 0x000B, struct.pack("<Q", value)
        elif isinstance(value, int):
            kind, cell = 0x0003, struct.pack("<Q", value)
        elif isinstance(value, datetime):
            ticks = (value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000
            kind, cell = 0x0040, struct.pack("<Q", int(ticks))
        else:
            if isinstance(value, bytes):
                kind, data, end = 0x0102, value, 0
            elif wide:
                kind, data, end = 0x001F, value.encode("utf-16-le"), 2
            else:
                kind, data, end = 0x001E, value.encode("cp1252"), 1
            cell = struct.pack("<II", len(data) + end, 0)
            tree[f"__substg1.0_{number:04X}{kind:04X}"] = data
        table += struct.pack("<HHI", kind, number, 6) + cell
    tree["__properties_version1.0"] = table
    return tree


@dataclass
class Outlook:
    """An Outlook file by its properties: of the message, the recipients and the attachments."""

    message: dict[int, Value]
    recipients: list[dict[int, Value]]
    attachments: list[dict[int, Value]]
    wide: bool = True

    def tree(self) -> Tree:
        tree = storage(self.message, 32, wide=self.wide)
        for number, values in enumerate(self.recipients):
            tree[f"__recip_version1.0_#{number:08X}"] = storage(values, 8, wide=self.wide)
        for number, values in enumerate(self.attachments):
            tree[f"__attach_version1.0_#{number:08X}"] = storage(values, 8, wide=self.wide)
        return tree

    def to_bytes(self) -> bytes:
        return make_compound(self.tree())

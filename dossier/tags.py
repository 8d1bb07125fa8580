"""The logical structure of the pages, for those who have them read aloud (ISO 32000-1 §14.7–14.8).

The renderer hangs what it draws on nodes: each stretch of a page's content stands between the
operators of marked content with a number, and :func:`build` makes the structure tree of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String


@dataclass(eq=False)
class Node:
    """A structure element. `role` is a standard type: Document, H1, P, Table, TR, TH, TD, L, LI,
    LBody, Figure, Sect, Code. `alternative` is what a figure says; `scope` that of a TH, Row or
    Column. A node that `repeats` is drawn again on later pages, and read on the first alone."""

    role: str
    alternative: str = ""
    scope: str = ""
    repeats: bool = False
    children: list[Node] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    """Page and number of each stretch of its own content, in the order of drawing."""

    def add(self, role: str, **options: Any) -> Node:
        child = Node(role, **options)
        self.children.append(child)
        return child


class Marks:
    """The numbers given so far on each page, from 0."""

    def __init__(self) -> None:
        self.pages: list[list[Node]] = []

    def take(self, node: Node, page: int) -> int:
        while len(self.pages) <= page:
            self.pages.append([])
        numbers = self.pages[page]
        numbers.append(node)
        node.marks.append((page, len(numbers) - 1))
        return len(numbers) - 1


@contextmanager
def content(canvas: Any, node: Node | None) -> Iterator[None]:
    """What is drawn meanwhile belongs to the node, or is decoration without one (an artifact)."""
    marks: Marks = canvas.marks
    if node is None or (node.repeats and node.marks):
        operator = "/Artifact BMC"
    else:
        operator = f"/{node.role} <</MCID {marks.take(node, canvas.page_index)}>> BDC"
    canvas._code.append(operator)
    yield
    canvas._code.append("EMC")


@contextmanager
def actual_text(canvas: Any, text: str) -> Iterator[None]:
    """The glyphs drawn meanwhile stand for this text (ISO 32000-1 §14.9.4)."""
    spelt = ("\ufeff" + text).encode("utf-16-be").hex().upper()
    canvas._code.append(f"/Span <</ActualText <{spelt}>>> BDC")
    yield
    canvas._code.append("EMC")


def build(pdf: pikepdf.Pdf, root: Node, marks: Marks) -> None:
    """Puts the structure tree of the nodes into the document."""
    tree = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    made: dict[int, pikepdf.Object] = {}
    tree.K = Array([_element(pdf, root, tree, made)])
    numbers: list[Any] = []
    for index, nodes in enumerate(marks.pages):
        pdf.pages[index].obj.StructParents = index
        numbers += [index, pdf.make_indirect(Array([made[id(node)] for node in nodes]))]
    tree.ParentTree = pdf.make_indirect(Dictionary(Nums=Array(numbers)))
    tree.ParentTreeNextKey = len(marks.pages)
    pdf.Root.StructTreeRoot = tree
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    for page in pdf.pages:
        page.obj.Tabs = Name.S


def _element(
    pdf: pikepdf.Pdf, node: Node, parent: pikepdf.Object, made: dict[int, pikepdf.Object]
) -> pikepdf.Object:
    element = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name(f"/{node.role}"), P=parent))
    made[id(node)] = element
    if node.alternative:
        element.Alt = String(node.alternative)
    if node.scope:
        element.A = Dictionary(O=Name.Table, Scope=Name(f"/{node.scope}"))
    kids: list[Any] = [
        Dictionary(Type=Name.MCR, Pg=pdf.pages[page].obj, MCID=number)
        for page, number in node.marks
    ]
    kids += [_element(pdf, child, element, made) for child in node.children if _holds(child)]
    element.K = Array(kids)
    return element


def _holds(node: Node) -> bool:
    """Empty cells stay: rows have the same number of them (ISO 14289-1 §7.2)."""
    return (
        bool(node.marks)
        or node.role in ("TH", "TD")
        or any(_holds(child) for child in node.children)
    )

"""What a part's header and its place say beyond type, charset and name, as notes (SPEC §3.9.2):
so that a copy which says it otherwise has other claims."""

from __future__ import annotations

from functools import lru_cache

from proofmail.core.parameters import PartHeader

_CONTAINERS = frozenset(
    {"alternative", "digest", "encrypted", "mixed", "related", "report", "signed"}
)
_METHODS = frozenset(
    {"add", "cancel", "counter", "declinecounter", "publish", "refresh", "reply", "request"}
)
"""RFC 5546 §1.4."""


def header_notes(header: PartHeader, containers: tuple[str, ...]) -> frozenset[str]:
    """`containers`: the types of the multiparts of this message around the part, inmost last."""
    found = _place_notes(containers)
    if header.type == "text/plain" and header.parameter("format") == "flowed":
        return found | {"text.flowed", *(["text.delsp"] * (header.parameter("delsp") == "yes"))}
    if header.type == "text/calendar" and "method" in header.parameters:
        method = header.parameter("method")
        return found | {f"method.{method if method in _METHODS else 'other'}"}
    return found


@lru_cache(maxsize=64)
def _place_notes(containers: tuple[str, ...]) -> frozenset[str]:
    """The direct multipart always; those further out unless they are mixed, which shows all that
    it holds: a mail that was wrapped in one with a footer keeps its notes."""
    subtypes = [kind.removeprefix("multipart/") for kind in reversed(containers)]
    names = [name if name in _CONTAINERS else "other" for name in subtypes]
    further = [f"in.{level}.{name}" for level, name in enumerate(names[1:], 2) if name != "mixed"]
    return frozenset([*(f"in.{name}" for name in names[:1]), *further])

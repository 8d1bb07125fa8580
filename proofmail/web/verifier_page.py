"""The second verifier, handed out to everybody: one page that judges in the browser, so that no
mail that somebody checks ever comes here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from proofmail.core.canonical import encode
from proofmail.web.access import services_of

router = APIRouter()

NAME = "verifier.html"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)" />')
_TRUST_PLACE = '<script type="application/json" id="given-trust"></script>'


@cache
def read_verifier() -> bytes:
    """The file's bytes, which archives hold too."""
    return (files("proofmail.web") / "static" / NAME).read_bytes()


@dataclass(frozen=True)
class _Page:
    """The file around the place of the trust, and the policy that it carries in itself."""

    before: str
    after: str
    policy: str


@cache
def _page() -> _Page:
    whole = read_verifier().decode("utf-8")
    before, place, after = whole.partition(_TRUST_PLACE)
    found = _POLICY.search(whole)
    if not place or found is None:
        raise ValueError("the built verifier.html has no place for a trust file, or no policy")
    return _Page(before, after, f"{found[1]}; frame-ancestors 'none'")


@router.get("/verify", include_in_schema=False)
def get_verify(request: Request) -> Response:
    """The page with this installation's trust in it, which another file replaces. Blocks."""
    trust = encode(services_of(request).trust().to_json()).decode("utf-8")
    page = _page()
    # JSON inside a script element ends where the element does: no `<` may stand in it.
    place = _TRUST_PLACE.replace("></", f">{trust.replace('<', chr(92) + 'u003c')}</")
    return Response(
        page.before + place + page.after,
        media_type="text/html",
        headers={"content-security-policy": page.policy},
    )


@router.get(f"/{NAME}", include_in_schema=False)
def get_verifier() -> Response:
    """The very file that every archive holds, to be kept: it trusts nobody by itself."""
    return Response(
        read_verifier(),
        media_type="text/html",
        headers={
            "content-disposition": f'attachment; filename="{NAME}"',
            "content-security-policy": _page().policy,
        },
    )

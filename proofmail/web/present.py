"""Pages from templates. Every value that a template writes is first made plain (controls and
direction marks are shown, not obeyed), then escaped; no template can forget either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from proofmail.core.canonical import Json, encode, from_base64url
from proofmail.verify.plain import plain
from proofmail.web import texts
from proofmail.web.access import Caller
from proofmail.web.services import Language, Services

LANGUAGE_COOKIE = "language"
LONGEST_SHOWN = 4000
_TYPES = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
_PLACE = files("proofmail.web")


@dataclass(frozen=True)
class Static:
    """A file that never changes under its name, which holds its SHA-256."""

    name: str
    data: bytes
    media_type: str


def load_static() -> dict[str, Static]:
    """The static files by the name that templates use for them."""
    found = {}
    for item in (_PLACE / "static").iterdir():
        stem, _, suffix = item.name.rpartition(".")
        if suffix in _TYPES:
            data = item.read_bytes()
            name = f"{stem}.{sha256(data).hexdigest()[:16]}.{suffix}"
            found[item.name] = Static(name, data, _TYPES[suffix])
    return found


def _load(name: str) -> str:
    return (_PLACE / "templates" / name).read_text("utf-8")


def _plain(value: object) -> object:
    """Only of text that is not markup already: what a macro made was escaped inside it."""
    return plain(value, LONGEST_SHOWN) if type(value) is str else value


def make_environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_load),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["cut"] = _cut
    environment.filters["hexadecimal"] = _hexadecimal
    environment.filters["json"] = _json
    environment.filters["utc"] = _utc
    environment.filters["iso"] = _iso
    return environment


@dataclass(frozen=True)
class Renderer:
    """Renders the templates for one application."""

    services: Services
    environment: Environment = field(default_factory=make_environment)
    static: Mapping[str, Static] = field(default_factory=load_static)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """The page in the reader's language, with the frame that all pages have."""
        caller: Caller | None = getattr(request.state, "caller", None)
        language = language_of(request)
        zone = ZoneInfo(caller.organisation.zone) if caller else ZoneInfo("UTC")
        frame = {
            "caller": caller,
            "cautions": self._cautions(),
            "has_text": texts.has,
            "here": request.url.path,
            "language": language,
            "local": partial(_local, zone=zone),
            "number": partial(_number, language=language),
            "static": {name: f"/static/{item.name}" for name, item in self.static.items()},
            "t": _texts(language),
            "zone": zone.key,
        }
        body = self.environment.get_template(template).render(frame | values)
        headers = {"Vary": "Accept-Language, Cookie", "Content-Language": language}
        return HTMLResponse(body, status, headers)

    def _cautions(self) -> list[str]:
        named = {
            "caution.authority": self.services.built_in_authority,
            "caution.chain": self.services.development_chain,
        }
        return [key for key, applies in named.items() if applies]


def language_of(request: Request) -> Language:
    """The reader's language: cookie, then browser, then the organisation's own."""
    caller: Caller | None = getattr(request.state, "caller", None)
    otherwise: Language = "fr" if caller and caller.organisation.language == "fr" else "en"
    return texts.choose(
        request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""), otherwise
    )


def _texts(language: Language) -> Callable[..., str]:
    def t(key: str, **values: object) -> str:
        shown = {
            name: plain(value) if isinstance(value, str) else value
            for name, value in values.items()
        }
        return texts.text(language, key, **shown)

    return t


def _cut(text: str, most: int) -> str:
    return plain(text, most)


def _hexadecimal(text: str) -> str:
    return from_base64url(text).hex()


def _json(value: Json) -> str:
    return encode(value).decode("utf-8")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _local(moment: datetime, *, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _number(value: int, *, language: Language) -> str:
    """With separators of thousands: a narrow no-break space, or a comma."""
    return f"{value:,}".replace(",", "\u202f") if language == "fr" else f"{value:,}"

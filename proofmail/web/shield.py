"""The outermost layer: headers on every answer, refusal of requests forged by other sites, and
the last net for exceptions, which must not reach a log with their texts."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proofmail.web.problems import Problem, from_exception

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    # Nothing ever goes to other sites. Not no-referrer: with it browsers send `Origin: null` with
    # our own forms (Fetch, "append a request Origin header"), and the check below needs it where
    # Sec-Fetch-Site is not sent, which is over plain http.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Shield:
    """ASGI middleware. `public_url` is the address that people type, or empty; `answer` gives a
    refusal the form that its reader understands."""

    def __init__(
        self, app: ASGIApp, public_url: str, answer: Callable[[Request, Problem], Response]
    ) -> None:
        self.app = app
        self.origin = _origin(public_url)
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message)
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and not same_site(headers, self.origin):
            refusal = Problem(403, "The request came from a page of another site.")
            await self.answer(Request(scope), refusal)(scope, receive, guarded)
            return
        try:
            await self.app(scope, receive, guarded)
        except ClientDisconnect:
            return
        except Exception as error:
            problem = from_exception(error)
            if started:  # too late for another answer: the server closes the connection
                raise RuntimeError("an answer was cut off") from None
            await self.answer(Request(scope), problem)(scope, receive, guarded)


def same_site(headers: Headers, origin: str) -> bool:
    """Whether a request with an unsafe method may be obeyed.

    Browsers say with Sec-Fetch-Site from where a request comes (Fetch Metadata §2.2), and older
    ones with Origin; a page can set neither. What sends neither is no browser, and carries no
    cookie that its user did not put there.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    sent = headers.get("origin")
    if sent is None:
        return True
    if origin and sent.lower() == origin:
        return True
    try:
        return sent != "null" and urlsplit(sent).netloc.lower() == headers.get("host", "").lower()
    except ValueError:  # no browser says this
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _add_headers(message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        # A page may bring a policy of its own, which is no looser: see verifier_page.
        if name != "content-security-policy" or name not in headers:
            headers[name] = value
    headers.setdefault("cache-control", "no-store")

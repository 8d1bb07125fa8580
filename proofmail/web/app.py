"""The web application: API and pages put together, with their refusals."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import proofmail
from proofmail.errors import ProofmailError
from proofmail.web import (
    api,
    exports,
    exports_pages,
    labels,
    pages,
    redaction_pages,
    sign_in,
    verifier_page,
)
from proofmail.web.bench import Bench
from proofmail.web.present import Renderer
from proofmail.web.problems import Problem, SignInNeeded, from_exception, is_api, problem_json
from proofmail.web.services import DossierRequest, Services
from proofmail.web.shield import Shield
from proofmail.web.texts import has

__all__ = ["DossierRequest", "Services", "make_app"]

_DESCRIPTION = """\
Records of mails, their proofs and dossiers.

Every call but those marked public needs an API key of your organisation:
`Authorization: Bearer pm_…`. Errors are problem details (RFC 9457). Times are RFC 3339 in UTC.
A claim is *observed* by the service, *stated* by the mail, or *derived* from its bytes; delivery,
authorship and that the mail did not exist earlier are never proven.
"""


def make_app(services: Services) -> FastAPI:
    """The application over these services. Opens no connection and starts no thread."""
    app = FastAPI(
        title="proofmail",
        version=getattr(proofmail, "__version__", "0"),
        description=_DESCRIPTION,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.renderer = Renderer(services)
    app.state.bench = Bench()
    app.state.door = sign_in.Door()
    app.include_router(api.router)
    app.include_router(exports.router)
    app.include_router(sign_in.router)
    app.include_router(pages.router)
    app.include_router(verifier_page.router)
    app.include_router(labels.router)
    app.include_router(redaction_pages.router)
    app.include_router(exports_pages.router)
    for family in (Problem, ProofmailError, HTTPException, RequestValidationError):
        app.add_exception_handler(family, _refuse)
    app.add_exception_handler(SignInNeeded, _send_to_sign_in)
    app.add_middleware(Shield, public_url=services.public_url, answer=answer)
    return app


def answer(request: Request, problem: Problem) -> Response:
    """A refusal as its reader understands it: problem details, or a page."""
    if is_api(request):
        return problem_json(problem)
    renderer: Renderer = request.app.state.renderer
    key = f"error.{problem.status}"
    page = renderer.page(
        request, "error.html", status=problem.status, code=problem.status,
        key=key if has(key) else "error.500" if problem.status >= 500 else "error.400",
    )  # fmt: skip
    page.headers.update(problem.headers)
    return page


async def _refuse(request: Request, error: Exception) -> Response:
    return answer(request, from_exception(error))


async def _send_to_sign_in(_request: Request, error: Exception) -> Response:
    wanted = error.wanted if isinstance(error, SignInNeeded) else "/"
    return RedirectResponse(
        "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}", 303
    )


def _operation_id(route: APIRoute) -> str:
    return route.name

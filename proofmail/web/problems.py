"""Refusals. The API answers with problem details (RFC 9457), pages with a page of the same words.

Nothing of an exception's own text goes out but that of this family and of proofmail.errors, whose
texts are made for the outside. Unforeseen exceptions are logged by kind and place alone, for their
texts can quote what they were given.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from proofmail.errors import ProofmailError, Refused, TryLater, Unreadable
from proofmail.web.shapes import ProblemDetails

log = logging.getLogger("proofmail.web")

MEDIA_TYPE = "application/problem+json"
_API_PATHS = ("/api/", "/tsa", "/healthz", "/openapi.json", "/static/")


class Problem(Exception):
    """A refusal with its HTTP status. `detail` is one English sentence, safe to show."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = list(errors)


class SignInNeeded(Exception):
    """No fault: a page was asked for without a session. `wanted` is where to go afterwards."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.wanted = wanted


def too_large(limit_bytes: int) -> Problem:
    size = f"{limit_bytes >> 20} MiB" if limit_bytes >= 1 << 20 else f"{limit_bytes >> 10} KiB"
    return Problem(413, f"The request's body may have at most {size}.")


def is_api(request: Request) -> bool:
    """Whether the answer to this request is read by a program."""
    return request.url.path.startswith(_API_PATHS)


def from_exception(error: Exception) -> Problem:
    """The refusal that an exception stands for."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return Problem(error.status_code, _routing_detail(error.status_code), headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, TryLater):
        return Problem(503, "The service cannot answer now; nothing was lost. Try again later.",
                       headers={"Retry-After": "5"})  # fmt: skip
    if isinstance(error, Refused):
        # The store's word for a record that is not there, or is another organisation's.
        status = 404 if error.enhanced == "5.1.1" else 410
        return Problem(status, sentence(error.text))
    if isinstance(error, Unreadable):
        return Problem(422, sentence(str(error)))
    log.error("%s at %s", type(error).__name__, _place(error))
    return Problem(500, "The service failed to answer; its operator's log says more.")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the API's description says of an operation's refusals."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "model": ProblemDetails,
            "description": "Problem details (RFC 9457)",
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }


def problem_json(problem: Problem) -> JSONResponse:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": title(problem.status),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def title(status: int) -> str:
    """RFC 9457 §4.2.1: with the type about:blank, the title is the status's own phrase."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text and not text.endswith(".") else text


def _routing_detail(status: int) -> str:
    return {
        404: "There is nothing at this address.",
        405: "This address does not take this method.",
    }.get(status, f"{title(status)}.")


def _invalid(error: RequestValidationError) -> Problem:
    """Names the parameter and what it should be; never repeats what it was."""
    errors = [
        {"parameter": ".".join(str(step) for step in item["loc"][1:]), "problem": item["msg"]}
        for item in error.errors()
    ]
    return Problem(422, "A parameter is not as it should be.", errors=errors)


def _place(error: BaseException) -> str:
    """Where in the code an exception came from: file names and lines, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    if isinstance(error, ProofmailError):
        frames = frames[-1:]
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames[::-1]
    )

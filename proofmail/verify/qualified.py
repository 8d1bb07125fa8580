"""The step V5.Q: what the trust's lists say of a token's authority, for a report (SPEC §5.8)."""

from __future__ import annotations

from collections.abc import Sequence

from proofmail.core.extracts import ListExtract
from proofmail.core.proof import Rfc3161Token
from proofmail.errors import CheckFailed, Unreadable
from proofmail.verify.lists import (
    NOT_QUALIFIED,
    QUALIFIED,
    QUALIFIED_UNSIGNED,
    UNKNOWN,
    Qualification,
    TrustedList,
    qualification,
)
from proofmail.verify.report import Status
from proofmail.verify.token import TokenContext, TokenTrust
from proofmail.verify.trust import Authority

NUMBER = "V5.Q"
TITLE = "the authority was a qualified one at genTime"
STATUS_OF = {
    QUALIFIED: Status.PASSED,
    QUALIFIED_UNSIGNED: Status.PASSED,
    NOT_QUALIFIED: Status.ABSENT,
    UNKNOWN: Status.NOT_CHECKED,
}


def judge_qualification(
    context: TokenContext,
    lists: Sequence[TrustedList],
    authority: Authority | None,
    *,
    failed: bool,
) -> Qualification:
    """Of a token whose facts can be read; raises nothing. `failed`: it failed a check, so that
    nobody's qualification is its. `authority` is the one of the trust that its path ends in."""
    if failed:
        return Qualification(UNKNOWN, "the token did not pass")
    if authority and authority.built_in:
        return Qualification(NOT_QUALIFIED, "the built-in authority is not a qualified one")
    untrusted = (*context.token.certificates, *context.certificates)
    return qualification(context.certificate, untrusted, context.token.info.gen_time, lists)


def extracts_of(token: Rfc3161Token, lists: Sequence[TrustedList]) -> tuple[ListExtract, ...]:
    """What the lists say of a token that has been judged before, to travel beside it; nothing for
    one that cannot be read."""
    if not lists:
        return ()
    context = TokenContext(token.response, b"", TokenTrust(), token.certificates)
    try:
        found = judge_qualification(context, lists, None, failed=False)
    except (CheckFailed, Unreadable):
        return ()
    return (found.extract,) if found.extract else ()


def qualification_details(token: Rfc3161Token, found: Qualification) -> tuple[tuple[str, str], ...]:
    """The answer, the list that gave it, and what the service saw, which nobody has checked."""
    saw = "; ".join(_seen(item) for item in token.extracts if isinstance(item, ListExtract))
    details = (
        ("qualified", found.answer),
        ("qualified_by", found.list_title),
        ("service_saw", saw),
    )
    return tuple((name, value) for name, value in details if value)


def _seen(extract: ListExtract) -> str:
    return (
        f"list {extract.territory} no. {extract.sequence} of {extract.issued:%Y-%m-%d}: "
        f"{extract.service} of {extract.provider}, {extract.type}, {extract.status} since "
        f"{extract.since:%Y-%m-%d}"
    )

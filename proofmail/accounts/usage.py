"""Usage: what an organisation is metered by.

The unit is the standard mail: up to 5 recipients, up to 3 attachments, one receipt request. A
mail counts as many as it takes to hold all of it. Receipts and mails from correspondents that
nobody listed are never metered.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from proofmail.store.engine import Store
from proofmail.store.tables import usage

RECIPIENTS_A_UNIT = 5
ATTACHMENTS_A_UNIT = 3
RECEIPT_REQUESTS_A_UNIT = 1


@dataclass(frozen=True)
class Month:
    """`month` is like 2026-11, in UTC, by the time of reception."""

    month: str
    mails: int
    standard_mails: int


def standard_mails(recipients: int, attachments: int, receipt_requests: int) -> int:
    """How many standard mails hold this one; at least 1."""
    return max(
        1,
        -(-recipients // RECIPIENTS_A_UNIT),
        -(-attachments // ATTACHMENTS_A_UNIT),
        -(-receipt_requests // RECEIPT_REQUESTS_A_UNIT),
    )


def monthly_usage(store: Store, organisation: str, limit: int = 24) -> list[Month]:
    """The newest months in which anything was metered, newest first."""
    with store.read() as connection:
        rows = connection.execute(
            select(usage.c.month, usage.c.mails, usage.c.units)
            .where(usage.c.organisation == organisation)
            .order_by(usage.c.month.desc())
            .limit(limit)
        ).all()
    return [Month(*row) for row in rows]

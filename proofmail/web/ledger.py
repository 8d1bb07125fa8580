"""What anchors cost and what stands in their way, for the synthesis page and the API."""

from __future__ import annotations

from proofmail.core.canonical import format_time
from proofmail.store.conditions import Condition, current
from proofmail.store.spending import Spending, spent
from proofmail.web import shapes, texts
from proofmail.web.services import Services

_DECIMALS = 9


def accounts(services: Services) -> list[Spending]:
    """Each chain's account; none for the development chain, whose money is none."""
    if services.development_chain:
        return []
    return spent(services.store, services.clock.now())


def troubles(services: Services) -> list[Condition]:
    """The conditions that have a sentence, and the words for it: what another version of the
    service noted may have others."""
    return [found for found in current(services.store) if _sentence(found)]


def _sentence(found: Condition) -> str:
    key = f"condition.{found.name}"
    try:
        return texts.text("en", key, subject=found.subject, **found.details)
    except (KeyError, TypeError):
        return ""


def coins(wei: int) -> str:
    """An amount in the chain's coin (10^18 wei), rounded up to nine decimals: never too little."""
    billionths = -(-wei // 10 ** (18 - _DECIMALS))
    whole, rest = divmod(billionths, 10**_DECIMALS)
    return f"{whole}.{rest:0{_DECIMALS}d}"


def ledger_state(services: Services) -> shapes.LedgerState:
    """Amounts as decimal digits in strings: JSON numbers would lose some."""
    return shapes.LedgerState(
        accounts=[
            shapes.LedgerAccount(
                chain_id=str(found.chain_id),
                paid_wei=str(found.paid_wei),
                at_stake_wei=str(found.at_stake_wei),
                today_wei=str(found.today_wei),
                paid_per_record_wei=str(found.paid_per_record_wei),
                anchors=found.anchors,
                records=found.records,
            )
            for found in accounts(services)
        ],
        daily_budget_wei=str(services.daily_budget_wei) if services.daily_budget_wei else None,
        conditions=[
            shapes.LedgerCondition(
                name=found.name,
                subject=found.subject,
                since=format_time(found.since),
                details=dict(found.details),
                text=_sentence(found),
            )
            for found in troubles(services)
        ],
    )

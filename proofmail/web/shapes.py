"""What the API answers with. Members that do not apply are left out, never null."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["recorded", "stamped", "batched", "anchored", "final"]
Kind = Literal["message", "receipt", "addendum", "digests", "audit"]


class StateFilter(StrEnum):
    RECORDED = "recorded"
    STAMPED = "stamped"
    BATCHED = "batched"
    ANCHORED = "anchored"
    FINAL = "final"


class KindFilter(StrEnum):
    MESSAGE = "message"
    RECEIPT = "receipt"
    ADDENDUM = "addendum"
    DIGESTS = "digests"
    AUDIT = "audit"


class DossierLanguage(StrEnum):
    FR = "fr"
    EN = "en"


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class RecordRow(_Shape):
    """A record in a list."""

    id: str
    kind: Kind
    state: State = Field(description="The record's furthest state.")
    stamped: bool = Field(description="Whether as many time-stamps are kept as are asked for.")
    received_at: str = Field(
        description="RFC 3339, UTC, milliseconds; the service's own statement."
    )
    subject: str | None = Field(None, description="As the mail states.")
    sender: str | None = Field(None, description="The sender's address, as the mail states.")
    recipients: list[str] | None = Field(
        None, description="The first addressees, as the mail states, without the proof addresses."
    )
    recipients_count: int | None = None
    attachments: int | None = Field(None, description="How many attachments were fingerprinted.")
    receipt_of: str | None = Field(
        None, description="The id of the record that this receipt or addendum belongs to."
    )
    erased_at: str | None = Field(
        None, description="When the record was erased; what it said is then unknown."
    )


class Label(_Shape):
    """A word that the organisation gives to records; it is in no proof."""

    name: str
    records: int = Field(description="How many have it.")


class LabelList(_Shape):
    labels: list[Label]


class RecordPage(_Shape):
    records: list[RecordRow]
    next: str | None = Field(
        None, description="The cursor of the next page; absent after the last."
    )
    searched_back_to: str | None = Field(
        None,
        description="Set when a search for text stopped here before it had looked at everything; "
        "`next` goes on from there, even if `records` is empty.",
    )


class Claim(_Shape):
    name: str
    source: Literal["observed", "stated", "derived"] = Field(
        description="observed by the service, stated by the mail, or derived from its bytes"
    )
    value: Any


class Witness(_Shape):
    """What a time-stamp or an anchor says; a fact only if `status` is passed."""

    kind: str
    status: str
    time: str
    accuracy_milliseconds: int
    caution: str
    details: dict[str, str]


class BatchPlace(_Shape):
    log: str
    sequence: int
    count: int
    closed_at: str
    index: int


class Check(_Shape):
    number: str
    title: str
    status: str
    reason: str
    subject: str


class TimelineStep(_Shape):
    step: Literal["received", "stamped", "batched", "anchored", "final"]
    done: bool
    at: str | None = Field(None, description="Absent while not done, and for finality.")


class RecordDetail(RecordRow):
    """A record with all that is known of it, judged under this installation's trust."""

    log: str
    record_sha256: str = Field(description="Hexadecimal; what the time-stamps cover.")
    labels: list[str] = Field(description="Words that the organisation gave it.")
    verdict: str | None = None
    existed_by: str | None = Field(
        None, description="The earliest time that a passed witness vouches for."
    )
    claims: list[Claim]
    receipts: list[RecordRow]
    addenda: list[RecordRow]
    witnesses: list[Witness]
    batches: list[BatchPlace]
    timeline: list[TimelineStep]
    checks: list[Check]


class Counts(_Shape):
    """How many records there are. `states` counts each once, in its furthest state."""

    messages: int
    receipts: int
    attachments: int
    others: int
    stamped: int = Field(
        description="Records with as many time-stamps as are asked for, whatever their state."
    )
    states: dict[str, int]
    message_states: dict[str, int]


class LedgerAccount(_Shape):
    """What the anchors on one chain cost, all days together. Amounts are digits in strings."""

    chain_id: str
    paid_wei: str = Field(description="For anchors in final blocks, by EIP-1559 and EIP-7623.")
    at_stake_wei: str = Field(description="The most that anchors which are not final can cost.")
    today_wei: str = Field(description="Both together for this UTC day: what the budget counts.")
    paid_per_record_wei: str
    anchors: int
    records: int


class LedgerCondition(_Shape):
    """Something that stands in the way of anchors right now."""

    name: str
    subject: str
    since: str
    details: dict[str, str]
    text: str


class LedgerState(_Shape):
    accounts: list[LedgerAccount]
    daily_budget_wei: str | None = Field(None, description="Absent without a budget.")
    conditions: list[LedgerCondition]


class ClockState(_Shape):
    """This host's clock against the authorities' that answered within the hour."""

    ahead_at_least_milliseconds: int = Field(description="Negative if it is behind.")
    ahead_at_most_milliseconds: int
    off_milliseconds: int = Field(
        description="How far off it is for certain; 0 when it may be right."
    )
    is_off: bool = Field(description="Whether that is more than is borne.")
    agreed: bool = Field(
        description="False when not all authorities can be right; the span then covers all."
    )
    authorities: int
    measured_at: str


class AuthorityCondition(_Shape):
    """A time-stamping authority, as it answered of late."""

    name: str
    standing: Literal["new", "good", "failing", "resting"] = Field(
        description="Never asked with success, answering, failed last, or left alone until "
        "`retry_at`."
    )
    good_at: str | None = Field(None, description="The last good answer.")
    error_at: str | None = None
    error: str | None = Field(None, description="What was wrong then, in this service's words.")
    retry_at: str | None = Field(None, description="Only while it is left alone.")
    answers: int
    errors: int
    waits: int = Field(description="How often the cap on requests made it wait.")
    median_milliseconds: int | None = Field(None, description="Of the newest answers.")
    late_milliseconds: int | None = Field(
        None, description="What 99 of 100 of the newest answers kept within."
    )


class WitnessState(_Shape):
    """Counts go up to `most_counted`, which then means that many or more."""

    authorities: list[AuthorityCondition]
    clock: ClockState | None = Field(
        None, description="Absent when no outside authority answered within the hour."
    )
    unstamped: int = Field(description="Records of all organisations that wait for a time-stamp.")
    partly_stamped: int = Field(
        description="Your records that have fewer time-stamps than are asked for."
    )
    most_counted: int


class Health(_Shape):
    status: Literal["ok"]


class FieldError(_Shape):
    parameter: str
    problem: str


class ProblemDetails(_Shape):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None

"""From 354 to the reply at the final dot: the content goes to the Reception, nothing is kept."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from proofmail.errors import Refused, TryLater
from smtp_gateway.contract import Reception
from smtp_gateway.data import DataReader
from smtp_gateway.hall import Hall
from smtp_gateway.limits import Limits
from smtp_gateway.replies import ENDLESS, OUR_FAULT, TOO_SLOW, Reply
from smtp_gateway.wire import Wire

log = logging.getLogger("proofmail.smtp")

_RECORD_ID = re.compile(r"[!-~]{1,80}")
_ENHANCED = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}")


async def receive(
    wire: Wire, reception: Reception, limits: Limits, alive: Callable[[], None]
) -> Reply | None:
    """Reads DATA to its end. None: the message is complete and in form, and `reception` waits for
    `finish`. Else the reply to give, and `reception` was abandoned; so it was if this raises
    (EOFError when the peer has gone). A reply of 421 comes before the end: the session is over.
    `alive` is called at every sign of life."""
    loop = asyncio.get_running_loop()
    reader = DataReader(limits)
    started = loop.time()
    fault: Reply | None = None
    whole = False
    try:
        while not reader.done:
            chunk = await wire.chunk()
            alive()
            content = reader.push(chunk)
            if fault is None:
                fault = reader.fault or _feed(reception, content)
                if fault is not None:
                    _abandon(reception)
            if not reader.done:
                cut = _cut(reader, limits, loop.time() - started)
                if cut is not None:
                    return cut
        wire.give_back(reader.rest)
        whole = True
        # What is wrong with the content goes before what went wrong with us: whether the one or
        # the other is met first depends on how the content was cut.
        return reader.fault or fault
    finally:
        if fault is None and not whole:
            _abandon(reception)


def _cut(reader: DataReader, limits: Limits, seconds: float) -> Reply | None:
    """The reply to a DATA that has gone on for too long, in bytes or in time."""
    if reader.taken_bytes > limits.message_bytes + limits.discard_bytes:
        return ENDLESS
    if seconds > limits.data_seconds:
        return TOO_SLOW
    if seconds > limits.data_grace_seconds:
        enough = reader.taken_bytes >= seconds * limits.data_bytes_per_second
        return None if enough else TOO_SLOW
    return None


def _feed(reception: Reception, content: bytes) -> Reply | None:
    try:
        if content:
            reception.feed(content)
    except Exception as error:
        return reply_to(error)
    return None


def _abandon(reception: Reception) -> None:
    try:
        reception.abandon()
    except Exception as error:
        log.error("abandon fault=%s", type(error).__name__)


async def commit(reception: Reception, hall: Hall) -> tuple[Reply, str]:
    """Waits for the record. Returns the reply and the record's id, "" if there is none. 250 comes
    from here alone, after `finish` has returned. If this task is cancelled (the peer has gone),
    `finish` still runs to its end: the peer got no 250 and sends again, and the house knows the
    message by its keyed digest."""
    task = asyncio.get_running_loop().create_task(_finish(reception))
    hall.commit(task)
    await asyncio.wait({task}, timeout=hall.limits.commit_seconds)
    if not task.done():
        log.error("fault=commit took longer than %s s", hall.limits.commit_seconds)
        return OUR_FAULT, ""
    if task.cancelled():
        return OUR_FAULT, ""
    error = task.exception()
    if error is not None:
        return reply_to(error), ""
    record = task.result()
    # It goes into a reply line and into logs. The commit is durable, so the answer stays 250.
    shown = record if _RECORD_ID.fullmatch(record) else "(unnamed)"
    return Reply(250, "2.6.0", f"Recorded {shown}"), shown


async def _finish(reception: Reception) -> str:
    return await reception.finish()


def reply_to(error: BaseException) -> Reply:
    """What the peer is told. A refusal speaks for itself; of our own faults nothing is told, and
    the log gets the class name alone, because an exception's text may hold what the mail said."""
    if isinstance(error, TryLater):
        return OUR_FAULT
    if isinstance(error, Refused):
        if 400 <= error.code < 600 and error.code != 421 and _ENHANCED.fullmatch(error.enhanced):
            return Reply(error.code, error.enhanced, error.text)
        log.error("fault=Refused without a proper code")
        return OUR_FAULT
    log.error("fault=%s", type(error).__name__)
    return OUR_FAULT

"""The Date field as a moment in UTC (SPEC §3.6.3)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from proofmail.core.headers import clean_text

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_ZONES = {
    **dict.fromkeys(("ut", "utc", "gmt", "z"), 0),
    "edt": -4,
    **dict.fromkeys(("est", "cdt"), -5),
    **dict.fromkeys(("cst", "mdt"), -6),
    **dict.fromkeys(("mst", "pdt"), -7),
    "pst": -8,
}
"""RFC 5322 §4.3, in hours. Other letters mean "unknown" there, so they are unreadable here."""

_DATE = re.compile(
    r"(?:[a-z]{3,9}(?: ?, ?| ))?([0-9]{1,2}) ([a-z]{3}) ([0-9]{2,4}) "
    r"([0-9]{1,2}) ?: ?([0-9]{2})(?: ?: ?([0-9]{2}))? (?:([+-])([0-9]{2})([0-9]{2})|([a-z]{1,3}))",
    re.ASCII | re.IGNORECASE,
)
_COMMENT = re.compile(r"\([^()\\]*(?:\\.[^()\\]*)*\)")
_WHITE = re.compile(r"[ \t]+")
_LONGEST = 1_000
"""A longer value is not read as a date; comments are removed level by level."""


def date_value(value: str, defects: set[str]) -> str:
    """RFC 3339 in UTC with whole seconds, or "?" and the text when it is unreadable."""
    moment = _moment(value) if len(value) <= _LONGEST else None
    if moment is None:
        defects.add("header.date")
        return "?" + clean_text(value, defects)
    return moment.isoformat() + "Z"


def _moment(value: str) -> datetime | None:
    """RFC 5322 §3.3 and §4.3. The name of the day is not compared with the date."""
    text = value
    while "(" in text:
        text, removed = _COMMENT.subn(" ", text)
        if not removed:
            break
    if "\t" in text or "  " in text:
        text = _WHITE.sub(" ", text)
    found = _DATE.fullmatch(text.strip(" "))
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes, zone = found.groups()
    if sign is not None:
        if int(zone_hours) > 23 or int(zone_minutes) > 59:
            return None
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        offset = -offset if sign == "-" else offset
    elif zone.lower() in _ZONES:
        offset = timedelta(hours=_ZONES[zone.lower()])
    else:
        return None
    if _year(year) < 1900:
        return None
    try:
        local = datetime(
            _year(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
        )
        return local - offset
    except (KeyError, ValueError, OverflowError):
        return None


def _year(digits: str) -> int:
    """RFC 5322 §4.3: two digits below 50 are of this century; three digits add 1900."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year

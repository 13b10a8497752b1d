"""Dates of a filter, as Elasticsearch reads them for a field of dates.

    2026-11-21T08:30:00+01:00    ISO 8601, UTC unless it says otherwise; the end may be left out from the month on
    1764000000000                milliseconds since 1970
    now-1d/d, 2026-11-21||+1M    date maths: y M w d h H m s, with a sign or, behind a slash, to be rounded to

What is left out is filled in to the first month and day and, where a bound is a greatest one, to the last moment of
that day; rounding goes to the beginning of the unit or to its end.
"""

import re
from datetime import UTC, datetime, timedelta

from argilla_server.errors.future import UnprocessableEntityError

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_MATHS = re.compile(r"(?P<sign>[+-])(?P<count>\d*)(?P<unit>[yMwdhHms])|/(?P<round>[yMwdhHms])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "H": "hours", "m": "minutes", "s": "seconds"}
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_KEPT = {"y": 1, "M": 2, "w": 3, "d": 3, "h": 4, "H": 4, "m": 5, "s": 6}  # how many of them rounding keeps
_LEAST = {"month": 1, "day": 1}
_INSTANT = timedelta(microseconds=1)


def moments_of(value: object, now: datetime | None = None) -> tuple[str, str]:
    """The first and the last moment that a date may mean, as the database stores them: UTC, with microseconds.

    Args:
        value: A date in one of the forms above.
        now: What `now` means; default: the clock.

    Raises:
        UnprocessableEntityError: It is in none of them.
    """
    text = str(value)
    anchor, _, maths = text.partition("||")
    if text.startswith("now"):
        anchor, maths = "now", text[3:]
    try:
        low, high = _anchor(anchor, now or datetime.now(UTC), isinstance(value, int | float))
        low, high = _apply(maths, low, upper=False), _apply(maths, high, upper=True)
    except (ValueError, OverflowError, OSError):
        raise UnprocessableEntityError(
            f"{value!r} is not a date; use ISO 8601, e.g. 2026-11-21T08:30:00, or date maths, e.g. now-1d"
        ) from None
    return _stored(low), _stored(high)


def _anchor(text: str, now: datetime, number: bool) -> tuple[datetime, datetime]:
    if text == "now":
        return now, now
    if found := None if number else _DATE.fullmatch(text):
        year, month, day = (int(part or 1) for part in found.groups())
        first = datetime(year, month, day, tzinfo=UTC)
        return first, first + timedelta(days=1) - _INSTANT
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        moment = datetime.fromtimestamp(float(text) / 1000, UTC)
    else:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    return moment, moment


def _apply(maths: str, moment: datetime, *, upper: bool) -> datetime:
    at = 0
    while at < len(maths):
        found = _MATHS.match(maths, at)
        if not found:
            raise ValueError(maths)
        if unit := found["round"]:
            moment = _floor(moment, unit)
            moment = _plus(moment, 1, unit) - _INSTANT if upper else moment
        else:
            moment = _plus(moment, int(found["sign"] + (found["count"] or "1")), found["unit"])
        at = found.end()
    return moment


def _plus(moment: datetime, count: int, unit: str) -> datetime:
    if unit in _UNITS:
        return moment + timedelta(**{_UNITS[unit]: count})
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _floor(moment: datetime, unit: str) -> datetime:
    floor = moment.replace(**{name: _LEAST.get(name, 0) for name in _PARTS[_KEPT[unit] :]})  # type: ignore[arg-type]
    return floor - timedelta(days=floor.weekday()) if unit == "w" else floor


def _stored(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

"""How long ago something was, as people say it."""

from datetime import datetime, timedelta
from typing import Final

_DATE_FROM: Final = timedelta(days=7)
_UNITS: Final = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m"))


def ago(then: datetime, now: datetime) -> str:
    """``just now``, ``5m ago``, ``3h ago``, ``2d ago``, and from a week on the date."""
    passed = now - then
    if passed >= _DATE_FROM:
        return f"{then:%-d %b %Y}"
    counted = ((passed // unit, letter) for unit, letter in _UNITS)
    return next((f"{number}{letter} ago" for number, letter in counted if number > 0), "just now")

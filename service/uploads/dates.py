"""The date of a session that was recorded elsewhere: told in the practice's time zone, and possible."""

from datetime import UTC, datetime, timedelta
from typing import Final

from ..errors import RefusedError
from ..settings import Settings, time_zone

_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_CLOCKS_APART: Final = timedelta(minutes=5)
_DAYS_PER_MONTH: Final = 30.44


def in_zone(text: str, settings: Settings) -> datetime:
    """Return a date and time of the practice's clock. Raises `RefusedError` where there is no such date or time."""
    zone = time_zone(settings.zone) if settings.zone else None
    try:
        local = datetime.fromisoformat(text)
        return (local.replace(tzinfo=zone) if zone else local.astimezone()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RefusedError("There is no such date and time.") from error


def require_possible(began: datetime, length: timedelta, keep_months: int | None, now: datetime) -> None:
    """Require a date that a session can have. Raises `RefusedError` for any other.

    `length`: of the session; `keep_months`: after which the practice deletes sessions, None where it keeps them.
    """
    if began + length > now + _CLOCKS_APART:
        raise RefusedError("That lies in the future. Say when it was.")
    if began < _EARLIEST:
        raise RefusedError("That is before 1990, when nobody wore such sensors. Say when it was.")
    if keep_months is not None and began + length < now - timedelta(days=keep_months * _DAYS_PER_MONTH):
        raise RefusedError(
            f"This practice keeps sessions for {keep_months} months, and this one is older: it would be deleted again."
        )

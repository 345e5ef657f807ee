"""Time windows of the follow-up questions, a day and two days after a session."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Slot = Literal[24, 48]
"""Hours after the end of the session."""
State = Literal["later", "open", "correctable", "answered", "missed"]

SLOTS: Final[tuple[Slot, ...]] = (24, 48)
CORRECTED_WITHIN: Final = timedelta(minutes=10)
"""Time within which an answer can be corrected."""
_OPEN_H: Final[dict[Slot, tuple[int, int]]] = {24: (20, 36), 48: (40, 72)}


@dataclass(frozen=True, slots=True)
class Window:
    """Time window in which a follow-up question can be answered."""

    opens: datetime
    due: datetime
    """Time of asking: the hour at which the session ended, so that nobody is asked at night."""
    closes: datetime


def window(ended: datetime, slot: Slot) -> Window:
    """Return the window of a slot, from the end of the session."""
    opens_h, closes_h = _OPEN_H[slot]
    return Window(ended + timedelta(hours=opens_h), ended + timedelta(hours=slot), ended + timedelta(hours=closes_h))


def state_of(window: Window, answered: datetime | None, now: datetime) -> State:
    """Return the state of a slot: not yet open, open, answered and correctable, answered, or closed without an answer."""
    if answered is not None:
        return "correctable" if now < answered + CORRECTED_WITHIN else "answered"
    if now < window.opens:
        return "later"
    return "open" if now < window.closes else "missed"

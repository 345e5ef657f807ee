"""Plain RR intervals, as a text file gives them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RrText:
    """Intervals in ms; `gap_before` marks those that follow an unreadable line or a gap comment."""

    rr_ms: tuple[float, ...]
    gap_before: tuple[bool, ...]
    warnings: tuple[str, ...] = ()
    gap_s: tuple[float | None, ...] = ()
    """Length of the gap before each interval, in s; None where there is no gap, or its length is not given."""

"""Rules for pain scores: when to lighten or stop, and when to flag the next visit. Pain always outranks HRV."""

from collections.abc import Sequence
from typing import Final

RISE: Final = 2
"""Clinically meaningful rise, in points on the 0–10 numeric rating scale (NRS)."""
SEVERE: Final = 7
"""Score from which pain counts as severe."""

STOP: Final = "Lighten or stop; what was measured is kept."
STOPPED: Final = "Stopped: pain increased. What was measured is kept, and the next visit is flagged."


def notice_during(before: int | None, scores: Sequence[int], *, stopped: bool = False) -> str | None:
    """Return the notice to show during the session; None where the newest score needs none. Scores are in order of time.

    `stopped`: whether the massage was ended because of pain.
    """
    if stopped:
        return STOPPED
    if not scores:
        return None
    now = scores[-1]
    if before is not None and now >= before + RISE:
        return f"Pain {now}, {now - before} more than before. {STOP}"
    return f"Pain {now}. {STOP}" if now >= SEVERE else None


def flag_at_end(before: int | None, during: Sequence[int], after: int | None) -> str | None:
    """Return why the next visit is flagged, from the scores during and after the massage; None where there is no reason."""
    for scores, when in (((after,) if after is not None else (), "after the session"), (during, "during the session")):
        worst = max(scores, default=0)
        if worst >= SEVERE or (before is not None and worst >= before + RISE):
            return f"Pain {worst} {when}" + (f", {before} before it." if before is not None else ".")
    return None


def flag_after(before: int | None, score: int, *, hours: int) -> str | None:
    """Return why the next visit is flagged, from a follow-up score 24 or 48 hours later; None where there is no reason."""
    if before is None:
        return f"Pain {score} after {hours} h." if score >= SEVERE else None
    raised = score >= before + RISE if hours < 48 else score > before
    return f"Pain {score} after {hours} h, {before} before the session." if raised else None

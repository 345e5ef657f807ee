"""When pain says: lighten or stop. Pain always outranks what the heart shows."""

from collections.abc import Sequence
from typing import Final

RISE: Final = 2
"""Points on the 0–10 scale (NRS): the change that usually means something to a person."""
SEVERE: Final = 7

STOP: Final = "Lighten or stop; what was measured is kept."
STOPPED: Final = "Stopped: pain increased. What was measured is kept, and the next visit is flagged."


def notice_during(before: int | None, scores: Sequence[int], *, stopped: bool = False) -> str | None:
    """What to say while the session goes on; None where the newest score gives no reason. Scores in order of time.

    `stopped`: the massage was ended because of pain.
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
    """Why the next visit is to be minded, from the scores of the massage and after it; None where there is no reason."""
    for scores, when in (((after,) if after is not None else (), "after the session"), (during, "during the session")):
        worst = max(scores, default=0)
        if worst >= SEVERE or (before is not None and worst >= before + RISE):
            return f"Pain {worst} {when}" + (f", {before} before it." if before is not None else ".")
    return None


def flag_after(before: int | None, score: int, *, hours: int) -> str | None:
    """Why the next visit is to be minded, from a score some hours later (24 or 48); None where there is no reason."""
    if before is None:
        return f"Pain {score} after {hours} h." if score >= SEVERE else None
    raised = score >= before + RISE if hours < 48 else score > before
    return f"Pain {score} after {hours} h, {before} before the session." if raised else None

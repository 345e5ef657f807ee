"""Rules for pain scores: when to lighten or stop, and when to flag the next visit. Pain always outranks HRV."""

from typing import Final, Literal

from .session_pain import SessionPain

RISE: Final = 2
"""Clinically meaningful rise, in points on the 0–10 numeric rating scale (NRS)."""
SEVERE: Final = 7
"""Score from which pain counts as severe."""

Headline = Literal["stopped", "risen", "severe"]

STOP_TITLE: Final = "Stopped for pain"
STOP: Final = "Lighten or stop; what was measured is kept."
STOPPED: Final = "Stopped: pain increased. What was measured is kept, and the next visit is flagged."


def notice_during(pain: SessionPain, *, stopped: bool = False) -> str | None:
    """Return the notice to show during the session; None where the newest score needs none.

    `stopped`: whether the massage was ended because of pain.
    """
    if stopped:
        return STOPPED
    before, now = pain.before, pain.newest
    if now is None or not pain.noted:
        return None
    if before is not None and now >= before + RISE:
        return f"Pain {now}, {now - before} more than before. {STOP}"
    return f"Pain {now}. {STOP}" if now >= SEVERE else None


def headline_of(pain: SessionPain, *, stopped: bool) -> tuple[Headline, int] | None:
    """Return what a session's pages say before everything else, with the greatest score; None where there is nothing to say.

    `stopped`: whether the massage was ended because of pain.
    """
    worst = max((score for score in (pain.highest, pain.after) if score is not None), default=0)
    if stopped:
        return "stopped", worst
    if pain.before is not None and worst >= pain.before + RISE:
        return "risen", worst
    return ("severe", worst) if worst >= SEVERE else None


def flag_at_end(pain: SessionPain) -> str | None:
    """Return why the next visit is flagged, from the scores during and after the massage; None where there is no reason."""
    before, asked_after = pain.before, pain.after if pain.after_s is None else None
    for worst, when in ((asked_after, "after the session"), (pain.highest, "during the session")):
        if worst is None:
            continue
        if worst >= SEVERE or (before is not None and worst >= before + RISE):
            return f"Pain {worst} {when}" + (f", {before} before it." if before is not None else ".")
    return None


def flag_after(before: int | None, score: int, *, hours: int) -> str | None:
    """Return why the next visit is flagged, from a follow-up score 24 or 48 hours later; None where there is no reason."""
    if before is None:
        return f"Pain {score} after {hours} h." if score >= SEVERE else None
    raised = score >= before + RISE if hours < 48 else score > before
    return f"Pain {score} after {hours} h, {before} before the session." if raised else None

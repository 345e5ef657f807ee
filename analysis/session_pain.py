"""Pain of a session: before, during and after it, told in the same way by every page, document and export."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec

from ..sensors.model import Phase
from ..sensors.recordings.recording import Event, Pain, PhaseStart

_Score = int | None


class SessionPain(msgspec.Struct, frozen=True, kw_only=True):
    """Pain scores of a session, 0 to 10; None where nobody was asked and none was noted. Times in s from its start."""

    before: Annotated[
        _Score, msgspec.Meta(description="As asked before the session, else the first one noted before the massage.")
    ] = None
    after: Annotated[
        _Score, msgspec.Meta(description="As asked after the session, else the last one noted after the massage.")
    ] = None
    during: Annotated[
        tuple[tuple[float, int], ...],
        msgspec.Meta(description="Time and score of each one noted in the session, without those that count as before or after."),
    ] = ()
    before_s: Annotated[float | None, msgspec.Meta(description="When `before` was noted; null: asked before the session.")] = None
    after_s: Annotated[float | None, msgspec.Meta(description="When `after` was noted; null: asked after the session.")] = None
    highest: Annotated[
        _Score, msgspec.Meta(description="The greatest one noted in the session from the beginning of the massage on.")
    ] = None

    @property
    def noted(self) -> bool:
        """Whether a score was noted within the session."""
        return bool(self.during) or self.before_s is not None or self.after_s is not None

    @property
    def newest(self) -> _Score:
        """The newest score; None where there is none."""
        return self.after if self.after is not None else self.during[-1][1] if self.during else self.before


def session_pain(events: Iterable[Event], before: _Score = None, after: _Score = None) -> SessionPain:
    """Return the pain of a session from the phases and scores among its events, which are in order of time.

    `before` and `after`: as asked around the session, None where nobody was asked; these always take precedence over scores
    noted in the session, which stand in for them where they are missing.
    """
    relevant = [event for event in events if isinstance(event, PhaseStart | Pain)]
    noted = [(event.t, event.score) for event in relevant if isinstance(event, Pain)]
    begun_s, over_s = _massage(relevant)
    first = next((one for one in noted if begun_s is not None and one[0] < begun_s), None) if before is None else None
    last = next((one for one in reversed(noted) if over_s is not None and one[0] >= over_s), None) if after is None else None
    later_s = begun_s if begun_s is not None else over_s
    return SessionPain(
        before=first[1] if first else before,
        after=last[1] if last else after,
        during=tuple(one for one in noted if one is not first and one is not last),
        before_s=first[0] if first else None,
        after_s=last[0] if last else None,
        highest=max((score for at_s, score in noted if later_s is not None and at_s >= later_s), default=None),
    )


def _massage(events: Sequence[PhaseStart | Pain]) -> tuple[float | None, float | None]:
    """Return when the massage began and when a later phase did, in s; None where that did not happen."""
    phase, begun_s = Phase.SETTLE, None
    for event in events:
        if not isinstance(event, PhaseStart) or not event.phase.comes_after(phase):
            continue
        phase = event.phase
        if phase is Phase.MASSAGE:
            begun_s = event.t
        elif phase.comes_after(Phase.MASSAGE):
            return begun_s, event.t
    return begun_s, None

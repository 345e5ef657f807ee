"""Division of a file's events into the phases of a session."""

from collections.abc import Sequence

from ...sensors.model import Phase
from ...sensors.recordings.recording import Event, PhaseStart
from ..errors import RefusedError

Minutes = tuple[float, float, float]


def in_phases(events: Sequence[Event], parts: Minutes | None) -> list[Event]:
    """Return the events with phases, ended at the last one: as the file has them, else `parts`, else one phase for all.

    `parts`: minutes of baseline, massage and recovery; what comes after them is left out. That one phase is the massage, which
    in a session of rest is the rest. Raises `RefusedError` where the file has phases itself, or the parts are longer than it.
    """
    last_s = events[-1].t if events else 0.0
    phased = any(isinstance(event, PhaseStart) and event.phase is not Phase.ENDED for event in events)
    if parts is None:
        borders = [] if phased else [PhaseStart(0.0, Phase.MASSAGE)]
        ended = any(isinstance(event, PhaseStart) and event.phase is Phase.ENDED for event in events)
        return [*borders, *events, *([] if ended else [PhaseStart(last_s, Phase.ENDED)])]
    if phased:
        raise RefusedError("The file has phases of its own: they stay as they are.")
    end_s = sum(parts) * 60
    if end_s > last_s + 1:
        raise RefusedError(f"The parts are {sum(parts):g} min long, and the file {last_s / 60:.1f} min. Make them shorter.")
    end_s = min(end_s, last_s)
    starts = (
        (0.0, Phase.BASELINE),
        (parts[0] * 60, Phase.MASSAGE),
        ((parts[0] + parts[1]) * 60, Phase.RECOVERY),
        (end_s, Phase.ENDED),
    )
    borders = [PhaseStart(min(t, end_s), phase) for t, phase in starts if phase is not Phase.RECOVERY or parts[2]]
    inside = [event for event in events if event.t <= end_s and not isinstance(event, PhaseStart)]
    return sorted([*borders[:-1], *inside], key=lambda event: event.t) + borders[-1:]

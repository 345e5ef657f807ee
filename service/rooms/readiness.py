"""Readiness of a strap while a session settles: five checks that turn green without anybody acting on the page."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ...analysis.beats.beat_stream import JudgedBeat
from ...analysis.live.live_session import LiveFigures
from .messages import ReadyCheck, RoomState

WINDOW_S: Final = 30.0
LEAST_ACCEPTED_PCT: Final = 95.0
_WHOLE_S: Final = 27.0
"""Total of RR intervals that the window must hold, in s; less than `WINDOW_S` as the newest beat may not have arrived yet."""
_BATTERY_LOW_PCT: Final = 15
_ARRIVING: Final = frozenset({"good", "poor", "hr-only"})
_NOT_THEIRS: Final = "Another client wore it last. Look whose chest it is on; if the name is wrong, press Change client."
"""Names nobody, as the client may read the screen too."""
_MOISTEN: Final = "Moisten the strap and pull it a little tighter."


@dataclass(slots=True)
class RecentBeats:
    """Judged beats of the last 30 s."""

    _beats: deque[tuple[float, float, bool]] = field(default_factory=deque)

    def push(self, beats: Sequence[JudgedBeat]) -> None:
        """Add judged beats, in order of time."""
        for beat in beats:
            self._beats.append((beat.end_s, beat.rr_ms, beat.accepted))
            self._forget(beat.end_s)

    def coverage(self, now_s: float) -> tuple[float, float | None]:
        """Return how many s of the last 30 the intervals fill, and the accepted beats in percent, None without a beat."""
        self._forget(now_s)
        if not self._beats:
            return 0.0, None
        filled_s = sum(rr_ms for _, rr_ms, _ in self._beats) / 1000
        return min(filled_s, WINDOW_S), 100 * sum(accepted for *_, accepted in self._beats) / len(self._beats)

    def _forget(self, now_s: float) -> None:
        while self._beats and self._beats[0][0] <= now_s - WINDOW_S:
            self._beats.popleft()


def readiness(
    state: RoomState, figures: LiveFigures, coverage: tuple[float, float | None], *, wearer: str | None, crowded: bool
) -> list[ReadyCheck]:
    """Return the five checks.

    `coverage` is that of `RecentBeats`, `wearer` the client who wore the strap last, `crowded` whether two straps send at once.
    """
    arriving = state.signal in _ARRIVING
    return [
        _packets(state, arriving=arriving),
        _rr(figures, arriving=arriving),
        _beats(coverage, arriving=arriving and figures.rr_seen),
        _battery(state.battery_pct, arriving=arriving),
        _strap(state.client, wearer, crowded=crowded),
    ]


def _packets(state: RoomState, *, arriving: bool) -> ReadyCheck:
    if arriving:
        return ReadyCheck("packets", "Packets arrive", True)
    return ReadyCheck("packets", state.signal_text, False, state.hint or "Moisten the strap, put it on, and come closer.")


def _rr(figures: LiveFigures, *, arriving: bool) -> ReadyCheck:
    if figures.heart_rate_only:
        return ReadyCheck("rr", "Heart rate only", False, "This sensor gives no HRV: take a chest strap for it.")
    if figures.no_heartbeat:
        return ReadyCheck("rr", "No heartbeat yet", False, _MOISTEN)
    if not arriving or not figures.rr_seen:
        return ReadyCheck("rr", "No RR intervals yet", False, "They come with the first heartbeats: wait, or moisten the strap.")
    if figures.beats_missing:
        return ReadyCheck("rr", "RR intervals stopped", False, "Moisten the strap; if it stays so, take it off and on again.")
    return ReadyCheck("rr", "RR intervals arrive", True)


def _beats(coverage: tuple[float, float | None], *, arriving: bool) -> ReadyCheck:
    filled_s, accepted_pct = coverage
    if not arriving or accepted_pct is None:
        return ReadyCheck("beats", "No beats yet", False, "They are judged as soon as they come.")
    if accepted_pct < LEAST_ACCEPTED_PCT:
        return ReadyCheck("beats", f"{int(accepted_pct)} % of beats used", False, f"{_MOISTEN} 95 % over 30 s are wanted.")
    if filled_s < _WHOLE_S:
        return ReadyCheck("beats", f"{int(filled_s)} of 30 s heard", False, "Lie still: this fills by itself.")
    return ReadyCheck("beats", f"{int(accepted_pct)} % of beats used", True)


def _battery(battery_pct: int | None, *, arriving: bool) -> ReadyCheck:
    if battery_pct is None:
        if not arriving:
            return ReadyCheck("battery", "Battery not known yet", False, "The strap tells it once it is connected.")
        return ReadyCheck("battery", "Battery: not told", True)
    if battery_pct <= _BATTERY_LOW_PCT:
        return ReadyCheck("battery", f"Battery {battery_pct} %", False, "Change the battery now, or take another strap.")
    return ReadyCheck("battery", f"Battery {battery_pct} %", True)


def _strap(client: str | None, wearer: str | None, *, crowded: bool) -> ReadyCheck:
    if crowded:
        return ReadyCheck("strap", "Two straps on one signal", False, "Take the second strap away.")
    if client is None:
        return ReadyCheck("strap", "Strap of nobody named", True)
    if wearer not in {None, client}:
        return ReadyCheck("strap", "Another client’s strap", False, _NOT_THEIRS)
    return ReadyCheck("strap", f"Strap of {client}", True)

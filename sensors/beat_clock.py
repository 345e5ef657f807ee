"""Rebuilds when each beat ended from the sum of RR intervals; arrival times only anchor the sum and find the holes in it.

A strap tells how long the beats were, not when they were. The end of the last beat in a packet lies between 0 and about one
RR before its arrival: this `lag` stays in that band for as long as every beat arrives. Lost beats lift it for good, late
packets lift it until the batch has come in, doubled packets push it below zero. So:

* a lag below zero moves the anchor back (the first packets were late, not these early);
* a lag that stays above its band over `patience` packets at the usual cadence is a gap: beats were lost;
* a payload that repeats at once, with no batch outstanding, is a doubled notification (bleak #2002);
* an anchor that is moved back again and again tells that there are more beats than time: two straps on one stream.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import Self

from .model import RR_UNIT_S, Beat

_PATIENCE = 3
_STALL_S = 0.5
"""A stall of this computer, in wall time, that makes no gap."""
_HOLE = 1.6
"""Arrivals this many cadences apart make a loss likely."""
_BURST = 0.6
"""Packets closer together than this many cadences belong to one late batch."""
_DOUBLE_S, _DOUBLE_AHEAD_S, _DOUBLE_LATEST_S = 0.15, 0.25, 0.6
_DRIFT = 2e-4
"""Largest drift of a strap's clock against ours that is followed, s a s."""
_BAND_LATEST = 1.25
"""A lag above this many RR (or cadences) means that a late batch is outstanding."""
_SHORTEST_RR, _LONGEST_RR = 256, 2560
"""Of what is plausible, in 1/1024 s."""
_SHORT_HOLE = 6.5
"""RR intervals up to which a hole is counted in whole beats."""
_SILENT_S = 3.0
"""A hole this long at the end, or in a stream without RR, is lost time."""
_CROWDED_S, _UNCROWDED_S, _MOST_AHEAD_S = 2.5, 1.0, 7.0
"""Ahead of time by this much a stream is crowded; below the second no more; more than the third is not counted."""
_SETTLING_S, _CROWDED_EARLY_S = 30.0, 6.0
"""So long after the anchor was set, and then by so much: the first packets of a strap may be 3-4 s old (polar-ble-sdk #227)."""
_FORGIVEN = 0.25
"""Of it is forgotten, s a s."""
_LEAST_CADENCE_S, _GREATEST_CADENCE_S = 0.3, 2.0
_NEVER_LATE_S = _LEAST_CADENCE_S + 1.0
"""A lag up to which no packet waits, unless there is a hole before it."""
_USUAL_S = 0.7
"""Where most of the last intervals are longer, one of 1.6 times this is no hole, whatever their median."""


@dataclass(slots=True)
class BeatClock:
    """Push packets in order of arrival, get beats on the session's clock; counts what was doubled, missing and lost."""

    patience: int = _PATIENCE
    """Packets at the usual cadence after which a lag that has not fallen is a gap."""
    stall_s: float = _STALL_S
    """A stall of this computer, in session time: packets may look so much late."""
    packets: int = 0
    beats: int = 0
    gaps: int = 0
    duplicate_packets: int = 0
    late_batches: int = 0
    """Times that packets came late, all at once and complete."""
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    rr_sum_s: float = 0.0
    """Of all beats placed; against `rr_time_s` it tells whether the intervals fill the time."""
    crowded: bool = False
    """There are more beats than time: two straps on one stream."""
    last_t: float | None = None
    """Arrival of the last packet."""
    _offset: float = 0.0
    _last_end: float | None = None
    _newest: float = float("-inf")
    """End of the newest beat; a moved anchor never lets the ends run backwards."""
    _broken: bool = False
    _last_payload: bytes = b""
    _rr: deque[float] = field(default_factory=lambda: deque(maxlen=9))
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    _held: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    _left: int = 0
    _hole: bool = False
    """Packets are likely to be missing since the last beat; an empty packet behind the hole does not tell."""
    _ahead_s: float = 0.0
    _anchored_t: float = 0.0
    _from_t: float | None = None
    _to_t: float = 0.0
    _bridged_s: float = 0.0

    @property
    def rr_time_s(self) -> float:
        """The time that the beats should fill: from the first to the last packet with RR, without the gaps between."""
        return 0.0 if self._from_t is None else max(self._to_t - self._from_t - self._bridged_s, 0.0)

    @classmethod
    def at_speed(cls, speed: float) -> Self:
        """A clock for packets stamped while the session ran `speed` times as fast as time: a stall looks that much longer."""
        return cls(patience=max(_PATIENCE, ceil(_STALL_S * speed)), stall_s=_STALL_S * max(speed, 1.0))

    def push(self, t: float, payload: bytes, rr_1024: tuple[int, ...]) -> list[Beat]:
        """Take a packet that arrived at `t` (s); gives the beats whose place is now certain, oldest first."""
        self.packets += 1
        since = None if self.last_t is None else t - self.last_t
        if since is not None and self._doubled(t, since, payload, rr_1024):
            self.duplicate_packets += 1
            return []
        cadence = self._cadence()
        if since is not None:
            self._intervals.append(since)
            if not rr_1024 and self._last_end is None and since > _SILENT_S:
                self._lose(since)
            self._forgive(since)
        self.last_t, self._last_payload = t, payload
        if self._broken and rr_1024:
            self._held.append((t, rr_1024))
            return self._release(gap=self._last_end is not None)
        if self._last_end is None:
            if not rr_1024:
                return []
            self._offset, self._anchored_t = t - _sum_s(rr_1024), t
            return self._place([(t, rr_1024)], gap=False)
        if self._held:
            return self._wait(t, rr_1024, resumed=since is None or since >= _BURST * cadence)
        self._hole = self._hole or (since is not None and since >= _HOLE * cadence)
        if not rr_1024:
            return []
        lag = t - self._offset - _sum_s(rr_1024)
        hole, self._hole = self._hole, False
        if (hole or lag > _NEVER_LATE_S) and lag > (self._band() if hole else max(self._typical_rr(), cadence) + 1.0):
            self._held, self._left = [(t, rr_1024)], self.patience
            return []
        self._offset += min(max(lag, 0.0), _DRIFT * (since or 0.0))
        return self._place([(t, rr_1024)], gap=False)

    def push_run(
        self, times: Sequence[float], payloads: Sequence[bytes], rr_1024: Sequence[tuple[int, ...]]
    ) -> tuple[int, list[float]]:
        """Take packets exactly as `push` does, for as long as none needs a second thought: a third of the time.

        Gives how many were taken, and the end of each of their beats in s; no gap is before any of them.
        """
        if self._broken or self._held or self._hole or self.crowded or self._last_end is None or self.last_t is None:
            return 0, []
        intervals, recent, last_t, last_payload = self._intervals, self._rr, self.last_t, self._last_payload
        offset, newest, ahead_s, to_t = self._offset, self._newest, self._ahead_s, self._to_t
        taken, whole, short, ends = 0, 0, sum(interval < _USUAL_S for interval in intervals), list[float]()
        for t, payload, rr in zip(times, payloads, rr_1024, strict=True):
            since, units = t - last_t, sum(rr)
            if since < 0.0 or (since < _DOUBLE_LATEST_S and payload == last_payload):
                break
            if (since >= _HOLE * _USUAL_S or 2 * short >= len(intervals)) and since >= _HOLE * self._cadence():
                break
            lag = t - offset - units * RR_UNIT_S
            ahead, drift = ahead_s - _FORGIVEN * since, _DRIFT * since
            ahead = max(ahead, 0.0)
            if rr:
                if lag > _NEVER_LATE_S:
                    break
                anchor = offset + (drift if lag > drift else max(0.0, lag))
                early = anchor + units * RR_UNIT_S - t
                if early > 0.0:
                    anchor -= early
                    if all(map(_plausible, rr)):
                        ahead += early
                    if ahead > self.stall_s:
                        break
                offset, to_t, whole = anchor, t, whole + units
                for one in rr:
                    offset += one * RR_UNIT_S
                    newest = max(newest, offset)
                    ends.append(newest)
                    if _SHORTEST_RR <= one <= _LONGEST_RR:
                        recent.append(one * RR_UNIT_S)
            if len(intervals) == intervals.maxlen:
                short -= intervals[0] < _USUAL_S
            short += since < _USUAL_S
            intervals.append(since)
            last_t, last_payload, ahead_s = t, payload, ahead
            taken += 1
        self.packets += taken
        self.beats += len(ends)
        self.last_t, self._last_payload, self._ahead_s = last_t, last_payload, ahead_s
        self._offset, self._newest, self._to_t = offset, newest, to_t
        self._last_end, self.rr_sum_s = offset, self.rr_sum_s + whole * RR_UNIT_S
        return taken, ends

    def broken(self) -> list[Beat]:
        """The connection was lost, or the session cut off: whatever comes next does not continue what came before."""
        beats = self._release(gap=True) if self._held else []
        self._broken = True
        return beats

    def flush(self, t: float) -> list[Beat]:
        """The session ended at `t`: decide what is held, and count the silence at the end as lost."""
        beats = self._release(gap=True) if self._held else []
        heard = self._last_end if self._last_end is not None else self.last_t
        if heard is not None and t - heard > _SILENT_S:
            self._lose(t - heard)
        return beats

    def _doubled(self, t: float, since: float, payload: bytes, rr_1024: tuple[int, ...]) -> bool:
        if payload != self._last_payload or since >= _DOUBLE_LATEST_S:
            return False
        if not rr_1024 or self._last_end is None:
            return since < _DOUBLE_S
        lag = t - self._offset - sum(_sum_s(rr) for _, rr in self._held)
        if since < _DOUBLE_S and lag <= _BAND_LATEST * max(self._typical_rr(), self._cadence()):
            return True
        return lag - _sum_s(rr_1024) < -_DOUBLE_AHEAD_S

    def _wait(self, t: float, rr_1024: tuple[int, ...], *, resumed: bool) -> list[Beat]:
        if rr_1024:
            self._held.append((t, rr_1024))
            if t - self._offset - sum(_sum_s(rr) for _, rr in self._held) <= self._band():
                self.late_batches += 1
                return self._release(gap=False)
        self._left -= resumed
        return self._release(gap=True) if self._left <= 0 else []

    def _release(self, *, gap: bool) -> list[Beat]:
        held, self._held = self._held, []
        if gap and held and self._last_end is not None:
            lost = self._missing_s(held)
            self._lose(lost)
            self._bridged_s += lost
            self._offset += lost
            self._anchored_t = held[-1][0]
        elif self._broken and held:
            self._offset, self._anchored_t = held[0][0] - _sum_s(held[0][1]), held[0][0]
        self._broken = False
        return self._place(held, gap=gap)

    def _place(self, held: list[tuple[float, tuple[int, ...]]], *, gap: bool) -> list[Beat]:
        out: list[Beat] = []
        for t, rr_1024 in held:
            ahead = self._offset + _sum_s(rr_1024) - t
            if ahead > 0:
                self._offset -= ahead
                if all(_plausible(rr) for rr in rr_1024):
                    self._ahead_s = min(self._ahead_s + ahead, _MOST_AHEAD_S + self.stall_s)
                settling = t - self._anchored_t < _SETTLING_S
                self.crowded = self.crowded or self._ahead_s > (_CROWDED_EARLY_S if settling else _CROWDED_S) + self.stall_s
                # of a settled strap: it may be the other strap's, whose beats are no neighbours of ours
                gap = gap or (not settling and self._ahead_s > self.stall_s)
            if rr_1024:
                self._from_t = t - _sum_s(rr_1024) if self._from_t is None else self._from_t
                self._to_t, self.rr_sum_s = t, self.rr_sum_s + _sum_s(rr_1024)
            for rr in rr_1024:
                self._offset += rr * RR_UNIT_S
                self._newest = max(self._newest, self._offset)
                out.append(Beat(self.beats, self._newest, rr, gap_before=gap))
                self.beats += 1
                gap = False
                if _plausible(rr):
                    self._rr.append(rr * RR_UNIT_S)
        self._last_end = self._offset
        return out

    def _missing_s(self, held: list[tuple[float, tuple[int, ...]]]) -> float:
        """Seconds of beats missing before `held`: what leaves every lag within one RR, in a short hole in whole beats."""
        ahead, lags = self._offset, []
        for t, rr_1024 in held:
            ahead += _sum_s(rr_1024)
            lags.append(t - ahead)
        rr = self._typical_rr()
        lost = max((min(max(lags) - min(rr, self._cadence()), *lags) + min(lags)) / 2, 0.0)
        return max(round(lost / rr), 1) * rr if lost < _SHORT_HOLE * rr else lost

    def _lose(self, seconds: float) -> None:
        self.gaps += 1
        self.lost_s += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)

    def _forgive(self, seconds: float) -> None:
        self._ahead_s = max(self._ahead_s - _FORGIVEN * seconds, 0.0)
        self.crowded = self.crowded and self._ahead_s >= _UNCROWDED_S + self.stall_s

    def _band(self) -> float:
        return 0.85 * self._typical_rr()

    def _typical_rr(self) -> float:
        return median(self._rr) if self._rr else 0.8

    def _cadence(self) -> float:
        return min(max(median(self._intervals), _LEAST_CADENCE_S), _GREATEST_CADENCE_S) if self._intervals else 1.0


def _plausible(rr_1024: int) -> bool:
    return _SHORTEST_RR <= rr_1024 <= _LONGEST_RR


def _sum_s(rr_1024: tuple[int, ...]) -> float:
    return sum(rr_1024) * RR_UNIT_S

"""Reconstruction of beat times from the sum of RR intervals; arrival times only anchor the sum and reveal gaps in it.

A strap reports how long the beats were, not when they occurred. The end of the last beat in a packet lies between 0 and about
one RR before the packet's arrival; this `lag` stays in that band as long as every beat arrives. Lost beats raise it for good,
late packets raise it until the batch is complete, doubled packets push it below zero. So:

* a lag below zero moves the anchor back (the first packets were late, rather than these early);
* a lag that stays above its band for `patience` packets at the normal cadence is a gap: beats were lost;
* a payload that repeats at once, with no batch outstanding, is a doubled notification (bleak #2002);
* an anchor that has to be moved back again and again means more beats than time: two straps on one stream.
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
"""A stall of this computer, in s of wall time, that is not taken for a gap."""
_HOLE_CADENCES = 1.6
"""An interval between packets of this many cadences makes a loss likely."""
_BURST_CADENCES = 0.6
"""Packets closer together than this many cadences belong to one late batch."""
_DOUBLE_S, _DOUBLE_AHEAD_S, _DOUBLE_LATEST_S = 0.15, 0.25, 0.6
_DRIFT = 2e-4
"""Largest drift of a strap's clock against ours that is followed, in s per s."""
_LATE_LAG = 1.25
"""A lag above this many RR (or cadences) means that a late batch is outstanding."""
_SHORTEST_RR, _LONGEST_RR = 256, 2560
"""Plausible RR intervals, in 1/1024 s."""
_SHORT_HOLE_RR = 6.5
"""Length of a gap, in RR intervals, up to which it is rounded to whole beats."""
_SILENT_S = 3.0
"""A silence this long, in s, at the end or in a stream without RR is counted as a gap."""
_CROWDED_S, _UNCROWDED_S, _MOST_AHEAD_S = 2.5, 1.0, 7.0
"""Seconds ahead of time: above the first a stream is crowded, below the second no longer; the third is the maximum kept."""
_SETTLING_S, _CROWDED_EARLY_S = 30.0, 6.0
"""In the first 30 s after the anchor was set, the limit is 6 s: first packets may be 3-4 s old (polar-ble-sdk #227)."""
_AHEAD_DECAY = 0.25
"""Rate at which the time ahead decays, in s per s."""
_LEAST_CADENCE_S, _GREATEST_CADENCE_S = 0.3, 2.0
_NEVER_LATE_S = _LEAST_CADENCE_S + 1.0
"""Lag in s up to which a packet is placed at once, unless a hole precedes it."""
_LONG_INTERVAL_S = 0.7
"""Where most recent intervals are longer than this, in s, one of 1.6 times this is no hole, whatever their median."""


@dataclass(slots=True)
class BeatClock:
    """Turns packets, in order of arrival, into beats on the session's clock, and counts duplicates, gaps and lost time."""

    patience: int = _PATIENCE
    """Packets at the normal cadence after which a lag that has not fallen is a gap."""
    stall_s: float = _STALL_S
    """A stall of this computer, in s of session time, by which packets may seem late."""
    packets: int = 0
    beats: int = 0
    gaps: int = 0
    duplicate_packets: int = 0
    late_batches: int = 0
    """Number of times that packets arrived late, all at once and complete."""
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    rr_sum_s: float = 0.0
    """Sum of the RR intervals of all beats; compared with `rr_time_s` it shows whether they fill the time."""
    crowded: bool = False
    """Whether there are more beats than time, as with two straps on one stream."""
    last_t: float | None = None
    """Arrival of the last packet, in s."""
    _offset: float = 0.0
    _last_end: float | None = None
    _newest: float = float("-inf")
    """Latest end of a beat: keeps the ends from running backwards when the anchor moves back."""
    _connection_lost: bool = False
    _last_payload: bytes = b""
    _rr: deque[float] = field(default_factory=lambda: deque(maxlen=9))
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    _pending: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    _packets_left: int = 0
    _hole: bool = False
    """Whether packets are probably missing since the last beat; a packet without RR after the hole does not settle it."""
    _ahead_s: float = 0.0
    _anchored_t: float = 0.0
    _from_t: float | None = None
    _to_t: float = 0.0
    _bridged_s: float = 0.0

    @property
    def rr_time_s(self) -> float:
        """The time that the beats should fill, in s: from the first to the last packet with RR, without the gaps."""
        return 0.0 if self._from_t is None else max(self._to_t - self._from_t - self._bridged_s, 0.0)

    @classmethod
    def at_speed(cls, speed: float) -> Self:
        """Return a clock for packets stamped at `speed` session seconds per wall second, where a stall looks that much longer."""
        return cls(patience=max(_PATIENCE, ceil(_STALL_S * speed)), stall_s=_STALL_S * max(speed, 1.0))

    def push(self, t: float, payload: bytes, rr_1024: tuple[int, ...]) -> list[Beat]:
        """Take a packet that arrived at `t` (s); return the beats whose times are now certain, oldest first."""
        self.packets += 1
        since = None if self.last_t is None else t - self.last_t
        if since is not None and self._doubled(t, since, payload, rr_1024):
            self.duplicate_packets += 1
            return []
        cadence = self._cadence()
        if since is not None:
            self._intervals.append(since)
            if not rr_1024 and self._last_end is None and since > _SILENT_S:
                self._count_gap(since)
            self._decay_ahead(since)
        self.last_t, self._last_payload = t, payload
        if self._connection_lost and rr_1024:
            self._pending.append((t, rr_1024))
            return self._release(gap=self._last_end is not None)
        if self._last_end is None:
            if not rr_1024:
                return []
            self._offset, self._anchored_t = t - _sum_s(rr_1024), t
            return self._place([(t, rr_1024)], gap=False)
        if self._pending:
            return self._add_pending(t, rr_1024, resumed=since is None or since >= _BURST_CADENCES * cadence)
        self._hole = self._hole or (since is not None and since >= _HOLE_CADENCES * cadence)
        if not rr_1024:
            return []
        lag = t - self._offset - _sum_s(rr_1024)
        hole, self._hole = self._hole, False
        if (hole or lag > _NEVER_LATE_S) and lag > (self._lag_limit_s() if hole else max(self._typical_rr(), cadence) + 1.0):
            self._pending, self._packets_left = [(t, rr_1024)], self.patience
            return []
        self._offset += min(max(lag, 0.0), _DRIFT * (since or 0.0))
        return self._place([(t, rr_1024)], gap=False)

    def push_run(
        self, times: Sequence[float], payloads: Sequence[bytes], rr_1024: Sequence[tuple[int, ...]]
    ) -> tuple[int, list[float]]:
        """Take packets exactly as `push` does, in a third of the time, up to the first that is not straightforward.

        Return the number of packets taken, and the end of each of their beats in s; none has a gap before it.
        """
        if self._connection_lost or self._pending or self._hole or self.crowded or self._last_end is None or self.last_t is None:
            return 0, []
        intervals, recent, last_t, last_payload = self._intervals, self._rr, self.last_t, self._last_payload
        offset, newest, ahead_s, to_t = self._offset, self._newest, self._ahead_s, self._to_t
        count, whole, short, ends = 0, 0, sum(interval < _LONG_INTERVAL_S for interval in intervals), list[float]()
        for t, payload, rr in zip(times, payloads, rr_1024, strict=True):
            since, units = t - last_t, sum(rr)
            if since < 0.0 or (since < _DOUBLE_LATEST_S and payload == last_payload):
                break
            long = since >= _HOLE_CADENCES * _LONG_INTERVAL_S or 2 * short >= len(intervals)
            if long and since >= _HOLE_CADENCES * self._cadence():
                break
            lag = t - offset - units * RR_UNIT_S
            ahead, drift = ahead_s - _AHEAD_DECAY * since, _DRIFT * since
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
                for rr_interval in rr:
                    offset += rr_interval * RR_UNIT_S
                    newest = max(newest, offset)
                    ends.append(newest)
                    if _SHORTEST_RR <= rr_interval <= _LONGEST_RR:
                        recent.append(rr_interval * RR_UNIT_S)
            if len(intervals) == intervals.maxlen:
                short -= intervals[0] < _LONG_INTERVAL_S
            short += since < _LONG_INTERVAL_S
            intervals.append(since)
            last_t, last_payload, ahead_s = t, payload, ahead
            count += 1
        self.packets += count
        self.beats += len(ends)
        self.last_t, self._last_payload, self._ahead_s = last_t, last_payload, ahead_s
        self._offset, self._newest, self._to_t = offset, newest, to_t
        self._last_end, self.rr_sum_s = offset, self.rr_sum_s + whole * RR_UNIT_S
        return count, ends

    def connection_lost(self) -> list[Beat]:
        """Note a loss of the connection, or an interrupted session, and return the pending beats.

        The beats that follow do not continue those before.
        """
        beats = self._release(gap=True) if self._pending else []
        self._connection_lost = True
        return beats

    def flush(self, t: float) -> list[Beat]:
        """End the session at `t` (s): return the pending beats, and count a silence at the end as a gap."""
        beats = self._release(gap=True) if self._pending else []
        last_heard_s = self._last_end if self._last_end is not None else self.last_t
        if last_heard_s is not None and t - last_heard_s > _SILENT_S:
            self._count_gap(t - last_heard_s)
        return beats

    def _doubled(self, t: float, since: float, payload: bytes, rr_1024: tuple[int, ...]) -> bool:
        if payload != self._last_payload or since >= _DOUBLE_LATEST_S:
            return False
        if not rr_1024 or self._last_end is None:
            return since < _DOUBLE_S
        lag = t - self._offset - sum(_sum_s(rr) for _, rr in self._pending)
        if since < _DOUBLE_S and lag <= _LATE_LAG * max(self._typical_rr(), self._cadence()):
            return True
        return lag - _sum_s(rr_1024) < -_DOUBLE_AHEAD_S

    def _add_pending(self, t: float, rr_1024: tuple[int, ...], *, resumed: bool) -> list[Beat]:
        if rr_1024:
            self._pending.append((t, rr_1024))
            if t - self._offset - sum(_sum_s(rr) for _, rr in self._pending) <= self._lag_limit_s():
                self.late_batches += 1
                return self._release(gap=False)
        self._packets_left -= resumed
        return self._release(gap=True) if self._packets_left <= 0 else []

    def _release(self, *, gap: bool) -> list[Beat]:
        pending, self._pending = self._pending, []
        if gap and pending and self._last_end is not None:
            missing_s = self._missing_s(pending)
            self._count_gap(missing_s)
            self._bridged_s += missing_s
            self._offset += missing_s
            self._anchored_t = pending[-1][0]
        elif self._connection_lost and pending:
            self._offset, self._anchored_t = pending[0][0] - _sum_s(pending[0][1]), pending[0][0]
        self._connection_lost = False
        return self._place(pending, gap=gap)

    def _place(self, pending: list[tuple[float, tuple[int, ...]]], *, gap: bool) -> list[Beat]:
        out: list[Beat] = []
        for t, rr_1024 in pending:
            ahead = self._offset + _sum_s(rr_1024) - t
            if ahead > 0:
                self._offset -= ahead
                if all(_plausible(rr) for rr in rr_1024):
                    self._ahead_s = min(self._ahead_s + ahead, _MOST_AHEAD_S + self.stall_s)
                settling = t - self._anchored_t < _SETTLING_S
                self.crowded = self.crowded or self._ahead_s > (_CROWDED_EARLY_S if settling else _CROWDED_S) + self.stall_s
                # after settling, this may be the other strap's packet, whose beats do not continue ours
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

    def _missing_s(self, pending: list[tuple[float, tuple[int, ...]]]) -> float:
        """Return the time missing before `pending`, in s: it leaves every lag within one RR; a short gap is whole beats."""
        ahead, lags = self._offset, []
        for t, rr_1024 in pending:
            ahead += _sum_s(rr_1024)
            lags.append(t - ahead)
        rr = self._typical_rr()
        missing_s = max((min(max(lags) - min(rr, self._cadence()), *lags) + min(lags)) / 2, 0.0)
        return max(round(missing_s / rr), 1) * rr if missing_s < _SHORT_HOLE_RR * rr else missing_s

    def _count_gap(self, seconds: float) -> None:
        self.gaps += 1
        self.lost_s += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)

    def _decay_ahead(self, seconds: float) -> None:
        self._ahead_s = max(self._ahead_s - _AHEAD_DECAY * seconds, 0.0)
        self.crowded = self.crowded and self._ahead_s >= _UNCROWDED_S + self.stall_s

    def _lag_limit_s(self) -> float:
        return 0.85 * self._typical_rr()

    def _typical_rr(self) -> float:
        return median(self._rr) if self._rr else 0.8

    def _cadence(self) -> float:
        return min(max(median(self._intervals), _LEAST_CADENCE_S), _GREATEST_CADENCE_S) if self._intervals else 1.0


def _plausible(rr_1024: int) -> bool:
    return _SHORTEST_RR <= rr_1024 <= _LONGEST_RR


def _sum_s(rr_1024: tuple[int, ...]) -> float:
    return sum(rr_1024) * RR_UNIT_S

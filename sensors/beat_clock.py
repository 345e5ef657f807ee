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
_LONGEST_BURST_S = 3.0
"""Time in s that what a strap sends at once after a reconnect may take; after that it is its new cadence."""
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
_LEAST_CADENCE_S, _GREATEST_CADENCE_S = 0.3, 6.0
_JITTERS = 1.3
_LEAST_JITTER_S, _MOST_JITTER_S = 0.1, 0.7
"""Jitter of arrival that is allowed for: its multiple of the largest seen lately, and its limits in s."""
_NEVER_LATE_S = 0.375
"""Lag in s up to which a packet is placed at once, unless a hole precedes it: that of the fastest heart."""
_SHORT_OF_MS = 0.024
"""Share of the time by which intervals in ms fall short, which is allowed for while their unit is not decided."""
_MOST_BELATED_S = 40.0
"""Time in s of intervals whose ends are corrected when their unit becomes known; the lag of older ones was made up for."""
_MOST_UNPLACED = 10_000
_FEWEST_INTERVALS, _KEPT_INTERVALS = 3, 15
_LONGEST_RATIO = 1.1
"""How much longer than the longest of the last intervals the next may be before beats seem to be missing."""
_LONG_INTERVAL_S = 0.7
"""Where most recent intervals are longer than this, in s, one of 1.6 times this is no hole, whatever their median."""


@dataclass(slots=True)
class BeatClock:
    """Turns packets, in order of arrival, into beats on the session's clock, and counts duplicates, gaps and lost time."""

    patience: int = _PATIENCE
    """Packets at the normal cadence after which a lag that has not fallen is a gap."""
    unit_s: float = RR_UNIT_S
    """Unit of the intervals in s: 1/1024 by the standard; some sensors send ms."""
    stall_s: float = _STALL_S
    """A stall of this computer, in s of session time, by which packets may seem late."""
    packets: int = 0
    beats: int = 0
    gaps: int = 0
    duplicate_packets: int = 0
    unplaced_gaps_s: list[float] = field(default_factory=list)
    """Times of the gaps that no hole between packets explains, oldest first: the strap leaves beats out."""
    left_out_beats: int = 0
    """Number of beats sent after a reconnect for which there is no time."""
    late_batches: int = 0
    """Number of times that packets arrived late, all at once and complete."""
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
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
    _rr: deque[float] = field(default_factory=lambda: deque(maxlen=15))
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_INTERVALS))
    _pending: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    _refill: list[tuple[float, tuple[int, ...]]] = field(default_factory=list)
    """Packets since the connection came back, while they come faster than beats do."""
    _packets_left: int = 0
    _told: bool = True
    """Whether a hole between packets shows where the pending gap is; otherwise it may be within or after the first of them."""
    _hole: bool = False
    """Whether packets are probably missing since the last beat; a packet without RR after the hole does not settle it."""
    _usual_s: float = field(default=1.0, compare=False)
    """Median of the last intervals between packets, when it was last needed, in s."""
    _unit_decided: bool = False
    _earlier_sum_s: float = 0.0
    """Sum of the intervals of earlier straps."""
    _all_units: int = 0
    """Sum of all raw intervals."""
    _units: int = 0
    """Sum of the raw intervals since the last gap."""
    _ahead_s: float = 0.0
    _anchored_t: float = 0.0
    _from_t: float | None = None
    _to_t: float = 0.0
    _bridged_s: float = 0.0

    @property
    def rr_sum_s(self) -> float:
        """Sum of the RR intervals of all beats; compared with `rr_time_s` it shows whether they fill the time."""
        return self._earlier_sum_s + self._all_units * self.unit_s

    @property
    def rr_time_s(self) -> float:
        """The time that the beats should fill, in s: from the first to the last packet with RR, without the gaps."""
        return 0.0 if self._from_t is None else max(self._to_t - self._from_t - self._bridged_s, 0.0)

    @property
    def cadence_s(self) -> float:
        """Usual time between packets in s: the median of the last 15; 0 before there are three."""
        return self._usual_s if len(self._intervals) >= _FEWEST_INTERVALS else 0.0

    @classmethod
    def at_speed(cls, speed: float) -> Self:
        """Return a clock for packets stamped at `speed` session seconds per wall second, where a stall looks that much longer."""
        return cls(patience=max(_PATIENCE, ceil(_STALL_S * speed)), stall_s=_STALL_S * max(speed, 1.0))

    def push(self, t: float, payload: bytes, rr_1024: tuple[int, ...]) -> list[Beat]:
        """Take a packet that arrived at `t` (s); return the beats whose times are now certain, oldest first."""
        self.packets += 1
        since = None if self.last_t is None else t - self.last_t
        if since is not None and payload == self._last_payload and self._doubled(t, since, rr_1024):
            self.duplicate_packets += 1
            return []
        cadence = self._cadence()
        late_s = t - self._refill[0][0] - (self.stall_s - _STALL_S) if self._refill else 0.0
        if since is not None and self._refill and (since >= _BURST_CADENCES * cadence or late_s > _LONGEST_BURST_S):
            beats = self._release_refill()
        elif self._refill:
            self.last_t, self._last_payload = t, payload
            self._refill.append((t, rr_1024))
            return []
        else:
            beats = []
        return beats + self._next(t, since, cadence, payload, rr_1024)

    def _next(self, t: float, since: float | None, cadence: float, payload: bytes, rr_1024: tuple[int, ...]) -> list[Beat]:
        if since is not None:
            self._intervals.append(since)
            if not rr_1024 and self._last_end is None and since > max(_SILENT_S, 2 * self.cadence_s):
                self._count_gap(since)
            if self._ahead_s:
                self._decay_ahead(since)
        self.last_t, self._last_payload = t, payload
        if self._connection_lost and rr_1024:
            self._refill.append((t, rr_1024))
            return []
        if self._last_end is None:
            if not rr_1024:
                return []
            self._offset, self._anchored_t = t - self._sum_s(rr_1024), t
            return self._place([(t, rr_1024)], gap=False)
        stalled_s = self.stall_s - _STALL_S
        if self._pending and self._told and since is not None and since >= _HOLE_CADENCES * cadence + stalled_s:
            return self._after_hole(t, rr_1024, since, cadence)
        if self._pending:
            return self._add_pending(t, rr_1024, resumed=since is None or since >= _BURST_CADENCES * cadence)
        self._hole = self._hole or (since is not None and since >= _HOLE_CADENCES * cadence)
        return self._follow(t, rr_1024, since, cadence)

    def _after_hole(self, t: float, rr_1024: tuple[int, ...], since: float, cadence: float) -> list[Beat]:
        """Release the pending packets, as more are missing after them."""
        beats = self._release(gap=True)
        self._hole = True
        return beats + self._follow(t, rr_1024, since, cadence)

    def _follow(self, t: float, rr_1024: tuple[int, ...], since: float | None, cadence: float) -> list[Beat]:
        """Place a packet at once, or let it wait where beats seem to be missing before it."""
        if not rr_1024:
            return []
        lag = t - self._offset - self._sum_s(rr_1024)
        hole, self._hole = self._hole, False
        if lag > (self._lag_limit_s() if hole else self._shortest_limit_s()) and (
            hole or lag > self._longest_lag_s(cadence, rr_1024)
        ):
            self._pending, self._packets_left, self._told = [(t, rr_1024)], self.patience, hole
            return []
        self._offset += min(max(lag, 0.0), _DRIFT * (since or 0.0))
        return self._place([(t, rr_1024)], gap=False)

    def push_run(
        self, times: Sequence[float], payloads: Sequence[bytes], rr_1024: Sequence[tuple[int, ...]]
    ) -> tuple[int, list[float]]:
        """Take packets exactly as `push` does, in a third of the time, up to the first that is not straightforward.

        Return the number of packets taken, and the end of each of their beats in s; none has a gap before it.
        """
        if (
            self._connection_lost
            or self._refill
            or self._pending
            or self._hole
            or self.crowded
            or self._last_end is None
            or self.last_t is None
        ):
            return 0, []
        intervals, recent, last_t, last_payload = self._intervals, self._rr, self.last_t, self._last_payload
        unit_s, offset, newest, ahead_s, to_t = self.unit_s, self._offset, self._newest, self._ahead_s, self._to_t
        count, whole, short, ends = 0, 0, sum(interval < _LONG_INTERVAL_S for interval in intervals), list[float]()
        for t, payload, rr in zip(times, payloads, rr_1024, strict=True):
            since, units = t - last_t, sum(rr)
            if since < 0.0 or (since < _DOUBLE_LATEST_S and payload == last_payload):
                break
            long = since >= _HOLE_CADENCES * _LONG_INTERVAL_S or 2 * short >= len(intervals)
            if long and since >= _HOLE_CADENCES * self._cadence():
                break
            lag = t - offset - units * unit_s
            ahead, drift = ahead_s - _AHEAD_DECAY * since, _DRIFT * since
            ahead = max(ahead, 0.0)
            if rr:
                if lag > _NEVER_LATE_S and lag > _LONGEST_RATIO * max(recent, default=0.0) + _LEAST_JITTER_S:
                    break
                anchor = offset + (drift if lag > drift else max(0.0, lag))
                early = anchor + units * unit_s - t
                if early > 0.0:
                    anchor -= early
                    if all(map(_plausible, rr)):
                        ahead += early
                    if ahead > self.stall_s:
                        break
                offset, to_t, whole = anchor, t, whole + units
                for rr_interval in rr:
                    offset += rr_interval * unit_s
                    newest = max(newest, offset)
                    ends.append(newest)
                    if _SHORTEST_RR <= rr_interval <= _LONGEST_RR:
                        recent.append(rr_interval * unit_s)
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
        self._last_end, self._all_units, self._units = offset, self._all_units + whole, self._units + whole
        return count, ends

    def set_unit(self, unit_s: float, *, decided: bool) -> None:
        """Take the intervals to be in this unit (s), those since the last gap included; `decided`: it is no longer in doubt."""
        self._unit_decided = self._unit_decided or decided
        if unit_s != self.unit_s:
            shift_s = min(self._units * RR_UNIT_S, _MOST_BELATED_S) / RR_UNIT_S * (unit_s - self.unit_s)
            self._offset += shift_s
            self._last_end = None if self._last_end is None else self._offset
            self.unit_s = unit_s

    def connection_lost(self) -> list[Beat]:
        """Note a loss of the connection, or an interrupted session, and return the pending beats.

        The beats that follow do not continue those before.
        """
        beats = self._release_refill() if self._refill else self._release(gap=True) if self._pending else []
        self._connection_lost = True
        return beats

    def new_strap(self) -> None:
        """Forget the unit, cadence and intervals of a strap that was changed for another; `connection_lost` comes before it."""
        self._earlier_sum_s, self._all_units, self._units = self.rr_sum_s, 0, 0
        self.unit_s, self._unit_decided = RR_UNIT_S, False
        self.last_t, self._last_payload, self.crowded, self._ahead_s = None, b"", False, 0.0
        self._rr.clear()
        self._intervals.clear()

    def flush(self, t: float) -> list[Beat]:
        """End the session at `t` (s): return the pending beats, and count a silence at the end as a gap."""
        beats = self._release_refill() if self._refill else self._release(gap=True) if self._pending else []
        last_heard_s = self._last_end if self._last_end is not None else self.last_t
        if last_heard_s is not None and t - last_heard_s > _SILENT_S:
            self._count_gap(t - last_heard_s)
        return beats

    def _doubled(self, t: float, since: float, rr_1024: tuple[int, ...]) -> bool:
        """Return whether a packet with the payload of the last one is that one once more."""
        if since >= _DOUBLE_LATEST_S:
            return False
        if not rr_1024 or self._last_end is None:
            return since < _DOUBLE_S
        lag = t - self._offset - sum(self._sum_s(rr) for _, rr in self._pending)
        if since < _DOUBLE_S and lag <= _LATE_LAG * max(self._typical_rr(), self._cadence()):
            return True
        return lag - self._sum_s(rr_1024) < -_DOUBLE_AHEAD_S

    def _add_pending(self, t: float, rr_1024: tuple[int, ...], *, resumed: bool) -> list[Beat]:
        if rr_1024:
            self._pending.append((t, rr_1024))
            limit_s = self._lag_limit_s() if self._told else self._longest_rr(tuple(one for _, rr in self._pending for one in rr))
            if t - self._offset - sum(self._sum_s(rr) for _, rr in self._pending) <= limit_s:
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
            self._offset, self._anchored_t = pending[0][0] - self._sum_s(pending[0][1]), pending[0][0]
        self._connection_lost = False
        unsure, self._told = gap and not self._told, True
        return self._place(pending, gap=gap, unsure=unsure)

    def _place(self, pending: list[tuple[float, tuple[int, ...]]], *, gap: bool, unsure: bool = False) -> list[Beat]:
        """Return the beats of packets; `unsure`: the gap lies before, within or after the first of them."""
        out: list[Beat] = []
        for number, (t, rr_1024) in enumerate(pending):
            gap = gap or (unsure and number == 1)
            units = sum(rr_1024)
            ahead = self._offset + units * self.unit_s - t
            if ahead > 0:
                self._offset -= ahead
                if all(_plausible(rr) for rr in rr_1024):
                    self._ahead_s = min(self._ahead_s + ahead, _MOST_AHEAD_S + self.stall_s)
                settling = t - self._anchored_t < _SETTLING_S
                self.crowded = self.crowded or self._ahead_s > (_CROWDED_EARLY_S if settling else _CROWDED_S) + self.stall_s
                # after settling, this may be the other strap's packet, whose beats do not continue ours
                gap = gap or (not settling and self._ahead_s > self.stall_s)
            self._units = units + (0 if gap else self._units)
            if rr_1024:
                self._from_t = t - units * self.unit_s if self._from_t is None else self._from_t
                self._to_t, self._all_units = t, self._all_units + units
            for rr in rr_1024:
                self._offset += rr * self.unit_s
                self._newest = max(self._newest, self._offset)
                out.append(Beat(self.beats, self._newest, rr, gap_before=gap))
                if unsure and len(out) == 1:
                    self._note_unplaced(self._newest)
                self.beats += 1
                gap = unsure and number == 0
                if _plausible(rr):
                    self._rr.append(rr * self.unit_s)
        self._last_end = self._offset
        return out

    def _release_refill(self) -> list[Beat]:
        """Return the beats of the packets that came at once after a reconnect, the last of which ended when it arrived.

        A strap may send what it kept meanwhile: that fills the gap. What would overlap the time before it is left out.
        """
        refill, self._refill = self._refill, []
        if len(refill) == 1:
            self._pending = refill
            return self._release(gap=self._last_end is not None)
        self._connection_lost = False
        t = self._anchored_t = refill[-1][0]
        begin_s = t - sum(self._sum_s(rr) for _, rr in refill)
        if self._last_end is None:
            self._offset = begin_s
            return self._place(refill, gap=False)
        while refill and begin_s < self._last_end - self._typical_rr():
            at, rr_1024 = refill.pop(0)
            if rr_1024:
                begin_s += self._sum_s(rr_1024[:1])
                self.left_out_beats += 1
                refill.insert(0, (at, rr_1024[1:]))
        missing_s = max(begin_s - self._last_end, 0.0)
        if missing_s > _LATE_LAG * self._typical_rr():
            self._count_gap(missing_s)
        self._bridged_s += missing_s
        self._offset = begin_s
        return self._place(refill, gap=True)

    def _note_unplaced(self, t: float) -> None:
        self.unplaced_gaps_s.append(t)
        if len(self.unplaced_gaps_s) > _MOST_UNPLACED:
            del self.unplaced_gaps_s[: _MOST_UNPLACED // 2]

    def _missing_s(self, pending: list[tuple[float, tuple[int, ...]]]) -> float:
        """Return the time missing before `pending`, in s: it leaves every lag within one RR; a short gap is whole beats."""
        ahead, lags = self._offset, []
        for t, rr_1024 in pending:
            ahead += self._sum_s(rr_1024)
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

    def _sum_s(self, rr_1024: tuple[int, ...]) -> float:
        return sum(rr_1024) * self.unit_s

    def _shortest_limit_s(self) -> float:
        """Return a lag that `_longest_lag_s` exceeds in any case, for a fraction of its cost."""
        return _LONGEST_RATIO * self._rr[-1] + _LEAST_JITTER_S if self._rr else _NEVER_LATE_S

    def _longest_rr(self, rr_1024: tuple[int, ...]) -> float:
        """Return the longest of the last intervals and of these, in s."""
        return max(max(self._rr, default=0.8), *(rr * self.unit_s for rr in rr_1024 if _plausible(rr)), 0.0)

    def _longest_lag_s(self, cadence: float, rr_1024: tuple[int, ...]) -> float:
        """Return the lag that no packet exceeds while every beat arrives: the longest interval, and the jitter of packets."""
        jitter_s = max((abs(interval - cadence) for interval in self._intervals), default=0.0)
        jitter_s = min(max(_JITTERS * jitter_s, _LEAST_JITTER_S), _MOST_JITTER_S)
        doubted_s = 0.0 if self._unit_decided or self.last_t is None else min(self.last_t - self._anchored_t, _MOST_BELATED_S)
        longest_s = _LONGEST_RATIO * self._longest_rr(rr_1024) + _SHORT_OF_MS * max(doubted_s, 0.0)
        return longest_s + jitter_s + self.stall_s - _STALL_S

    def _typical_rr(self) -> float:
        return median(self._rr) if self._rr else 0.8

    def _cadence(self) -> float:
        if len(self._intervals) == _KEPT_INTERVALS:
            self._usual_s = sorted(self._intervals)[_KEPT_INTERVALS // 2]
        elif self._intervals:
            self._usual_s = median(self._intervals)
        return min(max(self._usual_s, _LEAST_CADENCE_S), _GREATEST_CADENCE_S)


def _plausible(rr_1024: int) -> bool:
    return _SHORTEST_RR <= rr_1024 <= _LONGEST_RR

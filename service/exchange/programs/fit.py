"""Garmin FIT import: RR intervals of `hrv` messages, heart rates of `record` messages, pauses, and beats of `hr` messages.

RR intervals have no time of their own in a FIT file: they precede the next time stamp (Garmin's description of the activity
file), so they are taken to arrive with it, and the beat clock detects lost beats. `hr` messages are what a strap kept in its own
memory, in water for example: times of beats in 1/1024 s. Parsed by fitdecode (pure Python, MIT).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
import io
from itertools import pairwise
from math import isfinite
from statistics import median, median_low
from typing import Any
import warnings

import fitdecode

from ....sensors.errors import RecordingError
from ....sensors.recordings.recording import ConnectionEvent, Recording
from ..packet_reconstruction import Arrival, ImportedFile, Interval, from_arrivals, from_intervals

_COARSE_S, _STAMP_S = 2.5, 1.0
"""Time stamps further apart than the first may hide lost beats between them; the second is the resolution of a stamp."""
_TICKS, _TURN = 1024, 4096
"""Parts of a second in which a strap's memory counts, and how many of them 12 bits hold."""
_LONGEST_MS = 3000.0
_MAX_DISTANCE = timedelta(days=3)
_PAUSES = {"stop", "stop_all", "stop_disable", "stop_disable_all"}


def read_fit(name: str, raw: bytes) -> Recording:
    """Read an activity; data before a damaged part is kept. Raises `RecordingError` where it holds no heartbeat."""
    imported = ImportedFile(name)
    messages = _Messages()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with fitdecode.FitReader(io.BytesIO(raw), error_handling=fitdecode.ErrorHandling.IGNORE) as reader:
                for message in reader:
                    if message.frame_type == fitdecode.FIT_FRAME_DATA:
                        messages.add(message)
        except Exception as error:  # a parser of foreign bytes may raise anything
            if not messages.stamped:
                raise RecordingError(f"{name} is no readable FIT file: {str(error)[:120] or type(error).__name__}.") from error
            imported.warnings.append(f"{name} is damaged or cut off ({str(error)[:120]}); what was whole is kept.")
    imported.warnings += [f"{name}: {str(each.message)[:160]}" for each in caught]
    began, arrivals, connections = messages.timeline()
    if messages.implausible:
        imported.warnings.append(
            f"{name}: time runs backwards or far ahead in {messages.implausible} messages; they are left out."
        )
    rr = any(arrival.rr_ms for arrival in arrivals)
    if not rr and (kept := messages.kept_beats()):
        imported.events = from_intervals(kept)
        return imported.recording("Garmin FIT", arrival="the beats' own times, from the strap's memory", began=began)
    imported.events = [*from_arrivals(arrivals), *connections]
    arrival = "the time stamps that follow the intervals, to the second" if rr else "the time stamps of the heart rates"
    return imported.recording("Garmin FIT", arrival=arrival, began=began)


_Stamped = tuple[datetime, tuple[float, ...], float | None]
"""Time stamp, the RR intervals in ms before it, heart rate in bpm."""


@dataclass(slots=True)
class _Messages:
    """Data of the messages, in their order."""

    stamped: list[_Stamped] = field(default_factory=list)
    paused: list[tuple[datetime, bool]] = field(default_factory=list)
    implausible: int = 0
    _waiting: list[float] = field(default_factory=list)
    _beats_s: list[float] = field(default_factory=list)

    def add(self, message: Any) -> None:
        """Add a data message."""
        if message.name == "hrv":
            intervals = message.get_value("time", fallback=None)
            values = intervals if isinstance(intervals, tuple | list) else (intervals,)
            self._waiting += [1000 * value for value in values if _is_number(value) and value > 0]
        elif message.name == "hr":
            self._add_kept(message)
        elif message.name in {"record", "event"}:
            moment = message.get_value("timestamp", fallback=None)
            if not isinstance(moment, datetime) or moment.tzinfo is None:
                return
            bpm = message.get_value("heart_rate", fallback=None) if message.name == "record" else None
            self.stamped.append((moment, tuple(self._waiting), bpm if _is_number(bpm) else None))
            self._waiting = []
            if message.name == "event" and message.get_value("event", fallback=None) == "timer":
                kind = message.get_value("event_type", fallback=None)
                if kind in _PAUSES or kind == "start":
                    self.paused.append((moment, kind == "start"))

    def _add_kept(self, message: Any) -> None:
        """Add the beats of a strap's memory: whole times first, then the lowest 12 bits of each, packed."""
        whole = message.get_value("event_timestamp", fallback=None)
        values = whole if isinstance(whole, tuple | list) else (whole,)
        self._beats_s += [float(value) for value in values if _is_number(value)]
        packed = message.get_value("event_timestamp_12", fallback=None)
        if not self._beats_s or not isinstance(packed, tuple | list | bytes):
            return
        octets = [int(octet) for octet in packed if _is_number(octet)]
        for low, middle, high in zip(octets[::3], octets[1::3], octets[2::3], strict=False):
            for ticks in (low | (middle & 0x0F) << 8, middle >> 4 | high << 4):
                last = round(self._beats_s[-1] * _TICKS)
                self._beats_s.append((last + (ticks - last) % _TURN) / _TICKS)

    def kept_beats(self) -> list[Interval]:
        """Return the intervals between the beats of a strap's memory; a long one holds missing beats and is a gap."""
        intervals: list[Interval] = []
        gap = False
        for before_s, after_s in pairwise(self._beats_s):
            rr_ms = 1000 * (after_s - before_s)
            if 0 < rr_ms <= _LONGEST_MS:
                intervals.append(Interval(after_s - self._beats_s[0], rr_ms, gap and bool(intervals)))
            gap = not 0 < rr_ms <= _LONGEST_MS
        return intervals

    def timeline(self) -> tuple[datetime | None, list[Arrival], list[ConnectionEvent]]:
        """Return the first time stamp, and arrivals and pauses in s from it; the first beat begins at 0."""
        stamped = self._plausible()
        if not stamped:
            return None, [], []
        first = stamped[0]
        began = first[0] - timedelta(milliseconds=sum(first[1]))
        typical_s = median([rr for _, intervals, _ in stamped for rr in intervals] or [0.0]) / 1000
        arrivals: list[Arrival] = []
        for moment, rr, bpm in stamped:
            t = (moment - began).total_seconds()
            since = t - arrivals[-1].t if arrivals else 0.0
            broken = since > _COARSE_S and since - sum(rr) / 1000 > _STAMP_S + 1.5 * typical_s
            arrivals.append(Arrival(t, rr, bpm, broken=broken and bool(rr)))
        if self._waiting:
            arrivals.append(Arrival(arrivals[-1].t + sum(self._waiting) / 1000, tuple(self._waiting)))
        paused = [((moment - began).total_seconds(), up) for moment, up in self.paused]
        connections = [ConnectionEvent(t, up=up) for t, up in paused if 0 <= t <= arrivals[-1].t]
        return began, arrivals, connections[1:] if connections and connections[0].up else connections

    def _plausible(self) -> list[_Stamped]:
        """Return the messages whose time stamps are in order and close to the others; a damaged stamp costs its message."""
        if not self.stamped:
            return []
        middle = median_low([moment for moment, _, _ in self.stamped])
        plausible: list[_Stamped] = []
        for one in self.stamped:
            if abs(one[0] - middle) <= _MAX_DISTANCE and (not plausible or one[0] >= plausible[-1][0]):
                plausible.append(one)
        self.implausible = len(self.stamped) - len(plausible)
        return plausible


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

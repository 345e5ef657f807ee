"""Garmin FIT, in: RR intervals of `hrv` messages, heart rate of `record` messages, pauses of the timer.

RR intervals have no time of their own in a FIT file: they came before the time stamp that follows them (Garmin's description of
the activity file), so they arrive with it, and the beat clock finds what is missing. Pure Python, MIT: fitdecode.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
import io
from math import isfinite
from statistics import median, median_low
from typing import Any
import warnings

import fitdecode

from ...sensors.errors import RecordingError
from ...sensors.recordings.recording import ConnectionEvent, Recording
from .packet_reconstruction import Arrival, Found, from_arrivals

_COARSE_S, _STAMP_S = 2.5, 1.0
"""Stamps further apart than the first may hide a hole among the intervals between them; the second is a stamp's resolution."""
_NEAR = timedelta(days=3)
_PAUSES = {"stop", "stop_all", "stop_disable", "stop_disable_all"}


def read_fit(name: str, raw: bytes) -> Recording:
    """Read an activity; what was whole before damage is kept. Raises `RecordingError` where no heart beat is in it."""
    found = Found(name)
    taken = _Taken()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            with fitdecode.FitReader(io.BytesIO(raw), error_handling=fitdecode.ErrorHandling.IGNORE) as messages:
                for message in messages:
                    if message.frame_type == fitdecode.FIT_FRAME_DATA:
                        taken.message(message)
        except Exception as error:  # a parser of foreign bytes may raise anything
            if not taken.stamped:
                raise RecordingError(f"{name} is no readable FIT file: {str(error)[:120] or type(error).__name__}.") from error
            found.warnings.append(f"{name} is damaged or cut off ({str(error)[:120]}); what was whole is kept.")
    found.warnings += [f"{name}: {str(each.message)[:160]}" for each in said]
    began, arrivals, changes = taken.placed()
    if taken.odd:
        found.warnings.append(f"{name}: time runs backwards or far ahead in {taken.odd} messages; they are left out.")
    found.events = [*from_arrivals(arrivals), *changes]
    rr = any(arrival.rr_ms for arrival in arrivals)
    told = "the time stamps that follow the intervals, to the second" if rr else "the time stamps of the heart rates"
    return found.recording("Garmin FIT", arrival=told, began=began)


_Stamped = tuple[datetime, tuple[float, ...], float | None]
"""When, the RR intervals in ms that came before, heart rate in bpm."""


@dataclass(slots=True)
class _Taken:
    """What the messages said, in their order."""

    stamped: list[_Stamped] = field(default_factory=list)
    paused: list[tuple[datetime, bool]] = field(default_factory=list)
    odd: int = 0
    _waiting: list[float] = field(default_factory=list)

    def message(self, message: Any) -> None:
        """Take a data message."""
        if message.name == "hrv":
            told = message.get_value("time", fallback=None)
            values = told if isinstance(told, tuple | list) else (told,)
            self._waiting += [1000 * value for value in values if _is_number(value) and value > 0]
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

    def placed(self) -> tuple[datetime | None, list[Arrival], list[ConnectionEvent]]:
        """The first moment, and everything in s from it on; the first beat begins at 0."""
        stamped = self._believed()
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
        changes = [ConnectionEvent(t, up=up) for t, up in paused if 0 <= t <= arrivals[-1].t]
        return began, arrivals, changes[1:] if changes and changes[0].up else changes

    def _believed(self) -> list[_Stamped]:
        """What is in order and near to the rest; a time stamp that is damaged costs its own message."""
        if not self.stamped:
            return []
        middle = median_low([moment for moment, _, _ in self.stamped])
        believed: list[_Stamped] = []
        for one in self.stamped:
            if abs(one[0] - middle) <= _NEAR and (not believed or one[0] >= believed[-1][0]):
                believed.append(one)
        self.odd = len(self.stamped) - len(believed)
        return believed


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)

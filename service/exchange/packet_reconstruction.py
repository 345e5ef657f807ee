"""Reconstruction of packets, as a strap would have sent them, from the intervals in another program's file.

A file holds the lengths of the beats, rarely when a packet arrived. So arrival times are constructed such that the beat clock
derives the same beats from them; the header says so. Where the file has lost beats, the recording's connection is lost.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...sensors.errors import RecordingError
from ...sensors.model import RR_UNIT_MS, Contact, Device, Measurement
from ...sensors.protocols.heart_rate import encode
from ...sensors.recordings.recording import HEART_RATE, ConnectionEvent, Event, Header, Packet, Recording

_LONGEST_S = 10 * 86_400.0
_AVERAGED_BEATS = 8
_ONE_PACKET_S = 0.3
"""Intervals whose time stamps are this close, in s, form one packet."""
_EXACT_S = 0.02
"""Times that differ from the sum of RR by no more than this (median, in s) are those of the beats themselves."""
_LOST_BEATS_S = 0.1
"""In that case a larger difference than this, in s, means lost beats."""


class Interval(NamedTuple):
    """An RR interval with the time of its end."""

    end_s: float
    rr_ms: float
    gap_before: bool = False
    doubted: bool = False
    """Whether it is no heartbeat, however plausible its length."""


class Series(NamedTuple):
    """Intervals with the times of their ends, as columns."""

    end_s: NDArray[np.float64]
    rr_ms: NDArray[np.float64]
    gap_before: NDArray[np.bool_]
    doubted: NDArray[np.bool_]

    def intervals(self) -> list[Interval]:
        """Return the same one by one."""
        return [Interval(*one) for one in zip(*(column.tolist() for column in self), strict=True)]


class Arrival(NamedTuple):
    """Data of a file under one time stamp."""

    t: float
    rr_ms: tuple[float, ...] = ()
    hr_bpm: float | None = None
    broken: bool = False
    """Whether beats are missing among these at an unknown place: then none counts as successor of another."""
    gap_before: bool = False
    doubted: bool = False
    """Whether these are no heartbeats."""


@dataclass(slots=True)
class ImportedFile:
    """Events and warnings read from a file."""

    name: str
    """Name of the file, for messages."""
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    source: dict[str, Any] | None = None
    """What the file was read as, and the evidence for it."""

    def recording(
        self,
        format_name: str,
        *,
        arrival: str,
        began: datetime | None = None,
        kind: str = "massage",
        began_local: str | None = None,
    ) -> Recording:
        """Return the recording; `arrival` says in words what its arrival times were derived from.

        Raises `RecordingError` where there is neither an RR interval nor a heart rate.
        """
        if not any(isinstance(event, Packet) for event in self.events):
            raise RecordingError(f"{self.name} holds no RR interval and no heart rate: there is nothing to play.")
        events = sorted(self.events, key=lambda event: event.t)
        if events[-1].t > _LONGEST_S:
            raise RecordingError(f"{self.name} spans more than 10 days: its times cannot be those of one session.")
        imported: dict[str, Any] = {"format": format_name, "arrival": arrival}
        if self.source:
            imported["source"] = self.source
        if began_local:
            imported["began_local"] = began_local
        if began:
            imported["began_utc"] = began.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        header = Header(
            device=Device(name=f"{format_name} file"),
            kind=kind,
            source=f"imported from {format_name}; arrival times reconstructed: {arrival}",
            extra={"imported": imported},
        )
        return Recording(header, tuple(events), tuple(self.warnings))


def from_intervals(intervals: Iterable[Interval]) -> list[Event]:
    """Return one packet per beat, arriving as the beat ends; the first after a gap half a beat later, as the clock expects it.

    An interval that no packet can hold leaves a gap.
    """
    events: list[Event] = []
    recent: deque[float] = deque(maxlen=_AVERAGED_BEATS)
    gap, end_s, t = False, 0.0, 0.0
    for one in intervals:
        rr_1024 = _ticks(one.rr_ms)
        gap = gap or (one.gap_before and bool(events))
        if rr_1024 is None:
            gap = bool(events)
            continue
        late_s = 0.0
        if gap:
            lost_s, back_s = max(end_s, t), max(one.end_s - one.rr_ms / 1000, end_s, t)
            events += [ConnectionEvent(round(lost_s, 6), up=False), ConnectionEvent(round(back_s, 6), up=True)]
            late_s = one.rr_ms / 2000
        gap, end_s = False, one.end_s
        t = round(max(one.end_s + late_s, t), 6)
        if one.rr_ms:
            recent.append(one.rr_ms)
        contact = Contact.NO if one.doubted else Contact.NOT_REPORTED
        events.append(_packet(t, _mean_bpm(recent), (rr_1024,), contact))
    return events


def from_arrivals(arrivals: Iterable[Arrival]) -> list[Event]:
    """Return one packet per time stamp, merging stamps that follow at once; the beat clock finds the gaps."""
    events: list[Event] = []
    recent: deque[float] = deque(maxlen=_AVERAGED_BEATS)
    gap, last_t = False, 0.0
    for one in _merged(arrivals):
        rr_1024 = tuple(ticks for rr in one.rr_ms if (ticks := _ticks(rr)) is not None)
        broken = one.broken or len(rr_1024) < len(one.rr_ms)
        gap = gap or one.gap_before
        recent.extend(rr for rr in one.rr_ms if rr > 0)
        hr_bpm = _mean_bpm(recent) if one.hr_bpm is None else min(max(round(one.hr_bpm), 0), 0xFFFF)
        packed = [(rr,) for rr in rr_1024] if broken else [rr_1024] if rr_1024 or one.hr_bpm else []
        for n, rr in enumerate(packed, 1):
            # spread out, as two equal packets at one time would count as a duplicate
            t = round(last_t + (one.t - last_t) * n / len(packed), 6)
            if (broken or gap) and rr and events:
                events += [ConnectionEvent(t, up=False), ConnectionEvent(t, up=True)]
            events.append(_packet(t, hr_bpm, rr, Contact.NO if one.doubted else Contact.NOT_REPORTED))
            gap = gap and not rr
        gap, last_t = gap or broken, one.t
    return events


def timed_intervals(
    times_s: ArrayLike, rr_ms: ArrayLike, gap_before: ArrayLike, doubted: ArrayLike | None = None
) -> Series | None:
    """Return intervals whose times are their beats' own, of the beginning or the end; None where they are those of packets.

    `gap_before` says where the file itself marks a gap, and `doubted` which intervals it says are no heartbeats.
    """
    time_s, rr = np.asarray(times_s, dtype=np.float64), np.asarray(rr_ms, dtype=np.float64)
    gaps = np.asarray(gap_before, dtype=np.bool_)
    doubts = np.zeros(rr.size, dtype=np.bool_) if doubted is None else np.asarray(doubted, dtype=np.bool_)
    steps = np.diff(time_s)
    if not steps.size:
        return Series(time_s, rr, gaps, doubts)
    of_ends, of_starts = steps - rr[1:] / 1000, steps - rr[:-1] / 1000
    starts = np.median(np.abs(of_starts)) < np.median(np.abs(of_ends))
    off_s = of_starts if starts else of_ends
    if np.median(np.abs(off_s)) > _EXACT_S:
        return None
    holes = np.concatenate([[False], np.abs(off_s) > _LOST_BEATS_S])
    return Series(time_s + rr / 1000 if starts else time_s, rr, gaps | holes, doubts)


def from_times(times_s: Sequence[float], rr_ms: Sequence[float], gap_before: Sequence[bool]) -> tuple[list[Event], str]:
    """Return packets of intervals that each have a time, and what the times were taken for, in words."""
    series = timed_intervals(times_s, rr_ms, gap_before)
    if series is not None:
        return from_intervals(series.intervals()), "the beats' own times"
    rows = zip(times_s, rr_ms, gap_before, strict=True)
    return from_arrivals(Arrival(t, (rr,), gap_before=gap) for t, rr, gap in rows), "the times in the file"


def from_heart_rates(rates: Iterable[tuple[float, float]]) -> list[Event]:
    """Return packets of heart rates (session time in s, bpm) without RR intervals."""
    return [_packet(t, min(max(round(bpm), 0), 0xFFFF), (), Contact.NOT_REPORTED) for t, bpm in rates if bpm > 0]


def _packet(t: float, hr_bpm: int, rr_1024: tuple[int, ...], contact: Contact) -> Packet:
    measured = Measurement(hr_bpm, contact, None, rr_1024, bool(rr_1024))
    return Packet(t, HEART_RATE, encode(measured))


def _merged(arrivals: Iterable[Arrival]) -> list[Arrival]:
    merged: list[Arrival] = []
    for one in arrivals:
        last = merged[-1] if merged else None
        apart = one.broken or one.gap_before or (last is not None and (last.broken or last.doubted != one.doubted))
        if last and one.rr_ms and last.rr_ms and 0 <= one.t - last.t < _ONE_PACKET_S and not apart:
            merged[-1] = Arrival(
                last.t, last.rr_ms + one.rr_ms, one.hr_bpm or last.hr_bpm, gap_before=last.gap_before, doubted=last.doubted
            )
        else:
            merged.append(one)
    return merged


def _ticks(rr_ms: float) -> int | None:
    ticks = round(rr_ms / RR_UNIT_MS)
    return ticks if 0 <= ticks <= 0xFFFF else None


def _mean_bpm(recent_ms: Sequence[float]) -> int:
    return min(round(60_000 * len(recent_ms) / sum(recent_ms)), 0xFFFF) if sum(recent_ms) > 0 else 0


def imported_of(header: Header) -> dict[str, Any]:
    """Return the details of an import in a header; empty where there are none, or the file holds something else there."""
    noted = header.extra.get("imported")
    return noted if isinstance(noted, dict) else {}


def began_of(header: Header) -> datetime | None:
    """Return when a recording began, with its zone; None where that is unknown."""
    text = imported_of(header).get("began_utc") or header.extra.get("began_utc")
    try:
        noted = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return noted if noted and noted.tzinfo else None


def dated(header: Header, began: datetime) -> Header:
    """Return a header that says when the recording began, whatever it said before."""
    text = began.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    imported = imported_of(header)
    told = {"imported": imported | {"began_utc": text}} if imported else {"began_utc": text}
    return msgspec.structs.replace(header, extra=header.extra | told)

"""Beats as a chest strap would send them: one packet about every second, RR on a grid of 1/1024 s."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...sensors.model import Contact, Measurement
from ...sensors.protocols.heart_rate import encode
from ...sensors.recordings.recording import HEART_RATE, Event, Packet

_DETECTION_S = 0.15
"""How long after a beat the strap knows of it."""
_AVERAGED_BEATS = 8


@dataclass(frozen=True, slots=True)
class StrapPackets:
    """The packets, and which beats they hold (indices into the beats given)."""

    packets: list[Event]
    beats: list[int]


def send(
    beats_s: NDArray[np.float64],
    end_s: float,
    rng: np.random.Generator,
    *,
    rr: bool = True,
    contact: Contact = Contact.NOT_REPORTED,
    away: Sequence[tuple[float, float]] = (),
) -> StrapPackets:
    """The packets up to `end_s` of a strap that felt `beats_s` (ascending; those before 0 only begin the first interval).

    Each RR is a difference of beat times rounded to the grid, so that rounding never adds up. `away`: spans in s without a
    connection, whose beats are gone. Arrival jitters by some tens of ms and never reorders.
    """
    ticks = np.rint(beats_s * 1024).astype(np.int64)
    first = int(np.searchsorted(beats_s, 0.0))
    first = max(first, 1)
    packets: list[Event] = []
    held: list[int] = []
    following = first
    for second in range(1, int(end_s)):
        ready = int(np.searchsorted(beats_s, second - _DETECTION_S, side="right"))
        arrival = round(second + min(float(rng.exponential(0.02)), 0.3), 3)
        fresh = range(following, max(ready, following))
        following = fresh.stop
        if any(start <= arrival < end for start, end in away):
            continue
        intervals = tuple(int(ticks[k] - ticks[k - 1]) for k in fresh) if rr else ()
        known = ticks[max(0, following - 1 - _AVERAGED_BEATS) : following]
        hr_bpm = round(60 * 1024 / float(np.diff(known).mean())) if known.size > 1 else 0
        measured = Measurement(hr_bpm, contact, None, intervals, rr and bool(intervals))
        packets.append(Packet(arrival, HEART_RATE, encode(measured)))
        held += fresh
    return StrapPackets(packets, held)

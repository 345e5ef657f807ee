"""Simulated heart rate packets of a chest strap: about one a second, RR on a grid of 1/1024 s."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...sensors.model import Contact, Measurement
from ...sensors.protocols.heart_rate import encode
from ...sensors.recordings.recording import HEART_RATE, Event, Packet

_DETECTION_S = 0.15
"""Time from a beat to its detection by the strap."""
_AVERAGED_BEATS = 8


@dataclass(frozen=True, slots=True)
class StrapPackets:
    """Packets, and the beats in them (as indices into the simulated beats)."""

    packets: list[Event]
    beats: list[int]


def simulate_packets(
    beats_s: NDArray[np.float64],
    end_s: float,
    rng: np.random.Generator,
    *,
    rr: bool = True,
    contact: Contact = Contact.NOT_REPORTED,
    disconnected: Sequence[tuple[float, float]] = (),
) -> StrapPackets:
    """Simulate the packets that a strap sends up to `end_s`.

    `beats_s`: detected beats, ascending; those before 0 only begin the first interval. Each RR is a difference of beat times
    rounded to the grid, so that rounding errors do not add up. `disconnected`: spans in s without a connection, whose beats are
    lost. Arrival jitters by some tens of ms and never reorders packets.

    Raises `PayloadError` for an RR interval that does not fit 16 bits.
    """
    ticks = np.rint(beats_s * 1024).astype(np.int64)
    first = int(np.searchsorted(beats_s, 0.0))
    first = max(first, 1)
    packets: list[Event] = []
    sent_beats: list[int] = []
    following = first
    for second in range(1, int(end_s)):
        detected = int(np.searchsorted(beats_s, second - _DETECTION_S, side="right"))
        arrival = round(second + min(float(rng.exponential(0.02)), 0.3), 3)
        new_beats = range(following, max(detected, following))
        following = new_beats.stop
        if any(start <= arrival < end for start, end in disconnected):
            continue
        intervals = tuple(int(ticks[k] - ticks[k - 1]) for k in new_beats) if rr else ()
        known = ticks[max(0, following - 1 - _AVERAGED_BEATS) : following]
        hr_bpm = round(60 * 1024 / float(np.diff(known).mean())) if known.size > 1 else 0
        measured = Measurement(hr_bpm, contact, None, intervals, rr and bool(intervals))
        packets.append(Packet(arrival, HEART_RATE, encode(measured)))
        sent_beats += new_beats
    return StrapPackets(packets, sent_beats)

"""The frames that a Polar strap would send beside a recording's heart rate: ECG and acceleration, or pulse intervals."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace
import numpy as np
from numpy.typing import NDArray

from ...sensors.model import Contact
from ...sensors.protocols.heart_rate import encode, parse
from ...sensors.protocols.polar_frames import Ppi, encode_acc, encode_ecg, encode_ppi
from ...sensors.recordings.recording import HEART_RATE, PMD_DATA, Event, Packet, PhaseStart
from ..beats.beat_stream import BeatStream
from .ecg import acceleration_of, ecg_of

_ECG_HZ, _ACC_HZ = 130.0, 25.0
_ECG_FRAME, _ACC_FRAME = 73, 36
"""Samples in a notification, as H10s were seen to send them."""
_STRAP_EPOCH_NS: Final = 800_000_000_000_000_000
_DRIFT = 20e-6
_SHORTEST_DELAY_S, _USUAL_DELAY_S = 0.02, 0.03


def with_polar_frames(events: Sequence[Event], *, breaths_per_min: float, seed: int) -> list[Event]:
    """Add ECG and acceleration to a clean recording's events; the heart is the one that its RR intervals tell of."""
    end_s = events[-1].t
    beats_s = beat_times(events)
    ecg_uv = ecg_of(beats_s, duration_s=end_s, rate_hz=_ECG_HZ, seed=seed)
    acc_mg = acceleration_of(duration_s=end_s, breaths_per_min=breaths_per_min, rate_hz=_ACC_HZ, seed=seed)
    rng = np.random.default_rng([seed, 7])
    frames = [
        *_frames(ecg_uv, _ECG_HZ, _ECG_FRAME, rng, ecg=True),
        *_frames(acc_mg, _ACC_HZ, _ACC_FRAME, rng, ecg=False),
    ]
    return sorted([*events, *(frame for frame in frames if frame.t < end_s)], key=lambda event: (event.t, _last(event, end_s)))


def with_pulse_frames(
    events: Sequence[Event],
    *,
    moved: Sequence[tuple[float, float]] = (),
    error_ms: int = 8,
    every_s: float = 5.0,
    held_s: float = 1.0,
) -> list[Event]:
    """An optical sensor's recording of the same heart: 0x2A37 without RR, and its pulse intervals every few seconds.

    moved: spans in which the arm moved, so that intervals are wrong and marked by the blocker bit.
    """
    beats_s = beat_times(events)
    out = [_without_rr(event) for event in events]
    ticks = np.rint(beats_s * 1000).astype(np.int64)
    sent, at_s = 1, every_s
    while at_s < events[-1].t:
        ready = int(np.searchsorted(beats_s, at_s - held_s, side="right"))
        samples = [
            Ppi(
                0,
                int(ticks[n] - ticks[n - 1]) * (2 if away else 1) // (3 if away else 1),
                error_ms,
                blocker=away,
                contact=Contact.YES,
            )
            for n in range(sent, ready)
            for away in [any(a <= beats_s[n] < b for a, b in moved)]
        ]
        if samples:
            out.append(Packet(at_s, PMD_DATA, encode_ppi(0, samples)))
        sent, at_s = max(ready, sent), at_s + every_s
    return sorted(out, key=lambda event: (event.t, _last(event, events[-1].t)))


def _without_rr(event: Event) -> Event:
    if not isinstance(event, Packet) or event.char != HEART_RATE:
        return event
    return Packet(event.t, event.char, encode(replace(parse(event.payload), rr_1024=(), rr_flag=False)))


def beat_times(events: Sequence[Event]) -> NDArray[np.float64]:
    """Times in s of the beats that a recording's RR intervals bound, the first one's beginning included."""
    stream = BeatStream()
    judged = [beat for event in events if isinstance(event, Packet) for beat in stream.push(event)] + stream.finish(events[-1].t)
    times: list[float] = []
    for beat in judged:
        if not times or beat.gap_before:
            times.append(beat.end_s - beat.rr_ms / 1000)
        times.append(times[-1] + beat.rr_ms / 1000)
    return np.asarray(times)


def _frames(samples: NDArray[np.int32], rate_hz: float, size: int, rng: np.random.Generator, *, ecg: bool) -> Iterator[Packet]:
    for stop in range(size, len(samples) + 1, size):
        last_s = (stop - 1) / rate_hz
        stamp_ns = _STRAP_EPOCH_NS + round(last_s * (1 + _DRIFT) * 1e9)
        part = samples[stop - size : stop]
        payload = encode_ecg(stamp_ns, part) if ecg else encode_acc(stamp_ns, part, compressed=True)
        yield Packet(round(last_s + _SHORTEST_DELAY_S + float(rng.exponential(_USUAL_DELAY_S)), 3), PMD_DATA, payload)


def _last(event: Event, end_s: float) -> bool:
    return isinstance(event, PhaseStart) and event.t == end_s

"""Simulated frames of a Polar sensor for an existing recording: ECG and acceleration, or pulse intervals."""

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
"""Samples per notification, as observed with the H10."""
_STRAP_EPOCH_NS: Final = 800_000_000_000_000_000
_DRIFT = 20e-6
_SHORTEST_DELAY_S, _USUAL_DELAY_S = 0.02, 0.03


def with_polar_frames(events: Sequence[Event], *, breaths_per_min: float, seed: int) -> list[Event]:
    """Add ECG and acceleration to the events of a clean recording, with the beats of its own RR intervals."""
    end_s = events[-1].t
    beats_s = beat_times(events)
    ecg_uv = ecg_of(beats_s, duration_s=end_s, rate_hz=_ECG_HZ, seed=seed)
    acc_mg = acceleration_of(duration_s=end_s, breaths_per_min=breaths_per_min, rate_hz=_ACC_HZ, seed=seed)
    rng = np.random.default_rng([seed, 7])
    frames = [
        *_frames(ecg_uv, _ECG_HZ, _ECG_FRAME, rng, ecg=True),
        *_frames(acc_mg, _ACC_HZ, _ACC_FRAME, rng, ecg=False),
    ]
    return sorted([*events, *(frame for frame in frames if frame.t < end_s)], key=lambda event: (event.t, _is_end(event, end_s)))


def with_pulse_frames(
    events: Sequence[Event],
    *,
    moved: Sequence[tuple[float, float]] = (),
    error_ms: int = 8,
    every_s: float = 5.0,
    delay_s: float = 1.0,
) -> list[Event]:
    """Return an optical sensor's recording of the same heart: 0x2A37 without RR, and frames of pulse intervals every `every_s`.

    moved: spans in s in which the arm moved, so that intervals are wrong and marked by the blocker bit. error_ms: the sensor's
    own error estimate of every interval. delay_s: how long the sensor keeps an interval back. Raises `PayloadError` where a heart
    rate packet cannot be read, or an interval does not fit a frame.
    """
    beats_s = beat_times(events)
    out = [_without_rr(event) for event in events]
    ticks = np.rint(beats_s * 1000).astype(np.int64)
    first, at_s = 1, every_s
    while at_s < events[-1].t:
        stop = int(np.searchsorted(beats_s, at_s - delay_s, side="right"))
        samples = [
            Ppi(
                0,
                int(ticks[n] - ticks[n - 1]) * (2 if moving else 1) // (3 if moving else 1),
                error_ms,
                blocker=moving,
                contact=Contact.YES,
            )
            for n in range(first, stop)
            for moving in [any(a <= beats_s[n] < b for a, b in moved)]
        ]
        if samples:
            out.append(Packet(at_s, PMD_DATA, encode_ppi(0, samples)))
        first, at_s = max(stop, first), at_s + every_s
    return sorted(out, key=lambda event: (event.t, _is_end(event, events[-1].t)))


def _without_rr(event: Event) -> Event:
    if not isinstance(event, Packet) or event.char != HEART_RATE:
        return event
    return Packet(event.t, event.char, encode(replace(parse(event.payload), rr_1024=(), rr_flag=False)))


def beat_times(events: Sequence[Event]) -> NDArray[np.float64]:
    """Return the times in s of the beats between a recording's RR intervals, with the start of the first interval."""
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


def _is_end(event: Event, end_s: float) -> bool:
    return isinstance(event, PhaseStart) and event.t == end_s

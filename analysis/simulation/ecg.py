"""Simulated ECG and acceleration of a chest strap, from known beats and known breathing: ground truth for tests and fixtures."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..beats.beat_runs import Array

Samples = NDArray[np.int32]
"""Samples as a strap sends them: whole µV or whole mg."""

_WAVES: Final = (
    (-0.160, 90.0, 0.022),
    (-0.028, -90.0, 0.009),
    (0.000, 1000.0, 0.011),
    (0.030, -220.0, 0.010),
    (0.250, 220.0, 0.045),
)
"""P, Q, R, S, T: centre in s from the R wave, µV, SD in s (sum of Gaussians as in McSharry et al. 2003, without dynamics)."""
_T_WAVE: Final = 4
_REACH_S: Final = (0.35, 0.60)
_WANDER_HZ: Final = (0.06, 0.13, 0.27, 0.41)
_GRAVITY_MG: Final = 1000.0
_STREAMS: Final = {"noise": 0, "wander": 1, "muscle": 2}


def ecg_of(
    beat_times_s: Array,
    *,
    duration_s: float,
    rate_hz: float = 130.0,
    seed: int,
    noise_uv: float = 8.0,
    wander_uv: float = 0.0,
    muscle: tuple[float, float, float] | None = None,
) -> Samples:
    """Simulate an ECG in µV, sample k at k / rate_hz, whose R waves of 1 mV peak at the beat times.

    noise_uv: SD of white noise. wander_uv: SD of the baseline wander, 0.06-0.41 Hz. muscle: (start in s, end in s, SD in µV) of a
    burst of muscle and electrode noise. Each component has its own random stream: the same seed with more baseline wander gives
    the same noise.
    """
    size = round(duration_s * rate_hz)
    time_s = np.arange(size) / rate_hz
    signal = _beats(np.asarray(beat_times_s, dtype=np.float64), size, rate_hz)
    signal += _rng(seed, "noise").normal(0.0, noise_uv, size)
    phases = _rng(seed, "wander").uniform(0, 2 * np.pi, len(_WANDER_HZ))
    slow = [np.sin(2 * np.pi * hz * time_s + phase) for hz, phase in zip(_WANDER_HZ, phases, strict=True)]
    signal += wander_uv * np.sqrt(2 / len(slow)) * np.sum(slow, axis=0)
    if muscle is not None:
        start_s, end_s, sd_uv = muscle
        inside = (time_s >= start_s) & (time_s < end_s)
        white = _rng(seed, "muscle").normal(0.0, 1.0, size + 2)
        burst = white[2:] + 0.6 * white[1:-1] + 0.3 * white[:-2]
        signal[inside] += sd_uv / np.sqrt(1 + 0.36 + 0.09) * burst[inside]
    samples: Samples = np.rint(signal).astype(np.int32)
    return samples


def acceleration_of(
    *,
    duration_s: float,
    breaths_per_min: float | Array,
    rate_hz: float = 25.0,
    seed: int,
    tilt_mg: float = 5.0,
    noise_mg: float = 2.0,
    bursts: Sequence[tuple[float, float, float]] = (),
) -> Samples:
    """Simulate acceleration in mg, shape (n, 3), of a client lying prone on the strap: gravity, breathing, noise and movements.

    breaths_per_min: one rate, or one per sample. tilt_mg: amplitude of breathing along the body; a third of it across, a fifth up
    and down. bursts: (start in s, end in s, SD in mg) of movements, which also leave the strap slightly turned.
    """
    rng = np.random.default_rng([seed, 3])
    size = round(duration_s * rate_hz)
    time_s = np.arange(size) / rate_hz
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(np.asarray(breaths_per_min, dtype=np.float64), size)) / 60 / rate_hz
    phase += rng.uniform(0, 2 * np.pi)
    breath = np.sin(phase) + 0.25 * np.sin(2 * phase + 0.7)
    breath_mg = np.array([tilt_mg / 3, tilt_mg, tilt_mg / 5])
    resting = np.array([0.05, -0.12, 0.0]) + rng.normal(0, 0.03, 3)
    resting[2] = -np.sqrt(1 - resting[0] ** 2 - resting[1] ** 2)
    acceleration_mg: Array = _GRAVITY_MG * resting + breath[:, None] * breath_mg + rng.normal(0.0, noise_mg, (size, 3))
    for start_s, end_s, sd_mg in bursts:
        inside = (time_s >= start_s) & (time_s < end_s)
        count = int(inside.sum())
        jolts = np.convolve(rng.normal(0.0, 1.0, count + 4), np.ones(5) / np.sqrt(5), "valid")
        acceleration_mg[inside] += sd_mg * jolts[:, None] * rng.normal(0.0, 1.0, 3) + rng.normal(0.0, sd_mg / 2, (count, 3))
        acceleration_mg[time_s >= end_s] += rng.normal(0.0, 0.2 * sd_mg, 3)
    samples: Samples = np.rint(acceleration_mg).astype(np.int32)
    return samples


def _rng(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng([seed, _STREAMS[stream]])


def _beats(beat_times_s: Array, size: int, rate_hz: float) -> Array:
    signal = np.zeros(size)
    rr_s = np.diff(beat_times_s, append=beat_times_s[-1] + 0.9) if beat_times_s.size else beat_times_s
    offsets = np.arange(-round(_REACH_S[0] * rate_hz), round(_REACH_S[1] * rate_hz) + 1)
    at = np.rint(beat_times_s * rate_hz).astype(np.int64)[:, None] + offsets
    from_r_s = at / rate_hz - beat_times_s[:, None]
    for number, (centre_s, uv, sd_s) in enumerate(_WAVES):
        stretch = np.sqrt(np.clip(rr_s, 0.3, 2.0))[:, None] if number == _T_WAVE else 1.0
        wave = uv * np.exp(-0.5 * ((from_r_s - centre_s * stretch) / sd_s) ** 2)
        inside = (at >= 0) & (at < size)
        np.add.at(signal, at[inside], wave[inside])
    return signal

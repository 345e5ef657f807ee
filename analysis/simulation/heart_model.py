"""A heart model with known ground truth: integral pulse frequency modulation (IPFM) by two tones, with slow drift.

Beat k falls where the integral of (1 + m(t)) / T(t) reaches k; m is a breathing tone and a 0.1 Hz tone (Mateo & Laguna 2000).
Log-amplitudes and breathing frequency drift as Ornstein-Uhlenbeck processes; each beat time has Gaussian jitter.
"""

from dataclasses import dataclass, replace
from itertools import accumulate
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_S = 0.1
"""Integration step; beat times are accurate to 0.1 ms."""
LF_HZ = 0.1
LEAD_S = 5.0
"""Time simulated before the recording, so that its first interval is complete."""
_FAINTEST = 1e-3
_DRIFT_TAU_S = 20.0
_BREATHING_DRIFT_HZ = 0.015


@dataclass(frozen=True, slots=True)
class HeartState:
    """The parameters of a heart that it approaches over time."""

    rr_s: float
    hf_amplitude: float
    """Depth of the breathing tone, as a share of the heart rate."""
    lf_amplitude: float
    breathing_hz: float
    jitter_ms: float = 1.0

    def with_rmssd(self, rmssd_ms: float) -> "HeartState":
        """Return this state with the depth of breathing that gives `rmssd_ms`, as far as the other components allow."""
        others = rmssd_by_formula(replace(self, hf_amplitude=0.0)) ** 2
        unit = rmssd_by_formula(replace(self, hf_amplitude=1.0)) ** 2 - others
        return replace(self, hf_amplitude=max(_FAINTEST, sqrt(max(0.0, rmssd_ms**2 - others) / unit)))


@dataclass(frozen=True, slots=True)
class Heart:
    """The beats of a simulated session, and the parameters that produced them on a grid of `STEP_S`."""

    beats_s: Array
    """Ascending beat times, from `-LEAD_S` on."""
    grid_s: Array
    rr_s: Array
    rmssd_ms: Array
    """RMSSD by formula at each grid point."""
    breathing_hz: Array


def rmssd_by_formula(state: HeartState) -> float:
    """Return the RMSSD in ms of a heart in a constant state; within 0.4 % for single tones."""
    return float(_rmssd(state.rr_s, state.hf_amplitude, state.lf_amplitude, state.breathing_hz, state.jitter_ms))


def simulate_heart(
    targets: list[tuple[float, HeartState]], end_s: float, rng: np.random.Generator, *, tau_s: float, drift_sd: float
) -> Heart:
    """Simulate a heart until `end_s`: it begins in the first state and approaches each further state from its start on.

    targets: (start in s, state), ascending. tau_s: time constant of the approach. drift_sd: SD of the log-amplitudes; 0 also
    keeps the breathing rate constant.
    """
    grid = np.arange(-LEAD_S, end_s, STEP_S)
    path = _approach(targets, grid, tau_s)
    drift = (drift_sd * _ornstein_uhlenbeck(rng, grid.size), drift_sd * _ornstein_uhlenbeck(rng, grid.size))
    breathing = path[:, 3] + (_BREATHING_DRIFT_HZ * _ornstein_uhlenbeck(rng, grid.size) if drift_sd else 0.0)
    breathing = np.clip(breathing, 0.05, 0.6)
    rr, hf, lf = path[:, 0], path[:, 1] * np.exp(drift[0]), path[:, 2] * np.exp(drift[1])
    tone = np.sin(2 * np.pi * (rng.random() + np.cumsum(breathing) * STEP_S))
    slow = np.sin(2 * np.pi * (rng.random() + LF_HZ * grid))
    count = np.cumsum((1 + np.clip(hf * tone + lf * slow, -0.6, 0.6)) / rr) * STEP_S
    jitter_ms = targets[0][1].jitter_ms
    times = np.interp(np.arange(1, int(count[-1]) + 1), count, grid + STEP_S)
    times = np.sort(times + rng.normal(0, jitter_ms / 1000, times.size))
    return Heart(times[times < end_s], grid, rr, _rmssd(rr, hf, lf, breathing, jitter_ms), breathing)


def _rmssd(rr_s: Array | float, hf: Array | float, lf: Array | float, breathing_hz: Array | float, jitter_ms: float) -> Array:
    squares = _tone_ms2(rr_s, hf, breathing_hz) + _tone_ms2(rr_s, lf, LF_HZ) + 6 * jitter_ms**2
    return np.sqrt(squares)


def _tone_ms2(rr_s: Array | float, amplitude: Array | float, hz: Array | float) -> Array:
    turn = np.asarray(hz * rr_s, dtype=np.float64)
    return np.asarray(2 * (1000 * rr_s * amplitude * np.sinc(turn)) ** 2 * np.sin(np.pi * turn) ** 2, dtype=np.float64)


def _approach(targets: list[tuple[float, HeartState]], grid: Array, tau_s: float) -> Array:
    """Return the first-order approach to the targets: columns rr_s, amplitudes (approached as logarithms), breathing_hz."""
    aims = np.array([(s.rr_s, log(s.hf_amplitude), log(s.lf_amplitude), s.breathing_hz) for _, s in targets])
    path = np.tile(aims[0], (grid.size, 1))
    for (start, _), aim in zip(targets[1:], aims[1:], strict=True):
        later = grid >= start
        if later.any():
            here = path[np.flatnonzero(later)[0] - 1]
            path[later] = aim + (here - aim) * np.exp(-(grid[later, None] - start) / tau_s)
    path[:, 1:3] = np.exp(path[:, 1:3])
    return path


def _ornstein_uhlenbeck(rng: np.random.Generator, steps: int) -> Array:
    """Return a stationary Ornstein-Uhlenbeck path of unit SD."""
    keep = exp(-STEP_S / _DRIFT_TAU_S)
    pushes = rng.standard_normal(steps)
    pushes[1:] *= sqrt(1 - keep * keep)
    return np.fromiter(accumulate(pushes.tolist(), lambda here, push: keep * here + push), np.float64, steps)

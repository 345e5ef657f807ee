"""LF, HF and breathing from RR intervals: Welch's method on fixed segments, numpy only.

RR is resampled linearly at 4 Hz, and what straight lines between beats take from a tone (sinc² of frequency × mean RR, in
amplitude) is given back in the spectrum; so the powers hold up to about a quarter of the heart rate. Nothing is read across a
gap. Single artifacts are bridged (see `stretches`), else one ectopic beat in five minutes would leave no segment whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .runs import Array, Run

LF_HZ: Final = (0.04, 0.15)
HF_HZ: Final = (0.15, 0.40)
BREATHING_HZ: Final = (0.06, 0.50)
_RATE_HZ: Final = 4.0
_LONG_S: Final = 120
"""Shortest segment for LF (Task Force 1996)."""
_SHORT_S: Final = 60
"""Shortest segment for HF."""
_SLACK_S: Final = 2.0
"""Beats of a window of n seconds span up to a beat less at either end; Hann weighs those ends with nearly nothing."""
_BRIDGED_BEATS: Final = 3
"""A couplet with its pause."""
_BRIDGED_SHARE: Final = 0.05
_PADDED: Final = 2048
_PEAK_HZ: Final = 0.03
_CLEAR: Final = 0.5
_CLEAR_SINGLE: Final = 0.2
"""Least confidence of a clear peak, and what one segment alone needs beyond: its spectrum is rough (noise reaches 0.6)."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Power in ms², None where the data do not carry it; `reasons` says why, or what to beware of."""

    lf_ms2: float | None
    hf_ms2: float | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Breathing:
    """Breaths a minute read from RR, None where no clear peak stands out."""

    per_min: float | None
    confidence: float
    """Share of the beat-to-beat power that lies around the peak, 0 to 1."""
    reason: str | None = None


def stretches(runs: Sequence[Run]) -> list[tuple[Array, Array]]:
    """Beat times (s) and RR (ms) of stretches that a spectrum may read through.

    A hole of at most three rejected beats is bridged by a straight line, if such holes are at most 5 % of all beats;
    a gap, where beats were lost, never is.
    """
    rejected = sum(run.rejected_before for run in runs if run.rejected_before <= _BRIDGED_BEATS)
    accepted = sum(run.rr_ms.size for run in runs)
    bridging = rejected <= _BRIDGED_SHARE * (accepted + rejected)
    groups: list[list[Run]] = []
    for run in runs:
        if groups and bridging and not run.gap_before and run.rejected_before <= _BRIDGED_BEATS:
            groups[-1].append(run)
        else:
            groups.append([run])
    return [(np.concatenate([r.end_s for r in g]), np.concatenate([r.rr_ms for r in g])) for g in groups]


def band_powers(runs: Sequence[Run]) -> Bands:
    """LF (0.04–0.15 Hz) and HF (0.15–0.4 Hz, at most half the heart rate) of runs in order.

    Both from segments of 120 s; where no stretch is that long, HF alone from segments of 60 s.
    """
    whole = stretches(runs)
    mean_rr_ms, rows = _segments(whole, _LONG_S)
    if rows.size:
        frequency, density = _spectrum(rows, mean_rr_ms)
        return Bands(
            _power(frequency, density, LF_HZ), _power(frequency, density, HF_HZ), _caution(frequency, density, mean_rr_ms)
        )
    mean_rr_ms, rows = _segments(whole, _SHORT_S)
    longest = max((float(t[-1] - t[0] + x[0] / 1000) for t, x in whole), default=0.0)
    reason = f"The longest unbroken stretch is {longest:.0f} s"
    if rows.size:
        frequency, density = _spectrum(rows, mean_rr_ms)
        caution = _caution(frequency, density, mean_rr_ms)
        return Bands(None, _power(frequency, density, HF_HZ), (f"{reason}: LF needs {_LONG_S} s.", *caution))
    return Bands(None, None, (f"{reason}: HF needs {_SHORT_S} s, LF {_LONG_S} s.",))


def respiration(runs: Sequence[Run]) -> Breathing:
    """Breathing rate: the peak of the spectrum of RR change, 0.06–0.5 Hz, over segments of 60 s.

    The heart's own wave near 0.1 Hz can outweigh shallow breathing; the confidence is then low, or the rate near 6 a minute.
    """
    mean_rr_ms, rows = _segments(stretches(runs), _SHORT_S)
    if not rows.size:
        return Breathing(None, 0.0, f"No unbroken stretch of {_SHORT_S} s.")
    frequency, density = _spectrum(rows, mean_rr_ms, _PADDED)
    change = density * frequency**2
    inside = (frequency >= BREATHING_HZ[0]) & (frequency <= min(BREATHING_HZ[1], 500 / float(mean_rr_ms.max())))
    total = float(change[inside].sum())
    if total <= 0:
        return Breathing(None, 0.0, "RR does not vary.")
    at = int(np.argmax(np.where(inside, change, -1.0)))
    confidence = float(change[inside & (np.abs(frequency - frequency[at]) <= _PEAK_HZ)].sum()) / total
    at_edge = not inside[at - 1] or not inside[at + 1]
    if at_edge or confidence < _CLEAR + _CLEAR_SINGLE / len(rows):
        return Breathing(None, confidence, "No clear peak of breathing in RR.")
    return Breathing(60 * float(frequency[at]), confidence)


def _segments(whole: Sequence[tuple[Array, Array]], length_s: int) -> tuple[Array, Array]:
    """Mean RR (ms) and 4 Hz samples of each segment (a row), spread evenly over its stretch and overlapping by about half."""
    means: list[float] = []
    rows: list[Array] = []
    steps = np.arange(length_s * _RATE_HZ) / _RATE_HZ
    for time_s, rr_ms in whole:
        start_s = float(time_s[0]) - float(rr_ms[0]) / 1000
        spare_s = float(time_s[-1]) - start_s - length_s
        if spare_s < -_SLACK_S:
            continue
        count = 1 + round(max(spare_s, 0.0) / (length_s / 2))
        for offset_s in np.linspace(0.0, max(spare_s, 0.0), count):
            row = np.interp(start_s + offset_s + steps, time_s, rr_ms)
            means.append(float(row.mean()))
            rows.append(row)
    return np.array(means), np.array(rows)


def _spectrum(rows: Array, mean_rr_ms: Array, points: int | None = None) -> tuple[Array, Array]:
    """Frequencies (Hz) and one-sided density (ms²/Hz), averaged over segments and corrected for the interpolation."""
    n = rows.shape[1]
    window = np.hanning(n + 1)[:-1]
    ramp = np.arange(n) - (n - 1) / 2
    level = rows - rows.mean(axis=1, keepdims=True)
    level -= np.outer(level @ ramp / (ramp @ ramp), ramp)
    frequency: Array = np.fft.rfftfreq(points or n, 1 / _RATE_HZ).astype(np.float64)
    density = 2 * np.abs(np.fft.rfft(level * window, points)) ** 2 / (_RATE_HZ * np.sum(window**2))
    cycles = np.outer(mean_rr_ms / 1000, frequency)
    kept = np.where(cycles <= 0.5, np.sinc(np.minimum(cycles, 0.5)) ** 4, np.inf)  # no information above half the heart rate
    averaged: Array = np.mean(density / kept, axis=0)
    return frequency, averaged


def _caution(frequency: Array, density: Array, mean_rr_ms: Array) -> tuple[str, ...]:
    """Beats are too few to sample a wave faster than about a quarter of their rate: at 40–60 bpm its power was 2–4 % high."""
    inside = (frequency >= HF_HZ[0]) & (frequency < HF_HZ[1])
    peak_hz = float(frequency[inside][np.argmax(density[inside])])
    limit_hz = 250 / float(mean_rr_ms.mean())
    if peak_hz <= limit_hz or not density[inside].any():
        return ()
    return (f"HF peaks at {peak_hz:.2f} Hz, over a quarter of the heart rate ({limit_hz:.2f} Hz): uncertain by some percent.",)


def _power(frequency: Array, density: Array, band: tuple[float, float]) -> float:
    inside = (frequency >= band[0] - 1e-9) & (frequency < band[1] - 1e-9)
    return float(density[inside].sum() * (frequency[1] - frequency[0]))

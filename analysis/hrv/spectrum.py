"""LF, HF and breathing from RR intervals: Welch's method (1967) on fixed segments, bands of the Task Force (1996), numpy only.

RR is interpolated linearly between beats and averaged over half seconds. The attenuation of a tone by interpolation and averaging
(sinc² of frequency × mean RR, and sinc of frequency / 2 Hz, in amplitude) is corrected in the spectrum, so that powers are
accurate up to about a quarter of the heart rate. (Means over quarter seconds were no more accurate, and took a tenth more
computation of a live second.) No segment spans a gap; single artifacts are bridged (see `gap_filling`), because otherwise one
ectopic beat in five minutes would leave no segment whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import log, sqrt
from typing import Final, NamedTuple

import numpy as np

from ..beats.beat_runs import Array, Run
from .gap_filling import bridged_runs

LF_HZ: Final = (0.04, 0.15)
HF_HZ: Final = (0.15, 0.40)
BREATHING_HZ: Final = (0.06, 0.50)
_RATE_HZ: Final = 2
_LONG_S: Final = 120
"""Shortest segment for LF (Task Force 1996)."""
_SHORT_S: Final = 60
"""Shortest segment for HF, and for breathing."""
_SLACK_S: Final = 2.0
"""Tolerance on the length of a stretch: the beats of an n-second window span up to a beat less at either end, where the Hann
window is close to zero."""
_PEAK_HZ: Final = 0.03
"""Half-width of a peak."""
_CLEAR: Final = 0.5
_CLEAR_SINGLE: Final = 0.25
"""Least confidence of a clear peak, and the addition for a single segment, whose spectrum is rough (noise reaches 0.6)."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Power of LF (0.04–0.15 Hz) and HF (0.15–0.4 Hz, at most half the heart rate) in ms², None where the data do not suffice.

    `reasons` states why a power is missing, or how far one can be trusted.
    """

    lf_ms2: float | None
    hf_ms2: float | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Breathing:
    """Breaths per minute: the peak of the spectrum of RR change, 0.06–0.5 Hz; None where no clear peak stands out.

    The heart's own wave near 0.1 Hz can outweigh shallow breathing; the confidence is then low, or the rate near 6 per minute.
    """

    per_min: float | None
    confidence: float
    """Share of the beat-to-beat power that lies around the peak, 0 to 1."""
    reason: str | None = None


class SampledRun(NamedTuple):
    """An unbroken stretch sampled at 2 Hz; each sample is the mean RR (ms) of its half second."""

    span_s: float
    rr_ms: Array


class _Plan(NamedTuple):
    """Precomputed arrays that all spectra of one segment length share."""

    points: int
    """Length of the FFT, zero-padded so that peaks between the segment's own frequencies are resolved."""
    window: Array
    level: Array
    """Constant and ramp (columns) of unit length, used for linear detrending."""
    first: int
    """Index of the first frequency within the FFT."""
    frequency: Array
    """Frequencies from 0.04 to 0.5 Hz."""
    half_radians: Array
    """The same frequencies times π."""
    breathing_hz2: Array
    """Squared frequencies of the breathing band."""
    scale: Array
    """Factor from |FFT|² to one-sided density in ms²/Hz, corrected for the averaging over half seconds."""
    lf: slice
    hf: slice
    breathing: slice
    """Frequencies of each band."""

    @property
    def step_hz(self) -> float:
        """Frequency resolution in Hz."""
        return _RATE_HZ / self.points


class _Spectrum(NamedTuple):
    """Mean density over segments (ms²/Hz) at the frequencies of its plan."""

    length_s: int
    segments: int
    plan: _Plan
    mean_rr_s: list[float]
    """Mean RR of each segment."""
    density: Array


def spectra(runs: Sequence[Run]) -> tuple[Bands, Breathing]:
    """Return LF, HF and breathing of runs in order, from 120 s segments; from 60 s segments, without LF, if none is that long."""
    sampled = [_sampled(time_s, rr_ms) for time_s, rr_ms in bridged_runs(runs)]
    for length_s in (_LONG_S, _SHORT_S):
        if segments := _segments(sampled, length_s):
            spectrum = _spectrum(segments, length_s)
            return _bands(spectrum, sampled), _breathing(spectrum)
    needs = f"{_longest(sampled)}: HF needs {_SHORT_S} s, LF {_LONG_S} s."
    return Bands(None, None, (needs,)), Breathing(None, 0.0, f"No unbroken stretch of {_SHORT_S} s.")


def _bands(spectrum: _Spectrum, sampled: Sequence[SampledRun]) -> Bands:
    plan = spectrum.plan
    lf, hf = spectrum.density[plan.lf].tolist(), spectrum.density[plan.hf].tolist()
    hf_ms2 = sum(hf) * plan.step_hz
    peak_hz = float(plan.frequency[plan.hf.start + hf.index(max(hf))])
    caution = _caution(peak_hz, 0.25 * spectrum.segments / sum(spectrum.mean_rr_s)) if hf_ms2 else ()
    if spectrum.length_s == _LONG_S:
        return Bands(sum(lf) * plan.step_hz, hf_ms2, caution)
    return Bands(None, hf_ms2, (f"{_longest(sampled)}: LF needs {_LONG_S} s.", *caution))


def _longest(sampled: Sequence[SampledRun]) -> str:
    longest_s = max((stretch.span_s for stretch in sampled), default=0.0)
    return f"The longest unbroken stretch is {longest_s:.0f} s"


def _caution(peak_hz: float, limit_hz: float) -> tuple[str, ...]:
    """Return a warning where HF peaks above a quarter of the heart rate: at 40–60 bpm the power was then 2–4 % too high."""
    if peak_hz <= limit_hz:
        return ()
    return (f"HF peaks at {peak_hz:.2f} Hz, over a quarter of the heart rate ({limit_hz:.2f} Hz): uncertain by some percent.",)


def _breathing(spectrum: _Spectrum) -> Breathing:
    plan, fastest_hz = spectrum.plan, 0.5 / max(spectrum.mean_rr_s)
    change = spectrum.density[plan.breathing] * plan.breathing_hz2
    if fastest_hz < BREATHING_HZ[1]:
        change = change[: np.searchsorted(plan.frequency[plan.breathing], fastest_hz, side="right")]
    total = float(change.sum())
    if total <= 0:
        return Breathing(None, 0.0, "RR does not vary.")
    at, near = int(change.argmax()), round(_PEAK_HZ / plan.step_hz)
    confidence = float(change[max(at - near, 0) : at + near + 1].sum()) / total
    at_edge = at in {0, len(change) - 1}
    if at_edge or confidence < _CLEAR + _CLEAR_SINGLE / spectrum.segments:
        return Breathing(None, confidence, "No clear peak of breathing in RR.")
    steps = plan.first + plan.breathing.start + at + _summit(*change[at - 1 : at + 2].tolist())
    return Breathing(60 * steps * plan.step_hz, confidence)


def _summit(left: float, middle: float, right: float) -> float:
    """Return the offset in steps of a peak from its highest point, by a parabola through the logarithms."""
    down, up = log(middle / left), log(middle / right)
    return 0.5 * (down - up) / (down + up) if down + up else 0.0


def _sampled(time_s: Array, rr_ms: Array) -> SampledRun:
    """Sample RR as means over half seconds of the linear interpolation between beats.

    The mean of a straight piece is its value in the middle; at each beat a correction for the change of slope is added.
    """
    start_s = float(time_s[0] - rr_ms[0] / 1000)
    span_s = float(time_s[-1]) - start_s
    size = int(span_s * _RATE_HZ) + 1
    for length_s in (_SHORT_S, _LONG_S):
        if length_s - _SLACK_S <= span_s < length_s:
            size = length_s * _RATE_HZ
    steps = (time_s - start_s) * _RATE_HZ
    values = np.interp(_middles(size), steps, rr_ms)
    slope = np.zeros(steps.size + 1)
    np.divide(rr_ms[1:] - rr_ms[:-1], steps[1:] - steps[:-1], out=slope[1:-1])
    at = steps.astype(np.int64)
    steps -= at
    bend = np.minimum(steps, 1.0 - steps)
    bend *= bend
    bend *= slope[1:] - slope[:-1]
    values += np.bincount(at, bend, size) * 0.5
    return SampledRun(span_s, values)


@lru_cache(maxsize=8)
def _middles(size: int) -> Array:
    """Return the middles of that many half seconds, in half seconds."""
    return np.arange(0.5, size)


def _segments(sampled: Sequence[SampledRun], length_s: int) -> list[Array]:
    """Return segments of the stretches that are long enough, spread evenly and overlapping by about half."""
    length = length_s * _RATE_HZ
    rows: list[Array] = []
    for span_s, rr_ms in sampled:
        spare_s = span_s - length_s
        if spare_s < -_SLACK_S:
            continue
        spare_s = max(spare_s, 0.0)
        count = 1 + round(spare_s / (length_s / 2))
        starts = (round(spare_s * _RATE_HZ * n / max(count - 1, 1)) for n in range(count))
        rows += [rr_ms[at : at + length] for at in starts]
    return rows


@cache
def _plan(length: int) -> _Plan:
    points = 1 << (2 * length - 1).bit_length()
    window = np.hanning(length + 1)[:-1]
    frequency = np.fft.rfftfreq(points, 1 / _RATE_HZ).astype(np.float64)
    first, last = (int(n) for n in np.searchsorted(frequency, (LF_HZ[0], BREATHING_HZ[1])))
    frequency = frequency[first:last]
    ramp = np.arange(length) - (length - 1) / 2
    level = np.stack([np.full(length, 1 / np.sqrt(length)), ramp / np.sqrt(ramp @ ramp)], axis=1)
    scale = 2 / (_RATE_HZ * float(np.sum(window**2)) * np.sinc(frequency / _RATE_HZ) ** 2)
    bands = [slice(*(int(n) for n in np.searchsorted(frequency, band))) for band in (LF_HZ, HF_HZ, BREATHING_HZ)]
    return _Plan(points, window, level, first, frequency, np.pi * frequency, frequency[bands[-1]] ** 2, scale, *bands)


def _spectrum(segments: Sequence[Array], length_s: int) -> _Spectrum:
    """Return the mean density of segments, corrected for the linear interpolation; zero above half the heart rate."""
    plan = _plan(length_s * _RATE_HZ)
    rows = np.array(segments)
    level = rows @ plan.level
    means = (level[:, 0] * (0.001 / sqrt(plan.window.size))).tolist()
    rows -= level @ plan.level.T
    rows *= plan.window
    transform = np.fft.rfft(rows, plan.points)[:, plan.first : plan.first + plan.frequency.size]
    angle = np.multiply.outer(means, plan.half_radians)
    attenuation = np.sin(angle)
    attenuation /= angle
    attenuation *= attenuation
    transform /= attenuation
    power = transform.real**2
    power += transform.imag**2
    if max(means) * plan.frequency[-1] > 0.5:
        power[angle > 0.5 * np.pi] = 0.0
    density = power.sum(axis=0) * (plan.scale / len(segments))
    return _Spectrum(length_s, len(segments), plan, means, density)

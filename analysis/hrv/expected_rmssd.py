"""The change of vagally mediated RMSSD that a changed heart rate and breathing rate alone produce.

The RMSSD of a tone of frequency f is its RR swing times 2·sin(π·f·RR): a slower heart raises it, slower breathing lowers it. But
the swing itself deepens as breathing slows, in people about as 1/f (Hirsch & Bishop 1981; Saul et al. 1989; so it is in the
quiet hours of docs/response.md): where breathing slows much, a rise counts from the greatest that this alone may do. How far
RMSSD follows the heart rate differs between people and hours, so the error of the expected change grows with the change of the
heart rate.
"""

from dataclasses import dataclass
from math import exp, hypot, log, pi, sin, sqrt, tan
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..beats.phase_segments import PhaseBeats

_SLOW_HZ: Final = 0.15
_SHIFT_HZ: Final = 2 / 60
"""Shift of breathing from which a rise counts from the greatest, and a fall, or faster breathing, gets no firm verdict."""
_DEEPENS: Final = 1.0
"""Exponent by which the swing deepens as breathing slows: depth ∝ 1/f to this power."""
_DEEPENS_MOST: Final = 1.25
"""The greatest such exponent."""
_OF_HEART_RATE: Final = 2.4
"""Standard error of the expected change per unit of ln mean RR, as quiet hours of real people show it."""
_MEASURED_ERROR: Final = 0.02
"""Standard error of ln of a breathing rate that was measured."""
_WIDE_HZ: Final = (0.1, 0.5)
"""Band that includes slow breathing."""
_BREATHING_HZ: Final = (0.13, 0.5)
"""Band without the 0.1 Hz rhythm, whose share of the power depends on the depth of the breathing tone."""
_GRID_S: Final = 0.25
_WINDOW: Final = 240
"""Samples of one minute."""
_PADDED: Final = 1024
_FREQUENCY: Final = np.fft.rfftfreq(_PADDED, _GRID_S)
_HOLE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """The change of ln RMSSD between two phases that heart rate and breathing alone would produce."""

    delta: float = 0.0
    standard_error: float = 0.0
    slowed: bool = False
    """Whether breathing slowed so much that its depth may have changed: `delta` is then the greatest change it may produce."""
    notes: tuple[str, ...] = ()
    """Plain-language reasons why a verdict is unsafe."""
    known: bool = True
    """Whether breathing could be read in both phases."""


@dataclass(frozen=True, slots=True)
class _Breathing:
    hz: float
    ln_error: float
    """Standard error of ln hz."""
    wide_hz: float
    """Centre frequency over the band that includes slow breathing."""


def expected_change(base: PhaseBeats, phase: PhaseBeats, measured_hz: tuple[float, float] | None = None) -> ExpectedChange:
    """Return the change of ln RMSSD due to mean RR and breathing alone, with notes on what makes a verdict unsafe.

    `measured_hz`: breathing rates of the two that were measured otherwise than from RR; None where they were not.
    """
    if measured_hz is not None:
        before, after = (_Breathing(hz, _MEASURED_ERROR, hz) for hz in measured_hz)
    elif (read := (_breathing(base), _breathing(phase))) and read[0] is not None and read[1] is not None:
        before, after = read[0], read[1]
    else:
        return ExpectedChange(notes=("breathing could not be read from RR",), known=False)
    notes = ["breathing below 9/min"] if min(before.wide_hz, after.wide_hz) < _SLOW_HZ else []
    shift_hz = after.hz - before.hz
    if shift_hz > _SHIFT_HZ:
        notes.append("breathing became faster by more than 2/min")
    slowed = shift_hz < -_SHIFT_HZ
    deepens = _DEEPENS_MOST if slowed else _DEEPENS
    (gain0, slope0), (gain1, slope1) = _gain(before.hz, base.mean_rr_ms / 1000), _gain(after.hz, phase.mean_rr_ms / 1000)
    delta = gain1 - gain0 + deepens * log(before.hz / after.hz)
    of_heart_rate = _OF_HEART_RATE * log(phase.mean_rr_ms / base.mean_rr_ms)
    error = hypot((slope0 - deepens) * before.ln_error, (slope1 - deepens) * after.ln_error, of_heart_rate)
    return ExpectedChange(delta, error, slowed, tuple(notes))


def _gain(hz: float, rr_s: float) -> tuple[float, float]:
    """Return ln RMSSD of a tone of fixed depth, up to a constant, and its derivative with respect to ln hz."""
    turn = pi * hz * rr_s
    return 2 * log(abs(sin(turn))) - log(hz), 2 * turn / tan(turn) - 1


def _breathing(phase: PhaseBeats) -> _Breathing | None:
    """Return the geometric centre of the spectrum of RR change: the median over minutes without a hole."""
    power = _minutes(phase)
    (wide, total), (own, own_total) = _centres(power, _WIDE_HZ), _centres(power, _BREATHING_HZ)
    if not (total > 0).any() or not (own_total > 0).any():
        return None
    minutes = own[own_total > 0]
    spread = float(minutes.std(ddof=1)) if minutes.size > 1 else 0.0
    error = sqrt(pi / 2) * spread / sqrt(minutes.size)  # of a median
    return _Breathing(exp(float(np.median(minutes))), error, exp(float(np.median(wide[total > 0]))))


def _centres(power: Array, band: tuple[float, float]) -> tuple[Array, Array]:
    """Return the mean ln frequency of each minute in a band, 0 where there is no power, and that power."""
    inside = (band[0] <= _FREQUENCY) & (band[1] >= _FREQUENCY)
    total: Array = power[:, inside].sum(axis=1)
    return power[:, inside] @ np.log(_FREQUENCY[inside]) / np.where(total > 0, total, 1.0), total


def _minutes(phase: PhaseBeats) -> Array:
    """Return power spectra of RR change, one row per minute; a minute with a hole is all zero."""
    at, rr_ms = phase.end_s[phase.accepted], phase.rr_ms[phase.accepted]
    start_s, stop_s = phase.bounds_s
    change = np.diff(np.interp(np.arange(start_s, stop_s, _GRID_S), at, rr_ms))
    minutes = change.size // _WINDOW
    rows = change[: minutes * _WINDOW].reshape(minutes, _WINDOW)
    for hole in np.flatnonzero(np.diff(at) > _HOLE_S):
        first, last = (int((t - start_s) / (_WINDOW * _GRID_S)) for t in (at[hole], at[hole + 1]))
        rows[first : last + 1] = 0.0
    power: Array = np.abs(np.fft.rfft(rows * np.hanning(_WINDOW), _PADDED)) ** 2
    return power

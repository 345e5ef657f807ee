"""Reasons to refuse a file: numbers that are no intervals between heartbeats, each in its own words, or too many bad rows."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....sensors.errors import RecordingError

FEWEST: Final = 10
"""Fewest numbers whose kind can be told by themselves."""
_LEAST: Final = 2
"""Fewest intervals or heart rates that are read at all."""
LEAST_MS, MOST_MS = 240.0, 3000.0
"""Limits of a recording's middle interval in ms: 250 and 20 bpm."""
_MOST_WARNINGS: Final = 20
_MOST_DROPPED, _ALLOWED = 0.05, 2
"""Share of rows that may be left out, and the number of them that always may."""
_LONGEST_MS: Final = 15_000.0
"""Longest that breaths are in the middle, in ms."""
_RATES: Final = (25.0, 250.0)
_LEAST_PREDICTED: Final = 0.98
_FEW_TURNS, _MORE_TURNS = 0.2, 0.35
"""Shares of the numbers at which a wave turns: with few samples a cycle, so many that only its swing tells it from a heart."""
_SWING: Final = 0.6
"""Range of numbers, as a share of their mean, beyond that of a calm heart's intervals."""
_LONGEST_BREATH_MS: Final = 25_000.0
_SECOND_HARMONIC: Final = 0.25
"""Amplitude of twice the main frequency, as a share of that, from which a cycle has the shape of a pulse, not of a breath."""

Array = NDArray[np.float64]


class Refusal(NamedTuple):
    """A kind of numbers that is no series of intervals."""

    name: str
    words: str
    """What the file seems to hold, and what would help."""
    found: Callable[[Array], bool]
    """Whether numbers, in the unit of the file, are of this kind."""


def counts_up(values: Array) -> bool:
    """Return whether numbers are an index: whole and rising by one, or all the same step."""
    steps = np.diff(values)
    return steps.size > 0 and steps[0] != 0 and bool(np.all(steps == steps[0])) and bool(np.all(values % 1 == 0))


def never_falls(values: Array) -> bool:
    """Return whether numbers never fall, as the times of beats do."""
    steps = np.diff(values)
    return values.size >= FEWEST and bool(np.all(steps >= 0)) and float(np.mean(steps > 0)) > 0.9


def is_wave(values: Array) -> bool:
    """Return whether numbers are the samples of a pulse or an ECG: smooth, each told by those before it.

    So are the intervals of a calm heart led by a slow, deep breath. But those cycle no slower than somebody breathes, were the
    numbers ms, and without the sharp rise of a pulse.
    """
    if values.size < 100 or float(np.ptp(values)) == 0:
        return False
    x = values - values.mean()
    steps = np.diff(x)
    turns = float(np.mean(steps[1:] * steps[:-1] < 0))
    coarse = turns > _FEW_TURNS
    if turns > _MORE_TURNS or (coarse and float(np.ptp(values)) < _SWING * float(values.mean())):
        return False
    before = 5 if coarse else 3
    lags = np.stack([x[before - n : x.size - n] for n in range(before + 1)])
    known, wanted = lags[1:], lags[0]
    weights, *_ = np.linalg.lstsq(known.T, wanted, rcond=None)
    predicted = 1 - float(np.var(wanted - weights @ known)) / float(np.var(wanted))
    if predicted < _LEAST_PREDICTED:
        return False
    power = np.abs(np.fft.rfft(x * np.hanning(x.size))) ** 2
    peak = int(power[1:].argmax()) + 1
    cycle_ms = x.size / peak * float(values.mean())
    second = float(power[2 * peak - 1 : 2 * peak + 2].max(initial=0.0))
    return cycle_ms > _LONGEST_BREATH_MS or second > _SECOND_HARMONIC**2 * float(power[peak])


def _is_rates(values: Array) -> bool:
    low, high = _RATES
    whole = float(np.mean(np.abs(values - np.rint(values)) < 0.051)) > 0.9
    return bool(low <= np.median(values) <= high) and float(np.mean((values >= low) & (values <= high))) > 0.95 and whole


REFUSALS: Final = (
    Refusal("index", "numbers that count up: an index, not intervals", counts_up),
    Refusal(
        "wave",
        "the samples of a pulse or an ECG, not intervals between beats: let a program find the beats and write RR intervals",
        is_wave,
    ),
    Refusal(
        "rates",
        "heart rates in beats a minute, from which no HRV can be computed",
        _is_rates,
    ),
    Refusal(
        "zones",
        "small whole numbers, such as zones or marks, not intervals",
        lambda values: bool(np.all(values % 1 == 0)) and np.unique(values).size <= 12 and float(values.max()) < 25,
    ),
)
"""What a series of numbers without a heading may be instead of intervals, in the order in which it is asked."""


def refuse_alien(name: str, values: Sequence[float]) -> None:
    """Raise `RecordingError` where numbers without a heading, in whatever unit, are something else than intervals."""
    numbers = np.asarray(values, dtype=np.float64)
    for refusal in REFUSALS:
        if refusal.found(numbers):
            raise RecordingError(f"{name} seems to hold {refusal.words}.")


def check_intervals(name: str, rr_ms: Sequence[float]) -> None:
    """Raise `RecordingError` where intervals in ms are not those of heartbeats."""
    values = np.asarray([one for one in rr_ms if one > 0], dtype=np.float64)
    if values.size < _LEAST:
        beats = "one interval" if len(rr_ms) == 1 else f"{len(rr_ms)} intervals"
        raise RecordingError(f"{name} holds {beats}: too few beats for any figure.")
    middle = float(np.median(values))
    if MOST_MS < middle < _LONGEST_MS:
        raise RecordingError(
            f"{name} seems to hold breaths, not heartbeats: its intervals are {middle / 1000:.1f} s long in the middle."
        )
    if middle < LEAST_MS:
        raise RecordingError(
            f"{name} cannot hold intervals between heartbeats: the middle one, {middle:.0f} ms, is {60_000 / middle:.0f} bpm."
        )
    if middle > MOST_MS:
        raise RecordingError(f"{name} cannot be intervals between heartbeats: they are {middle / 1000:.1f} s long in the middle.")
    if is_wave(values):
        wave = next(each for each in REFUSALS if each.name == "wave")
        raise RecordingError(f"{name} seems to hold {wave.words}.")


def in_beats_a_minute(name: str, rates: Sequence[float], unit: str) -> tuple[list[float], str]:
    """Return heart rates in beats a minute, and the unit that they were found in: watches also count beats a second.

    Raises `RecordingError` where numbers are no heart rates.
    """
    values = np.asarray([one for one in rates if one > 0], dtype=np.float64)
    if values.size < _LEAST:
        raise RecordingError(f"{name} holds {values.size} heart rates: too few for any figure.")
    middle = float(np.median(values))
    if _RATES[0] <= middle <= _RATES[1]:
        return list(rates), "bpm"
    if unit in {"", "bpm", "Hz"} and _RATES[0] <= 60 * middle <= _RATES[1]:
        return [60 * one for one in rates], "Hz"
    raise RecordingError(f"{name} cannot be heart rates in beats a minute: the middle one is {middle:g}.")


def warn_of(name: str, warnings: list[str], number: int, text: str) -> None:
    """Note that a line is left out, unless there are many such notes already."""
    if len(warnings) < _MOST_WARNINGS:
        warnings.append(f"{name} line {number}: {text[:40]!r} is no row of beats; it is left out.")


def check_dropped(name: str, dropped: int, rows: int, warnings: Sequence[str]) -> None:
    """Raise `RecordingError` where too many rows could not be read."""
    if dropped > max(_ALLOWED, _MOST_DROPPED * rows):
        first = f" The first: {warnings[0]}" if warnings else ""
        raise RecordingError(
            f"{name}: {dropped} of {rows} rows could not be read, more than one in twenty, so the rest is not trusted.{first}"
        )

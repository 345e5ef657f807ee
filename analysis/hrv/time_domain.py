"""Time-domain figures of runs of beats by numpy alone, for the archive; they agree with NeuroKit2 to 1e-9."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, sqrt
from typing import Final

import numpy as np

from ..beats.beat_runs import Array

FEWEST_BEATS: Final = 3
NO_PAIR: Final = "No two accepted beats follow each other: no RMSSD."
ONE_PAIR: Final = "Only one pair of accepted beats: no SD1 and SD2."
NO_LOGARITHM: Final = "All adjacent intervals are equal: RMSSD is 0 and has no logarithm."
_NN50_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class TimeDomain:
    """Time-domain figures (Task Force 1996), None where they cannot be computed; `reasons` states why in plain words."""

    beats: int
    """Number of accepted beats."""
    mean_hr_bpm: float | None = None
    """Heart rate of the mean interval: 60 000 / `mean_rr_ms`."""
    mean_rr_ms: float | None = None
    rmssd_ms: float | None = None
    ln_rmssd: float | None = None
    sdnn_ms: float | None = None
    pnn50_pct: float | None = None
    sd1_ms: float | None = None
    sd2_ms: float | None = None
    reasons: tuple[str, ...] = ()


def checked_intervals(runs: Sequence[Array]) -> tuple[Array, int]:
    """Return all intervals in ms and the number of their differences.

    Raises `ValueError` for intervals that are not finite and positive.
    """
    if not runs:
        return np.empty(0), 0
    rr_ms = np.concatenate(runs)
    if not isfinite(float(rr_ms.sum())) or rr_ms.min() <= 0:
        raise ValueError("RR intervals must be finite and positive")
    return rr_ms, rr_ms.size - len(runs)


def too_few_beats(beats: int) -> TimeDomain:
    """Return the result without figures for too few beats."""
    return TimeDomain(beats, reasons=(f"Only {beats} accepted beats: too few for any figure.",))


def equal_intervals(beats: int, rr_ms: float, differences: int) -> TimeDomain:
    """Return the figures of equal intervals, whose spread is 0."""
    spread_ms = 0.0 if differences else None
    plot_ms = 0.0 if differences > 1 else None
    return TimeDomain(
        beats=beats,
        mean_hr_bpm=60_000 / rr_ms,
        mean_rr_ms=rr_ms,
        rmssd_ms=spread_ms,
        sdnn_ms=0.0,
        pnn50_pct=spread_ms,
        sd1_ms=plot_ms,
        sd2_ms=plot_ms,
        reasons=(NO_LOGARITHM if differences else NO_PAIR,),
    )


def numpy_time_domain(runs: Sequence[Array]) -> TimeDomain:
    """Compute the figures of runs of accepted, adjacent RR intervals in ms; no difference crosses from one run to the next.

    Raises `ValueError` for intervals that are not finite and positive.
    """
    runs = [run for run in runs if len(run)]
    rr_ms, differences = checked_intervals(runs)
    if rr_ms.size < FEWEST_BEATS:
        return too_few_beats(rr_ms.size)
    mean_ms = float(rr_ms.mean())
    if rr_ms.min() == rr_ms.max():
        return equal_intervals(rr_ms.size, mean_ms, differences)
    first = np.cumsum([0, *(len(run) for run in runs[:-1])])
    diff = np.delete(np.diff(rr_ms, prepend=rr_ms[0]), first)
    rmssd_ms = sqrt(float(diff @ diff) / differences) if differences else None
    sd1_ms = sd2_ms = None
    if differences > 1:
        pair = np.delete(rr_ms + np.roll(rr_ms, 1), first)
        sd1_ms, sd2_ms = float(diff.std(ddof=1)) / sqrt(2), float(pair.std(ddof=1)) / sqrt(2)
    reasons = [NO_PAIR] if not differences else [ONE_PAIR] if differences == 1 else []
    if rmssd_ms == 0:
        reasons.append(NO_LOGARITHM)
    return TimeDomain(
        beats=rr_ms.size,
        mean_hr_bpm=60_000 / mean_ms,
        mean_rr_ms=mean_ms,
        rmssd_ms=rmssd_ms,
        ln_rmssd=log(rmssd_ms) if rmssd_ms else None,
        sdnn_ms=float(rr_ms.std(ddof=1)),
        pnn50_pct=100 * int((np.abs(diff) > _NN50_MS).sum()) / (differences + 1) if differences else None,
        sd1_ms=sd1_ms,
        sd2_ms=sd2_ms,
        reasons=tuple(reasons),
    )

"""HRV of record in the time domain: the one door to NeuroKit2.

Importing this module imports NeuroKit2 (seconds, 200 MB): only a worker process does so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import Any, Final
import warnings

import neurokit2
from neurokit2.hrv.hrv_nonlinear import _hrv_nonlinear_poincare
import numpy as np

from .runs import Array

_HOLE_S: Final = 10.0
"""Longer than any RR: NeuroKit2 sees that beats either side of it are no neighbours."""
_FEWEST_BEATS: Final = 3
_NO_PAIR: Final = "No two accepted beats follow each other: no RMSSD."
_NO_LOGARITHM: Final = "All adjacent intervals are equal: RMSSD is 0 and has no logarithm."


@dataclass(frozen=True, slots=True)
class TimeDomain:
    """Time-domain figures (Task Force 1996), None where they cannot be had; `reasons` says why, in plain words."""

    beats: int
    """Accepted beats, which the figures rest on."""
    mean_hr_bpm: float | None = None
    """Of the mean interval: 60 000 / `mean_rr_ms`."""
    mean_rr_ms: float | None = None
    rmssd_ms: float | None = None
    ln_rmssd: float | None = None
    sdnn_ms: float | None = None
    pnn50_pct: float | None = None
    sd1_ms: float | None = None
    sd2_ms: float | None = None
    reasons: tuple[str, ...] = ()


def time_domain(runs: Sequence[Array]) -> TimeDomain:
    """Figures of runs of accepted, adjacent RR intervals in ms; no difference crosses from one run to the next.

    NeuroKit2 skips differences over holes in the beat times (its PR #720), so the runs are laid out with holes between them.
    """
    runs = [run for run in runs if len(run)]
    beats = sum(len(run) for run in runs)
    if beats < _FEWEST_BEATS:
        return TimeDomain(beats, reasons=(f"Only {beats} accepted beats: too few for any figure.",))
    rr_ms = np.concatenate(runs)
    mean_rr_ms = float(rr_ms.mean())
    if not isfinite(mean_rr_ms) or rr_ms.min() <= 0:
        raise ValueError("RR intervals must be finite and positive")
    differences = beats - len(runs)
    if rr_ms.min() == rr_ms.max():
        return _flat(beats, mean_rr_ms, differences)
    time_s = np.cumsum(rr_ms) / 1000 + _HOLE_S * np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NeuroKit2 warns of figures that are not asked for here
        figures = neurokit2.hrv_time({"RRI": rr_ms, "RRI_Time": time_s}).iloc[0]
        plot: dict[str, Any] = _hrv_nonlinear_poincare(rr_ms, rri_time=time_s, rri_missing=len(runs) > 1, out={})
    rmssd_ms = pnn50_pct = sd1_ms = sd2_ms = None
    reasons: list[str] = []
    if differences:
        rmssd_ms, pnn50_pct = float(figures["HRV_RMSSD"]), float(figures["HRV_pNN50"])
    else:
        reasons.append(_NO_PAIR)
    if differences > 1:
        sd1_ms, sd2_ms = float(plot["SD1"]), float(plot["SD2"])
    elif differences:
        reasons.append("Only one pair of accepted beats: no SD1 and SD2.")
    if rmssd_ms == 0:
        reasons.append(_NO_LOGARITHM)
    return TimeDomain(
        beats=beats,
        mean_hr_bpm=60_000 / float(figures["HRV_MeanNN"]),
        mean_rr_ms=float(figures["HRV_MeanNN"]),
        rmssd_ms=rmssd_ms,
        ln_rmssd=log(rmssd_ms) if rmssd_ms else None,
        sdnn_ms=float(figures["HRV_SDNN"]),
        pnn50_pct=pnn50_pct,
        sd1_ms=sd1_ms,
        sd2_ms=sd2_ms,
        reasons=tuple(reasons),
    )


def _flat(beats: int, rr_ms: float, differences: int) -> TimeDomain:
    """All intervals equal: every spread is 0, and NeuroKit2 would divide by it."""
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
        reasons=(_NO_LOGARITHM if differences else _NO_PAIR,),
    )

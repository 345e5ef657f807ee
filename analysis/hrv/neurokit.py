"""Time-domain HRV of record, computed by NeuroKit2.

The first call imports NeuroKit2 (seconds, 200 MB), so only a worker process may call it.
"""

from collections.abc import Sequence
from math import log
from typing import Any, Final
import warnings

import numpy as np

from ..beats.beat_runs import Array
from .time_domain import (
    FEWEST_BEATS,
    NO_LOGARITHM,
    NO_PAIR,
    ONE_PAIR,
    TimeDomain,
    checked_intervals,
    equal_intervals,
    too_few_beats,
)

_HOLE_S: Final = 10.0
"""Hole between runs, longer than any RR: NeuroKit2 sees that the beats on either side are not adjacent."""


def load() -> None:
    """Import NeuroKit2 in advance, so that the first computation does not wait for it."""
    import neurokit2  # noqa: F401, PLC0415


def time_domain(runs: Sequence[Array]) -> TimeDomain:
    """Compute the figures of runs of accepted, adjacent RR intervals in ms; no difference crosses from one run to the next.

    NeuroKit2 skips differences across holes in the beat times (its PR #720), so the runs are placed with holes between them.
    Raises `ValueError` for intervals that are not finite and positive.
    """
    runs = [run for run in runs if len(run)]
    rr_ms, differences = checked_intervals(runs)
    beats = rr_ms.size
    if beats < FEWEST_BEATS:
        return too_few_beats(beats)
    if rr_ms.min() == rr_ms.max():
        return equal_intervals(beats, float(rr_ms.mean()), differences)
    import neurokit2  # noqa: PLC0415
    from neurokit2.hrv.hrv_nonlinear import _hrv_nonlinear_poincare  # noqa: PLC0415

    time_s = np.cumsum(rr_ms) / 1000 + _HOLE_S * np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NeuroKit2 warns about figures that are not used here
        figures = neurokit2.hrv_time({"RRI": rr_ms, "RRI_Time": time_s}).iloc[0]
        plot: dict[str, Any] = _hrv_nonlinear_poincare(rr_ms, rri_time=time_s, rri_missing=len(runs) > 1, out={})
    rmssd_ms = pnn50_pct = sd1_ms = sd2_ms = None
    reasons: list[str] = []
    if differences:
        rmssd_ms, pnn50_pct = float(figures["HRV_RMSSD"]), float(figures["HRV_pNN50"])
    else:
        reasons.append(NO_PAIR)
    if differences > 1:
        sd1_ms, sd2_ms = float(plot["SD1"]), float(plot["SD2"])
    elif differences:
        reasons.append(ONE_PAIR)
    if rmssd_ms == 0:
        reasons.append(NO_LOGARITHM)
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

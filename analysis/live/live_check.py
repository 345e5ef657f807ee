"""Comparison of the live figures with NeuroKit2, computed from the same intervals."""

from math import isnan

import msgspec
import numpy as np

from ..hrv.engine_parity import Parity
from ..hrv.neurokit import time_domain
from ..hrv.rolling_window import RollingHrv

WINDOW = "last 60 s"


class LiveWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of the live engine's window: accepted intervals in runs that no difference crosses, and their figures."""

    runs_ms: list[list[float]]
    mean_rr_ms: float | None
    sdnn_ms: float | None
    rmssd_ms: float | None
    pnn50_pct: float | None
    sd1_ms: float | None
    sd2_ms: float | None


def window_of(engine: RollingHrv) -> LiveWindow:
    """Return a copy of an engine’s window; it takes some 50 µs and may be called on the event loop."""
    runs_ms: list[list[float]] = []
    for rr_ms, diff_ms in engine.intervals():
        if isnan(rr_ms):
            continue
        if isnan(diff_ms) or not runs_ms:
            runs_ms.append([])
        runs_ms[-1].append(rr_ms)
    return LiveWindow(
        runs_ms=runs_ms,
        mean_rr_ms=engine.mean_rr_ms,
        sdnn_ms=engine.sdnn_ms,
        rmssd_ms=engine.rmssd_ms,
        pnn50_pct=engine.pnn50_pct,
        sd1_ms=engine.sd1_ms,
        sd2_ms=engine.sd2_ms,
    )


def compare_with_neurokit(window: LiveWindow) -> Parity:
    """Compare a window with NeuroKit2; only for the worker process, which imports it.

    Raises `ValueError` for intervals that are not finite and positive.
    """
    return Parity().with_phase(WINDOW, window, time_domain([np.array(run) for run in window.runs_ms]))

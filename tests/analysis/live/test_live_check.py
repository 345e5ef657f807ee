"""Live figures equal those that NeuroKit2 computes from the same beats."""

from hypothesis import given, settings, strategies as st
import msgspec

from restbeat.analysis.hrv.rolling_window import RollingHrv
from restbeat.analysis.live.live_check import compare_with_neurokit, window_of

BEATS = st.lists(st.tuples(st.integers(300, 1500), st.booleans(), st.booleans()), max_size=120)
WHOLE = [(800, True, True), (830, True, True), (790, True, True), (815, True, True)]
"""Enough for every figure, as long as it is within the last minute."""


def engine(beats):
    """Return a 60 s window with beats given as (RR ms, accepted, adjacent to the one before)."""
    window, end_s, before = RollingHrv(60.0), 0.0, None
    for rr, accepted, adjacent in beats:
        end_s += rr / 1000
        rr_ms = rr * 1000 / 1024
        window.push(end_s, rr_ms, accepted=accepted, diff_ms=rr_ms - before if adjacent and accepted and before else None)
        before = rr_ms if accepted else None
    return window


@settings(deadline=None)
@given(BEATS)
def test_any_window_agrees_with_neurokit2(beats):
    window = engine([*beats, *WHOLE])
    assert compare_with_neurokit(window_of(window)).differences == []


def test_a_wrong_figure_is_reported():
    window = window_of(engine([(800 + 40 * (n % 3), True, True) for n in range(60)]))
    assert compare_with_neurokit(window).compared == 6
    (apart,) = compare_with_neurokit(msgspec.structs.replace(window, rmssd_ms=window.rmssd_ms * (1 + 1e-6))).differences
    assert (apart.phase, apart.figure) == ("last 60 s", "rmssd_ms")

import numpy as np
import pytest

from restbeat.analysis.beats.beat_stream import JudgedBeat
from restbeat.analysis.beats.phase_segments import PhaseBeats, segments
from restbeat.analysis.figures import PhaseFigures, ResponseContext, ResponseFigures
from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.live.running_sums import RunningComparison, RunningSums, SegmentSums
from restbeat.analysis.response.earlier_rests import EarlierFigures, EarlierSession
from restbeat.analysis.response.relaxation_response import FIT_FEWEST_DIFFERENCES, FIT_SEGMENT_S, classify_response
from restbeat.analysis.response.running_estimate import provisional_change
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import PhaseStart


def heart(seed, minutes, ratio=1.0):
    """Return end times (s) and RR (ms) of beats whose RMSSD changes by `ratio` after five minutes."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, 60 * minutes, 0.1)
    depth = 0.04 * np.where(t >= 300, ratio, 1.0) * np.exp(0.2 * np.cumsum(rng.normal(0, 0.05, t.size)) * np.exp(-t / 1e9))
    beats = np.cumsum((1 + depth * np.sin(2 * np.pi * 0.25 * t)) / 0.9) * 0.1
    times = np.interp(np.arange(1, int(beats[-1])), beats, t + 0.1)
    return times[1:], 1000 * np.diff(times)


def judged(end_s, rr_ms, rejected=()):
    for n, (end, rr) in enumerate(zip(end_s.tolist(), rr_ms.tolist(), strict=True)):
        accepted = n not in rejected
        diff_ms = rr - float(rr_ms[n - 1]) if n > 0 and accepted and n - 1 not in rejected else None
        yield JudgedBeat(end, rr, accepted, False, diff_ms, "normal" if accepted else "other")


def comparison_of(beats, start_s=300.0, base_s=(0.0, 300.0)):
    sums = RunningSums()
    for beat in beats:
        sums.push(beat)
    return RunningComparison(phase="massage", baseline=sums.between(*base_s), current=sums.between(start_s))


def recorded(end_s, rr_ms, start_s, stop_s):
    inside = (end_s >= start_s) & (end_s < stop_s)
    adjacent = np.ones(int(inside.sum()), dtype=bool)
    adjacent[:1] = False
    return PhaseBeats(end_s[inside], rr_ms[inside], np.ones(adjacent.size, dtype=bool), adjacent, (start_s, stop_s))


@pytest.fixture(scope="module")
def beats():
    return heart(1, 15, ratio=1.5)


def test_the_running_sums_are_those_of_the_segments_except_at_the_borders(beats):
    comparison = comparison_of(judged(*beats), start_s=299.0)
    for found, bounds in ((comparison.baseline, (0.0, 300.0)), (comparison.current, (300.0, 900.0))):
        whole = segments(recorded(*beats, *bounds), FIT_SEGMENT_S, FIT_FEWEST_DIFFERENCES)
        live = 0.5 * np.log(np.array(found.squares) / np.array(found.differences))
        assert found.start_s == bounds[0] + 5
        assert live == pytest.approx(whole.ln_rmssd[1 : 1 + live.size], abs=1e-9)
        assert whole.mid_s.size - live.size <= 2  # the last one is whole only once a beat has ended behind it


def test_the_provisional_interval_at_the_end_of_a_phase_is_that_of_the_response(beats):
    change = provisional_change(comparison_of(judged(*beats)))
    response = classify_response(recorded(*beats, 0, 300), recorded(*beats, 300, 900))
    assert change.why is None
    for live, record in ((change.percent, response.delta), (change.low_pct, response.low), (change.high_pct, response.high)):
        assert np.log1p(live / 100) == pytest.approx(record, abs=0.05)


def test_a_running_session_compares_massage_and_recovery_with_its_baseline():
    live, (_, events) = LiveSession(), simulate("clear", seed=1, minutes=(5, 3, 3))
    found = {}
    for event in events:
        live.push(event)
        found[live.phase] = live.running_comparison
    assert (found[Phase.BASELINE], found[Phase.ENDED]) == (None, None)
    for phase, start_s in ((Phase.MASSAGE, 305.0), (Phase.RECOVERY, 485.0)):
        assert (found[phase].phase, found[phase].baseline.start_s, found[phase].current.start_s) == (phase.value, 5.0, start_s)
        assert len(found[phase].baseline.squares) == 59
        assert len(found[phase].current.squares) in {33, 34}
        assert provisional_change(found[phase]).why is None


def test_a_session_without_a_baseline_has_no_running_comparison():
    live = LiveSession()
    live.push(PhaseStart(1.0, Phase.MASSAGE))
    assert live.running_comparison is None


def sums(segments, start_s=0.0, rejected=0, level=900.0):
    return SegmentSums(
        start_s=start_s,
        squares=[5 * level] * segments,
        differences=[5] * segments,
        beats=100,
        rejected=rejected,
        filled_s=5.0 * segments,
    )


@pytest.mark.parametrize(
    ("baseline", "current", "why"),
    [
        (sums(23), sums(30, 300.0), "the baseline is too short to compare with"),
        (sums(60), sums(4, 300.0), "about 40 s more are needed"),
        (sums(60, rejected=11), sums(30, 300.0), "too many beats could not be used"),
        (sums(60), sums(30, 300.0, rejected=11), "too many beats could not be used"),
    ],
)
def test_a_change_that_cannot_be_estimated_yet_has_a_reason_and_no_figure(baseline, current, why):
    found = provisional_change(RunningComparison(phase="massage", baseline=baseline, current=current))
    assert (found.percent, found.low_pct, found.high_pct, found.why) == (None, None, None, why)


def test_a_rejected_beat_is_counted_and_in_no_sum_of_differences(beats):
    comparison, whole = comparison_of(judged(*beats, rejected={10, 400})), comparison_of(judged(*beats))
    assert (comparison.baseline.rejected, comparison.current.rejected) == (1, 1)
    assert sum(comparison.baseline.differences) == sum(whole.baseline.differences) - 2
    assert comparison.baseline.beats == whole.baseline.beats


def test_rests_of_large_change_widen_the_interval(beats):
    comparison = comparison_of(judged(*beats))
    phases = [PhaseFigures(phase=name, start_s=0.0, end_s=300.0, beats=300) for name in ("baseline", "massage")]
    response = ResponseFigures(phase="massage", delta_ln_rmssd=0.6, class_="none")
    context = {"massage": ResponseContext(wander_sd=0.1, standard_error=0.1, steady=True)}
    rest = EarlierSession(kind="rest", figures=EarlierFigures(phases, [response]), context=context)
    narrow, wide = provisional_change(comparison), provisional_change(comparison, [rest] * 3)
    assert wide.low_pct < narrow.low_pct < narrow.percent < narrow.high_pct < wide.high_pct

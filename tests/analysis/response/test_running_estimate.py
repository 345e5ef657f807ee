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
    """Ends (s) and RR (ms) of beats whose RMSSD changes by `ratio` after five minutes."""
    rng = np.random.default_rng(seed)
    t = np.arange(0, 60 * minutes, 0.1)
    deep = 0.04 * np.where(t >= 300, ratio, 1.0) * np.exp(0.2 * np.cumsum(rng.normal(0, 0.05, t.size)) * np.exp(-t / 1e9))
    beats = np.cumsum((1 + deep * np.sin(2 * np.pi * 0.25 * t)) / 0.9) * 0.1
    times = np.interp(np.arange(1, int(beats[-1])), beats, t + 0.1)
    return times[1:], 1000 * np.diff(times)


def judged(end_s, rr_ms, rejected=()):
    for n, (end, rr) in enumerate(zip(end_s.tolist(), rr_ms.tolist(), strict=True)):
        good = n not in rejected
        near = n > 0 and good and n - 1 not in rejected
        yield JudgedBeat(end, rr, good, False, rr - float(rr_ms[n - 1]) if near else None, "normal" if good else "other")


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


def test_the_sums_kept_while_running_are_those_of_the_segments_but_for_the_borders(beats):
    comparison = comparison_of(judged(*beats), start_s=299.0)
    for found, bounds in ((comparison.baseline, (0.0, 300.0)), (comparison.current, (300.0, 900.0))):
        whole = segments(recorded(*beats, *bounds), FIT_SEGMENT_S, FIT_FEWEST_DIFFERENCES)
        live = 0.5 * np.log(np.array(found.squares) / np.array(found.differences))
        assert found.start_s == bounds[0] + 5
        assert live == pytest.approx(whole.ln_rmssd[1 : 1 + live.size], abs=1e-9)
        assert whole.mid_s.size - live.size <= 2  # the last one is whole only once a beat has ended behind it


def test_at_its_end_a_phase_has_the_interval_of_its_verdict(beats):
    now = provisional_change(comparison_of(judged(*beats)))
    verdict = classify_response(recorded(*beats, 0, 300), recorded(*beats, 300, 900))
    assert now.why is None
    for live, record in ((now.percent, verdict.delta), (now.low_pct, verdict.low), (now.high_pct, verdict.high)):
        assert np.log1p(live / 100) == pytest.approx(record, abs=0.05)


def test_a_running_session_compares_massage_and_recovery_with_its_baseline():
    live, (_, events) = LiveSession(), simulate("clear", seed=1, minutes=(3, 3, 3))
    found = {}
    for event in events:
        live.push(event)
        found[live.phase] = live.running_comparison
    assert (found[Phase.BASELINE], found[Phase.ENDED]) == (None, None)
    for phase, start_s in ((Phase.MASSAGE, 185.0), (Phase.RECOVERY, 365.0)):
        assert (found[phase].phase, found[phase].baseline.start_s, found[phase].current.start_s) == (phase.value, 5.0, start_s)
        assert len(found[phase].baseline.squares) == 35
        assert len(found[phase].current.squares) in {33, 34}
        assert provisional_change(found[phase]).why is None


def test_without_a_baseline_nothing_is_compared():
    live = LiveSession()
    live.push(PhaseStart(1.0, Phase.MASSAGE))
    assert live.running_comparison is None


def sums(stretches, start_s=0.0, rejected=0, level=900.0):
    return SegmentSums(
        start_s=start_s, squares=[5 * level] * stretches, differences=[5] * stretches, beats=100, rejected=rejected
    )


@pytest.mark.parametrize(
    ("base", "now", "why"),
    [
        (sums(23), sums(30, 300.0), "the baseline is too short to compare with"),
        (sums(60), sums(4, 300.0), "about 40 s more are needed"),
        (sums(60, rejected=11), sums(30, 300.0), "too many beats could not be used"),
        (sums(60), sums(30, 300.0, rejected=11), "too many beats could not be used"),
    ],
)
def test_what_cannot_be_told_yet_has_a_reason_and_no_figure(base, now, why):
    found = provisional_change(RunningComparison(phase="massage", baseline=base, current=now))
    assert (found.percent, found.low_pct, found.high_pct, found.why) == (None, None, None, why)


def test_a_rejected_beat_is_in_no_sum_and_counts(beats):
    comparison, whole = comparison_of(judged(*beats, rejected={10, 400})), comparison_of(judged(*beats))
    assert (comparison.baseline.rejected, comparison.current.rejected) == (1, 1)
    assert sum(comparison.baseline.differences) == sum(whole.baseline.differences) - 2
    assert comparison.baseline.beats == whole.baseline.beats


def test_a_client_who_wanders_much_at_rest_gets_a_wider_interval(beats):
    comparison = comparison_of(judged(*beats))
    phases = [PhaseFigures(phase=name, start_s=0.0, end_s=300.0, beats=300) for name in ("baseline", "massage")]
    response = ResponseFigures(phase="massage", delta_ln_rmssd=0.6, class_="none")
    context = {"massage": ResponseContext(wander_sd=0.1, standard_error=0.1, steady=True)}
    rest = EarlierSession(kind="rest", figures=EarlierFigures(phases, [response]), context=context)
    usual, wide = provisional_change(comparison), provisional_change(comparison, [rest] * 3)
    assert wide.low_pct < usual.low_pct < usual.percent < usual.high_pct < wide.high_pct

"""Reports of whole sessions: phases, their figures, and the reasons for missing ones."""

from math import exp
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.hearts import Scenario, sessions
from restbeat.analysis.session_report import phase_spans, summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Contact, Measurement, Phase
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Mark, Packet, Pain, PhaseStart, read

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures").glob("*.jsonl*"))


def packets(first, last, rr_of=lambda n: 1004 + 40 * (n % 2)):
    return [Packet(float(n), "2a37", encode(Measurement(61, Contact.YES, None, (rr_of(n),), True))) for n in range(first, last)]


def figures_of(events, **options):
    return summarise("x", Header(), events, **options)


def test_before_the_first_phase_start_a_session_is_settling():
    spans = phase_spans([*packets(1, 11), PhaseStart(10.5, Phase.BASELINE), *packets(11, 21)])
    assert [(s.phase, s.start_s, s.end_s) for s in spans] == [(Phase.SETTLE, 0.0, 10.5), (Phase.BASELINE, 10.5, 20.0)]


def test_a_phase_start_at_zero_leaves_no_settling():
    assert [s.phase for s in phase_spans([PhaseStart(0.0, Phase.BASELINE), *packets(1, 9)])] == [Phase.BASELINE]


def test_a_phase_start_that_leads_back_is_ignored_and_ended_ends():
    lines = [
        PhaseStart(t, p) for t, p in ((5.0, Phase.MASSAGE), (7.0, Phase.BASELINE), (9.0, Phase.ENDED), (12.0, Phase.RECOVERY))
    ]
    assert [(s.phase, s.end_s) for s in phase_spans(lines)] == [(Phase.SETTLE, 5.0), (Phase.MASSAGE, 9.0)]


def test_without_events_the_report_has_no_figures():
    report = figures_of([])
    assert (report.figures.phases, report.hrv) == ([], False)
    assert [r.class_ for r in report.figures.responses] == ["insufficient", "insufficient"]
    assert all(r.why for r in report.figures.responses)


def test_a_difference_never_crosses_a_phase_border():
    low, high = (lambda n: 1024), (lambda n: 1034 + n % 2)
    events = [PhaseStart(0.0, Phase.BASELINE), *packets(1, 61, low), PhaseStart(60.5, Phase.MASSAGE), *packets(61, 121, high)]
    baseline, massage = figures_of(events).figures.phases
    assert baseline.rmssd_ms == 0
    assert massage.rmssd_ms == pytest.approx(1000 / 1024, rel=0.05)


def test_a_phase_without_beats_has_a_reason():
    events = [*packets(1, 31), PhaseStart(31.0, Phase.BASELINE), PhaseStart(61.0, Phase.MASSAGE)]
    report = figures_of(events, end_s=90.0)
    assert report.reasons["baseline"] == ["No beat was received in this phase."]
    assert report.figures.phases[1].accepted_pct is None
    assert report.figures.integrity.lost_s == pytest.approx(60, abs=1)


def test_a_phase_of_artifacts_has_only_its_accepted_share():
    noise = np.random.default_rng(1).integers(320, 1800, 200)
    (settle,) = figures_of(packets(1, 121, lambda n: int(noise[n]))).figures.phases
    assert settle.accepted_pct < 70
    assert settle.rmssd_ms is None


def test_marks_and_pain_are_in_the_report():
    report = figures_of([*packets(1, 5), Mark(4.0, technique="long strokes", region="back"), Pain(4.0, 6), *packets(5, 9)])
    assert [(n.at_s, n.text) for n in report.notes] == [(4.0, "long strokes, back")]
    assert report.pain == [(4.0, 6)]


def test_a_lost_connection_is_followed_by_a_gap():
    report = figures_of([*packets(1, 61), ConnectionEvent(61.0, up=False), ConnectionEvent(80.0, up=True), *packets(81, 141)])
    assert (report.figures.integrity.gaps, report.figures.integrity.rejected_beats) == (1, 0)
    assert report.figures.integrity.lost_s == pytest.approx(20, abs=1)


@pytest.mark.parametrize(("scenario", "seed"), [("clear", 5), ("opposite", 2)])
def test_a_simulated_change_gets_its_expected_class(scenario, seed):
    header, events = simulate(scenario, seed=seed, minutes=(5, 15, 5))
    report = summarise(scenario, header, events)
    massage, _ = report.figures.responses
    assert massage.class_ == scenario
    low, high = report.intervals["massage"]
    assert low < massage.delta_ln_rmssd < high
    assert massage.percent == pytest.approx(100 * (exp(massage.delta_ln_rmssd) - 1))
    assert massage.half_width == pytest.approx((high - low) / 2)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_fixture_gives_its_true_beats_and_a_report_that_round_trips_through_json(path):
    recording = read(path)
    report = summarise(path.name, recording.header, recording.events)
    assert report.figures.phases
    assert sum(phase.beats for phase in report.figures.phases) <= report.figures.integrity.beats
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report


def test_any_order_of_events_gives_a_report():
    rng = np.random.default_rng(3)
    for _ in range(20):
        t, events = 0.0, []
        for _ in range(200):
            t += float(rng.exponential(0.8))
            kind = rng.integers(0, 12)
            if kind == 0:
                events.append(PhaseStart(t, list(Phase)[rng.integers(0, 4)]))
            elif kind == 1:
                events.append(ConnectionEvent(t, up=bool(rng.integers(0, 2))))
            else:
                events.append(Packet(t, "2a37", rng.bytes(rng.integers(0, 12))))
        report = figures_of(events)
        assert len(report.figures.responses) == 2


def test_a_report_says_that_the_live_engine_and_neurokit2_agree():
    recording = read(next(path for path in FIXTURES if "noisy" in path.name))
    parity = summarise("noisy", recording.header, recording.events).parity
    assert (parity.compared, parity.differences) == (18, [])
    assert parity.largest < 1e-9


def heart(heard, *, baseline_s):
    """Return the events of a simulated session, the baseline of which begins at `baseline_s`."""
    parts = [part for part in (heard.settle, heard.base, heard.phase) if part is not None]
    ends, rr = np.concatenate([part.end_s for part in parts]), np.concatenate([part.rr_ms for part in parts])
    beats = [
        Packet(float(end) + 0.1, "2a37", encode(Measurement(66, Contact.YES, None, (round(ms * 1.024),), True)))
        for end, ms in zip(ends, rr, strict=True)
    ]
    starts = PhaseStart(baseline_s, Phase.BASELINE), PhaseStart(heard.phase.bounds_s[0], Phase.MASSAGE)
    return sorted([*beats, *starts], key=lambda event: event.t)


def test_talking_marked_in_the_baseline_is_left_out_of_the_comparison():
    marks = Mark(90.0, note="Talking"), Mark(130.0, note="talking")
    changes = []
    for heard in sessions(Scenario(base_min=7, talks=True), 6, 3):
        events = heart(heard, baseline_s=0.0)
        marked = sorted([*events, *marks], key=lambda event: event.t)
        plain, without = (figures_of(each).figures.responses[0].delta_ln_rmssd for each in (events, marked))
        changes.append(without - plain)
    assert np.mean(changes) < -0.03


def test_what_settles_before_the_baseline_counts_in_the_verdict():
    scenario = Scenario(settle_min=4, phase_min=15, settling=-0.4, settling_tau_min=12)
    found = []
    for heard in list(sessions(scenario, 12, 13))[5:11]:
        events = heart(heard, baseline_s=240.0)
        long_ago = [msgspec.structs.replace(event, t=event.t + 3600) for event in events]
        found.append(tuple(figures_of(each).figures.responses[0].class_ for each in (events, long_ago)))
    assert ("none", "slight") in found
    assert set(found) <= {("none", "none"), ("none", "slight"), ("slight", "slight")}

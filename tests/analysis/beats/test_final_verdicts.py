"""Verdicts of the offline filter: reported beside the live figures, never instead of them."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from restbeat.analysis.beats import final_verdicts as module
from restbeat.analysis.beats.beat_stream import NO_CONTACT, JudgedBeat
from restbeat.analysis.beats.final_verdicts import final_verdicts
from restbeat.analysis.figures import SessionReport
from restbeat.analysis.session_report import summarise
from restbeat.sensors.recordings.recording import read

from .test_artifact_filter import calm_series

FIXTURES = Path(__file__).parents[3] / "fixtures"


def beats(series, kinds=None, gaps=()):
    kinds = kinds or {}
    ends = np.cumsum(series) / 1000
    return [
        JudgedBeat(float(end), rr_ms, n not in kinds, n in gaps, None, kinds.get(n, "normal"))
        for n, (end, rr_ms) in enumerate(zip(ends, series, strict=True))
    ]


def look(judged, masks=None, least=70.0):
    whole = {"whole": np.ones(len(judged), dtype=bool)}
    return final_verdicts(judged, (masks or whole).items(), least_accepted_pct=least)


def test_where_both_filters_agree_rmssd_is_that_of_the_beats():
    series = calm_series()
    (whole,) = look(beats(series, gaps={100})).phases
    diff = np.delete(np.diff(series), 99)
    assert (whole.changed_pct, whole.accepted_pct) == (0.0, 100.0)
    assert whole.rmssd_ms == pytest.approx(np.sqrt(np.mean(diff**2)))


def test_the_share_of_changed_verdicts_is_given_by_phase():
    series = calm_series(200)
    first = np.arange(200) < 100
    verdicts = look(beats(series, {150: "other"}), {"baseline": first, "massage": ~first})
    assert verdicts.changed_pct == pytest.approx(0.5)
    assert [phase.changed_pct for phase in verdicts.phases] == pytest.approx([0.0, 1.0])
    assert verdicts.phases[1].accepted_pct == 100.0


def test_beats_that_the_stream_distrusts_stay_rejected_even_if_they_fit():
    doubted = dict.fromkeys(range(100, 110), NO_CONTACT)
    (whole,) = look(beats(calm_series(200), doubted | {50: "other"})).phases
    assert whole.accepted_pct == pytest.approx(95.0)


def test_a_phase_of_artifacts_or_of_no_beats_has_no_rmssd():
    noise = np.random.default_rng(1).integers(320, 1800, 100).astype(float).tolist()
    judged = beats(noise, dict.fromkeys(range(0, 100, 2), "other"))
    nothing, all_of_it = np.zeros(100, dtype=bool), np.ones(100, dtype=bool)
    empty, noisy = look(judged, {"settle": nothing, "baseline": all_of_it}, least=90.0).phases
    assert (empty.rmssd_ms, empty.accepted_pct, empty.changed_pct) == (None, None, None)
    assert noisy.accepted_pct < 90
    assert noisy.rmssd_ms is None
    assert look([], {}).changed_pct is None


def test_a_report_has_both_results_and_its_figures_are_those_of_the_live_filter(monkeypatch):
    recording = read(FIXTURES / "polar-h10_simulated_noisy.jsonl.gz")
    report = summarise("x", recording.header, recording.events)
    phases = report.figures.phases
    assert [one.phase for one in report.second_look.phases] == [phase.phase for phase in phases]
    for one, phase in zip(report.second_look.phases, phases, strict=True):
        if not one.changed_pct:
            assert one.rmssd_ms == pytest.approx(phase.rmssd_ms, rel=1e-9)
    monkeypatch.setattr(module, "final_kinds", lambda rr_ms, kinds, lost_before: [module.BeatKind.OTHER] * len(kinds))
    other = summarise("x", recording.header, recording.events)
    assert other.second_look.changed_pct > 90
    assert other.figures == report.figures


def test_a_report_without_offline_verdicts_can_be_read():
    recording = read(FIXTURES / "polar-h10_simulated_one-minute.jsonl")
    fields = msgspec.to_builtins(summarise("x", recording.header, recording.events))
    del fields["second_look"]
    assert msgspec.convert(fields, SessionReport).second_look is None

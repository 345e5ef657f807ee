"""Consequences of a rhythm that is no sinus rhythm: no HRV live or on record, no verdict, one sentence in the notes."""

import msgspec
import numpy as np
import pytest

from bench.rhythms import SINUS, fibrillating
from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.rhythm.phase_rhythm import ADVICE, advice, not_compared, rhythm_of_phase
from restbeat.analysis.rhythm.rhythm_watch import Rhythm
from restbeat.analysis.session_report import summarise, whole_text
from restbeat.analysis.simulation.strap_packets import simulate_packets
from restbeat.sensors.model import Contact, Phase
from restbeat.sensors.recordings.recording import Header, Packet, PhaseStart
from restbeat.sensors.recordings.rr_text import RrText
from restbeat.service.documents.soap_draft import draft_of
from restbeat.service.documents.therapist_summary import summary_of
from restbeat.service.sessions.session_facts import baseline_sentence, verdict_of

from ...web.made_up import row
from ...web.take_home import a_visit

FIGURES = ("rmssd_ms", "ln_rmssd", "sdnn_ms", "pnn50_pct", "sd1_ms", "sd2_ms", "lf_ms2", "hf_ms2", "resp_per_min", "mean_rr_ms")


def calm(beats, seed=0):
    rng = np.random.default_rng(seed)
    return 850 + 40 * np.sin(2 * np.pi * np.arange(beats) / 5) + rng.normal(0, 8, beats)


def fibrillation(beats, seed=1):
    rr_ms = fibrillating("gamma", 0.15, np.random.default_rng(seed), beats=beats)
    return rr_ms * 850 / rr_ms.mean()


def session(*parts):
    """Return the events of a session whose phases have these RR intervals in ms."""
    ends_s = np.cumsum([np.sum(part) / 1000 for part in parts])
    at_s = np.cumsum(np.concatenate([[0.0], *parts])) / 1000
    sent = simulate_packets(at_s, float(ends_s[-1]), np.random.default_rng(2), rr=True, contact=Contact.YES, disconnected=[])
    names = (Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY)
    starts = [PhaseStart(t, phase) for phase, t in zip(names, [0.0, *ends_s.tolist()], strict=False)][: len(parts)]
    return sorted([*starts, *sent.packets], key=lambda event: event.t)


def played(events):
    live, seen = LiveSession(), []
    for event in events:
        live.push(event)
        if isinstance(event, Packet):
            seen.append(live.figures(event.t))
    return seen


@pytest.fixture(scope="module")
def irregular():
    return summarise("x", Header(), session(fibrillation(420), fibrillation(420, seed=3)))


@pytest.fixture(scope="module")
def turned():
    """A report of a calm baseline, and a massage that fibrillates."""
    return summarise("x", Header(), session(calm(420), fibrillation(700)))


def test_an_irregular_phase_has_a_heart_rate_and_no_hrv_on_record(irregular):
    for phase in irregular.figures.phases:
        assert phase.rhythm == "irregular"
        assert phase.mean_hr_bpm == pytest.approx(60_000 / 850, rel=0.02)
        assert {figure: getattr(phase, figure) for figure in FIGURES} == dict.fromkeys(FIGURES)
        assert irregular.reasons[phase.phase] == ["The rhythm was too irregular for HRV."]
    assert {segment.rmssd_ms for segment in irregular.segments} == {None}
    assert {phase.rmssd_ms for phase in irregular.second_look.phases} == {None}


def test_a_running_session_shows_no_hrv_of_an_irregular_rhythm_and_says_why():
    seen = played(session(fibrillation(420)))
    shown = [figures for figures in seen if figures.phase_s > 60]
    assert {(figures.rhythm, figures.rmssd_ms, figures.rmssd_why) for figures in shown} == {
        (Rhythm.IRREGULAR, None, "the rhythm is too irregular for HRV")
    }
    assert {(f.rmssd_5min_ms, f.sdnn_5min_ms, f.lf_ms2, f.hf_ms2, f.resp_per_min, f.change_pct) for f in shown} == {(None,) * 6}
    assert seen[-1].hr_bpm is not None
    assert seen[-1].baseline_rmssd_ms is None


def test_figures_come_back_with_the_rhythm_and_those_of_five_minutes_once_they_hold_no_other():
    seen = played(session(np.concatenate([fibrillation(200), calm(700)])))
    back = next(n for n, figures in enumerate(seen) if figures.rhythm is Rhythm.SINUS_LIKE and n > 200)
    assert (seen[back].rmssd_5min_ms, seen[back].why_5min) == (None, "the rhythm is too irregular for HRV")
    assert seen[-1].rmssd_ms == pytest.approx(np.sqrt(np.mean(np.diff(calm(700)) ** 2)), rel=0.1)
    assert seen[-1].rmssd_5min_ms is not None


def test_a_sinus_rhythm_is_shown_as_ever():
    report = summarise("x", Header(), session(calm(420), calm(420, seed=4)))
    assert [phase.rhythm for phase in report.figures.phases] == ["sinus-like", "sinus-like"]
    assert report.figures.responses[0].percent is not None
    assert summary_of(row(), report).rhythm == ""


def test_a_change_of_rhythm_alone_gets_no_verdict(turned):
    """Without regard to the rhythm it was a clear rise of RMSSD."""
    massage = turned.figures.responses[0]
    assert (massage.class_, massage.percent) == ("insufficient", None)
    assert massage.why == "The rhythm was too irregular for HRV."
    assert verdict_of(turned) == ("No comparison", massage.why)
    shown = summary_of(row(), turned).responses[0]
    assert (shown.word, shown.sentence) == ("No comparison", massage.why)


def test_the_therapist_reads_it_once_and_as_no_alarm(turned, irregular):
    for report in (turned, irregular):
        summary = summary_of(row(), report, a_visit())
        assert summary.rhythm == ("The rhythm is too irregular for HRV. This is no diagnosis; if it is new to you, ask a doctor.")
        everything = msgspec.json.encode(
            [summary.lead, summary.rhythm, summary.footnotes, summary.quality, summary.first]
        ).decode()
        assert everything.count("ask a doctor") == 1
        draft = draft_of(row(), report, a_visit())
        assert draft.objective.count("ask a doctor") == 1
        assert summary.first is None


def test_an_irregular_baseline_is_not_blamed_on_the_strap(irregular):
    assert baseline_sentence(irregular) == ""
    assert verdict_of(irregular) == ("No comparison", "In the baseline: the rhythm was too irregular for HRV.")


def test_a_text_of_intervals_without_a_sinus_rhythm_has_no_figures_either():
    rr_ms = fibrillation(400).tolist()
    figures, reasons = whole_text(RrText(rr_ms, [False] * len(rr_ms)))
    assert (figures.rhythm, figures.rmssd_ms, reasons) == ("irregular", None, ["The rhythm was too irregular for HRV."])


def test_a_constant_rr_is_called_paced_or_simulated():
    report = summarise("x", Header(), session(np.full(300, 1000.0)))
    assert (report.figures.phases[0].rhythm, report.reasons["baseline"]) == ("paced", ["RR constant: paced, or simulated?"])
    assert played(session(np.full(300, 1000.0)))[-1].rmssd_why == "RR constant: paced, or simulated?"


def test_an_athlete_at_rest_is_compared_as_ever():
    rng = np.random.default_rng(5)
    report = summarise("x", Header(), session(SINUS["athlete, RMSSD 150–280"](rng), SINUS["athlete, RMSSD 150–280"](rng)))
    assert [phase.rhythm for phase in report.figures.phases] == ["sinus-like", "sinus-like"]


@pytest.mark.parametrize(("irregular", "rhythm"), [
    (0, Rhythm.SINUS_LIKE), (2, Rhythm.SINUS_LIKE), (7, Rhythm.CHANGING), (11, Rhythm.IRREGULAR), (100, Rhythm.IRREGULAR),
])  # fmt: skip
def test_a_phase_has_the_rhythm_of_its_beats_and_one_that_was_partly_irregular_changed(irregular, rhythm):
    beats = [Rhythm.IRREGULAR] * irregular + [Rhythm.SINUS_LIKE] * (100 - irregular)
    assert rhythm_of_phase(beats) is rhythm


def test_a_rhythm_that_changed_is_compared_with_none():
    assert not_compared(Rhythm.SINUS_LIKE, Rhythm.SINUS_LIKE) is None
    assert "changed in the phase" in not_compared(Rhythm.SINUS_LIKE, Rhythm.CHANGING)
    assert "changed in the baseline" in not_compared(Rhythm.CHANGING, Rhythm.SINUS_LIKE)


def test_there_is_advice_for_rhythms_that_a_doctor_should_know_and_for_no_other():
    assert advice(["sinus-like", "irregular", "ectopic"]) == ADVICE[Rhythm.IRREGULAR]
    assert advice(["ectopic"]) == ADVICE[Rhythm.ECTOPIC]
    assert advice(["sinus-like", "changing", "paced", "unknown"]) is None


def test_a_phase_without_beats_has_no_known_rhythm():
    assert rhythm_of_phase([]) is Rhythm.UNKNOWN

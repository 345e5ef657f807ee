"""An optical sensor without RR in its heart rate, but with pulse intervals beside it."""

from itertools import pairwise

import pytest

from restbeat.analysis.beats.beat_stream import MOVED, NO_CONTACT, UNSURE, BeatStream
from restbeat.analysis.beats.pulse_clock import PulseClock
from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.response.thresholds import PULSE_ONLY
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.polar_frames import with_pulse_frames
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Contact
from restbeat.sensors.protocols.polar_frames import Ppi, encode_ppi
from restbeat.sensors.recordings.fault_grammar import parse_faults
from restbeat.sensors.recordings.fault_injection import with_faults
from restbeat.sensors.recordings.recording import PMD_DATA, ConnectionEvent, Packet, Recording
from restbeat.service.sessions.session_facts import verdict_of


@pytest.fixture(scope="module")
def chest():
    return simulate("none", seed=21, minutes=(2, 2, 1), drift=False)


def by_phase(report):
    return {phase.phase: phase for phase in report.figures.phases}


def test_the_figures_are_those_of_the_chest_strap_to_the_sensors_millisecond(chest):
    header, events = chest
    strap, pulse = summarise("x", header, events), summarise("x", header, with_pulse_frames(events))
    assert (pulse.hrv, pulse.polar.rr_source) == (True, "ppi")
    assert pulse.parity.differences == []
    assert (pulse.figures.integrity.gaps, pulse.stream.no_rr_packets, pulse.stream.late_batches) == (0, 0, 0)
    assert pulse.stream.rr_fills_pct == pytest.approx(100, abs=3)
    for phase, figures in by_phase(pulse).items():
        assert figures.rmssd_ms == pytest.approx(by_phase(strap)[phase].rmssd_ms, rel=0.02), phase
        assert figures.accepted_pct > 98


def test_pulses_that_the_sensor_distrusts_are_rejected_with_the_reason(chest):
    header, events = chest
    truth = summarise("x", header, with_pulse_frames(events))
    moved = summarise("x", header, with_pulse_frames(events, moved=[(60, 80), (180, 190)]))
    assert moved.figures.integrity.rejected_beats >= 30
    for phase, figures in by_phase(moved).items():
        assert figures.rmssd_ms == pytest.approx(by_phase(truth)[phase].rmssd_ms, rel=0.1), phase
    unsure = summarise("x", header, with_pulse_frames(events, error_ms=90))
    assert all(figures.rmssd_ms is None for figures in by_phase(unsure).values())


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        (Ppi(60, 1000, 8, blocker=True, contact=Contact.YES), MOVED),
        (Ppi(60, 1000, 31, blocker=False, contact=Contact.YES), UNSURE),
        (Ppi(60, 1000, 8, blocker=False, contact=Contact.NO), NO_CONTACT),
        (Ppi(60, 1000, 30, blocker=False, contact=Contact.NOT_REPORTED), "normal"),
    ],
)
def test_each_cause_of_distrust_has_its_reason(sample, kind):
    stream = BeatStream()
    beats = stream.push(Packet(5.0, PMD_DATA, encode_ppi(0, [sample] * 5))) + stream.finish(5.0)
    assert {beat.kind for beat in beats} == {kind}


def test_pulses_add_no_beats_to_a_strap_that_sends_rr(chest):
    header, events = chest
    pulses = [event for event in with_pulse_frames(events) if getattr(event, "char", "") == PMD_DATA]
    both = sorted([*events, *pulses], key=lambda event: event.t)
    assert by_phase(summarise("x", header, both)) == by_phase(summarise("x", header, events))


def test_duplicate_pulses_reach_no_figure(chest):
    header, events = chest
    once = with_pulse_frames(events)
    twice = [event for event in once for _ in range(2 if getattr(event, "char", "") == PMD_DATA else 1)]
    whole, doubled = summarise("x", header, once), summarise("x", header, twice)
    assert by_phase(doubled) == by_phase(whole)
    assert doubled.figures.integrity.duplicate_packets == sum(getattr(event, "char", "") == PMD_DATA for event in once)
    assert (doubled.stream.rr_fills_pct, doubled.figures.integrity.gaps) == (whole.stream.rr_fills_pct, 0)


def test_a_lost_frame_is_a_gap_of_its_length(chest):
    header, events = chest
    frames = with_pulse_frames(events)
    lost = [event for event in frames if not (getattr(event, "char", "") == PMD_DATA and 58 < event.t < 68)]
    report = summarise("x", header, lost)
    assert report.figures.integrity.gaps == 1
    assert report.figures.integrity.lost_s == pytest.approx(10, abs=1)


def test_a_lost_connection_separates_the_pulses(chest):
    _, events = chest
    live = LiveSession()
    for event in with_pulse_frames(events)[:90]:
        live.push(event)
    live.push(ConnectionEvent(90.0, up=False))
    assert live.push(Packet(92.0, PMD_DATA, encode_ppi(0, [Ppi(60, 900, 5, blocker=False, contact=Contact.YES)] * 6)))[
        0
    ].gap_before


def test_the_first_pulses_end_the_live_note_that_there_is_no_hrv(chest):
    _, events = chest
    live = LiveSession()
    said = []
    for event in with_pulse_frames(events)[:120]:
        live.push(event)
        said.append(live.figures(event.t).rmssd_why)
    assert "heart rate only – no HRV" in said
    assert said[-1] is None
    assert live.figures(event.t).hr_bpm is not None


def second(count=5):
    return [Ppi(60, 1000, 5, blocker=False, contact=Contact.YES)] * count


def test_late_or_early_pulse_frames_change_no_interval():
    clock = PulseClock()
    ends = [placed.end_s for t in (5.0, 12.5, 15.2) for placed in clock.push(t, second())]
    assert [round(b - a, 3) for a, b in pairwise(ends)][:4] == [1.0] * 4
    assert clock.gaps == 0
    assert clock.beats == 15


def test_delayed_frames_that_arrive_together_are_no_gap():
    clock = PulseClock()
    placed = [placed for t in (5.0, 10.0, 25.0, 25.002, 25.004, 30.0) for placed in clock.push(t, second())]
    assert [placed.end_s for placed in placed] == [float(end) for end in range(1, 31)]
    assert (clock.gaps, clock.lost_s, clock.late_batches) == (0, 0.0, 1)


@pytest.mark.parametrize("then", [(20.0, 25.0), (20.0, 20.002, 25.0)])
def test_lost_frames_are_a_gap_whatever_follows(then):
    clock = PulseClock()
    lost = {(20.0, 25.0): 5.0, (20.0, 20.002, 25.0): 0.0}[then]
    placed = [placed for t in (5.0, 10.0, *then) for placed in clock.push(t, second())] + clock.flush()
    assert clock.lost_s == lost
    assert [placed.gap_before for placed in placed].count(True) == bool(lost)
    assert len(placed) == clock.beats == 5 * (2 + len(then))


def test_a_frame_pending_at_the_end_gets_its_times():
    clock = PulseClock()
    assert len([placed for t in (5.0, 30.0) for placed in clock.push(t, second())]) == 5
    assert [placed.gap_before for placed in clock.flush()] == [True] + [False] * 4
    assert clock.lost_s == 20.0
    assert clock.push(31.0, second())
    assert clock.connection_lost() == []


@pytest.mark.parametrize("fault", ["double@0", "late@60:4", "late@100:8", "late@140:10", "late@40:7,double@100:60"])
def test_faults_that_lose_no_pulse_change_no_figure(chest, fault):
    header, events = chest
    whole = Recording(header, tuple(with_pulse_frames(events)))
    (troubled,) = with_faults([whole], parse_faults([fault]), seed=1)
    before, after = (summarise("x", header, recording.events) for recording in (whole, troubled))
    for phase, figures in by_phase(after).items():
        assert figures.rmssd_ms == pytest.approx(by_phase(before)[phase].rmssd_ms, rel=0.01), phase
    assert after.figures.integrity.lost_s == pytest.approx(before.figures.integrity.lost_s, abs=1.0)


def test_pulses_give_figures_and_no_verdict_live_or_on_record():
    header, events = simulate("clear", seed=0, minutes=(5, 12, 1))
    assert next(one.class_ for one in summarise("x", header, events).figures.responses) == "clear"
    by_light = with_pulse_frames(events)
    report = summarise("x", header, by_light)
    assert [(found.class_, found.delta_ln_rmssd, found.why) for found in report.figures.responses] == [
        ("insufficient", None, PULSE_ONLY)
    ] * 2
    assert by_phase(report)["massage"].rmssd_ms > 1.3 * by_phase(report)["baseline"].rmssd_ms
    assert verdict_of(report) == ("Figures of the pulse", PULSE_ONLY)
    live, compared = LiveSession(), []
    live.set_device(header.device)
    for event in by_light:
        live.push(event)
        compared.append(live.running_comparison)
    assert not any(compared)

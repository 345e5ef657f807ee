"""Sessions whose strap was changed: each strap is judged by itself, and nothing is compared that was measured differently."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from restbeat.analysis.hrv.time_domain import numpy_time_domain
from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.session_report import summarise, whole_recording
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.protocols.heart_rate import encode, parse
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Packet, PhaseStart, StrapChange, read, write

from .beats.odd_straps import OddStrap, heart, stream

CHEST, OTHER, OPTICAL = Device(name="Polar H10 1"), Device(name="H808S 2"), Device(name="Polar OH1 3")
PLAIN = OddStrap()
CHANGED_S, AWAY_S = 304.0, 15.0
ENDS = ((10.0, Phase.BASELINE), (300.0, Phase.MASSAGE))


def session(*, first=PLAIN, second=PLAIN, devices=(CHEST, OTHER), changed_s=CHANGED_S, rmssd_ms=40.0, phases=ENDS, bpm=66):
    """One heart, and its strap changed at `changed_s`, with `AWAY_S` without any."""
    beats = heart(np.random.default_rng(3), bpm=bpm, rmssd_ms=rmssd_ms, end_s=600.0)
    sent = [stream(beats, strap, np.random.default_rng(n)).recording.events for n, strap in enumerate((first, second))]
    before = [event for event in sent[0] if event.t < changed_s]
    after = [event for event in sent[1] if event.t > changed_s + AWAY_S]
    change = [ConnectionEvent(changed_s, up=False), StrapChange(changed_s, devices[1])]
    events = [*before, *change, *after, *(PhaseStart(t, phase) for t, phase in phases)]
    return Header(devices[0]), sorted(events, key=lambda event: event.t)


def computed(event):
    """Return a packet whose intervals are computed from the heart rate."""
    if not isinstance(event, Packet):
        return event
    measured = parse(event.payload)
    rr_1024 = tuple(round(1024 * 60 / measured.hr_bpm) for _ in measured.rr_1024)
    return msgspec.structs.replace(event, payload=encode(msgspec.structs.replace(measured, rr_1024=rr_1024)))


def report_of(header, events):
    return summarise("x", header, events, end_s=600.0, compute_time_domain=numpy_time_domain)


def figures_of(report, phase):
    return next(figures for figures in report.figures.phases if figures.phase == phase)


def live_of(header, events):
    live = LiveSession()
    live.set_device(header.device)
    for event in events:
        live.push(event)
    return live


def test_both_straps_give_figures_and_no_difference_crosses_the_gap():
    report = report_of(*session())
    assert figures_of(report, "baseline").rmssd_ms == pytest.approx(40, rel=0.2)
    assert figures_of(report, "massage").rmssd_ms == pytest.approx(40, rel=0.2)
    assert report.figures.integrity.gaps >= 1
    assert report.figures.integrity.lost_s == pytest.approx(AWAY_S, abs=3)


def test_live_and_record_agree_beat_for_beat_across_a_change():
    from restbeat.analysis.beats.beat_stream import BeatStream, judge

    header, events = session()
    stream_ = BeatStream()
    stream_.set_device(header.device)
    live = LiveSession()
    live.set_device(header.device)
    singly = [beat for event in events for beat in live.push(event)] + live.finish(600.0)
    assert judge(stream_, events, 600.0) == singly


def test_a_strap_that_sends_ms_and_one_that_does_not_are_each_read_in_their_own_unit():
    header, events = session(first=replace(PLAIN, unit=1000))
    alone = report_of(*session())
    report = report_of(header, events)
    assert figures_of(report, "massage").mean_rr_ms == pytest.approx(figures_of(alone, "massage").mean_rr_ms, rel=1e-3)
    assert not report.stream.rr_in_ms
    clock = live_of(header, events).stream.clock
    assert clock.rr_sum_s == pytest.approx(clock.rr_time_s, rel=0.01)


@pytest.mark.parametrize("devices", [(OPTICAL, CHEST), (CHEST, OPTICAL)])
def test_a_sensor_without_hrv_takes_none_from_the_strap_that_has_it_and_gives_none(devices):
    report = report_of(*session(devices=devices))
    good, bad = ("massage", "baseline") if devices[0] is OPTICAL else ("baseline", "massage")
    assert report.hrv
    assert figures_of(report, good).rmssd_ms == pytest.approx(40, rel=0.2)
    assert figures_of(report, bad).rmssd_ms is None
    assert figures_of(report, bad).mean_hr_bpm == pytest.approx(66, abs=3)
    assert report.reasons[bad]
    assert report.figures.responses[0].class_ == "insufficient"


def test_live_a_chest_strap_after_an_optical_sensor_gives_hrv_and_the_other_way_round_none():
    live = live_of(*session(devices=(OPTICAL, CHEST)))
    assert live.figures(600.0).rmssd_ms == pytest.approx(40, rel=0.3)
    live = live_of(*session(devices=(CHEST, OPTICAL)))
    assert (live.figures(600.0).rmssd_ms, live.figures(600.0).heart_rate_only) == (None, True)
    assert live.figures(600.0).baseline_rmssd_ms == pytest.approx(40, rel=0.2)


def test_a_sensor_whose_intervals_turn_out_to_be_none_leaves_no_beats_to_the_strap_after_it():
    header, events = session(devices=(Device(name="Wrist"), CHEST))
    smoothed = msgspec.structs.replace(header, device=Device(name="Band", location="wrist"))
    report = report_of(smoothed, events)
    assert figures_of(report, "baseline").rmssd_ms is None
    assert figures_of(report, "massage").rmssd_ms == pytest.approx(40, rel=0.2)
    assert report.figures.responses[0].class_ == "insufficient"


def test_beats_of_a_strap_that_turned_out_to_compute_them_are_taken_back():
    phases = ((60.0, Phase.BASELINE), (305.0, Phase.MASSAGE))
    header, events = session(devices=(Device(name="Odd strap"), CHEST), phases=phases)
    events = [computed(event) if event.t < CHANGED_S else event for event in events]
    report = report_of(header, events)
    assert [figures_of(report, phase).beats for phase in ("settle", "baseline")] == [0, 0]
    shown = live_of(header, events).sums.segments(600.0)
    assert {rmssd for mid_s, rmssd in shown if mid_s < CHANGED_S} == {None}
    assert figures_of(report, "massage").rmssd_ms == pytest.approx(40, rel=0.2)


def test_straps_of_different_steps_are_not_compared_and_that_is_said():
    header, events = session(second=replace(PLAIN, grid=128), rmssd_ms=60.0)
    report = report_of(header, events)
    assert figures_of(report, "baseline").rmssd_ms == pytest.approx(60, rel=0.2)
    assert figures_of(report, "massage").rmssd_ms == pytest.approx(60, rel=0.2)
    assert [figures_of(report, phase).pnn50_pct is None for phase in ("baseline", "massage")] == [False, True]
    assert report.figures.responses[0].why == "The straps of this session measure in steps that differ."
    live = live_of(header, events)
    assert live.running_comparison is None
    assert live.stream.why_unlike(10.0) == "the straps of this session measure in steps that differ"


def test_a_strap_changed_before_the_baseline_costs_no_comparison():
    phases = ((200.0, Phase.BASELINE), (450.0, Phase.MASSAGE))
    report = report_of(*session(first=replace(PLAIN, grid=128), changed_s=100.0, rmssd_ms=60.0, phases=phases))
    assert "steps" not in (report.figures.responses[0].why or "")


def test_written_and_read_again_the_figures_are_the_same(tmp_path):
    header, events = session(first=replace(PLAIN, unit=1000), second=replace(OddStrap(), grid=128))
    path = tmp_path / "changed.jsonl.gz"
    write(path, header, events)
    played = read(path)
    assert not played.warnings
    assert report_of(played.header, played.events) == report_of(header, events)
    assert whole_recording(played.header, played.events) == whole_recording(header, events)


def test_a_strap_that_sends_beats_again_withholds_its_own_phase_after_it_was_changed_too():
    phases = ((10.0, Phase.BASELINE), (305.0, Phase.MASSAGE))
    report = report_of(*session(first=replace(PLAIN, repeats=True), bpm=48, phases=phases))
    assert figures_of(report, "baseline").rmssd_ms is None
    assert "sent beats again" in report.reasons["baseline"][0]
    assert figures_of(report, "massage").rmssd_ms == pytest.approx(40, rel=0.2)

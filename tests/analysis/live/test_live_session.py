"""Live figures of a strap whose packets are written by hand."""

from math import sqrt

import numpy as np
import pytest

from restbeat.analysis.live.live_session import LiveSession
from restbeat.sensors.model import Contact, Measurement, Phase
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import ConnectionEvent, Mark, Packet, PhaseStart


def packet(t, rr_1024=(1000,), hr_bpm=61, contact=Contact.YES):
    return Packet(t, "2a37", encode(Measurement(hr_bpm, contact, None, rr_1024, bool(rr_1024))))


def feed(live, seconds, rr_of=lambda n: 1004 + 40 * (n % 2)):
    """Push a packet a second; `rr_of` gives its interval, or its intervals."""
    sent = ((n, rr_of(n)) for n in seconds)
    return [beat for n, rr in sent for beat in live.push(packet(float(n), rr if isinstance(rr, tuple) else (rr,)))]


def test_rmssd_of_the_last_minute_is_that_of_its_differences():
    live = LiveSession()
    feed(live, range(1, 121))
    figures = live.figures(120.5)
    assert figures.rmssd_ms == pytest.approx(40 * 1000 / 1024)
    assert (figures.hr_bpm, figures.accepted_pct, figures.rmssd_why) == (61, 100.0, None)


def test_there_is_no_rmssd_before_enough_beats():
    figures = LiveSession().figures(1.0)
    assert (figures.hr_bpm, figures.rmssd_ms, figures.age_s) == (None, None, None)
    live = LiveSession()
    feed(live, range(1, 10))
    assert live.figures(9.5).rmssd_why == "collecting beats"


def test_a_stale_figure_is_not_shown():
    live = LiveSession()
    feed(live, range(1, 121))
    assert live.figures(122.0).hr_bpm == 61
    late = live.figures(135.0)
    assert (late.hr_bpm, late.rmssd_ms, late.accepted_pct) == (None, None, None)
    assert late.age_s == pytest.approx(15.0)
    assert late.rmssd_why == "no beats in the last seconds"


def test_rmssd_is_withheld_when_too_many_beats_of_the_minute_were_rejected():
    live = LiveSession()
    feed(live, range(1, 121))
    feed(live, range(121, 160), rr_of=lambda n: (400, 620) if n % 4 == 0 else 1004 + 40 * (n % 2))
    figures = live.figures(160.0)
    assert figures.rmssd_ms is None
    assert "could be used" in figures.rmssd_why


def test_rmssd_is_withheld_above_a_tenth_and_the_reason_never_says_ninety_percent():
    said = set()
    for short in range(900, 980, 8):
        live, t = LiveSession(), 0.0
        for n in range(200):
            rr = 1900 if n > 120 and n % 8 == 0 else short + 40 * (n % 2)
            t += rr / 1024
            live.push(packet(t, (rr,)))
            figures = live.figures(t)
            if n > 60:
                assert (figures.rmssd_ms is None) == (figures.accepted_pct < 90)
                said.add(figures.rmssd_why)
    assert "only 89 % of the last minute's beats could be used" in said
    assert "only 90 % of the last minute's beats could be used" not in said


def test_the_change_is_against_the_baseline_of_this_session():
    live = LiveSession()
    live.push(PhaseStart(0.0, Phase.BASELINE))
    feed(live, range(1, 251))
    live.push(PhaseStart(250.0, Phase.MASSAGE))
    feed(live, range(251, 371), rr_of=lambda n: 994 + 60 * (n % 2))
    figures = live.figures(370.0)
    assert figures.baseline_rmssd_ms == pytest.approx(40 * 1000 / 1024)
    assert figures.change_pct == pytest.approx(50.0, abs=1.0)
    assert (figures.phase, figures.phase_s) == (Phase.MASSAGE, 120.0)


def test_a_baseline_with_too_few_accepted_beats_is_not_compared():
    def at_the_end(odd):
        live = LiveSession()
        live.push(PhaseStart(0.0, Phase.BASELINE))
        feed(live, range(1, 301), rr_of=lambda n: (400, 620) if n % odd == 0 else 1004 + 40 * (n % 2))
        live.push(PhaseStart(300.0, Phase.MASSAGE))
        feed(live, range(301, 421))
        figures = live.figures(420.5)
        return figures.rmssd_ms is not None, figures.baseline_rmssd_ms is not None, figures.change_pct is not None

    assert at_the_end(odd=5) == (True, False, False)
    assert at_the_end(odd=15) == (True, True, True)


def test_a_baseline_counts_the_time_of_usable_beats_alone():
    live = LiveSession()
    live.push(PhaseStart(2.0, Phase.BASELINE))
    feed(live, range(1, 102))
    assert live.figures(101.5).baseline_usable_s == pytest.approx(99.5)
    feed(live, range(151, 202))  # 50 s without a beat
    assert live.figures(201.5).baseline_usable_s == pytest.approx(145.0, abs=6.0)
    feed(live, range(202, 252), rr_of=lambda n: 400 + 500 * (n % 3))  # and 50 s of what no heart does
    assert live.figures(251.5).baseline_usable_s == pytest.approx(150.0, abs=12.0)
    assert live.figures(400.0).baseline_usable_s < 155.0  # and then nothing at all


def test_with_a_baseline_too_short_nothing_is_compared():
    def after(baseline_s, lost=range(0)):
        live = LiveSession()
        live.push(PhaseStart(0.0, Phase.BASELINE))
        feed(live, (n for n in range(1, baseline_s + 1) if n not in lost))
        live.push(PhaseStart(float(baseline_s), Phase.MASSAGE))
        feed(live, range(baseline_s + 1, baseline_s + 121), rr_of=lambda n: 994 + 60 * (n % 2))
        figures = live.figures(baseline_s + 120.0)
        return figures.baseline_short, figures.change_pct is None, live.running_comparison is None

    assert after(250) == (False, False, False)
    assert after(230) == (True, True, True)
    assert after(300, lost=range(100, 180)) == (True, True, True)


def rising(n, rises):
    """Return the RR of beat n of a client whose RMSSD rises from a third to its level within minutes, or has that level."""
    depth = 40 * (1 - 0.7 * np.exp(-n / 240) * rises)
    return round(1004 + depth * (-1) ** n * (1 + 0.3 * np.sin(n / 7)))


@pytest.mark.parametrize("rises", [True, False])
def test_a_baseline_that_still_rises_is_told_once_it_would_be_long_enough(rises):
    live = LiveSession()
    feed(live, range(1, 121), rr_of=lambda n: rising(n, rises))
    assert not live.figures(120.5).still_settling
    live.push(PhaseStart(120.5, Phase.BASELINE))
    feed(live, range(121, 301), rr_of=lambda n: rising(n, rises))
    assert not live.figures(300.5).still_settling  # it is too short anyway
    feed(live, range(301, 401), rr_of=lambda n: rising(n, rises))
    assert live.figures(400.5).still_settling is rises
    live.push(PhaseStart(400.5, Phase.MASSAGE))
    assert not live.figures(401.0).still_settling


def test_talking_marked_in_the_baseline_is_left_out_of_it():
    live = LiveSession()
    live.push(PhaseStart(0.0, Phase.BASELINE))
    feed(live, range(1, 101))
    feed(live, range(101, 131), rr_of=lambda n: 1004 + 10 * (n % 2))
    live.push(Mark(115.0, note="talking"))
    feed(live, range(131, 291))
    figures = live.figures(290.5)
    assert figures.baseline_usable_s == pytest.approx(290 - 60, abs=6)
    assert figures.baseline_rmssd_ms == pytest.approx(40 * 1000 / 1024)
    live.push(PhaseStart(290.5, Phase.MASSAGE))
    feed(live, range(291, 391))
    assert live.figures(391.0).baseline_short
    live.set_marks([])
    assert not live.figures(391.0).baseline_short
    assert live.figures(391.0).baseline_rmssd_ms < 40 * 1000 / 1024
    assert len(live.running_comparison.baseline.differences) == 57


def test_phases_move_forward_only():
    live = LiveSession()
    for phase in (Phase.MASSAGE, Phase.BASELINE):
        live.push(PhaseStart(10.0, phase))
    assert live.phase is Phase.MASSAGE


def test_no_difference_crosses_a_lost_connection():
    live = LiveSession()
    beats = feed(live, range(1, 61)) + live.push(ConnectionEvent(60.5, up=False))
    beats += feed(live, range(90, 151), rr_of=lambda n: 1004 + 40 * (n % 2)) + live.finish(151.0)
    first = next(beat for beat in beats if beat.gap_before)
    assert first.diff_ms is None
    kept = [beat.diff_ms for beat in beats if beat.diff_ms is not None]
    assert sqrt(np.mean(np.square(kept))) == pytest.approx(40 * 1000 / 1024, rel=0.02)


def test_lost_packets_leave_the_live_rmssd_as_it_was():
    noise = 0.008 * np.random.default_rng(1).standard_normal(200)
    slow_swing = [round(1024 * (1 + 0.08 * np.sin(n / 20 * 2 * np.pi) + noise[n])) for n in range(200)]
    ends_s = np.cumsum(slow_swing) / 1024

    def figures(lost):
        live = LiveSession()
        for n, (end_s, rr) in enumerate(zip(ends_s, slow_swing, strict=True)):
            if n not in lost:
                live.push(packet(float(end_s) + 0.1, (rr,)))
        return live.figures(float(ends_s[-1]) + 0.2)

    lost = {143, 144, 162, 184, 185}
    assert figures(lost).rmssd_ms == pytest.approx(figures(set()).rmssd_ms, rel=0.05)


def test_a_sensor_without_rr_is_reported_as_heart_rate_only():
    live = LiveSession()
    for n in range(1, 10):
        live.push(packet(float(n), ()))
    figures = live.figures(9.5)
    assert (figures.hr_bpm, figures.rmssd_why, figures.rr_seen) == (61, "heart rate only – no HRV", False)


def test_an_unreadable_packet_is_skipped_with_a_warning():
    live = LiveSession()
    feed(live, range(1, 10))
    live.push(Packet(10.0, "2a37", b""))
    assert "At 10.0 s" in live.stream.warnings[0]
    assert feed(live, range(11, 20))


def test_a_battery_packet_sets_the_battery_level():
    live = LiveSession()
    live.push(Packet(1.0, "2a19", bytes([87])))
    assert live.figures(1.0).battery_pct == 87


def test_beats_that_a_strap_counted_off_the_body_reach_no_figure():
    live = LiveSession()
    feed(live, range(1, 121))
    before = live.figures(120.5).rmssd_ms
    off = [beat for n in range(121, 141) for beat in live.push(packet(float(n), (700 if n % 2 else 1300,), contact=Contact.NO))]
    on = feed(live, range(141, 151)) + live.finish(150.5)
    assert {(beat.accepted, beat.kind) for beat in off[2:]} == {(False, "no contact")}
    assert all(beat.accepted for beat in on[3:])
    assert next(beat for beat in on if beat.accepted).diff_ms is None
    assert live.stream.no_contact_packets == 20
    assert before == pytest.approx(40 * 1000 / 1024)
    assert live.figures(150.5).rmssd_ms is None


def test_a_strap_known_to_tell_contact_wrongly_is_not_believed():
    live = LiveSession()
    live.stream.trust_contact = False
    beats = [b for n in range(1, 60) for b in live.push(packet(float(n), (1004 + 40 * (n % 2),), contact=Contact.NO))]
    assert all(beat.accepted for beat in beats)


def test_two_straps_on_one_stream_leave_no_figure():
    live = LiveSession()
    feed(live, range(1, 121))
    for n in range(121, 151):
        live.push(packet(float(n), (1004 + 40 * (n % 2),)))
        live.push(packet(n + 0.4, (800 + n % 3,)))
    figures = live.figures(150.5)
    assert live.stream.clock.crowded
    assert figures.rmssd_ms is None
    assert live.stream.two_straps_beats > 20

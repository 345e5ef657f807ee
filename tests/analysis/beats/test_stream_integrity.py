"""Counts of what was wrong with a stream."""

import pytest

from restbeat.analysis.beats.stream_integrity import integrity_of
from restbeat.analysis.live.live_session import LiveSession
from restbeat.sensors.model import Contact, Measurement
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import ConnectionEvent, Packet


def packet(t, rr_1024=(1020,), contact=Contact.NOT_REPORTED):
    return Packet(t, "2a37", encode(Measurement(60, contact, None, rr_1024, bool(rr_1024))))


def of(events):
    live = LiveSession()
    for event in events:
        live.push(event)
    return integrity_of(live.stream)


def test_a_stream_without_losses_has_no_fault_counts():
    whole = of(packet(float(t), (1020 + t % 7,)) for t in range(1, 181))
    assert (whole.packets, whole.beats, whole.gaps, whole.no_rr_packets, whole.two_straps_beats) == (180, 180, 0, 0, 0)
    assert whole.rr_fills_pct == pytest.approx(100, abs=1)


def test_in_the_first_minute_there_is_no_share_of_the_time():
    young = of(packet(float(t)) for t in range(1, 40))
    assert young.rr_fills_pct is None


def test_duplicates_are_counted_and_leave_the_sum_unchanged():
    once = [packet(float(t), (1020 + t % 7,)) for t in range(1, 181)]
    twice = sorted([*once, *(packet(p.t + 0.002, (1020 + int(p.t) % 7,)) for p in once if p.t > 90)], key=lambda p: p.t)
    assert of(twice).duplicate_packets == 90
    assert of(twice).rr_fills_pct == of(once).rr_fills_pct


def test_a_strap_that_stops_sending_rr_is_counted_but_not_its_single_empty_packets():
    single = [packet(float(t), (1020,) if t % 3 else ()) for t in range(1, 61)]
    assert of(single).no_rr_packets == 0
    silent = [packet(float(t), () if 30 < t <= 45 else (1020,)) for t in range(1, 61)]
    assert of(silent).no_rr_packets == 15
    assert of(packet(float(t), ()) for t in range(1, 61)).no_rr_packets == 0


def test_unreadable_packets_are_counted():
    assert of([packet(1.0), Packet(2.0, "2a37", b""), Packet(3.0, "2a37", b"\x01"), packet(4.0)]).unreadable_packets == 2


def test_gaps_are_counted_with_their_seconds():
    lost = [
        *(packet(float(t)) for t in range(1, 91)),
        ConnectionEvent(90.5, up=False),
        *(packet(float(t)) for t in range(111, 200)),
    ]
    integrity = of(lost)
    assert integrity.gaps == 1
    assert integrity.lost_s == integrity.longest_gap_s == pytest.approx(20, abs=1)

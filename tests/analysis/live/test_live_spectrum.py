"""LF, HF and breathing of a running session: those of record for the same beats, in constant time."""

import gc
import sys
import time
import types

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from restbeat.analysis.beats.beat_runs import runs_of
from restbeat.analysis.hrv.spectrum import spectra
from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Contact, Measurement, Phase
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Packet, PhaseStart


def strap(seconds, *, bpm=66, breaths=15, depth=0.05, seed=0, odd=frozenset(), cut=frozenset(), lost=frozenset()):
    """Return packets of a heart with breathing.

    `odd` beats are ectopic, `cut` ones were detected twice, and the packets of `lost` seconds never arrive.
    """
    rng = np.random.default_rng(seed)
    ends, rr = [0.0], []
    while ends[-1] < seconds + 3:
        swing = depth * np.sin(2 * np.pi * breaths / 60 * ends[-1]) + 0.004 * rng.standard_normal()
        rr.append(round(1024 * 60 / bpm * (1 + swing)))
        ends.append(ends[-1] + rr[-1] / 1024)
    for n in odd:
        if n + 1 < len(rr):
            early = rr[n] // 3
            rr[n], rr[n + 1] = rr[n] - early, rr[n + 1] + early
    rr = [part for n, one in enumerate(rr) for part in ((one // 3, one - one // 3) if n in cut else (one,))]
    ends, packets, at = np.cumsum(rr) / 1024, [], 0
    for t in range(1, seconds + 1):
        upto = int(np.searchsorted(ends, t, side="right"))
        if t not in lost:
            intervals = tuple(rr[at:upto])
            packets.append(Packet(float(t), "2a37", encode(Measurement(bpm, Contact.YES, None, intervals, bool(intervals)))))
        at = upto
    return packets


def played(packets, live=None):
    live = live or LiveSession()
    return live, [beat for packet in packets for beat in live.push(packet)]


def test_lf_hf_and_breathing_of_the_last_five_minutes_are_given():
    live, _ = played(strap(400))
    figures = live.figures(400.5)
    assert figures.resp_per_min == pytest.approx(15, abs=0.5)
    assert figures.resp_confidence > 0.7
    assert figures.hf_ms2 == pytest.approx((0.05 * 60_000 / 66) ** 2 / 2, rel=0.1)
    assert figures.lf_ms2 < 0.05 * figures.hf_ms2
    assert (figures.spectrum_why, figures.resp_why, figures.why_5min) == (None, None, None)
    assert figures.rmssd_5min_ms == pytest.approx(figures.rmssd_ms, rel=0.1)
    assert figures.sdnn_5min_ms == pytest.approx(np.sqrt(figures.hf_ms2), rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "lf", "hf", "resp", "long"),
    [
        (40, False, False, False, False),
        (75, False, True, True, False),
        (110, False, True, True, False),
        (135, True, True, True, True),
    ],
)
def test_figures_that_need_a_longer_session_are_none_with_a_reason(seconds, lf, hf, resp, long):
    live, _ = played(strap(seconds))
    figures = live.figures(seconds + 0.5)
    assert [x is not None for x in (figures.lf_ms2, figures.hf_ms2, figures.resp_per_min, figures.rmssd_5min_ms)] == [
        lf,
        hf,
        resp,
        long,
    ]
    assert bool(figures.spectrum_why) == (not lf)
    assert bool(figures.resp_why) == (not resp)
    assert bool(figures.why_5min) == (not long)


def test_a_silent_or_heart_rate_only_strap_has_no_spectrum():
    live, _ = played(strap(400))
    stale = live.figures(430.0)
    assert (stale.lf_ms2, stale.hf_ms2, stale.resp_per_min, stale.resp_confidence, stale.rmssd_5min_ms) == (None,) * 5
    assert stale.spectrum_why == stale.resp_why == stale.why_5min == "no beats in the last seconds"
    optical = LiveSession()
    for t in range(1, 200):
        optical.push(Packet(float(t), "2a37", encode(Measurement(66, Contact.YES, None, (), False))))
    assert optical.figures(200.0).resp_why == "heart rate only – no HRV"


def test_no_live_segment_spans_a_gap():
    live, _ = played(strap(330, lost=frozenset(range(220, 240))))
    figures = live.figures(330.5)
    assert figures.lf_ms2 is not None  # 200 s before the gap
    live, _ = played(strap(330, lost=frozenset(range(110, 130)) | frozenset(range(215, 230))))
    figures = live.figures(330.5)
    assert figures.lf_ms2 is None
    assert "LF needs 120 s" in figures.spectrum_why


def test_five_minutes_with_too_many_rejected_beats_have_no_rmssd():
    live, _ = played(strap(300, odd=frozenset(range(20, 300, 12))))
    figures = live.figures(300.5)
    assert figures.rmssd_5min_ms is None
    assert "of the last 5 minutes' beats could be used" in figures.why_5min


def test_five_minutes_with_less_than_seventy_percent_accepted_have_no_spectrum():
    """The rule is that of a phase: a clean minute at the end does not suffice."""
    live, beats = played(strap(300, cut=frozenset(range(20, 250, 4))))
    figures, whole = live.figures(300.5), [beat for beat in beats if beat.end_s > 235]
    assert all(beat.accepted for beat in whole)
    assert whole[-1].end_s - whole[0].end_s > 60
    assert (figures.lf_ms2, figures.hf_ms2, figures.resp_per_min, figures.resp_confidence) == (None,) * 4
    assert figures.spectrum_why == figures.resp_why
    assert figures.spectrum_why.endswith("% of the beats could be used: too few for any figure.")
    clean, _ = played(strap(300))
    assert None not in {clean.figures(300.5).hf_ms2, clean.figures(300.5).resp_per_min}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    seconds=st.integers(70, 700),
    bpm=st.integers(45, 110),
    odd=st.frozensets(st.integers(5, 600), max_size=9),
    lost=st.frozensets(st.integers(5, 690), max_size=4),
)
def test_live_figures_equal_those_of_record_for_the_same_beats(seed, seconds, bpm, odd, lost):
    live, beats = played(strap(seconds, seed=seed, bpm=bpm, odd=odd, lost=lost))
    until_s = 5 * (beats[-1].end_s // 5)
    inside = [beat for beat in beats if until_s - 300 < beat.end_s <= until_s]
    bands, breathing = spectra(
        runs_of(
            [beat.end_s for beat in inside],
            [beat.rr_ms for beat in inside],
            [beat.accepted for beat in inside],
            [beat.gap_before for beat in inside],
        )
    )
    figures = live.figures(beats[-1].end_s + 0.5)
    assert (figures.lf_ms2, figures.hf_ms2) == (bands.lf_ms2, bands.hf_ms2)
    assert (figures.resp_per_min, figures.resp_confidence or 0) == (breathing.per_min, breathing.confidence)


def test_a_phase_of_the_same_five_minutes_has_the_same_figures():
    packets = strap(400, odd=frozenset({150, 260}))
    live, beats = played([packet for packet in packets if packet.t <= 396])
    until_s = 5 * (beats[-1].end_s // 5)
    events = [*packets, PhaseStart(until_s - 300, Phase.BASELINE), PhaseStart(until_s, Phase.ENDED)]
    report = summarise("x", Header(), sorted(events, key=lambda event: event.t))
    baseline = report.figures.phases[-1]
    figures = live.figures(beats[-1].end_s)
    assert (baseline.phase, baseline.end_s - baseline.start_s) == ("baseline", 300)
    assert (figures.lf_ms2, figures.hf_ms2) == (
        pytest.approx(baseline.lf_ms2, rel=1e-9),
        pytest.approx(baseline.hf_ms2, rel=1e-9),
    )
    assert figures.resp_per_min == pytest.approx(baseline.resp_per_min, rel=1e-9)


def test_the_spectrum_does_not_depend_on_how_often_it_is_read():
    packets = strap(420, odd=frozenset({100, 200, 333}))
    often = LiveSession()
    for packet in packets:
        often.push(packet)
        often.figures(packet.t)
    once, _ = played(packets)
    assert often.figures(420.5) == once.figures(420.5)


def test_the_spectrum_is_computed_only_every_five_seconds(monkeypatch):
    from restbeat.analysis.live import live_spectrum

    made = []
    monkeypatch.setattr(live_spectrum, "spectra", lambda runs: made.append(runs) or spectra(runs))
    live = LiveSession()
    for packet in strap(300):
        live.push(packet)
        for part in range(4):
            live.figures(packet.t + part / 4)
    assert 58 <= len(made) <= 62


def test_a_lost_connection_separates_the_spectrum():
    live, _ = played(strap(100))
    live.push(ConnectionEvent(100.5, up=False))
    live, _ = played([Packet(packet.t + 101, packet.char, packet.payload) for packet in strap(100)], live)
    figures = live.figures(201.5)
    assert (figures.lf_ms2, figures.hf_ms2 is not None) == (None, True)
    assert "longest unbroken stretch is" in figures.spectrum_why


def size_of(thing):
    """Return the bytes of an object and of everything that only it refers to."""
    seen, waiting, total = set(), [thing], 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | types.ModuleType | types.FunctionType | Contact | Phase):
            continue
        seen.add(id(one))
        total += sys.getsizeof(one)
        waiting += gc.get_referents(one)
    return total


@pytest.mark.parametrize("bpm", [60, 110, 160])
def test_the_state_of_a_stream_takes_less_than_forty_kilobytes(bpm):
    live = LiveSession()
    for packet in strap(900, bpm=bpm):
        live.push(packet)
        live.figures(packet.t)
    assert size_of(live) < 40_000


def test_a_second_takes_the_same_time_in_the_fifth_hour_as_in_the_fifth_minute():
    _, events = simulate("none", seed=1, minutes=(10, 40, 10))
    hour = [event for event in events if isinstance(event, Packet) and event.char == "2a37"]
    young, old = LiveSession(), LiveSession()
    for n in range(4):
        for packet in hour:
            old.push(Packet(1000 + 3600 * n + packet.t, packet.char, packet.payload))

    def cost(live, minute, first_s):
        began = time.process_time()
        for packet in hour[60 * minute : 60 * minute + 60]:
            live.push(Packet(first_s + packet.t, packet.char, packet.payload))
            live.figures(first_s + packet.t)
        return time.process_time() - began

    # in turn, because other processes slow some minutes down
    both = [(cost(young, minute, 0.0), cost(old, minute, 5 * 3600.0)) for minute in range(15)][5:]
    early, late = (min(costs) for costs in zip(*both, strict=True))
    assert late < 1.5 * early

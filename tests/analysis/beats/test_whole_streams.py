"""A stream read in runs gives the same beats, and the same final state, as one read packet by packet."""

from dataclasses import fields
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import BeatStream, judge
from restbeat.sensors.beat_clock import BeatClock
from restbeat.sensors.model import Contact, Measurement
from restbeat.sensors.protocols.heart_rate import encode, parse, plain_rr
from restbeat.sensors.recordings.recording import BATTERY, PMD_DATA, ConnectionEvent, Packet, read

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("*.jsonl*"))
TROUBLES = (
    "drop",
    "double",
    "late",
    "no rr",
    "no contact",
    "unreadable",
    "energy",
    "connection",
    "pulse",
    "other",
    "stall",
    "second strap",
)


def one_by_one(stream, events, last_s):
    judged = []
    for event in events:
        if event.t > last_s:
            break
        if isinstance(event, Packet):
            judged += stream.push(event)
        elif isinstance(event, ConnectionEvent) and not event.up:
            judged += stream.connection_lost()
    return judged + stream.finish(last_s)


def assert_same(events, last_s, make=BeatStream):
    plain, whole = make(), make()
    assert judge(whole, events, last_s) == one_by_one(plain, events, last_s)
    for field in fields(BeatStream):
        if field.name != "_filter":
            assert getattr(whole, field.name) == getattr(plain, field.name), field.name


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_fixture_read_in_runs_gives_the_same_beats(path):
    events = read(path).events
    assert_same(events, events[-1].t)
    assert_same(events, 0.6 * events[-1].t)


def strap(seed, rate_bpm, spread, troubles):
    """Return a strap's packets, one per second with the beats that ended, with a fault in some seconds."""
    rng = np.random.default_rng(seed)
    seconds = 240
    rr = np.clip(np.round(1024 * 60 / rate_bpm * (1 + spread * rng.standard_normal(8 * seconds))), 0, 4000).astype(int)
    ends, at, late, events = np.cumsum(rr) / 1024, 0, 0.0, []
    for second in range(1, seconds):
        upto = int(np.searchsorted(ends, second, side="right"))
        intervals, at = tuple(int(x) for x in rr[at:upto]), upto
        trouble = troubles.get(second)
        late = max(late - 1.0, 0.0) + (4.0 if trouble == "late" else 0.0)
        t = second + late + abs(rng.normal(0, 0.02))
        contact = Contact.NO if trouble == "no contact" else Contact.YES
        if trouble == "no rr":
            intervals = ()
        payload = encode(Measurement(60, contact, 7 if trouble == "energy" else None, intervals, bool(intervals)))
        if trouble == "drop":
            continue
        if trouble == "connection":
            events += [(t, ConnectionEvent(t, up=False)), (t + 0.01, ConnectionEvent(t + 0.01, up=True))]
        events.append((t, Packet(t, "2a37", payload[:1] if trouble == "unreadable" else payload)))
        if trouble == "double":
            events.append((t + 0.05, Packet(t + 0.05, "2a37", payload)))
        if trouble in {"pulse", "other"}:
            events.append((t + 0.1, Packet(t + 0.1, BATTERY if trouble == "other" else PMD_DATA, b"\x03")))
        if trouble == "second strap":
            extra = encode(Measurement(70, contact, None, (700, 720), True))
            events += [(t + 0.3 * k, Packet(t + 0.3 * k, "2a37", extra + bytes([k, 3]))) for k in range(1, 30)]
    return [event for _, event in sorted(events, key=lambda row: row[0])]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rate_bpm=st.floats(35, 190),
    spread=st.sampled_from([0.0, 0.01, 0.05, 0.3]),
    troubles=st.dictionaries(st.integers(1, 239), st.sampled_from(TROUBLES), max_size=25),
    cut=st.floats(0.3, 1.2),
)
def test_any_stream_with_faults_gives_the_same_beats(seed, rate_bpm, spread, troubles, cut):
    events = strap(seed, rate_bpm, spread, troubles)
    assert_same(events, cut * 240)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.binary(max_size=8)), max_size=80))
def test_any_bytes_give_the_same_beats(rows):
    t, events = 0.0, []
    for since, payload in rows:
        t += since
        events.append(Packet(t, "2a37", payload))
    assert_same(events, t)


@pytest.mark.parametrize("distrusted", ["trust_rr", "trust_contact"])
def test_a_strap_with_untrusted_rr_or_contact_gives_the_same_beats(distrusted):
    def make():
        stream = BeatStream(BeatClock.at_speed(10))
        setattr(stream, distrusted, False)
        return stream

    assert_same(strap(1, 60, 0.05, {50: "no contact", 51: "double", 90: "late"}), 240.0, make)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    spread_ms=st.sampled_from([1.0, 20.0, 90.0]),
    odd=st.dictionaries(st.integers(0, 199), st.sampled_from([0.4, 0.7, 1.4, 2.0, 0.0, 40.0]), max_size=30),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_many_intervals_at_once_get_the_same_verdicts(seed, spread_ms, odd, cuts):
    rng = np.random.default_rng(seed)
    rr_ms = (880 + 40 * np.sin(0.5 * np.arange(200)) + spread_ms * rng.standard_normal(200)).tolist()
    for at, factor in odd.items():
        rr_ms[at] *= factor
    plain, whole = ArtifactFilter(), ArtifactFilter()
    singly, at_once = [v for x in rr_ms for v in plain.push(x)], []
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 200], strict=True):
        at_once += whole.push_all(rr_ms[start:stop])
    assert at_once + whole.flush() == singly + plain.flush()


def test_most_packets_of_a_session_are_read_in_runs(monkeypatch):
    events, singly, push = strap(3, 62, 0.03, {100: "double"}), [], BeatStream.push
    monkeypatch.setattr(BeatStream, "push", lambda self, packet: singly.append(packet) or push(self, packet))
    judge(BeatStream(), events, 240.0)
    assert len(singly) < 20


@given(st.binary(max_size=24))
def test_a_plain_notification_is_parsed_like_any_other(payload):
    rr = plain_rr(payload)
    if rr is not None:
        measured = parse(payload)
        assert (measured.rr_1024, measured.rr_flag, measured.energy_kj) == (rr, bool(rr), None)
        assert measured.contact is not Contact.NO

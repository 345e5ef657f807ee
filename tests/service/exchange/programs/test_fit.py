"""Activities written with fit-tool: RR intervals to the ms, heart rate alone, pauses, damage."""

from functools import cache

from fit_tool.fit_file_builder import FitFileBuilder
from fit_tool.profile.messages.event_message import EventMessage
from fit_tool.profile.messages.file_id_message import FileIdMessage
from fit_tool.profile.messages.hr_message import HrMessage
from fit_tool.profile.messages.hrv_message import HrvMessage
from fit_tool.profile.messages.record_message import RecordMessage
from fit_tool.profile.profile_type import Event, EventType, FileType, Manufacturer
import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.recording import ConnectionEvent
from restbeat.service.exchange.programs.fit import read_fit

from ..sessions import BEGAN, CLEAR, GAPS, NOISY, OPTICAL, of_recording, session, ticks

START_MS = round(BEGAN.timestamp() * 1000)
EMPTY = 65.535


class Activity:
    """A watch that writes what it hears, second by second."""

    def __init__(self):
        self._builder = FitFileBuilder()
        file_id = FileIdMessage()
        file_id.type, file_id.manufacturer, file_id.product = FileType.ACTIVITY, Manufacturer.GARMIN.value, 1
        file_id.serial_number, file_id.time_created = 1, START_MS
        self._builder.add(file_id)

    def timer(self, t, kind):
        message = EventMessage()
        message.event, message.event_type, message.timestamp = Event.TIMER, kind, START_MS + 1000 * t
        self._builder.add(message)

    def record(self, t, hr_bpm=None):
        message = RecordMessage()
        message.timestamp = START_MS + 1000 * t
        message.distance = float(t)
        message.heart_rate = hr_bpm if hr_bpm is not None else 255
        self._builder.add(message)

    def hrv(self, rr_ms):
        message = HrvMessage()
        message.time = [round(rr) / 1000 for rr in rr_ms] + [EMPTY] * (5 - len(rr_ms))
        self._builder.add(message)

    def kept(self, beats_s):
        """Add what a strap kept in its memory: the first beat whole, the others as 12 bits each."""
        first = HrMessage()
        first.timestamp, first.event_timestamp = START_MS, [beats_s[0]]
        self._builder.add(first)
        ticks = [round(1024 * t) % 4096 for t in beats_s[1:]]
        for n in range(0, len(ticks) - 7, 8):
            message, packed = HrMessage(), bytearray()
            for low, high in zip(ticks[n : n + 8 : 2], ticks[n + 1 : n + 8 : 2], strict=True):
                packed += bytes([low & 0xFF, low >> 8 | (high & 0x0F) << 4, high >> 4])
            message.event_timestamp_12 = bytes(packed)
            self._builder.add(message)

    def bytes(self):
        return self._builder.build().to_bytes()


@cache
def activity_of(name, every_s=1):
    """A session as a watch would have written it: RR in the second after the beat, a record every so often."""
    data, activity = session(name), Activity()
    activity.timer(0, EventType.START)
    beats, rates = list(data.beats), dict.fromkeys(range(int(data.report.duration_s) + 2))
    rates |= {int(t): hr_bpm for t, hr_bpm in data.heart_rates}
    for second in range(1, int(data.report.duration_s) + 2):
        while beats and beats[0].end_s <= second:
            ready = []
            while beats and beats[0].end_s <= second and len(ready) < 5:
                ready.append(beats.pop(0).rr_ms)
            activity.hrv(ready)
        if second % every_s == 0:
            activity.record(second, rates[second - 1])
    activity.timer(int(data.report.duration_s) + 1, EventType.STOP_ALL)
    return activity.bytes()


@pytest.mark.parametrize(("name", "every_s"), [(CLEAR, 1), (CLEAR, 3), (GAPS, 1), (NOISY, 1)])
def test_every_interval_comes_back_to_the_ms_with_its_gaps(name, every_s):
    data = session(name)
    again = of_recording(read_fit("ride.fit", activity_of(name, every_s)))
    assert [ticks(b.rr_ms) for b in again.beats] == [ticks(round(b.rr_ms)) for b in data.beats]
    assert [n for n, b in enumerate(again.beats) if b.gap_before] == [n for n, b in enumerate(data.beats) if b.gap_before]
    assert max(abs(a.end_s - b.end_s) for a, b in zip(again.beats, data.beats, strict=True)) < 2.0


@pytest.mark.parametrize("every_s", [3, 6, 10])
def test_no_difference_crosses_a_gap_that_lies_between_two_far_apart_records(every_s):
    data = session(GAPS)
    again = of_recording(read_fit("ride.fit", activity_of(GAPS, every_s)))
    assert [ticks(b.rr_ms) for b in again.beats] == [ticks(round(b.rr_ms)) for b in data.beats]
    assert [again.beats[n].diff_ms for n, beat in enumerate(data.beats) if beat.gap_before] == [None, None]
    assert sum(beat.diff_ms is not None for beat in again.beats) > 0.85 * len(data.beats)


def test_equal_intervals_around_lost_beats_are_all_kept():
    activity = Activity()
    for second in range(10, 121, 10):
        for _ in range(1 if second == 60 else 2):
            activity.hrv([1000] * 5)
        activity.record(second, 60)
    data = of_recording(read_fit("ride.fit", activity.bytes()))
    assert len(data.beats) == 115
    assert [n for n, beat in enumerate(data.beats) if beat.gap_before] == [50, 51, 52, 53, 54, 55]


def test_an_activity_without_hrv_messages_is_heart_rate_only():
    data = session(OPTICAL)
    again = of_recording(read_fit("walk.fit", activity_of(OPTICAL)))
    assert not again.report.hrv
    assert again.beats == ()
    assert len(again.heart_rates) == pytest.approx(len(data.heart_rates), abs=60)


def test_the_header_says_when_it_was_and_where_its_times_come_from():
    imported = read_fit("ride.fit", activity_of(CLEAR)).header.extra["imported"]
    assert imported["format"] == "Garmin FIT"
    assert imported["began_utc"] == "2026-03-01T10:00:00.000Z"
    assert "time stamps" in imported["arrival"]


def test_no_difference_crosses_a_pause_of_the_timer():
    activity = Activity()
    for second in range(1, 61):
        activity.hrv([1000 + 30 * (second % 2)])
        activity.record(second, 60)
        if second == 30:
            activity.timer(30, EventType.STOP_ALL)
            activity.timer(30, EventType.START)
    recording = read_fit("ride.fit", activity.bytes())
    assert [event.up for event in recording.events if isinstance(event, ConnectionEvent)] == [False, True]
    data = of_recording(recording)
    assert [n for n, beat in enumerate(data.beats) if beat.gap_before] == [30]
    assert data.beats[30].diff_ms is None


def test_a_truncated_file_keeps_its_complete_part():
    raw = activity_of(CLEAR)
    recording = read_fit("ride.fit", raw[: len(raw) // 2])
    assert "kept" in " ".join(recording.warnings)
    assert len(of_recording(recording).beats) == pytest.approx(len(session(CLEAR).beats) / 2, rel=0.1)


def test_a_message_with_a_damaged_time_stamp_is_skipped():
    activity = Activity()
    for second in range(1, 31):
        activity.hrv([1000])
        activity.record(second + (40 * 86_400 if second == 12 else 0), 60)
    recording = read_fit("ride.fit", activity.bytes())
    assert "1 messages" in recording.warnings[0]
    assert recording.events[-1].t == 30.0
    assert len(of_recording(recording).beats) == 29


def test_a_false_checksum_is_a_warning():
    raw = activity_of(GAPS)
    recording = read_fit("ride.fit", raw[:-2] + bytes(2))
    assert recording.warnings
    assert len(of_recording(recording).beats) == len(session(GAPS).beats)


def test_a_file_without_heartbeats_is_refused_with_a_sentence():
    activity = Activity()
    activity.record(1)
    with pytest.raises(RecordingError, match=r"ride\.fit holds no RR interval and no heart rate"):
        read_fit("ride.fit", activity.bytes())
    with pytest.raises(RecordingError, match=r"ride\.fit"):
        read_fit("ride.fit", b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT\x00\x00")


def test_what_a_strap_kept_in_its_memory_becomes_intervals():
    rr_ms = [round(850 + 40 * ((n * 7919) % 13 - 6) / 6) for n in range(160)]
    beats_s = [123.5]
    for rr in rr_ms:
        beats_s.append(beats_s[-1] + rr / 1000)
    activity = Activity()
    activity.kept(beats_s)
    data = of_recording(read_fit("swim.fit", activity.bytes()))
    assert [beat.rr_ms for beat in data.beats] == pytest.approx(rr_ms[: len(data.beats)], abs=1.1)
    assert len(data.beats) == 160
    assert not any(beat.gap_before for beat in data.beats)

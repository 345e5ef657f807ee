"""Polar's text files: RR intervals, heart rates at an interval, and what is odd in them."""

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.formats import read_any
from restbeat.service.exchange.programs.polar_hrm import read_hrm

from ..sessions import CLEAR, of_recording, session, ticks

HEAD = "[Params]\nVersion=106\nMonitor=22\nSMode=11000000\nDate=20091103\nStartTime=13:34:14.0\nLength=00:20:00.0\nInterval={}\n"


def hrm(interval, lines):
    body = "\n".join(map(str, lines))
    return (HEAD.format(interval) + f"Upper1=0\n\n[Note]\nquiet\n\n[IntTimes]\n\n[HRData]\n{body}\n").replace("\n", "\r\n")


def test_rr_intervals_come_back_to_the_ms(tmp_path):
    data = session(CLEAR)
    path = tmp_path / "09110301.hrm"
    path.write_text(hrm(238, [round(beat.rr_ms) for beat in data.beats]), encoding="latin-1")
    recording = read_any(path)
    again = of_recording(recording)
    assert [ticks(beat.rr_ms) for beat in again.beats] == [ticks(round(beat.rr_ms)) for beat in data.beats]
    assert recording.header.extra["imported"]["began_local"] == "2009-11-03T13:34:14"
    assert recording.warnings == ()


def test_heart_rates_at_an_interval_are_heart_rate_only():
    data = of_recording(read_hrm("ride.hrm", hrm(5, [f"{60 + n % 3}\t251\t90" for n in range(60)])))
    assert not data.report.hrv
    assert data.heart_rates[:3] == [(5.0, 60), (10.0, 61), (15.0, 62)]


def test_a_line_without_an_interval_is_skipped_and_leaves_a_gap():
    recording = read_hrm("ride.hrm", hrm(238, [812, 799, "x", 801, 0, 805]))
    data = of_recording(recording)
    assert len(recording.warnings) == 2
    assert [beat.gap_before for beat in data.beats] == [False, False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "[Params]\nInterval=238\n",
        "[Params]\nInterval=238\n[HRData]\n",
        "[Params]\n[HRData]\n812\n",
        "[Params]\nInterval=204\n[HRData]\n812\n",
        "[Params]\nInterval=238\n[HRData]\nwords\n",
    ],
)
def test_a_file_without_heart_data_is_refused_with_a_sentence(text):
    with pytest.raises(RecordingError, match=r"ride\.hrm"):
        read_hrm("ride.hrm", text)

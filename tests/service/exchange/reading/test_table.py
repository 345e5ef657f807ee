"""Tables of other programs: where the intervals stand, in which unit, when, and where beats are missing."""

from datetime import UTC, datetime, timedelta
import os
from pathlib import Path

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.recording import HEART_RATE, Packet, PhaseStart
from restbeat.service.exchange.formats import read_any, read_file

from ..sessions import BEGAN, GAPS, of_recording, same_beats, session, ticks

RR = [812, 799, 801, 830, 825, 798, 790, 812, 840, 803]
ENDS = [sum(RR[: n + 1]) / 1000 for n in range(len(RR))]
REAL = Path(os.environ.get("RESTBEAT_REAL_DATA", "/nowhere"))


def read_lines(tmp_path, *lines, name="rr.csv"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_any(path)


def intervals(recording):
    return [ticks(beat.rr_ms) for beat in of_recording(recording).beats]


def gaps(recording):
    return [n for n, beat in enumerate(of_recording(recording).beats) if beat.gap_before]


@pytest.mark.parametrize(
    "lines",
    [
        ["Time (s),RR (ms)", *(f"{t:.3f},{rr}" for t, rr in zip(ENDS, RR, strict=True))],
        ["Time (s);RR interval (s)", *(f"{t:.3f};{rr / 1000:.3f}".replace(".", ",") for t, rr in zip(ENDS, RR, strict=True))],
        [f"{t:.3f}\t{rr / 1000:.3f}" for t, rr in zip(ENDS, RR, strict=True)],
        [f"{t:.3f} {rr}" for t, rr in zip(ENDS, RR, strict=True)],
        ["timestamp,rr", *(f"{1688125620000 + round(1000 * t)},{rr}" for t, rr in zip(ENDS, RR, strict=True))],
        [
            "date,rr,since start",
            *(f"{BEGAN + timedelta(seconds=t)},{rr},{round(1000 * t)}" for t, rr in zip(ENDS, RR, strict=True)),
        ],
        ["1688125620.0, IBI", *(f"{t:.3f},{rr / 1000:.3f}" for t, rr in zip(ENDS, RR, strict=True))],
        [
            "n,beat time,ibi_cumulative,ibi",
            *(f"{n},x,{round(1000 * t)},{rr}" for n, (t, rr) in enumerate(zip(ENDS, RR, strict=True))),
        ],
        ["Some app 2.1", "", "Mean RR (ms):,811", "# made today", "R-R [ms],HR", *(f"{rr},{round(60000 / rr)}" for rr in RR)],
    ],
)
def test_the_intervals_are_found_in_any_unit_and_layout(tmp_path, lines):
    recording = read_lines(tmp_path, *lines)
    assert intervals(recording) == [ticks(rr) for rr in RR]
    assert gaps(recording) == []
    assert recording.warnings == ()
    assert recording.events[0].t == pytest.approx(0.812, abs=0.001)


def test_a_phase_that_begins_with_a_damaged_interval_begins_after_the_one_before(tmp_path):
    head = "end_s,rr_ms,accepted,kind,gap_before,phase"
    rows = [f"{t},{rr},1,normal,0,baseline" for t, rr in zip(ENDS[:5], RR[:5], strict=True)]
    recording = read_lines(tmp_path, head, *rows, "4.8,90002,1,normal,0,massage")
    assert [event.t for event in recording.events if isinstance(event, PhaseStart)] == [0.0, 0.0]


@pytest.mark.parametrize("starts", [True, False])
def test_a_jump_of_the_beats_own_times_is_a_gap(tmp_path, starts):
    times = [t - rr / 1000 if starts else t for t, rr in zip(ENDS, RR, strict=True)]
    rows = [f"{t + (7.5 if n > 4 else 0):.3f},{rr}" for n, (t, rr) in enumerate(zip(times, RR, strict=True))]
    recording = read_lines(tmp_path, "time_s,rr_ms", *rows)
    assert intervals(recording) == [ticks(rr) for rr in RR]
    assert gaps(recording) == [5]


def test_one_missing_row_is_a_gap(tmp_path):
    rows = [f"{t:.3f},{rr}" for n, (t, rr) in enumerate(zip(ENDS, RR, strict=True)) if n != 4]
    assert gaps(read_lines(tmp_path, "time_s,rr_ms", *rows)) == [4]


def test_a_row_without_a_number_is_skipped_and_leaves_a_gap(tmp_path):
    recording = read_lines(
        tmp_path, "RR (ms),quality", *(f"{rr},ok" for rr in RR[:4]), "artefact,bad", *(f"{rr},ok" for rr in RR[4:])
    )
    assert "line 6" in recording.warnings[0]
    assert gaps(recording) == [4]


def test_gaps_are_found_from_arrival_times_as_for_a_strap(tmp_path):
    data = session(GAPS)
    packets = [event for event in data.events if isinstance(event, Packet) and event.char == HEART_RATE]
    sent = [(packet.t, rr) for packet in packets for rr in parse(packet.payload).rr_1024]
    rows = [f"{1700000000000 + round(1000 * t)},{rr * 1000 / 1024:.3f}" for t, rr in sent]
    again = of_recording(read_lines(tmp_path, "timestamp,rr", *rows))
    assert same_beats(again) == same_beats(data)


def test_a_row_without_a_number_leaves_a_gap_among_arrival_times_too(tmp_path):
    stamps = [t + 0.3 * (n % 3) for n, t in enumerate(ENDS)]
    rows = [f"{t:.3f},{rr if n != 6 else 'x'}" for n, (t, rr) in enumerate(zip(stamps, RR, strict=True))]
    recording = read_lines(tmp_path, "time_s,rr_ms", *rows)
    assert recording.header.extra["imported"]["arrival"] == "the times in the file"
    assert 6 in gaps(recording)


def test_an_interval_that_no_packet_holds_leaves_a_gap(tmp_path):
    rows = [f"{t:.3f},{rr if n != 6 else 70_000}" for n, (t, rr) in enumerate(zip(ENDS, RR, strict=True))]
    assert gaps(read_lines(tmp_path, "time_s,rr_ms", *rows)) == [6]


def test_a_column_of_heart_rates_is_heart_rate_only(tmp_path):
    clock = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    rows = [f"{clock + timedelta(seconds=n):%H:%M:%S},{60 + n % 4}" for n in range(90)]
    data = of_recording(read_lines(tmp_path, "Time,HR (bpm)", *rows))
    assert not data.report.hrv
    assert data.heart_rates[10] == (10.0, 62)


def test_rows_with_backward_times_are_skipped(tmp_path):
    rows = [f"{t:.3f},{rr}" for t, rr in zip(ENDS, RR, strict=True)]
    recording = read_lines(tmp_path, "time_s,rr_ms", *rows[:5], rows[1], *rows[5:])
    assert "backwards" in recording.warnings[0]
    assert intervals(recording) == [ticks(rr) for rr in RR]


def test_our_own_table_with_a_broken_row_loses_that_row(tmp_path):
    head = "end_s,rr_ms,accepted,kind,gap_before,phase"
    recording = read_lines(
        tmp_path, head, *(f"{t},{rr},1,normal,0,baseline" for t, rr in zip(ENDS[:5], RR[:5], strict=True)), "x,y"
    )
    assert len(recording.warnings) == 1
    assert len(intervals(recording)) == 5


def test_means_of_days_are_no_beats(tmp_path):
    with pytest.raises(RecordingError, match=r"days\.csv"):
        read_lines(tmp_path, "date,Mean RR (ms),Avg HR", "2026-03-01,812,74", "2026-03-02,830,72", name="days.csv")


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n", "RR (ms),x\n,\n", "EEG,EMG,EOG\n0.1,0.2,0.3\n0.2,0.1,0.3\n"])
def test_a_table_without_beats_is_refused_with_a_sentence(tmp_path, text):
    path = tmp_path / "eeg.csv"
    path.write_text(text)
    with pytest.raises(RecordingError, match=r"eeg\.csv"):
        read_any(path)


@pytest.mark.parametrize("text", ["812\n799\n801\n", "812,5\n799,25\n801\n", "RR\n812\n799\n"])
def test_one_number_per_line_is_rr_text(tmp_path, text):
    path = tmp_path / "rr.txt"
    path.write_text(text)
    assert len(intervals(read_any(path))) in {2, 3}


@pytest.mark.skipif(not REAL.is_dir(), reason="RESTBEAT_REAL_DATA names no folder of real recordings")
@pytest.mark.parametrize(
    ("name", "beats"),
    [
        ("kbre93_polarH10_ibi.csv", 620),
        ("wearablehrv_test_kyto.csv", 2860),
        ("wearablehrv_test_heartmath.csv", 3042),
        ("wearablehrv_test_vu.txt", 3040),
    ],
)
def test_real_tables_of_other_programs_are_read_whole(name, beats):
    assert len(of_recording(read_any(REAL / name)).beats) == beats


def test_packets_times_in_whole_seconds_leave_the_intervals_to_the_digit(tmp_path):
    """Through packets of 1/1024 s a beat that is just about an artifact may be judged otherwise."""
    rr = [812.5 + 37 * (n % 7) - 21 * (n % 3) for n in range(200)]
    ends = [sum(rr[: n + 1]) / 1000 for n in range(200)]
    path = tmp_path / "a.csv"
    path.write_text("time,rr\n" + "\n".join(f"{int(t)},{one}" for t, one in zip(ends, rr, strict=True)))
    found = read_file(path)
    assert list(found.text.rr_ms) == rr
    assert not any(found.text.gap_before)
    assert "as the whole seconds in the file say too" in found.source.times


def test_a_beat_that_is_missing_between_whole_seconds_is_still_a_gap(tmp_path):
    rr = [900.0] * 300
    rows = [(int(0.9 * (n + 1)), one) for n, one in enumerate(rr) if not 100 <= n < 104]
    path = tmp_path / "a.csv"
    path.write_text("time,rr\n" + "\n".join(f"{t},{one}" for t, one in rows))
    found = read_file(path)
    assert found.text is None
    assert "the times in the file" in found.source.times


@pytest.mark.parametrize("form", ["cells", "lists"])
def test_rows_of_two_intervals_with_times_to_the_ms_are_read_to_the_digit(tmp_path, form):
    rr = [812.5 + 37 * (n % 7) - 21 * (n % 3) for n in range(200)]
    ends = [sum(rr[: n + 1]) / 1000 for n in range(200)]
    rows = [
        f"{ends[n + 1]:.4f},{rr[n]},{rr[n + 1]}" if form == "cells" else f'{ends[n + 1]:.4f},"[{rr[n]}, {rr[n + 1]}]"'
        for n in range(0, 200, 2)
        if n != 60
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,rr1,rr2" if form == "cells" else "time,rr", *rows]))
    found = read_file(path)
    assert list(found.text.rr_ms) == [*rr[:60], *rr[62:]]
    assert [n for n, gap in enumerate(found.text.gap_before) if gap] == [60]


@pytest.mark.parametrize("mark", ["|", ";", "\t"])
def test_what_separates_the_headings_separates_cells_with_decimal_commas_too(tmp_path, mark):
    rows = [f"{t:.3f}{mark}{rr / 1000:.3f}".replace(".", ",") for t, rr in zip(ENDS * 4, RR * 4, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([f"n{mark}rr (s)", *rows]))
    assert list(read_file(path).text.rr_ms) == pytest.approx(RR * 4)


def test_a_heart_of_one_beat_a_second_is_not_taken_for_exact_times_in_whole_seconds(tmp_path):
    """Steps of a second fit most of its intervals by chance, and where they do not, no beats are missing."""
    rr = [1000 + 9 * (n % 5 - 2) + (40 if n % 20 == 0 else 0) for n in range(280)]
    ends = [sum(rr[: n + 1]) / 1000 for n in range(280)]
    path = tmp_path / "a.csv"
    path.write_text("time,rr\n" + "\n".join(f"{int(t)},{one}" for t, one in zip(ends, rr, strict=True)))
    found = read_file(path)
    assert list(found.text.rr_ms) == rr
    assert not any(found.text.gap_before)

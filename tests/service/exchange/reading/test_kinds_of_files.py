"""One file of each kind that was once read wrongly: its right figures, or the sentence that refuses it."""

from datetime import UTC, datetime, timedelta
import json

import numpy as np
import pytest

from restbeat.analysis.session_report import whole_recording
from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.recording import Pain
from restbeat.sensors.recordings.rr_text import RrText
from restbeat.service.exchange.formats import read_file

from ....analysis.beats.odd_straps import heart
from .test_random_files import figures_of, whole_text

BEGAN = datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
ENDS_S = heart(np.random.default_rng(5), bpm=71, rmssd_ms=36.0, end_s=340)
RR = np.rint(1000 * np.diff(ENDS_S)).astype(int)[:400]
AT_S = RR.cumsum() / 1000


def at(seconds):
    return BEGAN + timedelta(seconds=float(seconds))


def stamped(cells):
    return [f"{at(t).isoformat(timespec='milliseconds')},{cell}" for t, cell in zip(AT_S, cells, strict=True)]


def two_a_row(cells_of):
    rows = [(t, RR[n : n + 2]) for n, t in zip(range(0, RR.size, 2), AT_S[1::2], strict=False)]
    return [f"{at(int(t)).isoformat()},84,{cells_of(rr)}" for t, rr in rows]


SAME = {
    "times of beats in s": ("txt", "\n".join(f"{t:.3f}" for t in [0.84, *(0.84 + AT_S)])),
    "two columns of intervals": ("csv", "\n".join(["timestamp,hr,rr1,rr2", *two_a_row(lambda rr: ",".join(map(str, rr)))])),
    "a list in each cell": (
        "csv",
        "\n".join(["timestamp,heart_rate,rr_intervals", *two_a_row(lambda rr: f'"[{", ".join(map(str, rr))}]"')]),
    ),
    "columns of date and time": (
        "csv",
        "\n".join(["Date,Time,HR,RR", *(f"{at(t):%Y-%m-%d,%H:%M:%S},70,{rr}" for t, rr in zip(AT_S, RR, strict=True))]),
    ),
    "an index without a name": ("csv", "\n".join([",rr", *(f"{n},{rr}" for n, rr in enumerate(RR))])),
    "the first interval blank": (
        "csv",
        "\n".join(["Time,HR,RR", "0.000,70,", *(f"{t:.3f},70,{rr}" for t, rr in zip(AT_S, RR, strict=True))]),
    ),
    "a clock over midnight": (
        "csv",
        "\n".join([
            ",ibi_s,day,time",
            *(f"{n},{rr / 1000:.3f},1,{at(t + 50_280):%H:%M:%S}" for n, (t, rr) in enumerate(zip(AT_S, RR, strict=True))),
        ]),
    ),
    "UTF-16": ("txt", "\n".join(map(str, RR)).encode("utf-16")),
    "one line": ("txt", " ".join(map(str, RR))),
    "sections in brackets": ("txt", "\n".join(["[HEADER]", "DEVICE=X", "[DATA]", *map(str, RR)])),
    "a JSON array": ("json", json.dumps(RR.tolist())),
    "Movesense's JSON": (
        "json",
        json.dumps({"data": [{"hr": {"average": 70.1, "rrData": [int(rr)]}} for rr in RR]}),
    ),
    "JSON of columns": ("json", json.dumps({"heart": {"t": AT_S.round(3).tolist(), "ibi": RR.tolist()}})),
    "newest first": ("csv", "\n".join(["time,rr", *reversed(stamped(RR))])),
    "annotated beats": (
        "txt",
        "\n".join(f"{t:.3f} {rr / 1000:.3f} N" for t, rr in zip(AT_S, RR, strict=True)),
    ),
    "a clock set back by an hour": (
        "csv",
        "\n".join(["time;rr", *(f"{at(t - (3600 if t > 150 else 0)).isoformat()};{rr}" for t, rr in zip(AT_S, RR, strict=True))]),
    ),
}  # fmt: skip


def read_as(tmp_path, ending, content):
    path = tmp_path / f"made.{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path)


@pytest.mark.parametrize("kind", SAME)
def test_the_figures_are_those_of_the_intervals_themselves(tmp_path, kind):
    figures = figures_of(read_as(tmp_path, *SAME[kind]))
    truth, _ = whole_text(RrText(tuple(map(float, RR)), (False,) * RR.size))
    assert figures.beats == RR.size
    assert figures.rmssd_ms == pytest.approx(truth.rmssd_ms, rel=0.005)
    assert figures.sdnn_ms == pytest.approx(truth.sdnn_ms, rel=0.005)
    assert figures.end_s - figures.start_s == pytest.approx(AT_S[-1], rel=0.005)
    for name in ("lf_ms2", "hf_ms2"):
        assert getattr(figures, name) == pytest.approx(getattr(truth, name), rel=0.02)


def test_rows_without_an_interval_make_no_gap_where_the_times_go_on(tmp_path):
    ends = heart(np.random.default_rng(6), bpm=52, rmssd_ms=44.0, end_s=340)
    rr = np.rint(1000 * np.diff(ends)).astype(int)
    rows, sent = [], 0
    for second in range(2, int(rr.sum() / 1000)):
        upto = int(np.searchsorted(rr.cumsum() / 1000, second, side="right"))
        rows.append(f"{at(second).isoformat()};52;{rr[sent] if upto > sent else ''}")
        sent += upto > sent
    figures = figures_of(read_as(tmp_path, "csv", "\n".join(["Timestamp;HR;RR", *rows])))
    truth, _ = whole_text(RrText(tuple(map(float, rr[:sent])), (False,) * sent))
    assert figures.rmssd_ms == pytest.approx(truth.rmssd_ms, rel=0.005)


def test_a_file_whose_times_show_a_fifth_missing_gives_no_rmssd_and_says_how_much(tmp_path):
    rows = [row for n, row in enumerate(stamped(RR)) if n % 5]
    found = read_as(tmp_path, "csv", "\n".join(["time,rr", *rows]))
    for figures, reasons in (whole_text(found.text), whole_recording(found.recording.header, found.recording.events)):
        assert (figures.rmssd_ms, figures.sdnn_ms) == (None, None)
        assert "is filled with heartbeats" in " ".join(reasons)


def test_polar_pulse_intervals_that_the_sensor_doubts_are_left_out(tmp_path):
    wrong = set(range(20, RR.size, 60))
    rows = [
        f"{at(t).isoformat(timespec='milliseconds')};{rr + 300 if n in wrong else rr};{340 if n in wrong else 10};"
        f"{int(n in wrong)};1;1;70"
        for n, (t, rr) in enumerate(zip(AT_S, RR, strict=True))
    ]
    head = "Phone timestamp;PP-interval [ms];error estimate [ms];blocker;contact;contact;hr [bpm]"
    found = read_as(tmp_path, "txt", "\n".join([head, *rows]))
    assert figures_of(found).rmssd_ms == pytest.approx(36.0, rel=0.05)
    assert found.source.kind == "pulse intervals"


RATES = {
    "a preface with its own heading": (
        "Name,Sport,Date,Start time,Duration,Average heart rate (bpm),Height (cm),HR max,HR sit,\nA,INDOOR,2024-05-01,10:00:00,"
        "00:05:00,74,170,187,55,\nSample rate,Time,HR (bpm),Speed (km/h),\n"
        + "\n".join(f"{1 if n == 0 else ''},00:{n // 60:02}:{n % 60:02},{72 + n % 5},," for n in range(300)),
        74.0,
        299.0,
    ),
    "minutes": ("Minutes,Watts,HR\n" + "\n".join(f"{n / 60:.4f},0,{70 + n % 3}" for n in range(600)), 71.0, 599.0),
    "heart rate in 1/min": (
        "Elapsed time [s]\tCadence [1/min]\tHeart rate [1/min]\n" + "\n".join(f"{n}\t0\t{70 + n % 5}" for n in range(200)),
        72.0,
        199.0,
    ),
}


@pytest.mark.parametrize("kind", RATES)
def test_heart_rates_and_their_duration_are_right(tmp_path, kind):
    text, mean_bpm, duration_s = RATES[kind]
    figures = figures_of(read_as(tmp_path, "csv", text))
    assert figures.mean_hr_bpm == pytest.approx(mean_bpm, abs=0.1)
    assert figures.end_s == pytest.approx(duration_s, abs=0.1)
    assert figures.rmssd_ms is None


def test_fitbits_heart_rates_are_read_with_their_times(tmp_path):
    records = [{"dateTime": f"{at(5 * n):%m/%d/%y %H:%M:%S}", "value": {"bpm": 60 + n % 5, "confidence": 2}} for n in range(60)]
    figures = figures_of(read_as(tmp_path, "json", json.dumps(records)))
    assert (figures.mean_hr_bpm, figures.end_s) == (pytest.approx(62.0), pytest.approx(295.0))


REFUSED = {
    "a table of figures": ("mean_nni,sdnn,nni_50,rmssd,median_nni\n" + "850,40,330,30,848\n" * 40, "figures computed from beats"),
    "figures of phases, of an older restbeat": ("phase,start_s,end_s,beats\nbaseline,0.0,300.0,316\n", "figures of phases"),
    "one beat": ("812\n", "one interval"),
    "unknown columns": ("a,b\n" + "\n".join(f"{n},{800 + n % 40}" for n in range(1, 60)), "no heading that|no column of RR"),
    "no heading, and columns that do not agree": ("\n".join(f"{n} {800 + n % 50} 3" for n in range(99)), "no heading"),
    "several files in a zip": (None, "2 files"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_holds_no_beats_is_refused_in_a_sentence_that_says_what_it_seems_to_be(tmp_path, kind):
    text, words = REFUSED[kind]
    if text is None:
        import io
        import zipfile

        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.csv", "812")
            archive.writestr("b.csv", "812")
        text = out.getvalue()
    with pytest.raises(RecordingError, match=words):
        read_as(tmp_path, "csv", text)


def test_intervals_that_no_heart_makes_are_not_accepted(tmp_path):
    """A heart of 17 bpm, whose intervals rise to 3.5 s, once had 99.9 % of them accepted."""
    rr = np.linspace(1000, 3500, 1500) + np.random.default_rng(1).normal(0, 10, 1500)
    figures = figures_of(read_as(tmp_path, "txt", "\n".join(f"{one:.0f}" for one in rr)))
    assert figures.accepted_pct < 62
    assert figures.rmssd_ms is None


def test_a_recording_that_begins_before_zero_is_moved_to_begin_at_it(tmp_path):
    lines = [
        {"format": "restbeat-recording", "version": 1},
        {"t": -5.0, "pain": 3},
        {"t": -1.0, "char": "2a37", "hex": "1040c503"},
        {"t": 0.0, "phase": "baseline"},
        {"t": 0.9, "char": "2a37", "hex": "103ee003"},
    ]
    recording = read_as(tmp_path, "jsonl", "\n".join(map(json.dumps, lines))).recording
    assert [event.t for event in recording.events] == [0.0, 4.0, 5.0, 5.9]
    assert isinstance(recording.events[0], Pain)
    assert "moved by 5 s" in recording.warnings[0]
    assert whole_recording(recording.header, recording.events)[0].beats == 2


@pytest.mark.parametrize("heading", ["a\x1b[2J,b", "sdnn\x1b[1m,rmssd", "time\x1b[1m,HR\x1b[2J", "x,RR\x1b[31m,RR\x1b[2J (ms)"])
def test_nothing_of_a_heading_reaches_a_terminal_as_a_command(tmp_path, heading):
    rows = [",".join([f"{n * 0.8:.3f}", *["61"] * (heading.count(","))]) for n in range(60)]
    try:
        told = " ".join(read_as(tmp_path, "csv", "\n".join([heading, *rows])).source.lines())
    except RecordingError as error:
        told = str(error)
    assert told.isprintable()

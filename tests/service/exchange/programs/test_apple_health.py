"""Apple Health export: the beats behind the newest sample, whatever else the file holds, in little memory."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from restbeat.analysis.session_report import whole_recording
from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.formats import read_file

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (Record*)>
]>
<HealthData locale="de_DE">
"""
STEPS = '<Record type="HKQuantityTypeIdentifierStepCount" startDate="2024-05-01 07:00:00 +0200" value="12"/>\n'
VARIABILITY = "HKQuantityTypeIdentifierHeartRateVariabilitySDNN"


def sample(began, rr_s, *, comma=True):
    """Return a record with the beats behind it."""
    at = began + np.concatenate([[0.0], np.cumsum(rr_s)]) * timedelta(seconds=1)
    mark, beats = "," if comma else ".", ""
    for t, rr in zip(at, [rr_s[0], *rr_s], strict=True):
        clock = f"{t:%-I:%M:%S}{mark}{t.microsecond // 10000:02} {t:%p}"
        beats += f'<InstantaneousBeatsPerMinute bpm="{round(60 / rr)}" time="{clock}"/>'
    return (
        f'<Record type="{VARIABILITY}" startDate="{began:%Y-%m-%d %H:%M:%S} +0000" value="31.4">\n'
        f"<HeartRateVariabilityMetadataList>\n{beats}\n</HeartRateVariabilityMetadataList>\n</Record>\n"
    )


def rr_of(seed, beats=70):
    return np.round(0.9 + np.random.default_rng(seed).normal(0, 0.03, beats), 2)


def given(tmp_path, *parts):
    path = tmp_path / "export.xml"
    path.write_text(HEAD + "".join(parts) + "</HealthData>\n")
    return path


@pytest.mark.parametrize("comma", [True, False])
def test_the_beats_of_the_newest_sample_are_read_and_never_its_sdnn(tmp_path, comma):
    day = datetime(2024, 5, 1, 11, 59, 40, tzinfo=UTC)  # over noon, on a clock of twelve hours
    rr = rr_of(2)
    path = given(tmp_path, sample(day, rr, comma=comma), STEPS, sample(day - timedelta(days=3), rr_of(1)), STEPS)
    found = read_file(path)
    figures, _ = whole_recording(found.recording.header, found.recording.events)
    assert figures.beats == rr.size
    assert figures.rmssd_ms == pytest.approx(1000 * np.sqrt(np.mean(np.diff(rr) ** 2)), rel=0.03)
    assert found.recording.header.extra["imported"]["began_utc"].startswith("2024-05-01T11:59:40")
    assert "newest of 2 samples" in found.source.evidence[0]


def test_beats_that_are_missing_leave_a_gap(tmp_path):
    text = sample(datetime(2024, 5, 1, 7, tzinfo=UTC), rr_of(3))
    lines = text.split("<InstantaneousBeatsPerMinute")
    found = read_file(given(tmp_path, "<InstantaneousBeatsPerMinute".join([*lines[:30], *lines[33:]])))
    figures, _ = whole_recording(found.recording.header, found.recording.events)
    assert figures.beats == 66


def test_an_export_without_beats_is_refused_and_its_sdnn_not_taken(tmp_path):
    record = (
        '<Record type="HKQuantityTypeIdentifierHeartRateVariabilitySDNN" startDate="2024-05-01 07:00:00 +0200" value="44"/>\n'
    )
    with pytest.raises(RecordingError, match="1 samples of heart-rate variability have no beats"):
        read_file(given(tmp_path, record))


def test_entities_are_not_expanded(tmp_path):
    path = tmp_path / "export.xml"
    path.write_text('<?xml version="1.0"?>\n<!DOCTYPE HealthData [<!ENTITY a "aaaa">]>\n<HealthData>&a;</HealthData>')
    with pytest.raises(RecordingError, match="no readable XML"):
        read_file(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the largest memory of a process is read from /proc")
def test_two_hundred_megabytes_take_little_memory(tmp_path):
    path = tmp_path / "export.xml"
    with path.open("w") as out:
        out.write(HEAD)
        out.write(sample(datetime(2024, 5, 1, 7, tzinfo=UTC), rr_of(4)))
        block = STEPS * 8_000
        for _ in range(200_000_000 // len(block)):
            out.write(block)
        out.write("</HealthData>\n")
    program = """
import pathlib, re, sys
from restbeat.service.exchange.formats import read_file
read_file(pathlib.Path(sys.argv[1]))
print(int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 300

"""A heart of known figures, from which the files of these tests are made by hand, after each format's published description."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from restbeat.analysis.session_report import whole_text
from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.rr_text import RrText
from restbeat.service.exchange.formats import read_file

from ....analysis.beats.odd_straps import heart
from ..reading.test_random_files import figures_of

BEGAN = datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC)
RR = np.rint(1000 * np.diff(heart(np.random.default_rng(8), bpm=68, rmssd_ms=31.0, end_s=330))).astype(int)[:300]
AT_S = RR.cumsum() / 1000
EVERY_S = list(range(int(AT_S[-1])))
"""Whole seconds, at which watches give a heart rate of 70, 71 or 72 bpm."""


def bpm(second):
    return 70 + second % 3


def at(seconds, form="%Y-%m-%dT%H:%M:%S.%f"):
    return f"{BEGAN + timedelta(seconds=float(seconds)):{form}}"


def read_as(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path)


def assert_same(found, kind="RR intervals"):
    """Assert that a file gives the figures of the intervals from which it was made."""
    figures, truth = figures_of(found), whole_text(RrText(tuple(map(float, RR)), (False,) * RR.size))[0]
    assert found.source.kind == kind
    assert figures.beats == RR.size
    assert figures.rmssd_ms == pytest.approx(truth.rmssd_ms, rel=0.005)
    assert figures.sdnn_ms == pytest.approx(truth.sdnn_ms, rel=0.005)
    assert figures.end_s - figures.start_s == pytest.approx(AT_S[-1], rel=0.005)


def assert_rates(found, mean_bpm, duration_s):
    """Assert that a file gives heart rates and no HRV."""
    figures = figures_of(found)
    assert found.source.kind == "heart rates"
    assert figures.mean_hr_bpm == pytest.approx(mean_bpm, abs=0.1)
    assert figures.end_s == pytest.approx(duration_s, abs=1.1)
    assert figures.rmssd_ms is None


def refusal(tmp_path, name, content):
    """Return the sentence with which a file is refused."""
    with pytest.raises(RecordingError) as refused:
        read_as(tmp_path, name, content)
    return str(refused.value)

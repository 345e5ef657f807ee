"""The live engine equals NeuroKit2 on the same accepted beats: every fixture, real series, and random streams with gaps."""

import csv
import os
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import BeatStream
from restbeat.analysis.hrv.engine_parity import EQUAL, FIGURES, Difference, Parity, engine_of, relative_difference
from restbeat.analysis.hrv.neurokit import TimeDomain, time_domain
from restbeat.analysis.hrv.rolling_window import RollingHrv
from restbeat.analysis.hrv.time_domain import FEWEST_BEATS, numpy_time_domain
from restbeat.analysis.polar.ecg_beats import detect_beats
from restbeat.sensors.recordings.recording import ConnectionEvent, Packet, read

ROOT = Path(__file__).parents[3]
FIXTURES = sorted((ROOT / "fixtures").glob("*.jsonl*"))
WINDOWS_S = (60.0, 300.0)
REAL = {
    "kbre93_polarH10_ibi.csv": (",", 1),
    "wearablehrv_test_empatica.csv": (",", 1),
    "wearablehrv_test_heartmath.csv": (",", 1),
    "wearablehrv_test_kyto.csv": (",", 1),
    "wearablehrv_test_rhythm.csv": (",", 1),
    "wearablehrv_test_vu.txt": ("\t", 2),
}
"""Column separator of each file, and the column with the intervals."""


def judged(path):
    stream, events = BeatStream(), read(path).events
    beats = []
    for event in events:
        if isinstance(event, Packet):
            beats += stream.push(event)
        elif isinstance(event, ConnectionEvent) and not event.up:
            beats += stream.connection_lost()
    return [(b.end_s, b.rr_ms, b.accepted, b.diff_ms) for b in beats + stream.finish(events[-1].t)]


def judged_series(rr_ms, holes_s=None):
    """Return plain intervals judged by the artifact filter; `holes_s`: lengths of the holes before some of them."""
    judge, holes_s = ArtifactFilter(), holes_s or {}
    verdicts = [v for n, rr in enumerate(rr_ms) for v in judge.push(rr, gap=n in holes_s)] + judge.flush()
    ends = np.cumsum([rr / 1000 + holes_s.get(n, 0.0) for n, rr in enumerate(rr_ms)])
    return [(float(end), v.rr_ms, v.accepted, v.diff_ms) for end, v in zip(ends, verdicts, strict=True)]


def neurokit2_on(beats):
    """Return the figures of record of the same beats: runs of accepted beats whose differences count."""
    runs, run = [], []
    for _, rr_ms, accepted, diff_ms in beats:
        if accepted and diff_ms is None and run:
            runs.append(np.array(run))
            run = []
        if accepted:
            run.append(rr_ms)
    return time_domain([*runs, np.array(run)])


def assert_equal_all_along(beats, every):
    for window_s in WINDOWS_S:
        engine, oldest = RollingHrv(window_s), 0
        for n, (end_s, rr_ms, accepted, diff_ms) in enumerate(beats):
            engine.push(end_s, rr_ms, accepted=accepted, diff_ms=diff_ms)
            while beats[oldest][0] <= end_s - window_s:
                oldest += 1
            if n % every or n - oldest < 10 or engine.accepted < FEWEST_BEATS:  # of fewer the record gives no figure
                continue
            (first_s, first_ms, good, _), *rest = beats[oldest : n + 1]
            record = neurokit2_on([(first_s, first_ms, good, None), *rest])  # the first has no neighbour in the window
            parity = Parity().with_phase("window", engine, record)
            assert parity.differences == []
            assert parity.largest <= EQUAL


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_fixture_agrees_in_windows_throughout(path):
    beats = judged(path)
    assert_equal_all_along(beats, max(len(beats) // 60, 1))


@pytest.mark.skipif("RESTBEAT_REAL_DATA" not in os.environ, reason="RESTBEAT_REAL_DATA names no folder of real recordings")
@pytest.mark.parametrize("name", REAL)
def test_real_recordings_agree_in_windows_throughout(name):
    mark, column = REAL[name]
    rows = csv.reader((Path(os.environ["RESTBEAT_REAL_DATA"]) / name).read_text().splitlines(), delimiter=mark)
    rr_ms = [x for row in rows if len(row) > column and (x := _number(row[column])) is not None and 250 < x < 2500]
    assert len(rr_ms) > 300
    assert_equal_all_along(judged_series(rr_ms), 29)


@pytest.mark.skipif("RESTBEAT_REAL_DATA" not in os.environ, reason="RESTBEAT_REAL_DATA names no folder of real recordings")
def test_a_real_ecg_agrees_in_windows_throughout():
    rows = np.loadtxt(Path(os.environ["RESTBEAT_REAL_DATA"]) / "nk_bio_resting_5min_100hz.csv", delimiter=",", skiprows=1)
    rr_ms = 1000 * np.diff(detect_beats(1000 * rows[:, 0], np.arange(len(rows)) / 100, rate_hz=100.0).time_s)
    assert rr_ms.size > 400
    assert_equal_all_along(judged_series(rr_ms.tolist()), 29)


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rate=st.floats(40, 120),
    spread_ms=st.floats(0.5, 120),
    holes_s=st.dictionaries(st.integers(1, 399), st.floats(0.3, 90), max_size=12),
    ectopic=st.frozensets(st.integers(1, 400), max_size=20),
)
def test_random_streams_with_gaps_and_ectopics_agree(seed, rate, spread_ms, holes_s, ectopic):
    rng = np.random.default_rng(seed)
    rr_ms = np.clip(60_000 / rate + spread_ms * rng.standard_normal(400), 260, 2400)
    for n in ectopic:
        if n < 399:
            rr_ms[n], rr_ms[n + 1] = 0.7 * rr_ms[n], rr_ms[n + 1] + 0.3 * rr_ms[n]
    rr_ms = np.round(rr_ms * 1.024) / 1.024
    assert_equal_all_along(judged_series(rr_ms.tolist(), holes_s), 29)


def test_a_difference_between_the_engines_is_reported():
    ours = engine_of([1.0, 2.0, 3.0], [1000.0, 1010.0, 1000.0], [True] * 3, [False, True, True])
    theirs = TimeDomain(3, mean_rr_ms=ours.mean_rr_ms, sdnn_ms=ours.sdnn_ms, rmssd_ms=ours.rmssd_ms * (1 + 1e-6), sd1_ms=1.0)
    parity = Parity().with_phase("massage", ours, theirs)
    assert [d.figure for d in parity.differences] == ["rmssd_ms", "pnn50_pct", "sd1_ms", "sd2_ms"]
    assert parity.differences[0] == Difference("massage", "rmssd_ms", ours.rmssd_ms, theirs.rmssd_ms)
    assert parity.compared == len(FIGURES) - 2


@pytest.mark.parametrize(("a", "b", "apart"), [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (0.0, 2.0, 1.0), (1.0, 1.1, 0.1 / 1.1)])
def test_a_relative_difference_has_a_least_denominator(a, b, apart):
    assert relative_difference(a, b) == pytest.approx(apart)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**31), lengths=st.lists(st.integers(0, 40), max_size=12), spread_ms=st.sampled_from([0.0, 3.0, 80.0]))
def test_the_archives_figures_equal_those_of_neurokit2(seed, lengths, spread_ms):
    rng = np.random.default_rng(seed)
    runs = [np.round(900 + spread_ms * rng.standard_normal(n)) for n in lengths]
    ours, theirs = numpy_time_domain(runs), time_domain(runs)
    assert ours.reasons == theirs.reasons
    for figure in (*FIGURES, "mean_hr_bpm", "ln_rmssd"):
        mine, other = getattr(ours, figure), getattr(theirs, figure)
        assert mine == other if mine is None or other is None else mine == pytest.approx(other, rel=1e-9, abs=1e-12)

from pathlib import Path

import numpy as np
import pytest

from restbeat.analysis.beats.beat_runs import runs_of
from restbeat.analysis.beats.beat_stream import BeatStream
from restbeat.analysis.hrv.neurokit import time_domain
from restbeat.analysis.hrv.rolling_window import RollingHrv
from restbeat.sensors.recordings.recording import Packet, read

FIXTURES = Path(__file__).parents[3] / "fixtures"
TIME_DOMAIN = ("mean_rr_ms", "mean_hr_bpm", "sdnn_ms", "rmssd_ms", "pnn50_pct", "sd1_ms", "sd2_ms")


def truth(runs):
    rr = np.concatenate(runs)
    before, after = np.concatenate([r[:-1] for r in runs]), np.concatenate([r[1:] for r in runs])
    rmssd_ms = np.sqrt(np.mean((after - before) ** 2))
    return {
        "beats": rr.size,
        "mean_rr_ms": rr.mean(),
        "mean_hr_bpm": 60_000 / rr.mean(),
        "sdnn_ms": rr.std(ddof=1),
        "rmssd_ms": rmssd_ms,
        "ln_rmssd": np.log(rmssd_ms),
        "pnn50_pct": 100 * np.sum(np.abs(after - before) > 50) / (after.size + 1),
        "sd1_ms": np.std((before - after) / np.sqrt(2), ddof=1),
        "sd2_ms": np.std((before + after) / np.sqrt(2), ddof=1),
    }


def random_runs(seed, lengths):
    rng = np.random.default_rng(seed)
    return [rng.normal(rng.uniform(600, 1100), rng.uniform(5, 60), n) for n in lengths]


@pytest.mark.parametrize("lengths", [[400], [100, 200], [1, 1, 3, 1], [2, 2], [50] * 20, [3], [1, 2, 1, 1, 30], [0, 40, 0, 5]])
def test_neurokit2_takes_no_difference_from_one_run_to_the_next(lengths):
    runs = random_runs(len(lengths), lengths)
    figures, expected = time_domain(runs), truth([r for r in runs if r.size])
    if sum(lengths) - len([n for n in lengths if n]) < 2:
        expected.pop("sd1_ms"), expected.pop("sd2_ms")
    assert {name: getattr(figures, name) for name in expected} == pytest.approx(expected, rel=1e-9)
    assert figures.reasons == ()


def test_the_live_window_gives_the_same_figures():
    runs = random_runs(7, [80, 30, 1, 60])
    rolling, end_s = RollingHrv(1e9), 0.0
    for run in runs:
        for i, rr_ms in enumerate(run.tolist()):
            end_s += rr_ms / 1000
            rolling.push(end_s, rr_ms, True, rr_ms - float(run[i - 1]) if i else None)
        rolling.push(end_s, 4000.0, False, None)
    figures = time_domain(runs)
    for name in TIME_DOMAIN:
        assert getattr(rolling, name) == pytest.approx(getattr(figures, name), rel=1e-9)


@pytest.mark.parametrize("runs", [[], [np.array([])], [np.array([800.0, 810.0])]])
def test_too_few_beats_give_a_reason_and_no_figure(runs):
    figures = time_domain(runs)
    assert (figures.mean_rr_ms, figures.rmssd_ms) == (None, None)
    assert "too few" in figures.reasons[0]


def test_a_flat_rhythm_has_no_logarithm_and_a_reason():
    figures = time_domain([np.full(60, 750.0)])
    assert (figures.mean_hr_bpm, figures.sdnn_ms, figures.rmssd_ms, figures.sd2_ms) == (80, 0, 0, 0)
    assert figures.ln_rmssd is None
    assert "logarithm" in figures.reasons[0]


def test_single_beats_between_artifacts_have_a_mean_but_no_rmssd():
    figures = time_domain([np.array([x]) for x in (800.0, 820.0, 790.0, 805.0)])
    assert figures.mean_rr_ms == pytest.approx(803.75)
    assert (figures.rmssd_ms, figures.ln_rmssd, figures.pnn50_pct, figures.sd1_ms) == (None, None, None, None)
    assert "follow each other" in figures.reasons[0]


@pytest.mark.parametrize("odd", [0.0, -5.0, np.nan, np.inf])
def test_impossible_intervals_are_refused(odd):
    with pytest.raises(ValueError, match="finite and positive"):
        time_domain([np.array([800.0, odd, 810.0])])


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.jsonl*")), ids=lambda path: path.name)
def test_live_and_record_agree_on_every_fixture(path):
    stream, rolling = BeatStream(), RollingHrv(1e9)
    events = read(path).events
    beats = [beat for event in events if isinstance(event, Packet) for beat in stream.push(event)]
    beats += stream.finish(events[-1].t)
    for beat in beats:
        rolling.push(beat.end_s, beat.rr_ms, beat.accepted, beat.diff_ms)
    runs = runs_of(*([getattr(b, name) for b in beats] for name in ("end_s", "rr_ms", "accepted", "gap_before")))
    figures = time_domain([run.rr_ms for run in runs])
    live = {name: getattr(rolling, name) for name in TIME_DOMAIN}
    record = {name: getattr(figures, name) for name in TIME_DOMAIN}
    assert live == (pytest.approx(record, rel=1e-9) if beats else record)

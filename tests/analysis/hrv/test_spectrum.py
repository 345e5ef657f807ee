import os
from pathlib import Path

import numpy as np
import pytest

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_runs import runs_of
from restbeat.analysis.beats.beat_stream import BeatStream, judge
from restbeat.analysis.hrv.spectrum import spectra
from restbeat.analysis.polar.ecg_beats import detect_beats
from restbeat.analysis.simulation.scenarios import simulate


def band_powers(runs):
    bands, _ = spectra(runs)
    return bands


def respiration(runs):
    _, breathing = spectra(runs)
    return breathing


def heart(mean_rr_s=0.9, tones=((0.03, 0.1), (0.05, 0.25)), duration_s=300.0, jitter_s=0.0, phase=0.0, seed=0):
    """Return beat times (s) of an integral-pulse-frequency-modulated heart; tones are (relative amplitude, Hz)."""
    step = 0.005
    t = np.arange(0, duration_s, step)
    rate = (1 + sum(a * np.sin(2 * np.pi * f * t + phase) for a, f in tones)) / mean_rr_s
    beats = np.cumsum(rate) * step
    times = np.interp(np.arange(1, int(beats[-1])), beats, t + step)
    return times + np.random.default_rng(seed).normal(0, jitter_s, times.size)


def tone_ms2(mean_rr_s, amplitude, hz):
    return (1000 * mean_rr_s * amplitude * np.sinc(hz * mean_rr_s)) ** 2 / 2


def runs(beat_s, rejected=(), gaps=()):
    rr_ms = np.diff(beat_s) * 1000
    k = np.arange(rr_ms.size)
    return runs_of(beat_s[1:], rr_ms, ~np.isin(k, rejected), np.isin(k, gaps))


def two_tone_beats(mean_ms=900.0, lf_ms=30.0, hf_ms=20.0, duration_s=300.0):
    """Return beats whose RR samples two sines at their own end times."""
    times = [0.0]
    while times[-1] < duration_s:
        rr_s = mean_ms / 1000
        for _ in range(30):
            end = times[-1] + rr_s
            rr_s = (mean_ms + lf_ms * np.sin(2 * np.pi * 0.1 * end) + hf_ms * np.sin(2 * np.pi * 0.25 * end)) / 1000
        times.append(times[-1] + rr_s)
    return np.array(times)


@pytest.mark.parametrize("mean_ms", [700, 800, 900, 1000])
def test_known_powers_are_measured_in_ms2(mean_ms):
    bands = band_powers(runs(two_tone_beats(mean_ms)))
    assert bands.lf_ms2 == pytest.approx(450, rel=0.02)
    assert bands.hf_ms2 == pytest.approx(200, rel=0.02)
    assert bands.reasons == ()


@pytest.mark.parametrize("bpm", [40, 44, 48, 52, 60, 68, 75, 80, 92, 100, 110, 120])
@pytest.mark.parametrize("amplitude", [0.02, 0.06])
def test_a_tone_up_to_a_quarter_of_the_heart_rate_keeps_its_power(bpm, amplitude):
    """At 40, 60 and 120 bpm a multiple of the heart rate equals the sampling rate: interpolation errors alias onto the tone."""
    mean_rr_s = 60 / bpm
    for hz in (0.1, 0.11, 0.13, 0.15, 0.17, 0.2, 0.22, 0.25, 0.27, 0.3, 0.33, 0.35):
        if hz > bpm / 240:
            continue
        bands = band_powers(runs(heart(mean_rr_s, [(amplitude, hz)], phase=hz)))
        inside = bands.lf_ms2 if hz < 0.13 else bands.hf_ms2 if hz > 0.17 else bands.lf_ms2 + bands.hf_ms2
        assert inside == pytest.approx(tone_ms2(mean_rr_s, amplitude, hz), rel=0.02), hz
        assert hz < 0.15 or bands.reasons == () or hz > bpm / 240 - 1 / 120


@pytest.mark.parametrize(
    ("bpm", "hz"), [(bpm, hz) for bpm in (40, 55, 75) for hz in (0.17, 0.22, 0.3, 0.35) if bpm / 240 + 0.01 < hz < bpm / 120]
)
def test_a_faster_tone_is_flagged_and_within_five_percent(bpm, hz):
    mean_rr_s = 60 / bpm
    bands = band_powers(runs(heart(mean_rr_s, [(0.06, hz)])))
    assert bands.reasons[0].startswith(f"HF peaks at {hz:.2f} Hz, over a quarter of the heart rate")
    assert bands.hf_ms2 == pytest.approx(tone_ms2(mean_rr_s, 0.06, hz), rel=0.05)


def test_hf_of_a_steady_client_does_not_jump_from_second_to_second():
    beat_s = heart(tones=((0.03, 0.1), (0.04, 0.23)), duration_s=420, jitter_s=0.002)
    hf = np.array([band_powers(runs(beat_s[(beat_s > s) & (beat_s <= s + 300)])).hf_ms2 for s in range(120)])
    assert np.max(np.abs(np.diff(hf)) / hf[:-1]) < 0.07


@pytest.mark.parametrize("scenario", ["none", "sleepy"])
def test_hf_of_a_simulated_client_does_not_jump_from_second_to_second(scenario):
    _, events = simulate(scenario, seed=5, minutes=(10, 5, 4), drift=False)
    beats = [beat for beat in judge(BeatStream(), events, 600.0) if beat.accepted]
    end_s, rr_ms = np.array([beat.end_s for beat in beats]), np.array([beat.rr_ms for beat in beats])
    hf = []
    for second in range(310, 600):
        inside = (end_s > second - 300) & (end_s <= second)
        none = np.zeros(int(inside.sum()), dtype=bool)
        hf.append(band_powers(runs_of(end_s[inside], rr_ms[inside], ~none, none)).hf_ms2)
    assert np.max(np.abs(np.diff(hf)) / hf[:-1]) < 0.07


def test_no_segment_spans_a_gap():
    beat_s = heart(duration_s=600)
    kept = beat_s[(beat_s < 290) | (beat_s > 320)]
    border = int(np.flatnonzero(np.diff(kept) > 20)[0])
    whole, broken = band_powers(runs(beat_s)), band_powers(runs(kept, rejected=[border], gaps=[border]))
    assert broken.lf_ms2 == pytest.approx(whole.lf_ms2, rel=0.05)
    assert broken.hf_ms2 == pytest.approx(whole.hf_ms2, rel=0.05)


@pytest.mark.parametrize("pause", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("seed", range(4))
def test_one_percent_of_ectopics_leaves_the_powers_unchanged(pause, seed):
    rng = np.random.default_rng(seed)
    mean_rr_s = rng.uniform(0.67, 1.2)
    beat_s = heart(mean_rr_s, ((0.03, 0.1), (0.05, min(0.25, 0.24 / mean_rr_s))), jitter_s=0.001, seed=seed)
    whole, moved, early = band_powers(runs(beat_s)), beat_s.copy(), (60, 131, 205)
    for at in early:
        moved[at] -= 0.3
        moved[at + 1 :] -= 0.3 * (1 - pause)
    mended = band_powers(runs(moved, rejected=[at - 1 for at in early] + list(early)))
    assert mended.lf_ms2 == pytest.approx(whole.lf_ms2, rel=0.02)
    assert mended.hf_ms2 == pytest.approx(whole.hf_ms2, rel=0.02)


def test_holes_are_not_bridged_where_more_than_five_percent_is_rejected():
    bands = band_powers(runs(heart(duration_s=300), rejected=range(10, 330, 15)))
    assert (bands.lf_ms2, bands.hf_ms2) == (None, None)
    assert "unbroken stretch" in bands.reasons[0]


@pytest.mark.parametrize(
    ("duration_s", "lf", "hf"), [(50, False, False), (62, False, True), (110, False, True), (121, True, True)]
)
def test_short_windows_give_the_powers_they_support_and_a_reason(duration_s, lf, hf):
    bands = band_powers(runs(heart(duration_s=duration_s)))
    assert (bands.lf_ms2 is not None, bands.hf_ms2 is not None) == (lf, hf)
    assert bool(bands.reasons) == (not lf)


def test_no_beats_give_no_power():
    assert band_powers([]).hf_ms2 is None
    assert respiration([]).per_min is None


def test_a_flat_rhythm_has_no_power_and_no_breathing():
    flat = runs(np.arange(0, 300, 0.8))
    assert band_powers(flat).hf_ms2 == pytest.approx(0, abs=1e-9)
    assert respiration(flat).per_min is None


@pytest.mark.parametrize("per_min", [4.5, 5, 5.5, 6, 7, 8, 9, 10, 11, 12, 13.5, 15, 16.5, 18, 20])
@pytest.mark.parametrize("mean_rr_s", [0.6, 0.75, 0.9, 1.1, 1.3])
@pytest.mark.parametrize("duration_s", [120, 300])
def test_paced_breathing_is_read_within_half_a_breath(per_min, mean_rr_s, duration_s):
    beat_s = heart(mean_rr_s, [(0.05, per_min / 60), (0.015, 0.1)], duration_s=duration_s, jitter_s=0.002, phase=per_min)
    breathing = respiration(runs(beat_s))
    assert breathing.per_min == pytest.approx(per_min, abs=0.5)
    assert 0.5 < breathing.confidence <= 1


@pytest.mark.skipif("RESTBEAT_REAL_DATA" not in os.environ, reason="RESTBEAT_REAL_DATA names no folder of real recordings")
def test_a_resting_persons_breathing_rate_agrees_with_a_belt():
    """Only minutes of regular breathing count; irregular breathing has no peak and therefore no rate."""
    rate_hz, errors = 100, {}
    rows = np.loadtxt(Path(os.environ["RESTBEAT_REAL_DATA"]) / "nk_bio_resting_5min_100hz.csv", delimiter=",", skiprows=1)
    beat_s = detect_beats(1000 * rows[:, 0], np.arange(len(rows)) / rate_hz, rate_hz=float(rate_hz)).time_s
    for start_s in range(0, 241, 10):
        minute_s = beat_s[(beat_s > start_s) & (beat_s <= start_s + 60)]
        judge = ArtifactFilter()
        verdicts = [v for rr_s in np.diff(minute_s) for v in judge.push(1000 * float(rr_s))] + judge.flush()
        breathing = respiration(runs(minute_s, rejected=[v.index for v in verdicts if not v.accepted]))
        if breathing.per_min is not None:
            errors[start_s] = breathing.per_min - belt_per_min(rows[rate_hz * start_s : rate_hz * (start_s + 60), 2], rate_hz)
    assert len(errors) >= 3
    assert max(map(abs, errors.values())) < 0.5


def belt_per_min(belt, rate_hz):
    power = np.abs(np.fft.rfft((belt - belt.mean()) * np.hanning(belt.size), 1 << 16)) ** 2
    per_min = 60 * np.fft.rfftfreq(1 << 16, 1 / rate_hz)
    breaths = (per_min > 4) & (per_min < 30)
    return per_min[breaths][np.argmax(power[breaths])]


@pytest.mark.parametrize("duration_s", [65, 300])
def test_noise_is_not_read_as_breathing(duration_s):
    rng = np.random.default_rng(1)
    series = [np.cumsum(rng.normal(0.9, 0.03, int(duration_s / 0.9))) for _ in range(100)]
    read = [respiration(runs(beat_s)).per_min for beat_s in series]
    assert sum(rate is not None for rate in read) <= 2

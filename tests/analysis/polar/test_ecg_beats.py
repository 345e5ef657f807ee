from time import perf_counter

import numpy as np
import pytest

from restbeat.analysis.polar.ecg_beats import detect_beats, ecg_strip
from restbeat.analysis.polar.sample_clock import Frame, sample_times
from restbeat.analysis.simulation.ecg import ecg_of

RATE_HZ = 130.0


def heart(rmssd_ms, duration_s=300.0, seed=1):
    """Beat times of a breathing heart with an RMSSD of about `rmssd_ms`."""
    rng = np.random.default_rng(seed)
    beats, swing_s = [0.6], 1.09 * rmssd_ms / 1000 / np.sqrt(2) / np.sin(np.pi * 0.225) * 0.9
    while beats[-1] < duration_s - 2:
        breath = swing_s * np.sin(2 * np.pi * 0.25 * beats[-1])
        beats.append(beats[-1] + 0.9 + breath + rng.normal(0, 0.15 * rmssd_ms / 1000))
    return np.array(beats)


def detected(beats_s, *, duration_s=300.0, **options):
    signal = ecg_of(beats_s, duration_s=duration_s, **{"seed": 1} | options)
    return detect_beats(signal, np.arange(signal.size) / RATE_HZ)


def rmssd(intervals_ms):
    steps = np.diff(intervals_ms)
    return float(np.sqrt(np.nanmean(steps**2)))


def detection_quality(found_s, beats_s):
    """Return sensitivity, positive predictivity and timing errors in ms about their median."""
    nearest = np.argmin(np.abs(found_s[:, None] - beats_s), axis=1)
    error_ms = (found_s - beats_s[nearest]) * 1000
    hit = np.abs(error_ms) < 50
    return np.unique(nearest[hit]).size / beats_s.size, hit.mean(), error_ms[hit] - np.median(error_ms[hit])


CLEAN, NOISY, WANDERING = {"noise_uv": 8.0}, {"noise_uv": 50.0}, {"wander_uv": 1500.0}


@pytest.mark.parametrize("options", [CLEAN, NOISY, WANDERING])
def test_all_beats_and_only_beats_are_detected(options):
    beats = heart(30)
    found = detected(beats, **options)
    sensitivity, predictivity, _ = detection_quality(found.time_s, beats)
    assert sensitivity >= 0.995
    assert predictivity == 1
    assert found.trusted.all()


@pytest.mark.parametrize(("options", "most_ms"), [(CLEAN, 0.15), (NOISY, 0.55), (WANDERING, 0.15)])
def test_r_waves_are_timed_to_a_fraction_of_a_sample(options, most_ms):
    beats = heart(30)
    _, _, error_ms = detection_quality(detected(beats, **options).time_s, beats)
    assert error_ms.std() < most_ms


@pytest.mark.parametrize("truth_ms", [15, 30, 60])
@pytest.mark.parametrize("options", [CLEAN, NOISY, WANDERING])
def test_rmssd_is_within_one_percent_where_whole_samples_would_be_off_by_more(truth_ms, options):
    beats = heart(truth_ms)
    truth = rmssd(np.diff(beats) * 1000)
    found = detected(beats, **options)
    assert rmssd(found.rr_ms) == pytest.approx(truth, rel=0.01)
    if truth_ms == 15:
        assert rmssd(np.diff(np.rint(found.time_s * RATE_HZ) / RATE_HZ) * 1000) > 1.03 * truth


@pytest.mark.parametrize("sd_uv", [150.0, 300.0, 800.0])
def test_beats_in_muscle_noise_are_not_trusted_and_rmssd_stays_right(sd_uv):
    beats = heart(30)
    found = detected(beats, muscle=(100.0, 120.0, sd_uv))
    inside = (found.time_s > 101) & (found.time_s < 119)
    assert found.trusted[inside].mean() <= 0.2
    assert np.isnan(found.rr_ms[inside]).all()
    outside = (found.time_s < 98) | (found.time_s > 122)
    assert found.trusted[outside].all()
    sensitivity, predictivity, _ = detection_quality(found.time_s[found.trusted & outside], beats[(beats < 98) | (beats > 122)])
    assert sensitivity >= 0.995
    assert predictivity == 1
    assert rmssd(found.rr_ms) == pytest.approx(rmssd(np.diff(beats) * 1000), rel=0.02)


def test_no_interval_crosses_a_hole():
    beats = heart(30)
    signal = ecg_of(beats, duration_s=300, seed=1)
    time_s = np.arange(signal.size) / RATE_HZ
    received = (time_s < 100) | (time_s > 104)
    found = detect_beats(signal[received], time_s[received])
    first_after = int(np.searchsorted(found.time_s, 104))
    assert found.gap_before[first_after]
    assert np.flatnonzero(found.gap_before).tolist() == [0, first_after]
    assert np.nanmax(found.rr_ms) < 1100


def test_samples_without_a_time_are_ignored_and_make_a_hole():
    beats = heart(30)
    signal = ecg_of(beats, duration_s=300, seed=1)
    time_s = np.arange(signal.size) / RATE_HZ
    time_s[13000:13073] = np.nan
    assert detect_beats(signal, time_s).gap_before.sum() == 2


def test_a_strap_worn_upside_down_gives_the_same_beats():
    beats = heart(30)
    signal = ecg_of(beats, duration_s=300, seed=1)
    time_s = np.arange(signal.size) / RATE_HZ
    assert detect_beats(-signal, time_s).time_s == pytest.approx(detect_beats(signal, time_s).time_s)


def test_an_early_beat_is_kept_for_the_filter_to_judge():
    beats = heart(30)
    beats[100] -= 0.3
    sensitivity, predictivity, _ = detection_quality(detected(beats).time_s, beats)
    assert (sensitivity >= 0.995, predictivity) == (True, 1)


def test_beats_are_detected_when_the_client_turns_over_and_the_signal_halves():
    beats = heart(30)
    signal = ecg_of(beats, duration_s=300, seed=1).astype(float)
    signal[signal.size // 2 :] *= 0.35
    found = detect_beats(signal, np.arange(signal.size) / RATE_HZ)
    assert detection_quality(found.time_s, beats)[0] >= 0.995


@pytest.mark.parametrize("signal", [np.zeros(0), np.zeros(5000), np.full(100, 7.0)])
def test_a_flat_signal_has_no_beats(signal):
    found = detect_beats(signal, np.arange(signal.size) / RATE_HZ)
    assert found.time_s.size == found.rr_ms.size == 0


def test_noise_alone_has_no_trusted_beats():
    noise = np.random.default_rng(1).normal(0, 200, 20_000)
    assert not detect_beats(noise, np.arange(noise.size) / RATE_HZ).trusted.any()


@pytest.mark.parametrize("time_s", [np.arange(9.0), np.arange(10.0)[::-1]])
def test_times_of_another_length_or_order_raise_value_error(time_s):
    with pytest.raises(ValueError, match="time_s must"):
        detect_beats(np.zeros(10), time_s)


def test_an_hour_takes_less_than_ten_seconds():
    signal = ecg_of(heart(30, 3600), duration_s=3600, seed=1)
    began = perf_counter()
    found = detect_beats(signal, np.arange(signal.size) / RATE_HZ)
    assert perf_counter() - began < 10
    assert found.time_s.size > 3900


def test_an_ecg_strip_spans_three_seconds_on_either_side_and_breaks_at_holes():
    time_s = np.arange(0, 60, 1 / RATE_HZ)
    received = (time_s < 31) | (time_s > 32)
    at_s, uv = ecg_strip(time_s[received] * 10, time_s[received], 30.0)
    assert (np.nanmin(at_s), np.nanmax(at_s)) == pytest.approx((-3, 3), abs=0.01)
    assert np.flatnonzero(np.isnan(at_s)).tolist() == np.flatnonzero(np.isnan(uv)).tolist() == [int(np.searchsorted(at_s, 1))]
    assert uv[0] == pytest.approx(270, abs=0.1)


def test_late_and_lost_frames_leave_rmssd_right():
    beats = heart(30)
    signal = ecg_of(beats, duration_s=300, seed=1).reshape(-1, 75)
    rng = np.random.default_rng(1)
    last_s = (75 * np.arange(len(signal)) + 74) / RATE_HZ
    arrival_s = last_s + rng.uniform(0.05, 0.15, last_s.size)
    arrival_s[300:320] = arrival_s[320]
    kept = np.delete(np.arange(len(signal)), [100, 200, 201])
    frames = [Frame(float(arrival_s[k]), int(1e9 * last_s[k]), 75) for k in kept]
    found = detect_beats(signal[kept].ravel(), sample_times(frames))
    assert found.gap_before.sum() == 3
    assert found.trusted.all()
    assert rmssd(found.rr_ms) == pytest.approx(rmssd(np.diff(beats) * 1000), rel=0.02)
    assert detection_quality(found.time_s - 0.05, beats)[1] == 1


def test_a_seed_determines_a_simulated_ecg_and_its_noises_are_independent():
    beats = heart(30, 60)
    still, wandering = (ecg_of(beats, duration_s=60, seed=5, wander_uv=uv) for uv in (0.0, 300.0))
    assert (still == ecg_of(beats, duration_s=60, seed=5)).all()
    assert (still != ecg_of(beats, duration_s=60, seed=6)).any()
    assert (wandering - still).std() == pytest.approx(300, rel=0.05)
    assert np.abs(np.diff(wandering - still)).max() < 20
    assert (still.dtype, still.size) == (np.int32, 60 * 130)
    assert still[np.rint(beats[beats < 58] * RATE_HZ).astype(int)].min() > 850

from dataclasses import replace

import numpy as np
import pytest

from restbeat.analysis.polar.sample_clock import Frame, sample_times

RATE_HZ = 130.0
SAMPLES = 73
EPOCH_NS = 820_000_000_000_000_000


def sent(minutes=30, *, ppm=0.0, true_hz=RATE_HZ, seed=1, jitter_s=0.06, silent=()):
    """Return frames of a strap whose clock runs `ppm` fast, and each sample's true time; `silent`: spans of radio silence."""
    rng = np.random.default_rng(seed)
    count = int(minutes * 60 * true_hz / SAMPLES)
    true_s = np.arange(count * SAMPLES) / true_hz
    last_s = true_s[SAMPLES - 1 :: SAMPLES]
    arrival_s = last_s + rng.uniform(0, jitter_s, count)
    for start_s, end_s in silent:
        arrival_s = np.where((arrival_s >= start_s) & (arrival_s < end_s), end_s + 0.001 * (last_s - start_s), arrival_s)
    stamps = EPOCH_NS + np.rint(last_s * (1 + ppm * 1e-6) * 1e9).astype(np.int64)
    return [Frame(float(a), int(s), SAMPLES) for a, s in zip(arrival_s, stamps, strict=True)], true_s


@pytest.mark.parametrize("ppm", [-100, -40, 0, 40, 90])
def test_sample_times_are_right_to_five_milliseconds_over_half_an_hour(ppm):
    frames, true_s = sent(ppm=ppm)
    assert np.abs(sample_times(frames) - true_s).max() < 0.005


def test_late_batches_do_not_bend_the_clock():
    silent = [(0.0, 4.0), (300.0, 312.0), (1200.0, 1230.0), (1795.0, 1830.0)]
    frames, true_s = sent(ppm=50, silent=silent)
    assert np.abs(sample_times(frames) - true_s).max() < 0.005


def test_intervals_depend_on_the_strap_alone_whatever_the_radio_does():
    frames, true_s = sent(2, jitter_s=0.4)
    assert np.diff(sample_times(frames)) == pytest.approx(np.diff(true_s), abs=2e-6)


def test_a_strap_off_its_nominal_rate_has_even_sample_times():
    frames, _ = sent(5, true_hz=130.6)
    assert np.diff(sample_times(frames)) == pytest.approx(1 / 130.6, abs=2e-6)


def test_lost_frames_leave_a_hole_of_their_length():
    frames, true_s = sent(5)
    received = np.ones(len(frames), dtype=bool)
    received[100] = received[200:220] = False
    kept = [frame for frame, here in zip(frames, received, strict=True) if here]
    time_s = sample_times(kept)
    assert np.abs(time_s - true_s[np.repeat(received, SAMPLES)]).max() < 0.005
    assert np.flatnonzero(np.diff(time_s) > 1.5 / RATE_HZ).tolist() == [100 * SAMPLES - 1, 199 * SAMPLES - 1]


def test_a_duplicate_frame_has_no_times_of_its_own():
    frames, _ = sent(1)
    doubled = [*frames[:10], frames[9], *frames[10:]]
    time_s = sample_times(doubled)
    assert np.flatnonzero(np.isnan(time_s)).tolist() == list(range(10 * SAMPLES, 11 * SAMPLES))
    assert time_s[~np.isnan(time_s)] == pytest.approx(sample_times(frames))


@pytest.mark.parametrize("set_by_s", [-3600, 200_000_000])
def test_sample_times_stay_right_when_the_strap_clock_is_set(set_by_s):
    frames, true_s = sent(20)
    half = len(frames) // 2
    moved = [replace(frame, timestamp_ns=frame.timestamp_ns + set_by_s * 10**9) for frame in frames[half:]]
    time_s = sample_times([*frames[:half], *moved])
    valid = ~np.isnan(time_s)
    assert valid.mean() > 0.999
    assert np.abs(time_s - true_s)[valid].max() < 0.01
    assert (np.diff(time_s[valid]) > 0).all()


def test_acceleration_has_its_own_rate():
    frames = [Frame(1.44 * k + 1.44, k * 1_440_000_000, 36) for k in range(50)]
    assert np.diff(sample_times(frames, rate_hz=25.0)) == pytest.approx(0.04)


def test_no_frame_an_empty_frame_and_a_single_frame_have_times():
    assert sample_times([]).size == 0
    assert sample_times([Frame(5.0, EPOCH_NS, 0)]).size == 0
    assert sample_times([Frame(5.0, EPOCH_NS, 3)], rate_hz=10).tolist() == pytest.approx([4.8, 4.9, 5.0])
    with pytest.raises(ValueError, match="positive"):
        sample_times([], rate_hz=0)

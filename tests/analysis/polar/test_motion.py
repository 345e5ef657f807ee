import numpy as np
import pytest

from restbeat.analysis.polar.motion import MOVING, TOO_SHORT, UNCLEAR, breathing_from, movement_of
from restbeat.analysis.simulation.ecg import acceleration_of

RATES = (4.5, 6.0, 8.0, 12.0, 15.0, 20.0)


def client(duration_s=60.0, *, breaths_per_min=12.0, seed=1, **options):
    samples = acceleration_of(duration_s=duration_s, breaths_per_min=breaths_per_min, seed=seed, **options)
    return samples, np.arange(len(samples)) / 25


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("options", [{}, {"tilt_mg": 2.0, "noise_mg": 3.0}])
def test_breathing_is_within_half_a_breath_a_minute(rate, options):
    for seed in range(5):
        found, confidence, reason = breathing_from(*client(breaths_per_min=rate, seed=seed, **options))
        assert found == pytest.approx(rate, abs=0.5)
        assert confidence > 0.6
        assert reason is None


def test_breathing_of_varying_rate_has_its_mean_rate():
    duration_s = 60
    slowly = 6 + 0.5 * np.sin(np.arange(duration_s * 25) / 25 * 2 * np.pi / 60)
    found, _, _ = breathing_from(*client(duration_s, breaths_per_min=slowly))
    assert found == pytest.approx(slowly.mean(), abs=0.5)


def test_the_orientation_of_the_strap_does_not_matter():
    samples, time_s = client()
    turned = samples @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert breathing_from(turned, time_s)[0] == pytest.approx(breathing_from(samples, time_s)[0], abs=0.01)


def test_noise_alone_has_no_breathing():
    for seed in range(40):
        rate, confidence, reason = breathing_from(*client(tilt_mg=0.0, seed=seed))
        assert (rate, reason) == (None, UNCLEAR)
        assert confidence < 0.6


def test_a_client_who_moves_has_no_breathing_rate():
    assert breathing_from(*client(bursts=[(5, 58, 60)])) == (None, 0.0, MOVING)


def test_lying_still_around_a_movement_is_enough():
    samples, time_s = client(120, bursts=[(50, 54, 100)])
    assert breathing_from(samples, time_s)[0] == pytest.approx(12, abs=0.5)


@pytest.mark.parametrize("duration_s", [0, 1, 39])
def test_less_than_forty_seconds_are_too_short(duration_s):
    assert breathing_from(*client(duration_s)) == (None, 0.0, TOO_SHORT)


def test_a_hole_separates_the_parts_around_it():
    samples, time_s = client(60)
    received = (time_s < 30) | (time_s > 33)
    assert breathing_from(samples[received], time_s[received])[2] == TOO_SHORT
    samples, time_s = client(120)
    received = (time_s < 50) | (time_s > 57)
    assert breathing_from(samples[received], time_s[received])[0] == pytest.approx(12, abs=0.5)


def test_a_strap_that_does_not_move_at_all_has_no_breathing():
    assert breathing_from(np.tile([0, 0, -1000], (1500, 1)), np.arange(1500) / 25) == (None, 0.0, UNCLEAR)


def test_movement_is_in_its_own_window_and_breathing_is_no_movement():
    samples, time_s = client(60, tilt_mg=10.0, bursts=[(32, 36, 80)])
    movement = movement_of(samples, time_s)
    assert movement.start_s == pytest.approx(10 * np.arange(6))
    assert movement.index_mg[3] > 25
    assert (np.delete(movement.index_mg, 3) < 4).all()


def test_movement_is_nan_where_most_samples_are_missing():
    samples, time_s = client(60)
    received = (time_s < 21) | (time_s > 28)
    index = movement_of(samples[received], time_s[received]).index_mg
    assert np.flatnonzero(np.isnan(index)).tolist() == [2]


def test_samples_without_a_time_are_ignored():
    samples, time_s = client(60)
    doubled = np.repeat(samples, 2, axis=0)
    times = np.column_stack([time_s, np.full_like(time_s, np.nan)]).ravel()
    assert breathing_from(doubled, times) == breathing_from(samples, time_s)


@pytest.mark.parametrize(("shape", "time_s"), [((9, 3), np.arange(10.0)), ((10, 2), np.arange(10.0)), ((3, 3), np.zeros(3))])
def test_samples_of_a_wrong_shape_or_order_raise_value_error(shape, time_s):
    with pytest.raises(ValueError, match=r"samples_mg must|time_s must"):
        movement_of(np.zeros(shape), time_s)

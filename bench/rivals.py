"""Alternative rules, for comparison with the product's: each gives a verdict on the same sessions by the same thresholds."""

import numpy as np
from scipy.special import stdtr

from restbeat.analysis.beats.phase_segments import Segments, segments
from restbeat.analysis.hrv.expected_rmssd import ExpectedChange, _breathing, _centres, _gain, _minutes, expected_change
from restbeat.analysis.response.relaxation_response import (
    FIT_FEWEST_DIFFERENCES,
    FIT_SEGMENT_S,
    classify_response,
    compare_segments,
    drift,
    limited,
    limited_segments,
)
from restbeat.analysis.response.slow_wander import wander_sd

from .cells import by_rule

GRID_S = 0.25
FORMER_W = 0.10


def with_earlier(heard, scale, earlier):
    """Classify by the product's rule with the drift evidence of four rest-only sessions."""
    return classify_response(heard.base, heard.phase, wander_scale=scale, earlier=earlier).verdict


def alone(heard, scale, _):
    """Classify by the product's rule for a client without a rest-only session."""
    return by_rule(heard, scale, ())


def first_rule(heard, scale, _):
    """Classify by the first rule: 10 s segments; breathing from .1 Hz on for expected change and flag, taken as exact."""
    hz = tuple(_centre_from(part, 0.1) for part in (heard.base, heard.phase))
    found = segments(heard.base), segments(heard.phase)
    posterior, _ = compare_segments(*map(limited, found))
    return _judged(heard, posterior.widened(FORMER_W * scale), _taking(heard, hz), (0.975, 0.975, 0.9))


def former(heard, scale, _):
    """Classify as before wander grew with time: an SD of .10 whatever the lengths, and 97.5 % asked for."""
    posterior, _ = compare_segments(*_short(heard))
    return _judged(heard, posterior.widened(FORMER_W * scale), _formerly_expected(heard), (0.975, 0.98, 0.9))


def ten_seconds(heard, scale, _):
    """Classify with segments of 10 s, as in the first rule."""
    return _of(heard, scale, segments(heard.base), segments(heard.phase))


def twenty_seconds(heard, scale, _):
    """Classify with segments of 20 s."""
    return _of(heard, scale, segments(heard.base, 20.0, 10), segments(heard.phase, 20.0, 10))


def absolute(heard, scale, _):
    """Classify by mean absolute instead of squared differences: a single artifact weighs less."""
    return _of(heard, scale, _mean_absolute(heard.base), _mean_absolute(heard.phase))


def rsa(heard, scale, _):
    """Classify by the amplitude of RR at the true breathing rate instead of RMSSD."""
    hz = heard.breathing_hz
    return _of(heard, scale, _amplitude(heard.base, hz[0]), _amplitude(heard.phase, hz[1]))


def known_breathing(heard, scale, _):
    """Classify by the product's rule with the true breathing rate: the most that ECG or acceleration could add."""
    return _of(heard, scale, *_short(heard), by_arithmetic=_taking(heard, heard.breathing_hz))


def own_drift(heard, scale, _):
    """Classify with a separate drift for each phase."""
    levels = (_level(part) for part in _short(heard))
    return _judged(heard, _Difference(*levels, _wander(heard, scale)), expected_change(heard.base, heard.phase))


RIVALS = {
    "ships, after 4 rests": with_earlier,
    "ships, without rests": alone,
    "w .10 at any length": former,
    "the first rule": first_rule,
    "10 s segments": ten_seconds,
    "20 s segments": twenty_seconds,
    "absolute differences": absolute,
    "RSA amplitude": rsa,
    "breathing rate known": known_breathing,
    "a drift for each phase": own_drift,
}


def _short(heard):
    return tuple(limited_segments(part) for part in (heard.base, heard.phase))


def _of(heard, scale, before, after, *, by_arithmetic=None):
    posterior, _ = compare_segments(limited(before), limited(after))
    return _judged(heard, posterior.widened(_wander(heard, scale)), by_arithmetic or expected_change(heard.base, heard.phase))


def _wander(heard, scale):
    parts = _short(heard)
    return wander_sd(parts, compare_segments(*parts)[0].sd, scale) if scale else 0.0


def _judged(heard, posterior, alone, sure=(0.99, 0.99, 0.95)):
    """Return the verdict; `sure`: probabilities asked for of a change, of one beyond the expected, and for "slight"."""
    up, beyond = posterior.above(0.0), posterior.widened(alone.standard_error).above(alone.delta)
    delta = posterior.quantile(0.5)
    if (posterior.quantile(0.975) - posterior.quantile(0.025)) / 2 > (0.7 if sure[0] == 0.99 else 0.5):
        return "insufficient"
    faster = heard.phase.mean_rr_ms <= 0.97 * heard.base.mean_rr_ms
    if up >= sure[0] and beyond >= sure[1] and delta >= 0.1 and not alone.notes and not faster:
        return "clear"
    if min(up, beyond) >= sure[2] and delta >= 0.1:
        return "slight"
    lower = up <= 1 - sure[0] and beyond <= 1 - sure[1] and delta <= -0.1 and not alone.notes and not alone.slowed
    return "opposite" if lower else "none"


def _formerly_expected(heard):
    """Return the expected change where breathing keeps its depth, with a note of any shift of more than 2 a minute."""
    before, after = (_breathing(part) for part in (heard.base, heard.phase))
    if before is None or after is None:
        return ExpectedChange(notes=("breathing",), known=False)
    (gain0, slope0), (gain1, slope1) = (
        _gain(breath.hz, part.mean_rr_ms / 1000) for breath, part in ((before, heard.base), (after, heard.phase))
    )
    unsafe = min(before.wide_hz, after.wide_hz) < 0.15 or abs(after.hz - before.hz) > 2 / 60
    error = np.hypot(slope0 * before.ln_error, slope1 * after.ln_error)
    return ExpectedChange(gain1 - gain0, float(error), notes=("breathing",) if unsafe else ())


def _taking(heard, hz):
    """Return the expected change for breathing rates that are taken as exact."""
    rr = heard.base.mean_rr_ms / 1000, heard.phase.mean_rr_ms / 1000
    delta = 2 * np.log(np.sin(np.pi * hz[1] * rr[1]) / np.sin(np.pi * hz[0] * rr[0])) - np.log(hz[1] / hz[0])
    unsafe = min(hz) < 0.15 or abs(hz[1] - hz[0]) > 2 / 60
    return ExpectedChange(float(delta), 0.0, notes=("breathing",) if unsafe else ())


def _centre_from(part, low_hz):
    centres, _ = _centres(_minutes(part), (low_hz, 0.5))
    return float(np.exp(np.median(centres)))


def _mean_absolute(phase):
    found = segments(phase, FIT_SEGMENT_S, FIT_FEWEST_DIFFERENCES)
    start_s = phase.bounds_s[0]
    at = ((phase.end_s - start_s) // FIT_SEGMENT_S).astype(int)
    size = np.abs(np.diff(phase.rr_ms, prepend=phase.rr_ms[:1]))
    kept = ((found.mid_s - start_s) // FIT_SEGMENT_S).astype(int)
    counts, sums = (np.bincount(at[phase.adjacent], weights, at.max() + 1) for weights in (None, size[phase.adjacent]))
    return Segments(found.mid_s, np.log(np.maximum(sums[kept] / np.maximum(counts[kept], 1), 0.5)))


def _amplitude(phase, hz):
    start_s, stop_s = phase.bounds_s
    grid = np.arange(start_s, stop_s, GRID_S)
    rr = np.interp(grid, phase.end_s, phase.rr_ms)
    mirrored = np.concatenate([rr, rr[::-1]]) - rr.mean()
    frequency = np.fft.fftfreq(mirrored.size, GRID_S)
    inside = (frequency >= 0.6 * hz) & (frequency <= 1.5 * hz)
    envelope = np.abs(np.fft.ifft(2 * np.fft.fft(mirrored) * inside))[: rr.size]
    each = int(10 / GRID_S)
    rows = envelope[: rr.size // each * each].reshape(-1, each)
    return Segments(start_s + 10 * (np.arange(len(rows)) + 0.5), 0.5 * np.log((rows**2).mean(axis=1)))


def _level(part):
    """Return the posterior of the level of one phase, by the same grid."""
    y = part.ln_rmssd
    products, log_det = drift._products(part.mid_s, np.column_stack([y - y.mean(), np.ones(y.size)]))
    variance = 1 / products[:, 1, 1]
    location = variance * products[:, 1, 0]
    rss, df = products[:, 0, 0] - location * products[:, 1, 0], y.size - 1
    log_weight = drift._LOG_PRIOR - 0.5 * log_det + 0.5 * np.log(variance) - df / 2 * np.log(rss)
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum(), location + y.mean(), rss / df * variance, df


class _Difference:
    """Difference of two mixtures of Student t: each pair with Welch's degrees of freedom, without pairs of negligible weight."""

    def __init__(self, before, after, scale):
        (w0, m0, v0, n0), (w1, m1, v1, n1) = before, after
        weight = np.outer(w1, w0).ravel()
        keep = weight > 1e-4 * weight.max()
        self.weight = weight[keep] / weight[keep].sum()
        self.location = np.subtract.outer(m1, m0).ravel()[keep]
        variance = np.add.outer(v1, v0).ravel()[keep]
        self.df = variance**2 / np.add.outer(v1**2 / n1, v0**2 / n0).ravel()[keep]
        self.scale = np.sqrt(variance + scale**2)

    def widened(self, more_sd):
        other = object.__new__(_Difference)
        other.weight, other.location, other.df = self.weight, self.location, self.df
        other.scale = np.sqrt(self.scale**2 + more_sd**2)
        return other

    def above(self, x):
        return float(self.weight @ stdtr(self.df, (self.location - x) / self.scale))

    def quantile(self, q):
        low, high = self.location.min() - 9 * self.scale.max(), self.location.max() + 9 * self.scale.max()
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if 1 - self.above(middle) < q else (low, middle)
        return (low + high) / 2

"""Beats in a strap's ECG, with R waves timed to a fraction of a sample.

Only a worker process calls `detect_beats`: it imports NeuroKit2 and SciPy. NeuroKit2 finds the R waves; a parabola through the
peak of the signal between 5 and 20 Hz times them as accurately as a matched filter does (QRS energy: Thakor et al. 1984).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..beats.beat_runs import Array, Bools

_QRS_HZ: Final = (5.0, 20.0)
_MUSCLE_HZ: Final = 15.0
_QRS_HALF_S: Final = 0.07
"""Time on either side of an R wave that is excluded from the estimate of muscle noise."""
_NOISE_OVER_S: Final = 1.0
_NOISY: Final = 0.08
"""Largest noise above 15 Hz, as a share of the R wave's height, of a trusted beat: the largest limit without a false beat in
160 min of simulated muscle noise of 80-200 µV."""
_SEARCH_S: Final = 0.025
_SHAPE_S: Final = 0.10
_LOW: Final = 0.45
"""Least height of an R wave, as a share of the beats around it; anything lower is a T wave or noise."""
_AROUND: Final = 61
"""Number of beats around it that a beat's height is compared with: the height changes when a client turns over."""
_SHORTEST_S: Final = 4.0
_HOLE: Final = 1.5
"""Sample intervals without a sample that end a piece."""


@dataclass(frozen=True, slots=True, eq=False)
class EcgBeats:
    """Detected beats in order of time, as arrays of one length."""

    time_s: Array
    """Time of the R wave's peak, on the clock of the samples."""
    amplitude_uv: Array
    """Amplitude of the R wave between 5 and 20 Hz: about half its height above the baseline."""
    template_correlation: Array
    """Correlation with the median beat, -1 to 1; low for an ectopic beat, which is nevertheless real."""
    noise: Array
    """Noise above 15 Hz around the beat, as a share of the R wave's height."""
    trusted: Bools
    """Whether the noise was low enough to trust the beat and its time."""
    gap_before: Bools
    """Whether no interval ends here: at the first beat of a piece, or after noise since the previous beat."""

    @property
    def rr_ms(self) -> Array:
        """Interval since the previous beat; NaN where no interval ends."""
        rr_ms = np.diff(self.time_s, prepend=np.nan) * 1000
        return np.where(self.gap_before, np.nan, rr_ms)


def detect_beats(signal_uv: ArrayLike, time_s: ArrayLike, *, rate_hz: float = 130.0) -> EcgBeats:
    """Detect the beats in samples in µV at ascending times in s.

    A hole in the times begins a new piece; a piece shorter than 4 s has no beats. Samples without a time or value (NaN) are
    ignored. A strap worn upside down is recognised by the sign of its R waves. Raises `ValueError` for arrays of unequal lengths
    or times that do not ascend.
    """
    signal, time = _valid_samples(signal_uv, time_s)
    cuts = np.flatnonzero(np.diff(time) > _HOLE / rate_hz) + 1
    pieces = [
        (x, t) for x, t in zip(np.split(signal, cuts), np.split(time, cuts), strict=True) if x.size >= _SHORTEST_S * rate_hz
    ]
    if not pieces:
        return _concatenated([])
    sign = _polarity([x for x, _ in pieces], rate_hz)
    candidates = [_candidates(sign * x, t, rate_hz) for x, t in pieces]
    shapes = np.concatenate([piece.shapes for piece in candidates])
    if not len(shapes):
        return _concatenated([])
    template = np.median(shapes, axis=0)
    return _concatenated([_accepted(piece, template) for piece in candidates if piece.time_s.size])


def ecg_strip(signal_uv: ArrayLike, time_s: ArrayLike, at_s: float, half_s: float = 3.0) -> tuple[Array, Array]:
    """Return the samples (time in s from `at_s`, µV) within `half_s` of a beat, for drawing; NaN marks holes.

    Raises `ValueError` as `detect_beats` does.
    """
    signal, time = _valid_samples(signal_uv, time_s)
    first, last = np.searchsorted(time, [at_s - half_s, at_s + half_s], side="left")
    signal, time = signal[first:last], time[first:last] - at_s
    step = np.diff(time)
    if step.size:
        holes = np.flatnonzero(step > _HOLE * np.median(step)) + 1
        signal, time = np.insert(signal, holes, np.nan), np.insert(time, holes, np.nan)
    return time, signal


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Possible beats of one piece; all arrays but the last two have one entry a beat."""

    time_s: Array
    height: Array
    """Height of the R wave above the baseline, in µV."""
    amplitude: Array
    shapes: Array
    noise_uv: Array
    sample_time_s: Array
    sample_noise_uv: Array


def _valid_samples(signal_uv: ArrayLike, time_s: ArrayLike) -> tuple[Array, Array]:
    signal, time = np.asarray(signal_uv, dtype=np.float64), np.asarray(time_s, dtype=np.float64)
    if signal.shape != time.shape or signal.ndim != 1:
        raise ValueError("signal_uv and time_s must be arrays of one length")
    valid = np.isfinite(time) & np.isfinite(signal)
    signal, time = signal[valid], time[valid]
    if np.any(np.diff(time) <= 0):
        raise ValueError("time_s must ascend")
    return signal, time


def _filtered(signal: Array, hz: float | tuple[float, float], kind: str, rate_hz: float) -> Array:
    from scipy.signal import butter, sosfiltfilt  # noqa: PLC0415

    result: Array = sosfiltfilt(butter(2, hz, kind, fs=rate_hz, output="sos"), signal)
    return result


def _polarity(pieces: list[Array], rate_hz: float) -> float:
    """Return 1, or -1 where the R waves point down: by percentiles of the longest piece, which a few jolts do not change."""
    longest = max(pieces, key=len)
    qrs = _filtered(longest, (2.0, 30.0), "bandpass", rate_hz)
    low, high = np.percentile(qrs, [1.5, 98.5])
    return 1.0 if high >= -low else -1.0


def _candidates(signal: Array, time: Array, rate_hz: float) -> _Candidates:
    qrs = _filtered(signal, _QRS_HZ, "bandpass", rate_hz)
    clean, rough = _r_waves(signal, rate_hz)
    peaks = _peaks_near(qrs, rough, rate_hz)
    around = round(_SHAPE_S * rate_hz)
    peaks = peaks[(peaks >= around) & (peaks < qrs.size - around)]
    shapes = qrs[peaks[:, None] + np.arange(-around, around + 1)]
    left, top, right = qrs[peaks - 1], qrs[peaks], qrs[peaks + 1]
    shift = 0.5 * (left - right) / (left - 2 * top + right)
    noise = _noise_uv(signal, peaks, rate_hz)
    at_s: Array = np.interp(peaks + shift, np.arange(time.size), time)
    return _Candidates(at_s, clean[peaks], top - 0.25 * (left - right) * shift, shapes, noise[peaks], time, noise)


def _r_waves(signal: Array, rate_hz: float) -> tuple[Array, NDArray[np.int64]]:
    """Return the cleaned signal in µV, and the approximate samples of its R waves according to NeuroKit2."""
    import neurokit2  # noqa: PLC0415

    nothing = np.zeros(0, dtype=np.int64)
    if np.ptp(signal) == 0:
        return signal, nothing
    rate = round(rate_hz)
    clean: Array = np.asarray(neurokit2.ecg_clean(signal, sampling_rate=rate, method="neurokit"), dtype=np.float64)
    _, found = neurokit2.ecg_peaks(clean, sampling_rate=rate, method="neurokit")
    return clean, np.asarray(found["ECG_R_Peaks"], dtype=np.int64)


def _peaks_near(qrs: Array, rough: NDArray[np.int64], rate_hz: float) -> NDArray[np.int64]:
    """Return the samples of local maxima of `qrs` near `rough`, each once."""
    reach = round(_SEARCH_S * rate_hz)
    window = np.clip(rough[:, None] + np.arange(-reach, reach + 1), 1, qrs.size - 2)
    peaks = np.unique(window[np.arange(rough.size), np.argmax(qrs[window], axis=1)]) if rough.size else rough
    height = qrs[peaks]
    return peaks[(height > qrs[peaks - 1]) & (height >= qrs[peaks + 1])]


def _noise_uv(signal: Array, peaks: NDArray[np.int64], rate_hz: float) -> Array:
    """Return the RMS above 15 Hz over a second around each sample, without the QRS complexes."""
    power = _filtered(signal, _MUSCLE_HZ, "highpass", rate_hz) ** 2
    half = round(_QRS_HALF_S * rate_hz)
    quiet = np.ones(signal.size)
    quiet[np.clip(peaks[:, None] + np.arange(-half, half + 1), 0, signal.size - 1).ravel()] = 0.0
    kernel = np.ones(round(_NOISE_OVER_S * rate_hz))
    total = np.convolve(power * quiet, kernel, "same")
    return np.asarray(np.sqrt(np.maximum(total, 0.0) / np.maximum(np.convolve(quiet, kernel, "same"), 1.0)), dtype=np.float64)


def _accepted(piece: _Candidates, template: Array) -> EcgBeats:
    """Return the candidates that are high enough, with their quality."""
    shapes = piece.shapes - piece.shapes.mean(axis=1, keepdims=True)
    model = template - template.mean()
    correlation = shapes @ model / np.maximum(np.linalg.norm(shapes, axis=1) * np.linalg.norm(model), 1e-9)
    keep = piece.amplitude >= _LOW * _running_median(piece.amplitude)
    time_s, height_uv = piece.time_s[keep], np.maximum(_running_median(piece.height[keep]), 1e-9)
    noise = piece.noise_uv[keep] / height_uv
    noisy = piece.sample_noise_uv > _NOISY * np.interp(piece.sample_time_s, time_s, height_uv)
    noisy_before = np.concatenate([[0], np.cumsum(noisy)])[np.searchsorted(piece.sample_time_s, time_s)]
    trusted = noise <= _NOISY
    gap = np.ones(time_s.size, dtype=np.bool_)
    gap[1:] = (np.diff(noisy_before) > 0) | ~trusted[1:] | ~trusted[:-1]
    return EcgBeats(time_s, piece.amplitude[keep], correlation[keep], noise, trusted, gap)


def _running_median(values: Array) -> Array:
    """Return the median of the `_AROUND` values around each."""
    padded = np.pad(values, _AROUND // 2, mode="symmetric")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, _AROUND), axis=1), dtype=np.float64)


def _concatenated(parts: list[EcgBeats]) -> EcgBeats:
    def joined(name: str) -> Array:
        return np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])

    trusted, gap = joined("trusted").astype(np.bool_), joined("gap_before").astype(np.bool_)
    return EcgBeats(joined("time_s"), joined("amplitude_uv"), joined("template_correlation"), joined("noise"), trusted, gap)

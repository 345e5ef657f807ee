"""The relaxation response: whether RMSSD changed in this session by more than quiet drift explains.

ln RMSSD of 10 s segments is compared between a baseline and a later phase (see `drift`), and against what changed heart rate and
breathing would do to RMSSD by arithmetic alone. Thresholds were set by simulation: few false calls first, power second.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from . import drift
from .figures import ResponseClass
from .runs import Array, Bools

SEGMENT_S: Final = 10.0
FEWEST_DIFFERENCES: Final = 5
"""Differences of adjacent accepted beats that make a segment clean."""
FEWEST_SEGMENTS: Final = 24
GREATEST_REJECTED: Final = 0.05
WIDEST: Final = 0.50
LEAST_CHANGE: Final = 0.10
"""Of ln RMSSD; smaller changes get no word."""
CAVEAT: Final = "Rest alone can do this. It does not measure pain, health or treatment success."
_LEAST_RMSSD_MS: Final = 0.5
"""Below the resolution of a strap."""
_SLOW_HZ: Final = 0.15
_SHIFT_HZ: Final = 2 / 60
_FASTER_HEART: Final = 0.97
_BREATHING_HZ: Final = (0.1, 0.5)
_GRID_S: Final = 0.25
_WINDOW: Final = 240
"""Samples: one minute."""
_PADDED: Final = 1024
_HOLE_S: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class PhaseBeats:
    """The judged beats that ended within a phase: arrays of one length, in order."""

    end_s: Array
    rr_ms: Array
    accepted: Bools
    adjacent: Bools
    """Whether the difference to the beat before may be taken: both accepted, both in this phase, no gap between."""
    span_s: tuple[float, float] | None = None
    """Start and end of the phase; None: as far as the beats reach."""

    @property
    def bounds_s(self) -> tuple[float, float]:
        """Start and end of the phase."""
        if self.span_s is not None or not self.end_s.size:
            return self.span_s or (0.0, 0.0)
        return float(self.end_s[0] - self.rr_ms[0] / 1000), float(self.end_s[-1])

    @property
    def rejected(self) -> float:
        """Share of rejected beats; 1 where there are none."""
        return 1 - float(self.accepted.mean()) if self.accepted.size else 1.0


class Segments(NamedTuple):
    """The clean 10 s segments of a phase."""

    mid_s: Array
    ln_rmssd: Array


@dataclass(frozen=True, slots=True)
class Response:
    """Change of ln RMSSD of a phase against the baseline; None where it could not be computed."""

    verdict: ResponseClass
    why: str
    """In plain words: what the verdict means, or which condition failed."""
    delta: float | None = None
    """Posterior median."""
    low: float | None = None
    """95 % interval."""
    high: float | None = None
    half_width: float | None = None
    percent: float | None = None
    """100·(e^delta − 1)."""
    arithmetic: float | None = None
    """The part that changed mean RR and breathing rate produce by arithmetic alone."""
    p_up: float | None = None
    """P(change > 0)."""
    p_up_adjusted: float | None = None
    """P(change > arithmetic)."""
    flagged: bool = False
    """Breathing is slow, has shifted or could not be read: no firm verdict."""
    base_segments: int = 0
    phase_segments: int = 0


def segments(phase: PhaseBeats, start_s: float | None = None, stop_s: float | None = None) -> Segments:
    """Mid-times (s) and ln RMSSD (of ms) of the clean whole segments between `start_s` and `stop_s`, by default the phase."""
    start_s = phase.bounds_s[0] if start_s is None else start_s
    stop_s = phase.bounds_s[1] if stop_s is None else stop_s
    count = max(int((stop_s - start_s) // SEGMENT_S), 0)
    at = ((phase.end_s - start_s) // SEGMENT_S).astype(np.int64)
    use = phase.adjacent & (at >= 0) & (at < count)
    use[:1] = False
    squares = np.diff(phase.rr_ms, prepend=0.0)[use] ** 2
    differences = np.bincount(at[use], minlength=count)
    clean = np.flatnonzero(differences >= FEWEST_DIFFERENCES)
    mean_square = np.bincount(at[use], squares, count)[clean] / differences[clean]
    ln_rmssd: Array = (0.5 * np.log(np.maximum(mean_square, _LEAST_RMSSD_MS**2))).astype(np.float64)
    mid_s: Array = (start_s + SEGMENT_S * (clean + 0.5)).astype(np.float64)
    return Segments(mid_s, ln_rmssd)


def respond(base: PhaseBeats, phase: PhaseBeats, *, wander_sd: float = 0.10) -> Response:
    """Verdict on a phase against the baseline before it.

    `wander_sd`: SD of the change of ln RMSSD between quiet phases of one session, beyond drift; 0.10 until the client's own
    rest-only sessions tell better. Raises `ValueError` where the phase does not come after the baseline.
    """
    before, after = segments(base), segments(phase)
    blank = Response("insufficient", "", base_segments=before.mid_s.size, phase_segments=after.mid_s.size)
    if lacking := _lacking(base, before, "baseline") or _lacking(phase, after, "phase"):
        return replace(blank, why=f"Not enough steady data: {lacking}.")
    if after.mid_s[0] <= before.mid_s[-1]:
        raise ValueError("the phase must come after the baseline")
    t_s, y = np.concatenate([before.mid_s, after.mid_s]), np.concatenate([_winsorised(before), _winsorised(after)])
    posterior = drift.change(t_s, y, np.arange(t_s.size) >= before.mid_s.size, wander_sd)
    delta, low, high = (posterior.quantile(q) for q in (0.5, 0.025, 0.975))
    arithmetic, notes = _arithmetic(base, phase)
    response = replace(
        blank,
        delta=delta,
        low=low,
        high=high,
        half_width=(high - low) / 2,
        percent=100 * float(np.expm1(delta)),
        arithmetic=arithmetic,
        p_up=posterior.above(0.0),
        p_up_adjusted=posterior.above(arithmetic or 0.0),
        flagged=bool(notes),
    )
    faster = bool(_mean_rr_ms(phase) <= _FASTER_HEART * _mean_rr_ms(base))
    verdict = _classify(posterior, delta, (high - low) / 2, arithmetic or 0.0, flagged=bool(notes), faster=faster)
    if faster and verdict == "slight":
        notes = [*notes, "the heart beat more than 3 % faster"]
    return replace(response, verdict=verdict, why=_words(verdict, delta, low, high, notes))


def _lacking(phase: PhaseBeats, clean: Segments, name: str) -> str | None:
    if clean.mid_s.size < FEWEST_SEGMENTS:
        return f"the {name} has {clean.mid_s.size} clean segments of 10 s, and needs {FEWEST_SEGMENTS}"
    if phase.rejected > GREATEST_REJECTED:
        return f"{100 * phase.rejected:.1f} % of the beats in the {name} were rejected, more than {100 * GREATEST_REJECTED:.0f} %"
    return None


def _winsorised(clean: Segments) -> Array:
    """Values no further than 2.5 robust SD from the median of the phase."""
    mid = np.median(clean.ln_rmssd)
    reach = 2.5 * 1.4826 * np.median(np.abs(clean.ln_rmssd - mid))
    limited: Array = np.clip(clean.ln_rmssd, mid - reach, mid + reach)
    return limited


def _classify(
    posterior: drift.Posterior, delta: float, half_width: float, arithmetic: float, *, flagged: bool, faster: bool
) -> ResponseClass:
    up, up_adjusted = posterior.above(0.0), posterior.above(arithmetic)
    surely_up, surely_down = min(up, up_adjusted), max(up, up_adjusted)
    if half_width > WIDEST:
        return "insufficient"
    if surely_up >= 0.975 and delta >= LEAST_CHANGE and not flagged and not faster:
        return "clear"
    if surely_up >= 0.90 and delta >= LEAST_CHANGE:
        return "slight"
    if surely_down <= 0.025 and delta <= -LEAST_CHANGE and not flagged:
        return "opposite"
    return "none"


def _words(verdict: ResponseClass, delta: float, low: float, high: float, notes: list[str]) -> str:
    between = f"{100 * np.expm1(low):+.0f} and {100 * np.expm1(high):+.0f} %".replace("-", "−")
    nothing = "No change we could tell"
    if low > 0 or high < 0:
        if notes:
            nothing = "A change that the way of breathing may have made"
        elif abs(delta) < LEAST_CHANGE:
            nothing = "A change too small to speak of"
        else:
            nothing = "A change that heart rate and breathing alone may explain"
    said = {
        "clear": "Higher than today's drift explains",
        "slight": "A hint, within what rest can do",
        "none": f"{nothing}; it lies between {between}",
        "opposite": "Lower than today's drift explains",
        "insufficient": f"Not enough steady data: the change lies anywhere between {between}",
    }[verdict]
    return f"{said}. Mind: {'; '.join(notes)}." if notes else f"{said}."


def _arithmetic(base: PhaseBeats, phase: PhaseBeats) -> tuple[float | None, list[str]]:
    """What changed mean RR and breathing do to ln RMSSD if nothing else changes, and what makes a verdict unsafe.

    The RMSSD of a tone of frequency f is that of its RR swing times 2·sin(π·f·RR).
    """
    f0, f1 = _breathing_hz(base), _breathing_hz(phase)
    if f0 is None or f1 is None:
        return None, ["breathing could not be read from RR"]
    notes = []
    if min(f0, f1) < _SLOW_HZ:
        notes.append("breathing below 9/min")
    if abs(f1 - f0) > _SHIFT_HZ:
        notes.append("breathing shifted by more than 2/min")
    rr0, rr1 = _mean_rr_ms(base) / 1000, _mean_rr_ms(phase) / 1000
    return float(2 * np.log(np.sin(np.pi * f1 * rr1) / np.sin(np.pi * f0 * rr0)) - np.log(f1 / f0)), notes


def _mean_rr_ms(phase: PhaseBeats) -> float:
    return float(phase.rr_ms[phase.accepted].mean())


def _breathing_hz(phase: PhaseBeats) -> float | None:
    """Geometric centre of the spectrum of RR change, 0.1–0.5 Hz: the median over minutes without a hole."""
    at, rr_ms = phase.end_s[phase.accepted], phase.rr_ms[phase.accepted]
    start_s, stop_s = phase.bounds_s
    grid = np.arange(start_s, stop_s, _GRID_S)
    change = np.diff(np.interp(grid, at, rr_ms))
    minutes = change.size // _WINDOW
    rows = change[: minutes * _WINDOW].reshape(minutes, _WINDOW)
    for hole in np.flatnonzero(np.diff(at) > _HOLE_S):
        first, last = (int((t - start_s) / (_WINDOW * _GRID_S)) for t in (at[hole], at[hole + 1]))
        rows[first : last + 1] = 0.0
    frequency = np.fft.rfftfreq(_PADDED, _GRID_S)
    inside = (frequency >= _BREATHING_HZ[0]) & (frequency <= _BREATHING_HZ[1])
    power = np.abs(np.fft.rfft(rows * np.hanning(_WINDOW), _PADDED)[:, inside]) ** 2
    total = power.sum(axis=1)
    power, total = power[total > 0], total[total > 0]
    if not total.size:
        return None
    return float(np.exp(np.median(power @ np.log(frequency[inside]) / total)))

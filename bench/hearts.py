"""Simulation of thousands of sessions with known truth by integral pulse frequency modulation, many sessions at a time.

The model of `analysis/simulation/heart_model.py` (two tones whose log-amplitudes and breathing drift), with every drift a matter
of choice: the response's rule can be tried on families of drift that it was not tuned on.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from restbeat.analysis.beats.phase_segments import PhaseBeats

STEP_S = 0.1
DRIFT_STEP_S = 1.0
BATCH = 50
JITTER_MS = 1.0
LF_HZ = 0.1


@dataclass(frozen=True)
class Scenario:
    """A baseline immediately followed by a phase; fields named `…_to` and ratios apply from the phase on."""

    settle_min: float = 0
    """Minutes between lying down and the baseline."""
    base_min: float = 5
    phase_min: float = 5
    recovery_min: float = 0
    """Minutes after the phase that are simulated too; what happened in the phase lasts."""
    settling: float = 0.0
    """Change of RMSSD just after lying down, as a share of what it settles to: −0.26 is 26 % lower."""
    settling_tau_min: float = 5.0
    ratio: float = 1.0
    """Ratio of RMSSD, reached by the depth of the breathing tone alone."""
    both_tones: bool = False
    """Whether the 0.1 Hz tone changes by that ratio too."""
    ramp_s: float = 0.0
    """Time constant of the change; 0: immediate."""
    rr_s: float = 0.90
    """Mean over all clients."""
    hf_depth: float = 0.0377
    """Median depth of the breathing tone in the baseline, as a share of the heart rate."""
    rr_ratio: float = 1.0
    breathing_hz: float | None = None
    """Breathing rate; None: drawn for each session, 0.20–0.30."""
    breathing_to_hz: float | None = None
    drift_sd: float = 0.25
    """SD of the log-amplitudes' drift."""
    drift_tau_s: float = 20.0
    drift: str = "ou"
    """Kind of drift: ou (Ornstein-Uhlenbeck), two (half of it ten times as slow), heavy (steps of Student t with 3 degrees), pink
    (equal parts of τ 10, 40, 160, 640 and 2,560 s: about 1/f)."""
    drift_ratio: float = 1.0
    """Ratio of drift_sd, phase over baseline."""
    drift_spread: float = 0.0
    """SD of ln drift_sd between sessions."""
    wander_sd: float = 0.0
    """SD of a slow drift (τ 10 min) that both tones share."""
    walk_sd: float = 0.0
    """SD in 10 min of a random walk that both tones share."""
    sighs_min: float = 0.0
    """Mean minutes between sighs, breaths of three times the depth; 0: none."""
    turns_sd: float = 0.0
    """SD of a step of both tones at a random time in the phase, with 20 s of a faster heart: the client turns over."""
    talks: bool = False
    """Whether the client talks for 90 s of the baseline: shallow tones, ragged breathing and a faster heart."""
    roll_off: float = 0.0
    """Exponent by which the breathing tone deepens as breathing slows: depth ∝ (¼ Hz / rate) to this power."""
    breathing_sd_hz: float = 0.015
    left_base: float = 0.0
    left_phase: float = 0.0
    """Share of beats shifted by 60–150 ms: artifacts that a correction left."""


@dataclass(frozen=True)
class Heard:
    """One session as the analysis receives it, with its true breathing rates."""

    base: PhaseBeats
    phase: PhaseBeats
    breathing_hz: tuple[float, float]
    """True mean breathing rate of each phase."""
    settle: PhaseBeats | None = None
    recovery: PhaseBeats | None = None
    between: tuple[PhaseBeats, ...] = ()
    """The phases between the two that are compared."""

    def in_recovery(self):
        """Return the session with its recovery compared in place of its phase."""
        return replace(self, phase=self.recovery, between=(self.phase,))


def sessions(scenario, count, seed):
    """Yield `count` sessions, the same for the same arguments."""
    rng = np.random.default_rng(seed)
    for start in range(0, count, BATCH):
        yield from batch(scenario, min(BATCH, count - start), rng)


def batch(scenario, count, rng):
    """Simulate several sessions at once; arrays have one row per session."""
    lengths = (scenario.settle_min, scenario.base_min, scenario.phase_min, scenario.recovery_min)
    start, border, over, end = 60 * np.cumsum(lengths)
    t = np.arange(0, end, STEP_S)
    later = t >= border
    since = np.clip(t - border, 0, None)
    reach = np.where(later, 1 - np.exp(-since / scenario.ramp_s) if scenario.ramp_s else 1.0, 0.0)
    rr = np.clip(rng.normal(scenario.rr_s, 0.1 * scenario.rr_s, (count, 1)), 0.65, max(1.20, 1.1 * scenario.rr_s))
    hf, lf = (a * np.exp(0.3 * rng.standard_normal((count, 1))) for a in (scenario.hf_depth, 0.0200))
    hz = rng.uniform(0.20, 0.30, (count, 1)) if scenario.breathing_hz is None else np.full((count, 1), scenario.breathing_hz)
    gain = _gain(scenario, rr, hf, lf, hz)
    sd = scenario.drift_sd * np.exp(scenario.drift_spread * rng.standard_normal((count, 1)))
    slow, faster = _slow(scenario, rng, count, t), _quickened(scenario, rng, count, t)
    sd = sd * np.where(later, scenario.drift_ratio, 1.0)
    deep = hf * np.exp(np.log(gain) * reach + sd * _drift(scenario, rng, count, t) + slow)
    follows = np.log(scenario.ratio) * reach if scenario.both_tones else 0.0
    mayer = lf * np.exp(follows + sd * _drift(scenario, rng, count, t) + slow)
    hz = hz + scenario.breathing_sd_hz * _wander(rng, count, t, scenario.drift_tau_s)
    if scenario.breathing_to_hz is not None:
        hz += later * (scenario.breathing_to_hz - scenario.breathing_hz)
    hz = np.clip(hz, 0.05, 0.6)
    deep = deep * (0.25 / hz) ** scenario.roll_off
    if scenario.sighs_min:
        deep = deep * _sighs(scenario, rng, count, t)
    breath = np.sin(2 * np.pi * (rng.random((count, 1)) + np.cumsum(hz, axis=1) * STEP_S))
    pulse = np.sin(2 * np.pi * (LF_HZ * t + rng.random((count, 1))))
    tones = 1 + np.clip(deep * breath + mayer * pulse, -0.6, 0.6)
    rate = tones * np.exp(faster) / (rr * np.where(later, scenario.rr_ratio, 1.0))
    counted = np.cumsum(rate, axis=1) * STEP_S
    for n in range(count):
        beats = np.interp(np.arange(1, int(counted[n, -1])), counted[n], t + STEP_S)
        beats += rng.normal(0, JITTER_MS / 1000, beats.size)
        left = np.where(beats >= border, scenario.left_phase, scenario.left_base)
        if left.any():
            moved = rng.choice([-1.0, 1.0], beats.size) * rng.uniform(0.06, 0.15, beats.size)
            beats = np.sort(beats + (rng.random(beats.size) < left) * moved)
        yield Heard(
            phase_of(beats, start, border),
            phase_of(beats, border, over),
            (float(hz[n, (t >= start) & ~later].mean()), float(hz[n, later].mean())),
            phase_of(beats, 0.0, start) if start else None,
            phase_of(beats, over, end) if end > over else None,
        )


def _slow(scenario, rng, count, t):
    """Return what both tones' log-amplitudes share: slow drift, a walk, settling, a step as the client turns over."""
    slow = np.zeros((count, t.size))
    if scenario.wander_sd:
        slow += scenario.wander_sd * _wander(rng, count, t, 600.0)
    if scenario.walk_sd:
        slow += scenario.walk_sd * np.sqrt(STEP_S / 600) * np.cumsum(rng.standard_normal((count, t.size)), axis=1)
    if scenario.settling:
        slow += np.log(1 + scenario.settling * np.exp(-t / (60 * scenario.settling_tau_min)))
    if scenario.turns_sd:
        slow += scenario.turns_sd * rng.standard_normal((count, 1)) * (t >= _turned(scenario, count))
    if scenario.talks:
        slow += np.log(0.7) * _talking(scenario, t)
    return slow


def _quickened(scenario, rng, count, t):
    """Return by how much the log heart rate is higher, where the client turns over or talks."""
    faster = np.zeros((count, t.size))
    if scenario.turns_sd:
        since = t - _turned(scenario, count)
        faster += 0.10 * ((since >= 0) & (since < 20))
    if scenario.talks:
        faster += _talking(scenario, t) * (0.06 + 0.02 * _wander(rng, count, t, 3.0))
    return faster


def _turned(scenario, count):
    """Return when each client turns over, spread over the phase."""
    start_s = 60 * (scenario.settle_min + scenario.base_min)
    return start_s + 60 * scenario.phase_min * np.linspace(0.1, 0.9, count)[:, None]


def _talking(scenario, t):
    """Return where the client talks: for 90 s from the second minute of the baseline on."""
    began = 60 * (scenario.settle_min + 1)
    return (t >= began) & (t < began + 90)


def _sighs(scenario, rng, count, t):
    """Return the factor of the breathing tone's depth: three for the four seconds of a sigh."""
    began = rng.random((count, t.size)) < STEP_S / (60 * scenario.sighs_min)
    length = round(4 / STEP_S)
    during = np.cumsum(began, axis=1)
    during[:, length:] -= during[:, :-length].copy()
    return np.where(during > 0, 3.0, 1.0)


def phase_of(beats_s, start_s, end_s):
    """Return the beats between two times as the analysis receives them, none rejected."""
    ends, rr_ms = beats_s[1:], 1000 * np.diff(beats_s)
    inside = (ends >= start_s) & (ends < end_s)
    accepted = np.ones(int(inside.sum()), dtype=bool)
    adjacent = accepted.copy()
    adjacent[:1] = False
    return PhaseBeats(ends[inside], rr_ms[inside], accepted, adjacent, (start_s, end_s))


def _gain(scenario, rr, hf, lf, hz):
    """Return the ratio of the breathing tone's depth that changes RMSSD by the ratio; not below a tenth."""
    of_hf, of_lf, noise = _tone_ms2(rr, hf, hz), _tone_ms2(rr, lf, LF_HZ), 6 * JITTER_MS**2
    lf_after = of_lf * (scenario.ratio**2 if scenario.both_tones else 1.0)
    return np.sqrt(np.maximum((scenario.ratio**2 * (of_hf + of_lf + noise) - lf_after - noise) / of_hf, 0.01))


def _tone_ms2(rr_s, amplitude, hz):
    turn = hz * rr_s
    return 2 * (1000 * rr_s * amplitude * np.sinc(turn)) ** 2 * np.sin(np.pi * turn) ** 2


def _drift(scenario, rng, count, t):
    tau_s = scenario.drift_tau_s
    if scenario.drift == "two":
        return (_wander(rng, count, t, tau_s) + _wander(rng, count, t, 10 * tau_s)) / np.sqrt(2)
    if scenario.drift == "pink":
        return sum(_wander(rng, count, t, tau) for tau in (10.0, 40.0, 160.0, 640.0, 2560.0)) / np.sqrt(5)
    return _wander(rng, count, t, tau_s, heavy=scenario.drift == "heavy")


def _wander(rng, count, t, tau_s, *, heavy=False):
    """Return stationary Ornstein-Uhlenbeck paths of unit SD, one row per session, linear between whole seconds."""
    coarse = np.arange(0, t[-1] + DRIFT_STEP_S, DRIFT_STEP_S)
    keep = np.exp(-DRIFT_STEP_S / tau_s)
    shape = (count, coarse.size)
    pushes = rng.standard_t(3, shape) / np.sqrt(3) if heavy else rng.standard_normal(shape)
    pushes[:, 1:] *= np.sqrt(1 - keep * keep)
    path = lfilter([1.0], [1.0, -keep], pushes, axis=1)
    at = t / DRIFT_STEP_S
    before = at.astype(np.int64)
    share = at - before
    after = np.minimum(before + 1, coarse.size - 1)
    return path[:, before] * (1 - share) + path[:, after] * share

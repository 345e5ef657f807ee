"""Simulated sessions with known ground truth, which the header of the recording holds."""

from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from ...sensors.model import Contact, Device, Phase
from ...sensors.recordings.recording import BATTERY, ConnectionEvent, Event, Header, Packet, PhaseStart
from ..errors import SimulationError
from .heart_model import Array, Heart, HeartState, rmssd_by_formula, simulate_heart
from .labelled_faults import with_artifacts
from .strap_packets import simulate_packets

_RAMP_TAU_S = 150.0
_DRIFT_SD = 0.25
_LONGEST_MIN = 240.0
_SHORTEST_S = 240.0
"""Shortest phase with enough 10 s segments for a response class."""
_BATTERY_PCT = 87


@dataclass(frozen=True, slots=True)
class Change:
    """Change of a client's heart against the baseline."""

    rmssd: float | None = 1.0
    """Ratio of RMSSD, reached by the depth of the breathing tone alone; None leaves that depth as it is."""
    rr: float = 1.0
    """Ratio of the mean RR interval."""
    breathing_hz: float | None = None
    """New breathing rate; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Course of a session, and the response classes that are correct for it."""

    massage: Change
    recovery: Change
    expected: tuple[str, ...]
    faulty: bool = False
    """Whether beats have artifacts and the connection is lost once."""
    rr: bool = True
    """Whether the sensor sends RR intervals."""


_STEADY = Change()
_SCENARIOS = {
    "clear": Scenario(Change(2.2, 1.03), Change(1.9, 1.03), ("clear",)),
    "none": Scenario(_STEADY, _STEADY, ("none",)),
    "opposite": Scenario(Change(0.45, 0.97), Change(0.6, 0.98), ("opposite",)),
    "slow-breathing": Scenario(Change(None, breathing_hz=0.13), Change(None), ("none", "slight")),
    "sleepy": Scenario(Change(1.4, 1.1, 0.22), Change(1.2, 1.06, 0.23), ("none", "slight", "clear")),
    "noisy": Scenario(_STEADY, _STEADY, ("none", "insufficient"), faulty=True),
    "optical": Scenario(Change(2.2, 1.03), Change(1.9, 1.03), ("insufficient",), rr=False),
}
SCENARIOS = tuple(_SCENARIOS)
"""Names of the scenarios that `simulate` knows."""

_ARTIFACT_SHARES = {"missed": 0.004, "extra": 0.003, "ectopic": 0.008}
_DISCONNECTED_S = 35.0


def simulate(
    scenario: str, *, seed: int, minutes: tuple[float, float, float] = (5, 20, 5), drift: bool = True
) -> tuple[Header, list[Event]]:
    """Simulate a recorded session of one client; the same arguments give the same session.

    minutes: of baseline, massage and recovery. drift=False keeps amplitudes and breathing constant, so that RMSSD follows the
    formula. `Header.extra["truth"]` holds the ground truth. Raises `SimulationError` for an unknown scenario, a seed that is not
    a whole number from 0 on, or lengths that are not three numbers of minutes above 0 and up to 240.
    """
    plan = _plan(scenario)
    starts = _starts(minutes)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SimulationError(f"The seed {seed!r} is no whole number from 0 on.")
    rng = np.random.default_rng([seed, SCENARIOS.index(scenario)])
    base = _client(rng)
    states = [base, _changed(base, plan.massage), _changed(base, plan.recovery)]
    heart = simulate_heart(
        list(zip(starts[:3], states, strict=True)), starts[3], rng, tau_s=_RAMP_TAU_S, drift_sd=_DRIFT_SD if drift else 0.0
    )
    beats_s, artifacts = heart.beats_s, list[dict[str, Any]]()
    disconnected: list[tuple[float, float]] = []
    if plan.faulty:
        labelled = with_artifacts(beats_s, rng, shares=_ARTIFACT_SHARES)
        beats_s = labelled.beats_s
        lost_s = round(starts[1] + 0.4 * (starts[2] - starts[1]), 3)
        disconnected = [(lost_s, round(min(lost_s + _DISCONNECTED_S, starts[2]), 3))]
        artifacts = [a for a in labelled.artifacts if 0 <= a["t"] < starts[3] and not _within(a["t"], disconnected)]
    contact = Contact.NOT_REPORTED if plan.rr else Contact.YES
    sent = simulate_packets(beats_s, starts[3], rng, rr=plan.rr, contact=contact, disconnected=disconnected)
    phases = list(zip((Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY), starts, starts[1:], strict=False))
    truth = {
        "scenario": scenario,
        "seed": seed,
        "drift": drift,
        "packets": len(sent.packets),
        "beats_sent": len(sent.beats) if plan.rr else 0,
        "phases": [_phase_truth(heart, phase, start, end) for phase, start, end in phases],
        "expected": {"massage": list(_expected(plan, starts))},
        "artifacts": artifacts,
        "lost_s": round(sum(end - start for start, end in disconnected), 3),
    }
    header = Header(
        device=_device(plan.rr),
        client=f"simulated-{seed}",
        source=f"simulated by restbeat: {scenario}, seed {seed}",
        licence="CC0-1.0",
        extra={"truth": truth},
    )
    return header, _events(sent.packets, phases, starts[3], disconnected)


def _plan(scenario: str) -> Scenario:
    if scenario not in _SCENARIOS:
        raise SimulationError(f"There is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}.")
    return _SCENARIOS[scenario]


def _starts(minutes: tuple[float, float, float]) -> list[float]:
    if len(minutes) != 3 or any(not isfinite(m) or not 0 < m <= _LONGEST_MIN for m in minutes):
        raise SimulationError(
            f"The minutes must be three numbers above 0 and up to {_LONGEST_MIN:g} (baseline, massage, recovery), "
            f"not {', '.join(f'{m:g}' for m in minutes)}."
        )
    return [0.0, *(round(60 * float(total), 3) for total in np.cumsum(minutes))]


def _expected(plan: Scenario, starts: list[float]) -> tuple[str, ...]:
    long_enough = min(starts[1] - starts[0], starts[2] - starts[1]) >= _SHORTEST_S
    return plan.expected if long_enough else ("insufficient",)


def _client(rng: np.random.Generator) -> HeartState:
    """Draw a client: heart rate, tones and breathing vary between clients."""
    return HeartState(
        rr_s=float(np.clip(rng.normal(0.90, 0.07), 0.72, 1.05)),
        hf_amplitude=0.0377 * float(np.exp(0.25 * rng.standard_normal())),
        lf_amplitude=0.0200 * float(np.exp(0.25 * rng.standard_normal())),
        breathing_hz=float(rng.uniform(0.22, 0.26)),
    )


def _changed(base: HeartState, change: Change) -> HeartState:
    state = replace(base, rr_s=base.rr_s * change.rr, breathing_hz=change.breathing_hz or base.breathing_hz)
    return state if change.rmssd is None else state.with_rmssd(change.rmssd * rmssd_by_formula(base))


def _phase_truth(heart: Heart, phase: Phase, start_s: float, end_s: float) -> dict[str, Any]:
    """Return what a perfect strap and a perfect analysis would find between `start_s` and `end_s`."""
    beats = heart.beats_s[(heart.beats_s >= start_s) & (heart.beats_s < end_s)]
    grid = (heart.grid_s >= start_s) & (heart.grid_s < end_s)
    rates = 1 / heart.rr_s[grid]
    return {
        "phase": phase.value,
        "start_s": start_s,
        "end_s": end_s,
        "beats": int(beats.size),
        "mean_rr_ms": round(_mean(np.diff(beats) * 1000), 3),
        "rmssd_ms": round(_mean((np.diff(beats, 2) * 1000) ** 2) ** 0.5, 3),
        "rmssd_formula_ms": round(float(np.average(heart.rmssd_ms[grid] ** 2, weights=rates)) ** 0.5, 3),
        "resp_per_min": round(60 * float(heart.breathing_hz[grid].mean()), 3),
    }


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else 0.0


def _device(rr: bool) -> Device:
    if rr:
        return Device(name="Polar H10 (simulated)", manufacturer="restbeat", model="H10", location="chest")
    return Device(name="Polar Verity Sense (simulated)", manufacturer="restbeat", model="Verity Sense", location="arm")


def _events(
    packets: list[Event], phases: list[tuple[Phase, float, float]], end_s: float, disconnected: list[tuple[float, float]]
) -> list[Event]:
    events: list[Event] = [PhaseStart(start, phase) for phase, start, _ in phases]
    events.append(Packet(0.5, BATTERY, bytes([_BATTERY_PCT])))
    for lost_s, back_s in disconnected:
        events += [ConnectionEvent(lost_s, up=False), ConnectionEvent(back_s, up=True)]
    return [*sorted(events + packets, key=lambda event: event.t), PhaseStart(end_s, Phase.ENDED)]


def _within(t: float, spans: list[tuple[float, float]]) -> bool:
    return any(start <= t < end for start, end in spans)

"""Cells of the response benchmark: simulated sessions of one kind each, with bounds on the share of each response class.

`make bench-response` prints them all with a thousand sessions and more; the tests run those with a bound in a reduced form.
"""

from collections import Counter
from dataclasses import dataclass, field

from restbeat.analysis.figures import DriftEvidence
from restbeat.analysis.response.relaxation_response import classify_response

from .hearts import Scenario, sessions

EARLIER = 4
"""Number of earlier rests of the same kind of heart, where the rule uses drift evidence."""


@dataclass(frozen=True)
class Bound:
    """A bound on the share in % of some verdicts: at most, or at least."""

    verdicts: tuple[str, ...]
    at_most: float | None = None
    at_least: float | None = None

    def holds(self, pct):
        return (self.at_most is None or pct <= self.at_most) and (self.at_least is None or pct >= self.at_least)

    def __str__(self):
        return f"≤ {self.at_most:g}" if self.at_most is not None else f"≥ {self.at_least:g}"


@dataclass(frozen=True)
class Cell:
    """Sessions of one scenario, with bounds by the allowance for slow wander."""

    name: str
    scenario: Scenario
    bounds: dict[float, tuple[Bound, ...]] = field(default_factory=dict)
    recovery: bool = False
    """Whether the recovery is compared in place of the massage."""

    @property
    def minutes(self):
        scenario = self.scenario
        lengths = (scenario.base_min, scenario.phase_min, *((scenario.recovery_min,) if self.recovery else ()))
        return "/".join(f"{length:g}" for length in lengths)


@dataclass(frozen=True)
class Outcome:
    """Verdicts of a cell at one allowance for slow wander."""

    cell: Cell
    scale: float
    counts: Counter

    def pct(self, *verdicts):
        return 100 * sum(self.counts[verdict] for verdict in verdicts) / self.counts.total()

    @property
    def bounds(self):
        return self.cell.bounds.get(self.scale, ())

    @property
    def holds(self):
        return all(bound.holds(self.pct(*bound.verdicts)) for bound in self.bounds)


FIRM = ("clear", "opposite")
NONE, USED = 0.0, 1.0
"""No allowance for slow wander, and that of a client without rests."""


def bounded(at_w0, usual, verdicts=FIRM, *, least=False):
    word = "at_least" if least else "at_most"
    return {w: (Bound(verdicts, **{word: pct}),) for w, pct in ((NONE, at_w0), (USED, usual)) if pct is not None}


def _cells():
    for minutes in (5, 15, 30):
        yield Cell("nothing but drift", Scenario(phase_min=minutes), bounded(5, 1))
    for minutes in (5, 15, 30):
        yield Cell("RMSSD ×1.2", Scenario(phase_min=minutes, ratio=1.2))
    for minutes, least in ((5, 54), (15, 50), (30, 42)):
        yield Cell("RMSSD ×1.42", Scenario(phase_min=minutes, ratio=1.42), bounded(70, least, ("clear",), least=True))
    for minutes in (5, 15, 30):
        yield Cell("RMSSD ×2", Scenario(phase_min=minutes, ratio=2.0), bounded(95, 95, ("clear",), least=True))
    yield Cell("RMSSD ×0.5", Scenario(ratio=0.5))
    for minutes in (5, 15):
        yield Cell("mean RR +5 % alone", Scenario(phase_min=minutes, rr_ratio=1.05), bounded(3, 3, ("clear",)))
    slows = {"breathing_hz": 0.25, "breathing_to_hz": 0.15}
    for minutes in (5, 15):
        yield Cell("breathing slows .25 → .15 Hz", Scenario(phase_min=minutes, **slows), bounded(0, 0))
    for minutes in (5, 15):
        yield Cell("1 % artifacts left in the massage", Scenario(phase_min=minutes, left_phase=0.01), bounded(5, 5))
        yield Cell("1 % artifacts left in the baseline", Scenario(phase_min=minutes, left_base=0.01), bounded(5, 5))
    yield from _settling()


def _settling():
    """Return cells of clients whose RMSSD rises by itself after lying down, and whom four minutes of settling were given."""
    bounds = {USED: (Bound(("clear",), at_most=3), Bound(("slight",), at_most=10))}
    for depth, tau_min in ((-0.15, 5), (-0.26, 5), (-0.36, 3), (-0.36, 10), (-0.36, 15)):
        settles = {"settle_min": 4, "settling": depth, "settling_tau_min": tau_min}
        name = f"settling from {100 * depth:.0f} %, τ {tau_min} min".replace("-", "−")
        for minutes in (15, 30):
            yield Cell(name, Scenario(phase_min=minutes, **settles), bounds)
            yield Cell(name, Scenario(phase_min=minutes, recovery_min=5, **settles), bounds, recovery=True)
    for minutes, least in ((5, 50), (15, 42), (30, 32)):
        scenario = Scenario(settle_min=4, phase_min=minutes, ratio=1.42)
        yield Cell("RMSSD ×1.42 after settling", scenario, bounded(None, least, ("clear",), least=True))


CELLS = tuple(_cells())

HELD_OUT = {
    "drift SD .15": {"drift_sd": 0.15},
    "drift SD .40": {"drift_sd": 0.40},
    "drift τ 8 s": {"drift_tau_s": 8.0},
    "drift τ 60 s": {"drift_tau_s": 60.0},
    "drift at two speeds, 20 and 200 s": {"drift": "two"},
    "drift in heavy-tailed steps": {"drift": "heavy"},
    "drift SD spread e^±.4 between sessions": {"drift_spread": 0.4},
    "slow wander SD .10 (10 min)": {"wander_sd": 0.10},
    "slow wander SD .20 (10 min)": {"wander_sd": 0.20},
    "slow heart, 46 bpm": {"rr_s": 1.3},
    "shallow breathing tone": {"hf_depth": 0.012},
    "both tones follow": {"both_tones": True},
    "drift half as large in the massage": {"drift_ratio": 0.5},
    "drift twice as large in the massage": {"drift_ratio": 2.0},
    "1/f wander, SD .35": {"drift": "pink", "drift_sd": 0.35},
    "random walk .10 in 10 min": {"walk_sd": 0.10},
    "a sigh every 90 s": {"sighs_min": 1.5},
    "turns over in the massage, a step of SD .15": {"turns_sd": 0.15},
    "talks in the baseline, unmarked": {"talks": True},
    "breathing tone deepens as breathing slows": {"roll_off": 1.0},
}
"""Held-out kinds of drift and hearts, which no parameter was tuned on."""


def by_rule(heard, scale, earlier):
    """Classify by the rule of the product."""
    return classify_response(
        heard.base, heard.phase, settle=heard.settle, between=heard.between, wander_scale=scale, earlier=earlier
    ).verdict


def run(cell, count, seed, *, allowances=(NONE, USED), earlier=(), rules=(by_rule,), advance=lambda: None):
    """Classify `count` sessions of a cell by each rule at each allowance for wander; outcomes by rule, then by allowance."""
    counts = {(rule, w): Counter() for rule in rules for w in allowances}
    for n, heard in enumerate(sessions(cell.scenario, count, seed)):
        seen = tuple(earlier[(EARLIER * n + k) % len(earlier)] for k in range(EARLIER)) if earlier else ()
        compared = heard.in_recovery() if cell.recovery else heard
        for (rule, w), found in counts.items():
            found[rule(compared, w, seen)] += 1
        advance()
    return [Outcome(cell, w, found) for (_, w), found in counts.items()]


def drifts(scenario, count, seed) -> list[DriftEvidence]:
    """Return the drift evidence of sessions at rest of a kind of heart."""
    seen = (classify_response(heard.base, heard.phase).drift for heard in sessions(scenario, count, seed))
    return [drift for drift in seen if drift is not None]

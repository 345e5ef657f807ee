"""The bounds of the response benchmark with fewer sessions: each bound is widened by the binomial error and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from bench.cells import CELLS, HELD_OUT, USED, Cell, drifts, run
from bench.hearts import Scenario, sessions
from bench.rivals import with_earlier
from restbeat.analysis.beats.phase_segments import segments

SESSIONS = 80
SEED = 7
BOUNDED = [cell for cell in CELLS if cell.bounds]


@pytest.mark.parametrize("cell", BOUNDED, ids=lambda cell: f"{cell.name} {cell.minutes}")
def test_a_cell_keeps_its_bounds(cell):
    for outcome in run(cell, SESSIONS, SEED, allowances=tuple(cell.bounds)):
        for bound in outcome.bounds:
            said = sum(outcome.counts[verdict] for verdict in bound.verdicts)
            if bound.at_most is not None:
                assert said <= binom.ppf(0.999, SESSIONS, bound.at_most / 100), outcome
            else:
                assert said >= binom.ppf(0.001, SESSIONS, bound.at_least / 100), outcome


def test_the_bounds_can_fail():
    (outcome,) = run(Cell("always clear", Scenario()), 5, SEED, allowances=(USED,), rules=(lambda *_: "clear",))
    assert not replace(outcome, cell=BOUNDED[0]).holds


@pytest.mark.parametrize("name", ["drift τ 60 s", "drift in heavy-tailed steps", "drift SD .40"])
def test_false_positives_stay_rare_with_held_out_kinds_of_drift(name):
    (outcome,) = run(Cell(name, Scenario(**HELD_OUT[name])), SESSIONS, SEED, allowances=(USED,))
    assert outcome.counts["clear"] + outcome.counts["opposite"] <= binom.ppf(0.999, SESSIONS, 0.02)


def test_the_drift_of_earlier_sessions_causes_no_false_positives():
    quiet = drifts(Scenario(phase_min=15), 12, SEED + 1)
    cell = Cell("quiet", Scenario(phase_min=15))
    (outcome,) = run(cell, SESSIONS, SEED, allowances=(USED,), earlier=quiet, rules=(with_earlier,))
    assert outcome.counts["clear"] + outcome.counts["opposite"] <= binom.ppf(0.999, SESSIONS, 0.01)


@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.42, 2.0])
def test_the_rmssd_of_simulated_hearts_changes_by_the_requested_ratio(ratio):
    scenario = Scenario(base_min=10, phase_min=10, ratio=ratio, drift_sd=0.0, breathing_sd_hz=0.0)
    changes = [segments(h.phase).ln_rmssd.mean() - segments(h.base).ln_rmssd.mean() for h in sessions(scenario, 6, SEED)]
    assert np.exp(np.mean(changes)) == pytest.approx(ratio, rel=0.03)


def test_the_simulated_drift_has_the_requested_spread():
    narrow = [np.std(segments(heard.base).ln_rmssd) for heard in sessions(Scenario(base_min=60, drift_sd=0.4), 4, SEED)]
    wide = [np.std(segments(heard.base).ln_rmssd) for heard in sessions(Scenario(base_min=60, drift_sd=0.8), 4, SEED)]
    assert np.mean(wide) / np.mean(narrow) == pytest.approx(2, rel=0.25)


def test_the_same_seed_gives_the_same_sessions():
    first, again = (list(sessions(Scenario(), 3, SEED)) for _ in range(2))
    assert all(np.array_equal(a.phase.end_s, b.phase.end_s) for a, b in zip(first, again, strict=True))

import numpy as np
import pytest
from scipy.stats import t as student

from restbeat.analysis.figures import PhaseFigures, ResponseContext, ResponseFigures
from restbeat.analysis.response.drift import change_posterior
from restbeat.analysis.response.earlier_rests import EarlierFigures, EarlierSession, RestPhase, drift_evidence, rest_phases
from restbeat.analysis.response.relaxation_response import Response
from restbeat.analysis.response.resting_response import compare_with_rests, wander_scale
from restbeat.analysis.response.slow_wander import USUAL_RATE


def rests(*deltas, error=0.1, baseline_s=300.0, phase_s=1200.0, apart_s=0.0):
    return [RestPhase(delta, error, baseline_s, phase_s, apart_s) for delta in deltas]


def compared(delta, known, *, flagged=False, verdict="none", lengths=(300.0, 1200.0)):
    return compare_with_rests(
        Response(verdict, "", delta=delta, flagged=flagged, steady=verdict != "insufficient"), *lengths, known
    )


def test_the_wander_of_a_client_without_a_rest_is_that_of_people_in_general():
    assert wander_scale([]) == 1


def test_rests_of_little_change_lower_the_allowance_for_wander_and_others_raise_it():
    usual = USUAL_RATE * (2 + (5 + 20) / 3)
    assert wander_scale(rests(0.1, -0.1)) == pytest.approx(4 / 6)
    assert wander_scale(rests(0.5, -0.3)) == pytest.approx((4 + (0.5**2 + 0.3**2 - 2 * 0.1**2) / usual) / 6)
    assert wander_scale(rests(*[0.0] * 20)) == 0


def test_a_rest_counts_by_its_own_lengths_and_the_time_between_them():
    near, far = (wander_scale(rests(0.4, phase_s=300.0, apart_s=apart_s)) for apart_s in (0.0, 1800.0))
    assert near - 0.8 == pytest.approx((far - 0.8) * (2 + 10 / 3 + 30) / (2 + 10 / 3))
    assert near > 1.4


def test_fewer_than_three_rests_of_this_length_give_a_reason_and_no_figure():
    for known, words in (
        ([], "there is none yet"),
        (rests(0.1), "there is one of about this length so far"),
        (rests(0.1, 0.2), "there are two of about this length so far"),
        (rests(0.1, 0.2) + rests(0.1, 0.2, 0.3, phase_s=600.0), "there are two of about this length so far"),
    ):
        found = compared(0.4, known)
        assert (found.verdict, found.mean, found.half_width) == ("unknown", None, None)
        assert found.why.startswith("Three quiet sessions without massage")
        assert words in found.why


def test_the_range_is_the_prediction_interval_of_a_further_rest_by_student_t():
    deltas = (0.02, 0.10, 0.06, 0.14)
    found = compared(0.3, rests(*deltas))
    half_width = student.ppf(0.975, 3) * np.std(deltas, ddof=1) * np.sqrt(1 + 1 / 4)
    assert (found.mean, found.half_width, found.rests) == (pytest.approx(0.08), pytest.approx(half_width), 4)


@pytest.mark.parametrize(
    ("delta", "verdict", "words"),
    [
        (0.60, "more", "More than rest alone usually does for you: between −"),
        (0.08, "usual", "Within what rest alone usually does for you: between −"),
        (-0.50, "less", "Less than rest alone usually does for you: between −"),
    ],
)
def test_only_a_change_outside_that_range_is_more_or_less_than_usual(delta, verdict, words):
    found = compared(delta, rests(0.02, 0.10, 0.06, 0.14))
    assert found.verdict == verdict
    assert found.why.startswith(words)
    assert "(4 rest-only sessions)" in found.why


def test_a_small_change_is_usual_even_where_the_rests_hardly_differ():
    assert compared(0.14, rests(0.05, 0.0501, 0.0502)).verdict == "usual"
    assert compared(0.16, rests(0.05, 0.0501, 0.0502)).verdict == "more"


def test_flagged_breathing_or_unsteady_data_leave_the_comparison_unknown():
    known = rests(0.02, 0.10, 0.06, 0.14)
    assert compared(0.6, known, flagged=True).verdict == "unknown"
    assert "breathing" in compared(0.6, known, flagged=True).why
    assert compared(0.1, known, flagged=True).verdict == "usual"
    assert compared(None, known, verdict="insufficient").verdict == "unknown"


@pytest.mark.parametrize("wander", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("count", [3, 6])
def test_a_rest_is_more_than_usual_in_about_the_nominal_share(count, wander):
    rng = np.random.default_rng(count)
    more, trials = 0, 1500
    for _ in range(trials):
        today, *before = rng.normal(rng.normal(0, 0.2), np.hypot(0.12, wander), count + 1)
        more += compared(float(today), rests(*before)).verdict == "more"
    assert more / trials < 0.025 + 3.3 * np.sqrt(0.025 * 0.975 / trials)
    assert more / trials > 0.005


def session(kind, delta=0.2, drift=None, error=0.1, steady=True):
    phases = [
        PhaseFigures(phase=name, start_s=start, end_s=end, beats=100)
        for name, start, end in (("baseline", 60.0, 360.0), ("massage", 360.0, 1560.0))
    ]
    response = ResponseFigures(phase="massage", delta_ln_rmssd=delta)
    context = {"massage": ResponseContext(wander_sd=0.1, standard_error=error, steady=steady)}
    return EarlierSession(kind=kind, figures=EarlierFigures(phases, [response]), context=context, drift=drift)


def test_only_the_same_phase_of_steady_rests_is_compared():
    earlier = [session("massage"), session("rest"), session("rest", steady=False), session("rest", error=None)]
    assert rest_phases(earlier, "massage") == [RestPhase(0.2, 0.1, 300.0, 1200.0, 0.0)]
    assert rest_phases(earlier, "recovery") == []


def test_drift_evidence_is_that_of_the_newest_rests():
    t_s, later = np.arange(60) * 5.0, np.arange(60) >= 30
    drifts = [change_posterior(t_s, np.random.default_rng(n).normal(3, 0.2, 60), later)[1] for n in range(8)]
    earlier = [
        session("rest", drift=None),
        *(session("rest", drift=drift) for drift in drifts),
        session("massage", drift=drifts[0]),
    ]
    assert drift_evidence(earlier) == drifts[2:]

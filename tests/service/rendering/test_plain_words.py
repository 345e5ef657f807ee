import msgspec
import pytest

from restbeat.analysis.beats.final_verdicts import FinalVerdicts, PhaseVerdicts
from restbeat.analysis.figures import ResponseFigures
from restbeat.analysis.hrv.engine_parity import Difference, Parity
from restbeat.service.rendering import plain_words

from ...web.made_up import report


def response(class_, **changes):
    return ResponseFigures(phase="massage", class_=class_, **changes)


@pytest.mark.parametrize(
    ("percent", "interval", "text"),
    [
        (22.1, (3.2, 44.8), "+22 % (+3 to +45)"),
        (-8.4, (-20.0, 4.0), "−8 % (−20 to +4)"),
        (0.3, (-0.4, 12.0), "0 % (0 to +12)"),
        (5.0, None, "+5 %"),
        (None, None, "—"),
    ],
)
def test_a_change_is_written_with_its_range(percent, interval, text):
    assert plain_words.percent_with_interval(percent, interval) == text


def test_the_range_is_derived_from_the_half_width_where_no_interval_is_known():
    low, high = plain_words.interval_pct(response("none", delta_ln_rmssd=0.0, half_width=0.2), None)
    assert (round(low, 1), round(high, 1)) == (-18.1, 22.1)
    low, high = plain_words.interval_pct(response("none", delta_ln_rmssd=0.0, half_width=0.2), (0.1, 0.2))
    assert (round(low, 1), round(high, 1)) == (10.5, 22.1)
    assert plain_words.interval_pct(response("insufficient"), None) is None


@pytest.mark.parametrize(
    ("class_", "interval", "said"),
    [
        ("clear", (10, 60), "higher than today’s drift explains"),
        ("slight", (-2, 40), "a hint, within what rest can do"),
        ("none", (-12, 18), "no change we could tell. It lies between −12 and +18 %"),
        ("none", (2, 9), "small or breathing and heart rate may explain it"),
        ("opposite", (-40, -12), "lower than today’s drift explains"),
        ("insufficient", None, "not enough steady data"),
    ],
)
def test_each_class_has_one_plain_sentence(class_, interval, said):
    assert said in plain_words.response_sentence(response(class_), interval)


def test_no_sentence_claims_what_was_not_measured():
    said = " ".join(
        plain_words.response_sentence(response(class_), (1.0, 2.0)) for class_ in ("clear", "slight", "none", "opposite")
    )
    for word in ("heal", "treat", "pain", "stress", "therapy", "balance"):
        assert word not in said.lower().replace("heart", "")


def test_a_rest_only_session_does_not_mention_a_massage():
    assert plain_words.phase_word("massage", "rest") == "Rest"
    assert "massage" not in plain_words.response_sentence(response("slight"), None, "rest")


@pytest.mark.parametrize(
    ("seconds", "long", "short"),
    [(40, "40 s", "0:40"), (2700, "45 min", "45:00"), (3900, "1 h 5 min", "1:05:00"), (3600, "1 h", "1:00:00")],
)
def test_lengths_of_time_read_as_people_say_them(seconds, long, short):
    assert (plain_words.duration(seconds), plain_words.clock(seconds)) == (long, short)


def test_numbers_have_a_true_minus_thin_thousands_and_a_dash_for_none():
    assert [plain_words.number(1944), plain_words.number(-0.2), plain_words.number(-3.25, 1), plain_words.number(None)] == [
        "1\u202f944",
        "0",
        "−3.2",
        "—",
    ]
    assert [plain_words.counted(n, "gap", "gaps") for n in (0, 1, 3)] == ["no gaps", "1 gap", "3 gaps"]


def test_the_check_against_neurokit2_is_stated_with_any_difference():
    assert plain_words.checked(Parity()) == ""
    assert plain_words.checked(Parity(compared=18, largest=1e-15)) == "Checked against NeuroKit2: all 18 figures agree."
    differing = Parity(compared=18, largest=0.1, differences=[Difference("massage", "rmssd_ms", 40.0, 44.0)])
    assert plain_words.checked(differing).endswith("1 figure differs, first rmssd_ms in massage: live 40.0, NeuroKit2 44.0.")


def test_a_second_look_agrees_or_both_figures_are_shown_with_the_share_of_beats():
    def said(**look):
        return plain_words.second_look(msgspec.structs.replace(report(), second_look=FinalVerdicts(**look) if look else None))

    assert said() == ""
    assert said(changed_pct=None) == ""
    assert said(changed_pct=0.0).endswith("agrees on every beat.")
    live = {phase.phase: phase.rmssd_ms for phase in report().figures.phases}
    phases = [
        PhaseVerdicts(phase="baseline", rmssd_ms=live["baseline"]),
        PhaseVerdicts(phase="massage", rmssd_ms=live["massage"] + 1.5),
        PhaseVerdicts(phase="recovery", rmssd_ms=None),
    ]
    text = said(changed_pct=0.4, phases=phases)
    assert "differs on 0.4 % of the beats" in text
    assert f"Baseline the same, Massage {live['massage']:.1f} and {live['massage'] + 1.5:.1f} ms" in text
    assert text.endswith(f"Recovery {live['recovery']:.1f} and — ms.")
    assert "less than 0.1 % of the beats" in said(changed_pct=0.02, phases=phases)

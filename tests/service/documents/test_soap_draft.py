"""The draft of the notes says what was asked and measured, and no more."""

import msgspec
import pytest

from restbeat.analysis.figures import ResponseFigures
from restbeat.service.documents.soap_draft import draft_of
from restbeat.service.rendering.plain_words import CAVEAT
from restbeat.service.sessions.models import Answer, Visit, VisitMark
from restbeat.service.sessions.session_facts import contraindications, time_spent

from ...web.made_up import report, row
from ...web.take_home import told

NOTHING = Visit(
    session=7, client="M-014", therapist="Ada", posture=None, technique=None, pain_before=None, pain_after=None,
    screening=[], marks=[], saved=None, mind="",
)  # fmt: skip


def visit(**changes):
    return msgspec.structs.replace(NOTHING, **changes)


def minutes(marks, pick="technique"):
    return [(done.what, round(done.minutes, 2)) for done in time_spent(report(), marks, lambda mark: getattr(mark, pick))]


def test_a_technique_lasts_until_the_next_mark_of_its_kind_and_within_the_massage():
    # the massage lasts from 480 s to 1500 s
    marks = [VisitMark(at_s=480.0, technique="Long strokes", region="Neck"), VisitMark(at_s=1080.0, technique="Kneading")]
    assert minutes(marks) == [("Long strokes", 10.0), ("Kneading", 7.0)]
    assert minutes(marks, "region") == [("Neck", 17.0)]
    assert minutes([*marks, VisitMark(at_s=1380.0, technique="Long strokes")]) == [("Long strokes", 12.0), ("Kneading", 5.0)]
    assert minutes([VisitMark(at_s=780.0, technique="Holding")]) == [("Holding", 12.0), ("not noted", 5.0)]
    assert minutes([VisitMark(at_s=100.0, technique="Holding"), VisitMark(at_s=1600.0, technique="Tapping")]) == [
        ("Holding", 17.0)
    ]
    assert minutes([VisitMark(at_s=500.0, note="turned over")]) == []


def test_without_a_massage_nothing_was_done():
    figures = report().figures
    rest = msgspec.structs.replace(report(), figures=msgspec.structs.replace(figures, phases=figures.phases[:2]))
    assert time_spent(rest, [VisitMark(at_s=300.0, technique="Holding")], lambda mark: mark.technique) == []


def test_the_draft_has_lengths_techniques_pain_and_the_response_in_honest_words():
    marks = [
        VisitMark(at_s=480.0, technique="Long strokes", region="Lower back", pressure="Light"),
        VisitMark(at_s=900.0, note="turned over"),
    ]
    draft = draft_of(row(), report(), visit(marks=marks, pain=told(6, 4, (600.0, 5)), posture="Prone"))
    assert draft.subjective == "Pain, 0 to 10: 6 before, 4 after; during: 5 at 10:00."
    lines = draft.objective.split("\n")
    assert lines[:6] == [
        "Settling 3 min; baseline 5 min; massage 17 min; recovery 5 min, prone.",
        "Technique: long strokes 17 min.",
        "Region: lower back 17 min.",
        "Pressure: light 17 min.",
        "Also noted: turned over (15:00).",
        "Heart rate 72 → 63 a minute, baseline to massage.",
    ]
    assert lines[6].endswith("was a little higher: a hint, within what rest can do. RMSSD +22 % (+3 to +45).")
    assert lines[7] == "There was not enough steady data to tell whether heart rhythm variability changed in the recovery."
    assert lines[8] == CAVEAT
    assert lines[9].startswith("Signal: 1\u202f944 beats received; 98.2 % used")
    assert draft.assessment == "Pain 2 points lower than before the session."
    assert draft.contraindications == "Not asked before the session."


def test_too_uncertain_a_change_gives_no_number():
    figures = report().figures
    unsure = ResponseFigures(phase="massage", delta_ln_rmssd=0.3, half_width=0.9, percent=35.0, class_="insufficient")
    doubtful = msgspec.structs.replace(report(), figures=msgspec.structs.replace(figures, responses=[unsure]), intervals={})
    objective = draft_of(row(), doubtful, NOTHING).objective
    assert "There was not enough steady data" in objective
    assert "RMSSD" not in objective


def test_without_hrv_it_is_not_mentioned():
    draft = draft_of(row(), report(hrv=False), visit(pain=told(None, None, (900.0, 4))))
    assert "variability" not in draft.objective
    assert draft.subjective == "Pain, 0 to 10: not asked before, not asked after; during: 4 at 15:00."


@pytest.mark.parametrize("hrv", [True, False])
def test_hrv_is_never_stated_as_a_medical_need_or_a_diagnosis(hrv):
    draft = draft_of(row(), report(hrv=hrv), visit(pain=told(6, 8)))
    text = " ".join(msgspec.structs.astuple(draft)).lower()
    assert not [word for word in ("necess", "diagnos", "disease", "balance", "stress", "treats", "heals") if word in text]
    assert "variability" not in draft.assessment + draft.plan


def test_contraindications_are_stated_as_answered():
    untouched = [Answer(question=text, yes=False, confirmed_utc=None) for text in ("Fracture", "Open skin")]
    assert contraindications([]) == "Not asked before the session."
    assert contraindications(untouched) == "Not confirmed: nobody pressed that none of the 2 questions applies."
    asked = [msgspec.structs.replace(answer, confirmed_utc="2026-11-23T10:00:00Z") for answer in untouched]
    assert contraindications(asked) == "Asked before the session (2 questions): none applies."
    yes = Answer(question="Fibromyalgia", yes=True, confirmed_utc="2026-11-23T10:00:00Z")
    assert contraindications([*asked, yes]) == (
        "Asked before the session: fibromyalgia. Considered and confirmed; the others do not apply."
    )
    assert draft_of(row(), report(), visit(screening=[yes])).plan == (
        "Fibromyalgia: Graded, light to moderate pressure; no tender points."
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (6, 6, "Pain as before the session."),
        (6, 7, "Pain 1 point higher than before the session."),
        (None, 6, ""),
        (6, None, ""),
    ],
)
def test_the_change_of_pain_is_stated_where_both_scores_are_known(before, after, said):
    assert draft_of(row(), report(), visit(pain=told(before, after))).assessment == said

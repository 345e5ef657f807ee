import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from restbeat.sensors.recordings.recording import STOP_NOTE
from restbeat.service.documents.client_chart import NARROW, WIDE, session_chart
from restbeat.service.documents.client_summary import client_summary, client_summary_part, summary_page
from restbeat.service.rendering.svg_plot import width_of
from restbeat.service.sessions.client_session import BaselineRange, Complement
from restbeat.service.sessions.models import VisitMark

from ...web.made_up import report, row
from ...web.take_home import (
    FRAME,
    USUAL_MARKS,
    a_session,
    a_visit,
    crowded,
    english,
    german,
    short_baseline,
    too_little,
    with_class,
    with_context,
)

CAVEATS = ("Rest alone can do this.", "Rest alone can change heart rate and heart rhythm too.")


def page_of(session, speech=None):
    return summary_page(session, speech or english())


def html_of(session, speech=None):
    return client_summary(session, speech or english(), FRAME)


def test_plain_words_stand_first_then_three_numbers_with_their_usable_share():
    page = page_of(a_session())
    assert page.title == "Your session on 23 November 2026"
    assert page.when == "09:41 to 10:11 · 30\u00a0minutes · with Ada"
    assert page.lead == (
        "Compared with your own quiet minutes today, your heart rhythm varied a little more during the massage: "
        "a hint, within what rest can do."
    )
    assert page.caveat == "Rest alone can do this. It does not measure pain, health or treatment success."
    rhythm, rate, pain = page.numbers
    assert (rhythm.value, rhythm.within, rhythm.detail) == ("+22%", "+3% to +45%", "RMSSD 34 → 42 ms")
    assert rhythm.share == "100% of the time could be used"
    assert (rate.value, rate.detail, rate.share) == (
        "72 → 63",
        "beats a minute, quiet to massage",
        "98% of the beats could be used",
    )
    assert (pain.value, pain.share) == ("6 → 4", "2 of 2 answers")


def test_the_same_in_german_with_german_numbers():
    page = page_of(a_session(), german())
    assert page.title == "Ihre Sitzung vom 23. November 2026"
    assert page.lead.startswith(
        "Verglichen mit Ihren eigenen ruhigen Minuten heute schwankte Ihr Herzrhythmus während der Massage"
    )
    assert page.caveat.startswith("Ruhe allein kann das auch.")
    assert page.numbers[0].within == "+3\u00a0% bis +45\u00a0%"
    assert "1.944 Schläge" in page.data_source
    assert page.done[0] == "Technik: Triggerpunkt 10\u00a0Min.; Lange Streichungen 7\u00a0Min."
    picture = session_chart(a_session(), german(), WIDE)
    for word in (
        "Ruhe davor",
        "Massage",
        "nachher",
        "Umgedreht",
        "Gespräch",
        "RMSSD in Millisekunden",
    ):
        assert word in picture


@pytest.mark.parametrize(
    ("class_", "interval", "said"),
    [
        ("clear", (0.1, 0.4), "varied more during the massage, by more than today’s drift explains."),
        ("slight", (0.03, 0.37), "a hint, within what rest can do."),
        ("none", (-0.1, 0.2), "showed no change that we could tell during the massage. It lies between −10% and +22%."),
        ("none", (0.02, 0.2), "but the change is small, or breathing and heart rate may explain it."),
        ("opposite", (-0.4, -0.1), "varied less during the massage"),
    ],
)
def test_what_a_change_is_called_depends_on_its_class_alone(class_, interval, said):
    page = page_of(a_session(report=with_class(class_, interval=interval)))
    assert said in page.lead
    assert page.caveat.startswith("Rest alone can do this.")


def test_a_stop_for_pain_is_stated_first_and_plainly():
    session = a_session(visit=a_visit(stopped=True))
    page = page_of(session)
    assert page.first[0] == "The massage was stopped because your pain went up."
    assert "comes before anything that the heart shows" in page.first[1]
    html = html_of(session)
    assert html.index(page.first[0]) < html.index("Compared with your own")
    assert page_of(a_session()).first is None


@pytest.mark.parametrize(
    ("pain", "said"),
    [
        ((4, 6), "Your pain went up from 4 to 6."),
        ((7, 7), "Your pain was 7 of 10."),
        ((8, 5), None),
        ((4, 5), None),
        ((9, 6), None),
    ],
)
def test_risen_or_severe_pain_precedes_heart_figures(pain, said):
    before_the_massage = ((10.0, 9),)  # it raised nothing
    first = page_of(a_session(visit=a_visit(pain=pain, noted=before_the_massage))).first
    assert (first and first[0]) == said


def test_a_baseline_that_was_cut_is_not_blamed_on_the_strap():
    page = page_of(a_session(report=short_baseline()))
    assert page.lead.replace("\N{NO-BREAK SPACE}", " ") == (
        "Quiet minutes before: 2 minutes. That is too short to tell whether your heart rhythm changed: before and during, "
        "a comparison takes 4 minutes each. It says nothing about you."
    )
    assert (page.numbers[0].value, page.numbers[0].within, page.numbers[0].detail) == ("–", "", "quiet minutes too short")
    html = html_of(a_session(report=short_baseline()))
    assert "strap" not in html
    assert "34 → 42" not in html
    loose = page_of(a_session(report=short_baseline(300, clean=9)))
    assert "dry strap" in loose.lead


def test_after_the_fourth_session_nobody_is_told_to_wait_for_it():
    assert "after four sessions" in page_of(a_session(earlier=2)).sure[-1]
    assert page_of(a_session(earlier=17)).sure[-1] == "One session says little; your course over all of them says more."


def test_too_little_clean_data_is_stated_as_a_result():
    page = page_of(a_session(report=too_little()))
    assert page.lead == (
        "There was too little clean data to say whether your heart rhythm changed during the massage. "
        "That happens easily, by a dry strap or a movement, and says nothing about you."
    )
    assert page.caveat.startswith("Rest alone can change")
    assert (page.numbers[0].value, page.numbers[0].detail) == ("–", "too little clean data")
    assert "Massage: only 61% of the beats could be used; a comparison takes 95%." in page.missing
    assert page.wide is not None  # what there is is drawn


def test_too_little_data_never_reads_as_enough():
    made = report()
    phases = [
        msgspec.structs.replace(figures, accepted_pct=94.7) if figures.phase == "massage" else figures
        for figures in made.figures.phases
    ]
    page = page_of(a_session(report=msgspec.structs.replace(made, figures=msgspec.structs.replace(made.figures, phases=phases))))
    assert "Massage: only 94% of the beats could be used; a comparison takes 95%." in page.missing
    assert [line.used for line in page.lines if line.phase == "Massage"] == ["94%"]


def test_a_heart_rate_only_sensor_is_stated_as_such():
    page = page_of(a_session(report=report(hrv=False)))
    assert page.lead.startswith("Your sensor told your heart rate only.")
    assert (page.numbers[0].value, page.numbers[0].detail) == ("–", "this sensor cannot tell it")
    assert (page.numbers[1].value, page.numbers[1].share) == ("72 → 63", "as the sensor told it")
    assert page.wide is None
    assert page.missing[0] == "How the rhythm varies: the sensor sends the heart rate, not the single beats."


def test_a_session_in_which_nothing_was_measured_has_a_page_too():
    empty = msgspec.structs.replace(
        report(), figures=msgspec.structs.replace(report().figures, phases=[], responses=[]), segments=[], pain=[], intervals={}
    )
    page = page_of(a_session(report=empty, visit=a_visit(pain=(None, None))))
    assert page.lead.startswith("Nothing was measured in this session.")
    assert [number.value for number in page.numbers] == ["–", "–", "–"]
    assert "Pain: not asked." in page.missing


def test_without_quiet_minutes_there_is_nothing_to_compare():
    made = report()
    phases = [figures for figures in made.figures.phases if figures.phase != "baseline"]
    bare = msgspec.structs.replace(made, figures=msgspec.structs.replace(made.figures, phases=phases))
    page = page_of(a_session(report=bare))
    assert page.lead.startswith("There is nothing to compare in this session")
    assert "Quiet minutes before: there were none." in page.missing


def test_missing_figures_are_stated_with_their_reason():
    made = msgspec.structs.replace(with_context(report(), flagged=True), pain=[])
    phases = [
        msgspec.structs.replace(p, clean_segments=23 if p.phase == "recovery" else p.clean_segments) for p in made.figures.phases
    ]
    made = msgspec.structs.replace(made, figures=msgspec.structs.replace(made.figures, phases=phases))
    missing = page_of(a_session(report=made, visit=a_visit(pain=(6, None)))).missing
    said = [text.replace("\u00a0", " ") for text in missing]
    assert "Quiet minutes after: only 3 minutes of steady data; a comparison takes 4 minutes." in said
    assert "For 38 seconds no beat arrived; the line in the picture is open there." in said
    assert any(text.startswith("Your breathing was slow, changed, or could not be read.") for text in said)
    assert "Pain after: not asked." in said
    assert said[-1] == "Stress, muscle tension and health: heartbeats do not tell them."


@pytest.mark.parametrize(
    ("usual", "said"),
    [
        (BaselineRange(days=5, low_ms=28.0, high_ms=41.0), "on about two of three days they lie between 28 and 41 ms."),
        (BaselineRange(days=1), "it takes 3 earlier days, and there is one."),
        (BaselineRange(), "it takes 3 earlier days."),
        (BaselineRange(compared=False), "you have not agreed to have your sessions compared."),
    ],
)
def test_the_day_to_day_range_is_stated_or_why_it_is_missing(usual, said):
    page = page_of(a_session(baseline_range=usual))
    assert said in " ".join(page.sure)
    assert page.usual is (usual.low_ms is not None)
    assert ('class="usual"' in str(page.wide)) is (usual.low_ms is not None)


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"usual_class": "more"}, "It is more than rest alone usually does for you (−10% to +11%)."),
        ({"usual_class": "usual"}, "It lies within what rest alone usually does for you (−10% to +11%)."),
        ({"usual_class": "less"}, "It is less than rest alone usually does for you (−10% to +11%)."),
        ({"usual_class": "unknown"}, "today’s data were not fit to compare with it."),
    ],
)
def test_whether_the_change_exceeds_that_of_rest_is_answered_separately(context, said):
    made = with_context(report(), usual_ln_rmssd=0.0, usual_half_width=0.1, usual_rests=4, **context)
    assert said in " ".join(page_of(a_session(report=made)).sure)
    few = with_context(report(), usual_rests=2)
    assert "it takes 3 quiet sessions without massage, and there are 2." in " ".join(page_of(a_session(report=few)).sure)


def test_techniques_are_shown_with_minutes_and_free_notes_are_not():
    beside = Complement(complement=1, session=7, kind="heat", detail="a private word", noted_by="Ada", noted_utc="2026")
    session = a_session(complements=(beside,))
    said = [text.replace("\u00a0", " ") for text in page_of(session).done]
    assert said == [
        "Technique: Trigger point 10 mins; Long strokes 7 mins.",
        "Region: Lower back 17 mins.",
        "Pressure: Moderate 17 mins.",
        "Position: Prone.",
        "Turned over 09:55; Talking 10:01.",
        "Beside it: Heat.",
    ]
    html = html_of(session)
    assert "divorce" not in html
    assert "a private word" not in html


def test_a_planned_technique_is_shown_where_none_was_marked():
    page = page_of(a_session(visit=a_visit(technique="Swedish, slowly")))
    assert page.done == ("Technique: Swedish, slowly.", "Position: Prone.")


def test_a_rest_only_session_is_called_a_rest():
    page = page_of(a_session(row=row(kind="rest"), report=msgspec.structs.replace(with_context(report()), kind="rest")))
    assert page.title == "Your rest on 23 November 2026"
    assert "during the rest" in page.lead
    assert page.lines[1].phase == "Rest"


def test_a_running_and_an_interrupted_session_say_so():
    assert page_of(a_session(row=row(state="running"))).state.startswith("This session is still running")
    assert page_of(a_session(row=row(state="interrupted"))).state.startswith("This session was cut off")


def test_pain_entered_during_the_session_replaces_missing_scores():
    def numbers_of(pain, *noted):
        pain = page_of(a_session(visit=a_visit(pain=pain, noted=noted))).numbers[2]
        return pain.value, pain.within

    assert numbers_of((None, None), (10.0, 6), (1790.0, 4)) == ("6 → 4", "")
    assert numbers_of((None, None), (10.0, 6), (900.0, 3)) == ("6 → –", "3 during")
    assert numbers_of((6, 3), (10.0, 5), (900.0, 4), (1790.0, 2)) == ("6 → 3", "5, 4, 2 during")
    assert numbers_of((6, 3), *((500.0 + n, n) for n in (4, 7, 2, 5))) == ("6 → 3", "2 to 7 during")


# The picture


def paths(svg, name):
    return [element for element in ET.fromstring(svg).iter() if element.get("class") == name]


def test_missing_beats_break_the_line_of_the_chart():
    whole = report()
    closed = msgspec.structs.replace(
        whole, segments=[msgspec.structs.replace(segment, rmssd_ms=segment.rmssd_ms or 40.0) for segment in whole.segments]
    )
    lines = [len(paths(session_chart(a_session(report=made), english(), WIDE), "rhythm")) for made in (whole, closed)]
    assert lines == [4, 3]


def test_the_chart_runs_from_baseline_to_recovery_with_baseline_and_day_to_day_range():
    for size in (WIDE, NARROW):
        svg = session_chart(a_session(), english(), size)
        assert [element.get("class") for element in paths(svg, "ground baseline")] == ["ground baseline"]
        assert len(paths(svg, "base")) == len(paths(svg, "usual")) == 1
        texts = ["".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.tag == "text"]
        assert {"quiet", "massage", "after", "Turned over", "Talking", "09:44", "10:11"} <= set(texts)
        assert "Settling" not in texts
        assert re.search(r'aria-label="[^"]*quiet: 34 ms; massage: 42 ms; after: 40 ms"', svg)


@pytest.mark.parametrize("speech", [english(), german()], ids=lambda speech: speech.language)
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_names_of_the_phases_do_not_overlap(speech, size):
    drawn = [e for e in ET.fromstring(session_chart(a_session(), speech, size)).iter() if e.get("font-weight") == "600"]
    ends = [float(element.get("x")) + 1.1 * width_of(element.text) for element in drawn]
    assert len(drawn) == 3
    assert all(end < float(after.get("x")) for end, after in zip(ends, drawn[1:], strict=False))
    assert ends[-1] <= size[0]


def test_a_stop_is_drawn_with_its_label():
    session = a_session(visit=a_visit(*USUAL_MARKS, VisitMark(at_s=1300, note=STOP_NOTE, kind="stop"), stopped=True))
    assert "stopped" in session_chart(session, english(), WIDE)


# The page


@pytest.mark.parametrize("speech", [english(), german()], ids=lambda speech: speech.language)
@pytest.mark.parametrize("session", [a_session(), crowded(), a_session(report=too_little()), a_session(report=report(hrv=False))])
def test_no_page_carries_an_inline_style_or_script_and_rest_alone_stands_on_each(session, speech):
    html = html_of(session, speech)
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)
    assert f'<html lang="{speech.language}"' in html
    caveats = [speech.say(english_text) for english_text in (
        "Rest alone can do this. It does not measure pain, health or treatment success.",
        "Rest alone can change heart rate and heart rhythm too. They do not measure pain, health or treatment success.",
    )]  # fmt: skip
    assert any(caveat in html for caveat in caveats)
    assert speech.say("Your data belong to you: ask to have them exported or erased at any time.") in html
    assert not re.search(r"\{\w+\}", re.sub(r"<[^>]*>", "", html))  # no placeholder is left


def test_typed_text_is_escaped():
    odd = a_session(visit=a_visit(VisitMark(at_s=480, technique="<b>x</b> & {name}"), therapist="<i>Ada</i>"))
    html = html_of(odd)
    assert "&lt;b&gt;x&lt;/b&gt; &amp; {name}" in html
    assert "<b>x</b>" not in html
    assert "<i>Ada" not in html


def test_the_summary_can_be_a_part_of_another_page():
    part = client_summary_part(a_session(), german(), FRAME)
    assert part.startswith('<div class="take-home">')
    assert "<html" not in part


def test_the_page_says_how_great_a_rise_had_to_be_and_that_rest_is_mistaken_now_and_then():
    (said,) = [text for text in page_of(a_session()).sure if "lying still" in text]
    assert said == (
        "In this time it took a rise of about 22% to tell it from lying still; with nothing done, "
        "about one session in a hundred is called changed."
    )
    assert not [text for text in page_of(a_session(report=too_little())).sure if "lying still" in text]
    assert [text for text in page_of(a_session(), german()).sure if "stillem Liegen" in text]


@pytest.mark.parametrize(("class_", "said"), [("slight", True), ("clear", True), ("none", False), ("opposite", False)])
def test_a_heart_that_slowed_as_in_falling_asleep_has_that_said(class_, said):
    sure = page_of(a_session(report=with_class(class_))).sure  # 72 to 63 beats a minute
    assert any("falling asleep" in text for text in sure) is said

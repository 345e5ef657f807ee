import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from restbeat.analysis.course.course_figures import TechniqueAssociation
from restbeat.service.courses.visit_schedule import ClientPlan
from restbeat.service.documents.client_course import client_course, course_page
from restbeat.service.documents.course_charts import NARROW, WIDE, baseline_chart, pain_chart, response_chart
from restbeat.service.documents.course_figures import figure_lines, technique_lines
from restbeat.service.documents.course_sentences import clearest_association
from restbeat.service.sessions.client_session import Complement
from restbeat.service.settings import CoursePlan

from ...web.take_home import FRAME, a_course, an_entry, english, figures, german, known, many_figures


def page_of(course, speech=None):
    return course_page(course, speech or english())


def classes(svg, name):
    return [element for element in ET.fromstring(svg).iter() if name in (element.get("class") or "").split()]


def test_a_course_states_its_mean_with_interval_and_whether_it_exceeds_rest():
    page = page_of(a_course())
    assert page.span == "7 September 2026 to 26 October 2026 · 12 massages and 3 quiet sessions"
    assert page.lead == (
        (
            "Over 12 sessions your heart rhythm varied more during the massage than in the quiet minutes before it: "
            "+20% on average (between +11% and +30%)."
        ),
        "Against rest alone no difference can be told for you; it lies between −3% and +29%.",
        "From week to week this change shows no trend that we could tell; it lies between −2.0% and +4.0% a week.",
    )
    assert page.caveat.startswith("Rest alone can do this.")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"response_pct": known(1, -8, 11)},
            "there is no change on average that we could tell during the massage: it lies between −8%",
        ),
        ({"response_pct": known(-20, -30, -9)}, "varied less during the massage"),
        ({"response_pct_per_week": known(4, 1, 7)}, "From week to week this change rose by 4.0% (between 1.0% and 7.0%)."),
        ({"response_pct_per_week": known(-4, -7, -1)}, "this change fell by 4.0% (between 1.0% and 7.0%)."),
        ({"response_pct_per_week": known(2.5, 0.4, 4.7)}, "rose by 2.5% (between 0.4% and 4.7%)."),
        ({"beyond_rest_pct": known(12, 3, 22)}, "That is more than rest alone does for you: by 12% (between 3% and 22%)."),
        ({"beyond_rest_pct": known(-12, -22, -3)}, "That is less than rest alone does for you: by 12% (between 3% and 22%)."),
    ],
)
def test_only_an_interval_without_zero_gets_a_direction(changes, said):
    course = a_course(figures=msgspec.structs.replace(many_figures(), **changes))
    assert said in " ".join(page_of(course).lead)


def test_with_too_few_sessions_a_course_says_how_many_it_takes():
    page = page_of(a_course(days=(0,)))
    assert page.lead == ("An average takes 4 sessions with steady data; there is one.",)
    pain, _, level = page.charts
    assert pain.said.startswith("An average takes 4 sessions with pain before and after; there is one.")
    assert level.said.startswith("A trend takes 6 sessions with steady data over 4 weeks.")
    assert page.clearest[0].startswith("Nothing is said yet: it takes 3 sessions in which something was done")
    none = page_of(a_course(days=(0,), figures=figures(response_pct=known(None, None, None, 0))))
    assert none.lead == ("An average takes 4 sessions with steady data; there is none yet.",)


def test_the_clearest_association_is_not_stated_as_a_cause():
    page = page_of(a_course())
    assert page.clearest == (
        (
            "Long strokes went with the clearest response for you: +14% against what else was done "
            "(between +4% and +25%; 9 sessions)."
        ),
        "It went with it; that it made it is not said. Chance alone does this in about one course of eight.",
    )
    assert (
        page_of(a_course(), german())
        .clearest[0]
        .startswith("Lange Streichungen ging bei Ihnen mit der deutlichsten Reaktion einher")
    )


def test_without_a_clear_association_nothing_is_named():
    doubtful = TechniqueAssociation(
        factor="technique", name="Kneading", sessions=5, minutes=44.0, percent=9.0, low=-2.0, high=21.0
    )
    worse = TechniqueAssociation(
        factor="technique", name="Friction", sessions=5, minutes=44.0, percent=-9.0, low=-15.0, high=-2.0
    )
    made = msgspec.structs.replace(many_figures(), went_with=[doubtful, worse])
    assert clearest_association(made) is None
    assert page_of(a_course(figures=made)).clearest == ("Nothing that was done stood out from the rest so far.",)


def test_the_plan_is_shown_beside_the_actual_sessions():
    page = page_of(a_course())
    assert page.plan == "2 times a week, for 6 weeks, then every 2 weeks."
    assert page.due == "The next massage is due from Monday 9 November."
    assert [(line.planned, line.held, line.word) for line in page.periods] == [
        ("2", "2", "as planned"),
        ("2", "2", "as planned"),
        ("2", "1", "fewer"),
        ("2", "2", "as planned"),
        ("2", "2", "as planned"),
        ("2", "1", "fewer"),
        ("1", "2", "under way"),
    ]
    missing = page_of(a_course(days=(0, 3, 7, 21, 28, 31)))
    assert [line.word for line in missing.periods][:4] == ["as planned", "fewer", "missed", "fewer"]
    assert "not a proven dose" in page.custom


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (ClientPlan(plan=CoursePlan(), starts_on="2026-09-07", over=True), "The course is over; come when it suits you."),
        (ClientPlan(plan=CoursePlan(weeks=2, then_every_weeks=None), starts_on="2026-09-07"), "The plan has come to its end."),
        (ClientPlan(plan=CoursePlan(then_every_weeks=1, weeks=1), starts_on="2026-09-07"), "is due from Monday 2 November."),
        (ClientPlan(plan=CoursePlan()), ""),
    ],
)
def test_the_next_due_massage_is_stated(plan, said):
    assert page_of(a_course(plan=plan)).due.endswith(said)


def test_a_due_day_in_the_past_is_stated_as_such():
    assert page_of(a_course(today="2026-11-20")).due == "The next massage is due since Monday 9 November."


def test_a_stop_in_the_last_massage_stands_first():
    course = a_course()
    entries = [*course.entries[:-1], msgspec.structs.replace(course.entries[-1], stopped=True)]
    page = page_of(msgspec.structs.replace(course, entries=entries))
    assert page.first[0] == "Your last massage was stopped because your pain went up."
    assert page.lines[-1].stopped
    assert page_of(course).first is None


def test_without_consent_nothing_is_compared():
    page = page_of(a_course(agreed=False, figures=None))
    assert (page.charts, page.lead, page.clearest) == ((), (), ())
    html = client_course(a_course(agreed=False, figures=None), english(), FRAME)
    assert "You have not agreed to have your sessions compared over time" in html
    assert "Change of RMSSD" not in html
    assert "The plan, and what took place" in html  # when one comes is no comparison


# The charts


def test_a_missing_score_breaks_the_line_of_the_pain_chart():
    course = a_course()
    lines = [element for element in classes(pain_chart(course, english(), WIDE), "before") if element.tag == "polyline"]
    assert len(lines) == 2
    whole = msgspec.structs.replace(course, entries=[msgspec.structs.replace(entry, pain_before=5) for entry in course.entries])
    assert len([e for e in classes(pain_chart(whole, english(), WIDE), "before") if e.tag == "polyline"]) == 1


def test_each_score_has_a_shape_of_its_own():
    svg = pain_chart(a_course(days=(0,)), english(), NARROW)
    shapes = {
        name: [e for e in classes(svg, name) if e.tag in {"circle", "polygon"}] for name in ("before", "after", "day", "two")
    }
    assert {name: len(found) for name, found in shapes.items()} == {"before": 1, "after": 1, "day": 1, "two": 1}
    assert len({(found[0].tag, len(found[0].get("points", "").split())) for found in shapes.values()}) == 3
    assert len({found[0].get("points") for found in shapes.values()}) == 4


def test_a_session_that_does_not_count_is_marked_and_has_no_dot():
    svg = response_chart(a_course(), english(), WIDE)
    assert len(classes(svg, "point")) == 11
    assert len(classes(svg, "interval")) == 11
    assert [element.text for element in classes(svg, "quiet")].count("×") == 1


def test_the_mean_is_drawn_only_where_there_is_one():
    assert len(classes(response_chart(a_course(), english(), WIDE), "mean")) == 1
    assert classes(response_chart(a_course(days=(0,)), english(), WIDE), "mean") == []


def test_a_missing_baseline_breaks_the_line_and_rests_are_hollow():
    svg = baseline_chart(a_course(), english(), WIDE)
    assert len([element for element in classes(svg, "rhythm") if element.tag == "polyline"]) == 2
    assert len(classes(svg, "hollow")) == 3


@pytest.mark.parametrize("draw", [pain_chart, response_chart, baseline_chart])
def test_without_a_figure_there_is_no_chart(draw):
    blank = {
        "pain_before": None,
        "pain_after": None,
        "pain_24h": None,
        "pain_48h": None,
        "counts": False,
        "baseline_rmssd_ms": None,
    }
    assert draw(a_course(entries=[an_entry(1, 0, **blank)]), english(), WIDE) is None


@pytest.mark.parametrize("days", [(0,), (0, 0, 0), tuple(range(0, 400, 4))])
@pytest.mark.parametrize("draw", [pain_chart, response_chart, baseline_chart])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_mark_and_every_word_lies_within_the_chart(draw, size, days):
    svg = ET.fromstring(draw(a_course(days=days), english(), size))
    width, height = size
    for element in svg.iter():
        if element.tag == "circle":
            assert 0 <= float(element.get("cx")) <= width
            assert 0 <= float(element.get("cy")) <= height
        if element.tag == "text":
            reach = {"start": (0, 1), "middle": (0.5, 0.5), "end": (1, 0)}[element.get("text-anchor")]
            wide = 0.56 * 12 * len(element.text)
            assert float(element.get("x")) - reach[0] * wide >= -2
            assert float(element.get("x")) + reach[1] * wide <= width + 8


def test_an_interval_beyond_the_chart_ends_at_its_edge():
    wild = an_entry(1, 0, percent=400.0, low_pct=-99.0, high_pct=900.0)
    svg = response_chart(a_course(entries=[wild]), english(), WIDE)
    (dot,) = classes(svg, "point")
    assert 0 < float(dot.get("cy")) < WIDE[1]


# The page


@pytest.mark.parametrize("speech", [english(), german()], ids=lambda speech: speech.language)
@pytest.mark.parametrize("days", [(), (0,), (0, 3, 7, 10, 14, 21, 24, 28, 31, 35, 42, 49), tuple(range(0, 400, 4))])
def test_no_page_carries_an_inline_style_or_script_and_each_chart_has_its_table(days, speech):
    html = client_course(a_course(days=days), speech, FRAME)
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)
    assert html.count('<svg class="plot"') == 2 * html.count("<details>")
    assert speech.say("Rest alone can do this. It does not measure pain, health or treatment success.") in html
    assert not re.search(r"\{\w+\}", re.sub(r"<[^>]*>", "", html))


def test_a_long_course_lists_its_newest_sessions_and_draws_all():
    page = page_of(a_course(days=tuple(range(0, 400, 4))))
    assert (len(page.lines), page.older) == (60, 43)
    assert page.lines[-1].date == "8\u00a0Oct\u00a02027"  # over two years each day has its year
    assert len(classes(page.charts[1].wide, "point")) == 99


def test_complements_are_shown_by_kind_without_their_note():
    html = client_course(a_course(), english(), FRAME)
    assert "+ Heat" in html
    assert "20 min" not in html


def test_a_session_that_does_not_count_has_the_right_reason():
    entries = [
        an_entry(1, 0, counts=False, breathing=True),
        an_entry(2, 3, counts=False, percent=None),
        an_entry(3, 6, state="running", counts=False, percent=None),
    ]
    said = [line.change for line in page_of(a_course(entries=entries)).lines]
    assert said == ["breathing alone may have done it", "too little clean data", "not finished"]


def test_a_complement_of_each_kind_has_a_word_in_both_languages():
    kinds = ("heat", "cold", "mindfulness", "tai-chi-yoga", "medication", "other")
    beside = [Complement(complement=n, session=1, kind=kind, noted_by="Ada", noted_utc="2026") for n, kind in enumerate(kinds)]
    course = a_course(entries=[an_entry(1, 0, complements=beside)])
    assert page_of(course).lines[0].beside == "Heat, Cold, Mindfulness, Tai chi or yoga, Medication changed, Something else"
    assert page_of(course, german()).lines[0].beside.startswith("Wärme, Kälte, Achtsamkeit, Tai-Chi oder Yoga")


# For the therapist


def test_the_therapist_sees_every_figure_or_why_it_is_missing():
    lines = {line.name: line for line in figure_lines(a_course())}
    mean = lines["Change of RMSSD in the massage, mean"]
    assert (mean.value, mean.within, mean.behind) == ("+20%", "+11% to +30%", "12 sessions")
    assert lines["RMSSD of the quiet minutes before, mean"].value == "31.0\u00a0ms"
    silent = lines["Pain two days later, against before"]
    assert (silent.value, silent.behind) == ("–", "A mean needs 4 sessions with steady data; there is one.")
    assert figure_lines(a_course(figures=None)) == ()


def test_the_therapist_sees_every_technique_the_clearest_first_those_without_figure_last():
    lines = technique_lines(a_course())
    assert [line.name for line in lines] == ["Long strokes", "Kneading", "Neck"]
    assert (lines[0].value, lines[0].within) == ("+14%", "+4% to +25%")
    assert lines[2].why == "Done in 2 sessions with steady data; 3 are needed."

"""The pages that clients take home, with made-up figures: typical, crowded, and with every kind of missing data."""

from datetime import UTC, date, timedelta

import msgspec

from restbeat.analysis.course.course_figures import Course, Estimate, TechniqueAssociation
from restbeat.analysis.figures import ResponseContext
from restbeat.analysis.session_pain import session_pain
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import Pain, PhaseStart
from restbeat.service.clients.models import FlagRow
from restbeat.service.courses.due_clients import EVERYBODY
from restbeat.service.courses.models import ClientCourse, CourseEntry, DueRow
from restbeat.service.courses.visit_schedule import ClientPlan
from restbeat.service.documents.page_templates import Frame
from restbeat.service.errors import UnknownClientError, UnknownSessionError
from restbeat.service.listing import Page
from restbeat.service.rendering.pdf import PaperError
from restbeat.service.rendering.translations import speech_of
from restbeat.service.sessions.client_session import BaselineRange, ClientSession, Complement
from restbeat.service.sessions.models import TimeSpent, Visit, VisitMark
from restbeat.service.settings import CoursePlan

from .made_up import report, row

FRAME = Frame(static=lambda name: f"/static/x/{name}", languages=(("de", "Deutsch", "?lang=de"),), pdf="summary.pdf")
BEGAN = date(2026, 9, 7)
LONG = "A technique with quite a long name, indeed"


def english():
    return speech_of("en", UTC)


def german():
    return speech_of("de", UTC)


def told(before=None, after=None, *noted):
    """Return the pain of a session whose massage lasts from 480 to 1680 s; `noted`: times and scores within it."""
    phases = [PhaseStart(480.0, Phase.MASSAGE), PhaseStart(1680.0, Phase.RECOVERY)]
    events = [*phases, *(Pain(at_s, score) for at_s, score in noted)]
    return session_pain(sorted(events, key=lambda event: event.t), before, after)


def a_visit(*marks, pain=(6, 4), noted=(), **changes):
    fields = {"therapist": "Ada", "posture": "Prone", "technique": None, "screening": [], "saved": None, "mind": ""}
    fields |= {"pain_before": pain[0], "pain_after": pain[1], "pain": told(*pain, *noted)}
    return Visit(session=7, client="M-014", marks=list(marks), **(fields | changes))


USUAL_MARKS = (
    VisitMark(at_s=480, technique="Long strokes", region="Lower back", pressure="Moderate"),
    VisitMark(at_s=840, note="Turned over"),
    VisitMark(at_s=900, technique="Trigger point"),
    VisitMark(at_s=1200, note="Talking"),
    VisitMark(at_s=1210, note="spoke of the divorce"),
)


def a_session(*, visit=None, **changes):
    fields = {
        "row": row(),
        "report": with_context(report()),
        "visit": visit or a_visit(*USUAL_MARKS),
        "baseline_range": BaselineRange(days=5, low_ms=28.0, high_ms=41.0),
    }
    return ClientSession(**(fields | changes))


def with_context(made, **changes):
    context = ResponseContext(steady=True, standard_error=0.08, wander_sd=0.1, usual_rests=1)
    return msgspec.structs.replace(made, context={"massage": msgspec.structs.replace(context, **changes)})


def too_little():
    """Return a session with a loose strap: hardly a beat of the massage is usable, so the response is unknown."""
    made = report()
    phases = [
        msgspec.structs.replace(phase, accepted_pct=61.0, rmssd_ms=None, ln_rmssd=None, clean_segments=6)
        if phase.phase == "massage"
        else phase
        for phase in made.figures.phases
    ]
    responses = [
        msgspec.structs.replace(found, class_="insufficient", percent=None, delta_ln_rmssd=None, half_width=None)
        for found in made.figures.responses
    ]
    return msgspec.structs.replace(
        made, figures=msgspec.structs.replace(made.figures, phases=phases, responses=responses), intervals={}, context={}
    )


def short_baseline(seconds=130, *, clean=None):
    """Return a report whose baseline is too short to compare with: it was cut, or only some of it is clean."""
    made = report()
    fields = {"clean_segments": seconds // 10 if clean is None else clean}
    phases = [
        msgspec.structs.replace(phase, start_s=phase.end_s - seconds, **fields) if phase.phase == "baseline" else phase
        for phase in made.figures.phases
    ]
    responses = [
        msgspec.structs.replace(
            found, class_="insufficient", percent=None, delta_ln_rmssd=None, half_width=None, why="Too short."
        )
        for found in made.figures.responses
    ]
    figures = msgspec.structs.replace(made.figures, phases=phases, responses=responses)
    return msgspec.structs.replace(made, figures=figures, intervals={})


def with_class(class_, *, interval=(0.03, 0.37), **context):
    made = with_context(report(), **context)
    first, *others = made.figures.responses
    responses = [msgspec.structs.replace(first, class_=class_), *others]
    return msgspec.structs.replace(
        made, figures=msgspec.structs.replace(made.figures, responses=responses), intervals={"massage": interval}
    )


def crowded():
    """Return the fullest summary: a stop, nine long techniques, ten regions, forty notes, everything missing."""
    made = with_class(
        "opposite", interval=(-0.6, -0.2), flagged=True, usual_class="less", usual_ln_rmssd=0.02, usual_half_width=0.2
    )
    phases = [msgspec.structs.replace(figures, accepted_pct=88.0) for figures in made.figures.phases]
    integrity = msgspec.structs.replace(made.figures.integrity, beats=19_440, rejected_beats=2_350, gaps=14, lost_s=754.0)
    made = msgspec.structs.replace(
        made,
        figures=msgspec.structs.replace(made.figures, phases=phases, integrity=integrity),
        intervals={"massage": (-0.6, -0.2), "recovery": (-0.1, 0.3)},
    )
    marks = [
        VisitMark(at_s=480 + 20 * n, technique=f"{LONG} {n}", region=f"{LONG} {n}", pressure=f"{LONG} {n}") for n in range(9)
    ]
    marks += [VisitMark(at_s=500 + 20 * n, note=("Turned over", "Talking", "Heat", "Cold")[n % 4]) for n in range(40)]
    marks.sort(key=lambda mark: mark.at_s)
    beside = tuple(
        Complement(complement=n, session=7, kind=kind, noted_by="Ada", noted_utc="2026-11-23T12:00:00Z")
        for n, kind in enumerate(("heat", "cold", "mindfulness", "tai-chi-yoga", "medication", "other"))
    )
    return a_session(
        row=row(client="A-client-with-a-very-long-pseudonym-yes", state="interrupted"),
        report=made,
        visit=a_visit(
            *sorted(marks, key=lambda mark: mark.at_s), pain=(4, 9), therapist="A therapist with a rather long name", stopped=True
        ),
        baseline_range=BaselineRange(days=12, low_ms=28.0, high_ms=41.0),
        complements=beside,
    )


def an_entry(number, day, **changes):
    fields = {
        "started_utc": f"{BEGAN + timedelta(days=day)}T09:30:00Z",
        "kind": "massage",
        "state": "ended",
        "pain_before": 6,
        "pain_after": 4,
        "pain_24h": 5,
        "pain_48h": 4,
        "counts": True,
        "class_": "slight",
        "percent": 18.0,
        "low_pct": -4.0,
        "high_pct": 41.0,
        "baseline_rmssd_ms": 31.0,
        "worked": [TimeSpent(what="Long strokes", minutes=12), TimeSpent(what="Kneading", minutes=8)],
    }
    return CourseEntry(session=number, **(fields | changes))


def figures(**changes):
    silent = Estimate(count=1, why="A mean needs 4 sessions with steady data; there is one.")
    names = ("response_pct", "beyond_rest_pct", "response_pct_per_week", "baseline_rmssd_ms", "baseline_pct_per_week")
    pains = ("pain_after", "pain_24h", "pain_48h", "pain_before_per_week")
    fields = {"sessions": 1, "rests": 0, "left_out": 0, "weeks": 0.0, "went_with": []} | dict.fromkeys((*names, *pains), silent)
    return Course(**(fields | changes))


def known(value, low, high, count=12):
    return Estimate(count=count, value=value, low=low, high=high)


def many_figures():
    return figures(
        sessions=12,
        rests=3,
        left_out=1,
        weeks=7.0,
        response_pct=known(20.0, 11.0, 30.0),
        beyond_rest_pct=known(12.0, -3.0, 29.0, 15),
        response_pct_per_week=known(1.0, -2.0, 4.0),
        baseline_rmssd_ms=known(31.0, 28.5, 33.6, 15),
        baseline_pct_per_week=known(2.5, 0.4, 4.7, 15),
        pain_after=known(-1.8, -2.3, -1.3),
        pain_24h=known(-1.0, -1.6, -0.4),
        pain_before_per_week=known(-0.4, -0.6, -0.2),
        went_with=[
            TechniqueAssociation(factor="technique", name="Kneading", sessions=5, minutes=44.0, percent=3.0, low=-8.0, high=16.0),
            TechniqueAssociation(
                factor="technique", name="Long strokes", sessions=9, minutes=120.0, percent=14.0, low=4.0, high=25.0
            ),
            TechniqueAssociation(
                factor="region", name="Neck", sessions=2, minutes=9.0, why="Done in 2 sessions with steady data; 3 are needed."
            ),
        ],
    )


def a_course(days=(0, 3, 7, 10, 14, 21, 24, 28, 31, 35, 42, 49), **changes):
    """Return a course of massages and rests; the fourth had too little data, the fifth no pain score before."""
    entries = [an_entry(n, day) for n, day in enumerate(days, 1)]
    if len(entries) > 4:
        nothing = {"counts": False, "percent": None, "low_pct": None, "high_pct": None, "baseline_rmssd_ms": None}
        entries[3] = msgspec.structs.replace(entries[3], class_="insufficient", **nothing)
        entries[4] = msgspec.structs.replace(entries[4], pain_before=None, pain_48h=None)
        beside = Complement(
            complement=1, session=2, kind="heat", detail="20 min", noted_by="Ada", noted_utc="2026-09-10T12:00:00Z"
        )
        entries[1] = msgspec.structs.replace(entries[1], complements=[beside])
        rests = [an_entry(20 + n, 2 + 7 * n, kind="rest", pain_before=None, pain_after=None, worked=[]) for n in range(3)]
        quiet = [msgspec.structs.replace(rest, pain_24h=None, pain_48h=None) for rest in rests]
        entries = sorted([*entries, *quiet], key=lambda entry: entry.started_utc)
    fields = {
        "client": "M-014",
        "today": str(BEGAN + timedelta(days=52)),
        "plan": ClientPlan(plan=CoursePlan(), starts_on=str(BEGAN)),
        "entries": entries,
        "figures": many_figures() if len(days) > 4 else figures(),
    }
    return ClientCourse(**(fields | changes))


def a_flag(number=1, reason="Pain 7 after the session, 4 before it."):
    return FlagRow(flag=number, session=7, reason=reason, raised_utc="2026-11-23T10:00:00Z", cleared_utc=None, cleared_by=None)


def due_row(client, state="due", late=3, **changes):
    fields = {
        "due_on": str(BEGAN),
        "last_visit_utc": "2026-09-04T09:30:00Z",
        "sessions": 5,
        "missed": 1,
        "plan": ClientPlan(plan=CoursePlan(), starts_on=str(BEGAN)),
        "running": False,
        "may_record": True,
        "flags": [],
    }
    return DueRow(client=client, state=state, days_late=late, **(fields | changes))


class FakeCourses:
    """Stands in for `Courses`."""

    def __init__(self):
        self.sessions = {
            7: a_session(),
            8: a_session(report=report(hrv=False), row=row(8)),
            9: crowded(),
            10: a_session(report=too_little()),
        }
        self.courses = {
            "M-014": a_course(),
            "M-001": a_course(days=(0,)),
            "M-000": a_course(days=(), plan=ClientPlan(plan=CoursePlan())),
            "M-no": a_course(agreed=False, figures=None),
            "M-many": a_course(days=tuple(range(0, 400, 4)), flags=[a_flag()]),
        }
        self.rows = [
            due_row("M-014", flags=[a_flag(), a_flag(2, "Check the left shoulder first; it was sore for days.")]),
            due_row("A-client-with-a-very-long-pseudonym-yes", late=0, may_record=False),
            due_row("M-002", "soon", -2, running=True),
            due_row("M-003", "later", -9),
            due_row("M-004", "away", 60),
            due_row("M-005", "none", 0, last_visit_utc=None, sessions=0, missed=0),
            due_row("M-006", "over", 0),
        ]
        self.speaks = {}
        self.calls = []

    async def session_by_link(self, session):
        return await self.session(session, "by link", by="link")

    async def session(self, session, what, *, by):
        self.calls.append((what, session, by))
        if session not in self.sessions:
            raise UnknownSessionError(f"There is no session {session}.")
        return self.sessions[session]

    async def course(self, client, what, *, by):
        self.calls.append((what, client, by))
        if client not in self.courses:
            raise UnknownClientError(f"There is no client {client}.")
        return self.courses[client]

    async def language(self, client):
        return self.speaks.get(client)

    async def practice(self, wanted=EVERYBODY):
        return Page(self.rows)

    async def pdf(self, html, files):
        self.calls.append(("pdf", html, sorted(files)))
        raise PaperError("PDF needs WeasyPrint.")

"""Draft of SOAP notes, prefilled with answers and measurements, for a therapist to complete. Pure functions."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ...analysis.figures import SessionReport
from ...analysis.reporting_items import Reported
from ...analysis.session_pain import SessionPain
from ..rendering import plain_words
from ..sessions.models import Answer, SessionRow, Soap, TimeSpent, Visit, VisitMark
from ..sessions.screening import QUESTIONS
from ..sessions.session_facts import contraindications, time_spent
from .therapist_summary import summary_of

NO_NECESSITY: Final = "Heart rhythm variability is relaxation feedback; it shows no medical necessity."


def draft_of(row: SessionRow, report: SessionReport, visit: Visit) -> Soap:
    """Return the draft of a session's SOAP notes."""
    return Soap(
        subjective=_lines([_pain(visit.pain), *_taken(visit.reported)]),
        objective=_lines(_objective(row, report, visit)),
        assessment=_lines([_pain_change(visit.pain)]),
        contraindications=contraindications(visit.screening),
        plan=_lines(_reminders(visit.screening)),
    )


def _objective(row: SessionRow, report: SessionReport, visit: Visit) -> Iterator[str]:
    summary = summary_of(row, report, visit)
    lengths = [
        f"{plain_words.phase_word(p.phase, row.kind).lower()} {_minutes((p.end_s - p.start_s) / 60)}"
        for p in report.figures.phases
    ]
    posture = f", {visit.posture.lower()}" if visit.posture else ""
    yield f"{'; '.join(lengths)}{posture}." if lengths else ""
    for name, pick in (("Technique", _technique), ("Region", _region), ("Pressure", _pressure)):
        yield _done(name, time_spent(report, visit.marks, pick))
    yield _done("Also noted", [f"{mark.note} ({plain_words.clock(mark.at_s)})" for mark in visit.marks if mark.note])
    if "→" in summary.heart_rate:
        yield f"Heart rate {summary.heart_rate} {summary.heart_rate_phases}."
    took_place = {plain_words.phase_word(phase.phase, row.kind) for phase in report.figures.phases}
    responses = [response for response in summary.responses if report.hrv and response.phase in took_place]
    for response in responses:
        conclusive = response.class_ in {
            "clear",
            "slight",
            "opposite",
        }  # for the other classes the sentence alone says everything
        yield f"{response.sentence} RMSSD {response.effect}." if conclusive else response.sentence
    yield plain_words.CAVEAT if responses else ""
    yield f"Signal: {summary.quality}"
    if summary.rhythm:
        yield summary.rhythm


def _done(name: str, parts: Iterable[TimeSpent | str]) -> str:
    listed = [part if isinstance(part, str) else f"{part.what.lower()} {_minutes(part.minutes)}" for part in parts]
    return f"{name}: {', '.join(listed)}." if listed else ""


def _technique(mark: VisitMark) -> str | None:
    return mark.technique


def _region(mark: VisitMark) -> str | None:
    return mark.region


def _pressure(mark: VisitMark) -> str | None:
    return mark.pressure


def _pain(pain: SessionPain) -> str:
    before, after = (_score(score) for score in (pain.before, pain.after))
    during = ", ".join(f"{score} at {plain_words.clock(at_s)}" for at_s, score in pain.during)
    return f"Pain, 0 to 10: {before} before, {after} after{f'; during: {during}' if during else ''}."


def _taken(reported: Reported) -> Iterator[str]:
    return (
        f"{name}: {text.rstrip('.')}."
        for name, text in (("Medication", reported.medication), ("Caffeine", reported.caffeine))
        if text
    )


def _pain_change(pain: SessionPain) -> str:
    if pain.before is None or pain.after is None:
        return ""
    change = pain.after - pain.before
    if change == 0:
        return "Pain as before the session."
    points = plain_words.counted(abs(change), "point", "points")
    return f"Pain {points} {'lower' if change < 0 else 'higher'} than before the session."


def _reminders(screening: Sequence[Answer]) -> Iterator[str]:
    reminders = {question.question: question.reminder for question in QUESTIONS}
    return (f"{answer.question}: {text}" for answer in screening if answer.yes and (text := reminders.get(answer.question)))


def _score(score: int | None) -> str:
    return "not asked" if score is None else str(score)


def _minutes(minutes: float) -> str:
    return plain_words.duration(60 * minutes) if minutes >= 1 else f"{60 * minutes:.0f} s"


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(part[:1].upper() + part[1:] for part in parts if part)

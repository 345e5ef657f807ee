"""The client's page of a session. Pure functions without login or request, so that a link shows the same page."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from ...analysis.figures import PhaseFigures
from ..rendering.translations import NONE, Speech
from ..rendering.vocabulary import CLIENT_NOTES
from ..sessions.client_session import ClientSession
from ..sessions.co_interventions import complement_word, complements_of
from ..sessions.models import SessionRow, VisitMark
from ..sessions.session_facts import NOT_NOTED, baseline_trouble, time_spent
from . import client_caveats as limits, client_sentences as words
from .client_chart import NARROW, WIDE, moment_of, session_chart
from .page_templates import Frame, render

_MAX_PARTS: Final = 3
"""Techniques, regions or pressures listed, the longest first."""
_MAX_LETTERS: Final = 32
"""Letters shown of a technique, region or pressure."""
_PHASES: Final = ("baseline", "massage", "recovery")


@dataclass(frozen=True, slots=True)
class Number:
    """One of the three numbers, with the share of usable data."""

    name: str
    value: str
    within: str
    """95 % interval; empty where there is none."""
    detail: str
    share: str


@dataclass(frozen=True, slots=True)
class Line:
    """One phase in the table beside the chart."""

    phase: str
    length: str
    rate: str
    rmssd: str
    used: str


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """Texts and charts of the page."""

    title: str
    when: str
    state: str
    first: tuple[str, str] | None
    lead: str
    after: str
    caveat: str
    numbers: tuple[Number, ...]
    wide: Markup | None
    narrow: Markup | None
    usual: bool
    lines: tuple[Line, ...]
    sure: tuple[str, ...]
    done: tuple[str, ...]
    missing: tuple[str, ...]
    data_source: str
    """Session, device and analysis version, for the footer."""


def client_summary(session: ClientSession, speech: Speech, frame: Frame) -> str:
    """Return the whole page as HTML, in the language of `speech`."""
    return render("client_summary.html", speech, frame, page=summary_page(session, speech), alone=True)


def client_summary_part(session: ClientSession, speech: Speech, frame: Frame) -> Markup:
    """Return the page's content as a part of another page, which has to load `base.css` and `take_home.css`."""
    page = summary_page(session, speech)
    return Markup(render("client_summary_part.html", speech, frame, page=page, alone=False))  # noqa: S704 - the template escapes


def summary_page(session: ClientSession, speech: Speech) -> SummaryPage:
    """Return the texts and charts of a session."""
    row, report, speech = session.row, session.report, speech.in_zone(session.zone)
    wide = session_chart(session, speech, WIDE) if report.hrv else None
    return SummaryPage(
        title=_title(speech, row),
        when=_when(speech, session),
        state=_state(speech, row.state),
        first=words.pain_warning(speech, session),
        lead=words.lead(speech, session),
        after=words.recovery_sentence(speech, session),
        caveat=words.caveat(speech, session),
        numbers=tuple(_numbers(speech, session)),
        wide=wide,
        narrow=session_chart(session, speech, NARROW) if wide else None,
        usual=wide is not None and session.baseline_range.low_ms is not None,
        lines=tuple(_lines(speech, session)),
        sure=tuple(text for text in limits.certainty(speech, session) if text),
        done=tuple(_done(speech, session)),
        missing=tuple(limits.not_measured(speech, session)),
        data_source=_data_source(speech, session),
    )


def _title(speech: Speech, row: SessionRow) -> str:
    if not row.dated:
        return speech.say("Your rest") if row.kind == "rest" else speech.say("Your session")
    title = speech.say("Your rest on {day}") if row.kind == "rest" else speech.say("Your session on {day}")
    return title.format(day=speech.day(row.started_utc))


def _when(speech: Speech, session: ClientSession) -> str:
    row, parts = session.row, [speech.length(session.row.duration_s)]
    if row.dated:
        begin, end = speech.time(row.started_utc), speech.time(row.started_utc, row.duration_s)
        parts.insert(0, speech.say("{begin} to {end}", begin=begin, end=end))
    if session.visit.therapist:
        parts.append(speech.say("with {name}", name=session.visit.therapist))
    return " · ".join(parts)


def _state(speech: Speech, state: str) -> str:
    match state:
        case "running":
            return speech.say("This session is still running: the page tells as far as it has come.")
        case "interrupted":
            return speech.say("This session was cut off: the page tells what was measured until then.")
        case _:
            return ""


def _numbers(speech: Speech, session: ClientSession) -> Iterator[Number]:
    report = session.report
    response = words.headline(report)
    of = {figures.phase: figures for figures in report.figures.phases}
    later = of.get(response.phase) if response else None
    base = of.get("baseline")
    later = later or of.get("massage") or of.get("recovery")
    yield _variability(speech, session, base, later)
    yield _heart_rate(speech, session, base, later)
    pain = session.visit.pain
    answered = sum(score is not None for score in (pain.before, pain.after))
    yield Number(
        name=speech.say("Pain, 0 to 10"),
        value=f"{speech.number(pain.before)} → {speech.number(pain.after)}" if answered else NONE,
        within=words.pain_during(speech, [score for _, score in pain.during]),
        detail=speech.say("before and after, as you said"),
        share=speech.say("{told} of 2 answers", told=speech.number(answered)),
    )


def _variability(speech: Speech, session: ClientSession, base: PhaseFigures | None, later: PhaseFigures | None) -> Number:
    report = session.report
    name = speech.say("Heart rhythm variability")
    if not report.hrv:
        return Number(name, NONE, "", speech.say("this sensor cannot tell it"), "")
    response = words.headline(report)
    interval = words.interval_of(report)
    told = response is not None and response.class_ in words.CONCLUSIVE and interval is not None
    low, high = (speech.change(value) for value in (interval or (None, None)))
    pair = None
    trouble = baseline_trouble(report)
    if base and later and not trouble and base.rmssd_ms is not None and later.rmssd_ms is not None:
        pair = speech.say("RMSSD {before} → {after} ms", before=speech.number(base.rmssd_ms), after=speech.number(later.rmssd_ms))
    seconds = [figures.end_s - figures.start_s for figures in (base, later) if figures]
    clean = [10.0 * figures.clean_segments for figures in (base, later) if figures]
    share = min(100 * sum(clean) / sum(seconds), 100.0) if sum(seconds) else None
    return Number(
        name,
        speech.change(response.percent) if told and response else NONE,
        speech.say("{low} to {high}", low=low, high=high) if told else "",
        pair or (speech.say("quiet minutes too short") if trouble == "cut" else speech.say("too little clean data")),
        "" if share is None else speech.say("{share} of the time could be used", share=speech.share(share)),
    )


def _heart_rate(speech: Speech, session: ClientSession, base: PhaseFigures | None, later: PhaseFigures | None) -> Number:
    rates = [figures.mean_hr_bpm for figures in (base, later) if figures and figures.mean_hr_bpm is not None]
    counted = [figures for figures in (base, later) if figures and figures.accepted_pct is not None and figures.beats]
    beats = sum(figures.beats for figures in counted)
    share = sum((figures.accepted_pct or 0.0) * figures.beats for figures in counted) / beats if beats else None
    pair = len(rates) == 2 and later is not None
    return Number(
        name=speech.say("Heart rate"),
        value=" → ".join(speech.number(rate) for rate in rates) or NONE,
        within="",
        detail=speech.say("beats a minute, quiet to {phase}", phase=words.phase_short(speech, later.phase, session.row.kind))
        if pair and later
        else speech.say("beats a minute"),
        share=speech.say("{share} of the beats could be used", share=speech.share(share))
        if share is not None and session.report.hrv
        else speech.say("as the sensor told it")
        if rates
        else "",
    )


def _lines(speech: Speech, session: ClientSession) -> Iterator[Line]:
    for figures in session.report.figures.phases:
        if figures.phase in _PHASES:
            yield Line(
                words.phase_name(speech, figures.phase, session.row.kind),
                speech.length(figures.end_s - figures.start_s, short=True),
                speech.number(figures.mean_hr_bpm),
                speech.number(figures.rmssd_ms),
                speech.share(figures.accepted_pct) if session.report.hrv else NONE,
            )


def _done(speech: Speech, session: ClientSession) -> Iterator[str]:
    """Yield techniques, regions and pressures with their minutes, then position, notes and complements."""
    visit = session.visit
    for name, pick in (
        (speech.say("Technique"), lambda mark: mark.technique),
        (speech.say("Region"), lambda mark: mark.region),
        (speech.say("Pressure"), lambda mark: mark.pressure),
    ):
        if said := _worked(speech, session, pick):
            yield f"{name}: {said}."
    if visit.technique and not any(mark.technique for mark in visit.marks):
        yield speech.say("Technique: {name}.", name=_brief(speech.known(visit.technique)))
    if visit.posture:
        yield speech.say("Position: {name}.", name=speech.known(visit.posture))
    notes = [mark for mark in visit.marks if (mark.note or "").casefold() in CLIENT_NOTES]
    if notes:
        said_notes = [
            f"{speech.known((mark.note or '').casefold())} {moment_of(speech, session.row, mark.at_s)}" for mark in notes
        ]
        yield _limited(speech, said_notes)
    if other := [complement_word(speech, kind) for kind in complements_of(session.complements)]:
        yield speech.say("Beside it: {what}.", what=speech.listed(other))


def _worked(speech: Speech, session: ClientSession, pick: Callable[[VisitMark], str | None]) -> str:
    done = sorted(time_spent(session.report, session.visit.marks, pick), key=lambda part: (part.what == NOT_NOTED, -part.minutes))
    parts = []
    for part in done:
        name = speech.say("not noted") if part.what == NOT_NOTED else _brief(speech.known(part.what))
        parts.append(f"{name} {speech.length(60 * part.minutes, short=True)}")
    return _limited(speech, parts).rstrip(".")


def _brief(name: str) -> str:
    return name if len(name) <= _MAX_LETTERS else f"{name[: _MAX_LETTERS - 1].rstrip()}…"


def _limited(speech: Speech, parts: Sequence[str]) -> str:
    """Return the first `_MAX_PARTS` parts, and how many more there are."""
    shown = list(parts[:_MAX_PARTS])
    if len(parts) > _MAX_PARTS:
        more = len(parts) - _MAX_PARTS
        shown.append(speech.say_count("and one more", "and {count} more", more))
    return "; ".join(shown) + "." if shown else ""


def _data_source(speech: Speech, session: ClientSession) -> str:
    figures = session.report.figures
    device = figures.device.get("model") or figures.device.get("name") or session.row.source
    parts = [
        speech.say("Session {number}", number=str(session.row.session)),
        *([session.row.client] if session.row.client else []),
        str(device),
        speech.say_count("one beat", "{count} beats", figures.integrity.beats),
        speech.say_count("one left out", "{count} left out", figures.integrity.rejected_beats),
        speech.say("analysis {version}", version=figures.algorithm),
    ]
    return " · ".join(parts)

"""Content of the therapist's summary page, derived from a report: sentences, the table with its footnotes, data quality."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ...analysis.figure_table import FIGURES
from ...analysis.figures import PhaseFigures, ResponseFigures, SessionReport
from ...analysis.pain_rules import headline_of
from ...analysis.rhythm.phase_rhythm import advice
from ..rendering import plain_words
from ..rendering.ecg_plot import Trace, traces_of
from ..sessions.models import SessionRow, Visit
from ..sessions.session_facts import (
    BASELINE_SHORT,
    HEART_RATE_ONLY,
    NO_COMPARISON,
    baseline_sentence,
    baseline_trouble,
    contraindications,
    rhythm_sentence,
)

_COLUMNS: Final = tuple((figure, figure.column) for figure in FIGURES if figure.column)
_BAR_PCT: Final = (-60.0, 140.0)
"""Change in percent at the ends of a response's bar."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of the table; where it is missing, with the number of the footnote that gives the reason."""

    text: str
    footnote: int | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One phase of the table; a footnote of its own is a caution about figures of which none is missing."""

    phase: str
    length: str
    cells: tuple[Cell, ...]
    footnote: int | None = None


@dataclass(frozen=True, slots=True)
class ResponseView:
    """The relaxation response of one phase; positions on its bar in percent of the bar's width."""

    phase: str
    class_: str
    word: str
    effect: str
    sentence: str
    why: str
    """Answer to the first question: more than today's drift?"""
    usual: str = ""
    """Answer to the second question: more than rest alone usually does? Empty where already stated, or not applicable."""
    low_at: float | None = None
    high_at: float | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Content of the summary page."""

    first: tuple[str, str] | None
    """Title and text of what precedes everything else: a stop for pain, or risen or severe pain; None where there is neither."""
    lead: str
    responses: tuple[ResponseView, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[TableRow, ...]
    footnotes: tuple[str, ...]
    variability: str
    variability_range: str
    rmssd: str | None
    heart_rate: str
    heart_rate_phases: str
    pain: str
    """Before → after, and during; empty where no score is known."""
    quality: str
    rhythm: str
    """What the rhythm does not allow, said once and without alarm; empty where there is nothing to say."""
    strap: str
    screening: str
    """What was asked before the session; empty where there are no notes."""
    notes: tuple[tuple[str, str], ...]
    zero_at: float
    traces: tuple[Trace, ...]


def summary_of(row: SessionRow, report: SessionReport, visit: Visit | None = None) -> Summary:
    """Return the content of the summary page for a session and its report; `visit`: None where there are no notes."""
    figures = report.figures
    responses = tuple(_response(response, report, row.kind) for response in figures.responses)
    rows, footnotes = _table(report, row.kind)
    base, later = _compared(figures.phases)
    headline = next(
        (response for response in responses if response.class_ != "insufficient"), responses[0] if responses else None
    )
    return Summary(
        first=_pain_first(visit) if visit else None,
        lead=_lead(report, headline),
        responses=responses,
        columns=tuple((column.name, column.unit) for _, column in _COLUMNS),
        rows=rows,
        footnotes=footnotes,
        variability=headline.effect.partition(" (")[0] if headline else plain_words.NONE,
        variability_range=headline.effect.partition(" (")[2].rstrip(")") if headline else "",
        rmssd=None if baseline_trouble(report) else _change(base, later, lambda phase: phase.rmssd_ms),
        heart_rate=_change(base, later, lambda phase: phase.mean_hr_bpm) or _only_rate(figures.phases),
        heart_rate_phases=_phases_compared(base, later, row.kind),
        pain=plain_words.pain_words(visit.pain) if visit else "",
        quality=_quality(report),
        rhythm=advice(phase.rhythm for phase in figures.phases) or "",
        strap=_strap(row, report),
        screening=contraindications(visit.screening) if visit else "",
        notes=tuple((plain_words.clock(note.at_s), note.text) for note in report.notes),
        zero_at=_bar_position(0.0),
        traces=traces_of(report.polar),
    )


def _pain_first(visit: Visit) -> tuple[str, str] | None:
    pain = visit.pain
    match headline_of(pain, stopped=visit.stopped):
        case None:
            return None
        case "stopped", _:
            title = "The massage was stopped because the pain went up."
        case "risen", worst:
            title = f"The pain went up from {pain.before} to {worst}."
        case _, worst:
            title = f"The pain was {worst} of 10."
    said = plain_words.pain_words(pain)
    scores = f" Pain {said}." if said else ""
    return title, f"That comes before anything that the heart shows; the next visit begins with it.{scores}"


def _lead(report: SessionReport, headline: ResponseView | None) -> str:
    if not report.hrv:
        return report.hrv_why or HEART_RATE_ONLY
    if not report.figures.phases:
        return "Nothing was measured in this session yet."
    return headline.sentence if headline else "This session has nothing to compare yet."


def _response(response: ResponseFigures, report: SessionReport, kind: str) -> ResponseView:
    interval = plain_words.interval_pct(response, report.intervals.get(response.phase))
    short, rhythm = baseline_sentence(report), rhythm_sentence(report, response.phase)
    view = ResponseView(
        phase=plain_words.phase_word(response.phase, kind),
        class_=response.class_,
        word=BASELINE_SHORT if short else NO_COMPARISON if rhythm else plain_words.class_word(response.class_),
        effect=plain_words.percent_with_interval(response.percent, interval),
        sentence=short or rhythm or plain_words.response_sentence(response, interval, kind),
        why=response.why,
        usual=plain_words.usual_sentence(report, response.phase),
    )
    if response.percent is None or interval is None:
        return view
    return replace(
        view, low_at=_bar_position(interval[0]), high_at=_bar_position(interval[1]), at=_bar_position(response.percent)
    )


def _bar_position(percent: float) -> float:
    low, high = _BAR_PCT
    return round(100 * (min(max(percent, low), high) - low) / (high - low), 2)


def _table(report: SessionReport, kind: str) -> tuple[tuple[TableRow, ...], tuple[str, ...]]:
    footnotes: list[str] = []
    rows: list[TableRow] = []
    for figures in report.figures.phases:
        values = [(figure.of(figures), column.decimals) for figure, column in _COLUMNS]
        footnote: int | None = None
        missing = any(value is None for value, _ in values)
        why = " ".join(report.reasons.get(figures.phase, []))
        if missing or why:
            why = why or "Not computed for this phase."
            if why not in footnotes:
                footnotes.append(why)
            footnote = footnotes.index(why) + 1
        cells = tuple(Cell(plain_words.number(value, digits), footnote if value is None else None) for value, digits in values)
        length = plain_words.clock(figures.end_s - figures.start_s)
        rows.append(TableRow(plain_words.phase_word(figures.phase, kind), length, cells, None if missing else footnote))
    return tuple(rows), tuple(footnotes)


def _compared(phases: list[PhaseFigures]) -> tuple[PhaseFigures | None, PhaseFigures | None]:
    of = {figures.phase: figures for figures in phases}
    return of.get("baseline"), of.get("massage") or of.get("recovery")


def _change(base: PhaseFigures | None, later: PhaseFigures | None, value: Callable[[PhaseFigures], float | None]) -> str | None:
    if base is None or later is None:
        return None
    before, after = value(base), value(later)
    return None if before is None or after is None else f"{plain_words.number(before)} → {plain_words.number(after)}"


def _only_rate(phases: list[PhaseFigures]) -> str:
    return plain_words.number(
        next((figures.mean_hr_bpm for figures in reversed(phases) if figures.mean_hr_bpm is not None), None)
    )


def _phases_compared(base: PhaseFigures | None, later: PhaseFigures | None, kind: str) -> str:
    if base is None or later is None:
        return "beats a minute"
    return f"a minute, baseline to {plain_words.phase_word(later.phase, kind).lower()}"


def _quality(report: SessionReport) -> str:
    integrity = report.figures.integrity
    parts = [plain_words.counted(integrity.beats, "beat", "beats") + " received"]
    if integrity.beats:
        used = 100 * (1 - integrity.rejected_beats / integrity.beats)
        parts.append(f"{plain_words.number(used, 1)} % used, {plain_words.number(integrity.rejected_beats)} left out")
    lost = f" ({plain_words.number(integrity.lost_s, 1)} s lost)" if integrity.gaps else ""
    parts.append(plain_words.counted(integrity.gaps, "gap", "gaps") + lost)
    stream = report.stream
    if stream.rr_fills_pct is not None:
        parts.append(f"RR intervals fill {plain_words.number(stream.rr_fills_pct, 1)} % of the time heard")
    for count, one, many, what in (
        (integrity.duplicate_packets, "doubled packet", "doubled packets", " passed over"),
        (stream.late_batches, "late batch", "late batches", " put in its place"),
        (stream.no_rr_packets, "packet", "packets", " without RR"),
        (stream.unreadable_packets, "packet", "packets", " that could not be read"),
        (stream.no_contact_packets, "packet", "packets", " without skin contact"),
        (stream.two_straps_beats, "beat", "beats", " of two straps at once left out"),
        (stream.surplus_beats, "beat", "beats", " sent after a reconnect left out"),
        (stream.left_out_beats, "beat", "beats", " at least that the strap left out"),
    ):
        if count:
            parts.append(plain_words.counted(count, one, many) + what)
    if stream.repeats_beats:
        parts.append("the strap sends some beats twice")
    if stream.rr_in_ms:
        parts.append("the strap sends its intervals in ms, which reads 2.4 % short")
    if stream.rr_step_ms:
        parts.append(f"the strap’s intervals come in steps of {plain_words.number(stream.rr_step_ms, 1)} ms")
    return "; ".join(parts) + "."


def _strap(row: SessionRow, report: SessionReport) -> str:
    device = report.figures.device
    model = device.get("model") or device.get("name")
    firmware = f", firmware {device['firmware']}" if device.get("firmware") else ""
    return f"{model or row.source}{firmware}"

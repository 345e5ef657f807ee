"""Chart of a client's summary: RMSSD from the quiet minutes before to those after, with baseline and day-to-day range."""

from typing import Final

from markupsafe import Markup
import numpy as np

from ...analysis.figures import PhaseFigures, Segment
from ..rendering.plain_words import clock
from ..rendering.smoothing import SEGMENT_S, smoothed
from ..rendering.svg_plot import Plot, ticks, width_of
from ..rendering.translations import Speech
from ..rendering.vocabulary import CLIENT_NOTES
from ..sessions.client_session import ClientSession
from ..sessions.models import SessionRow
from .client_sentences import phase_short

WIDE: Final = (660.0, 200.0)
NARROW: Final = (358.0, 250.0)
"""Size for a phone, so that the letters keep their size."""
_PHASES: Final = frozenset({"baseline", "massage", "recovery"})
_FILL: Final = {"baseline": ("quiet", 0.08), "massage": ("blue", 0.09), "recovery": ("quiet", 0.08)}
_LANE_PX: Final = 13.0
_BOLD: Final = 1.12
"""Width of bold letters relative to regular ones."""
_OVERHANG_PX: Final = 20.0
"""How far the name of a phase may extend beyond the phase's end."""


def session_chart(session: ClientSession, speech: Speech, size: tuple[float, float]) -> Markup | None:
    """Return the session's chart as SVG; None where there is no RMSSD to draw. `size` is in px."""
    phases = [figures for figures in session.report.figures.phases if figures.phase in _PHASES]
    segments = [segment for segment in session.report.segments if segment.phase in _PHASES]
    known = [segment.rmssd_ms for segment in segments if segment.rmssd_ms is not None]
    if not phases or not known:
        return None
    start_s, end_s = phases[0].start_s, max(phases[-1].end_s, phases[0].start_s + SEGMENT_S)
    usual = session.baseline_range
    top_ms = 1.12 * max(min(max(known), 1.6 * float(np.percentile(known, 97))), usual.high_ms or 0.0)
    low_ms = 0.6 * min([*known, *([usual.low_ms] if usual.low_ms else [])])
    plot = Plot(*size, (start_s, end_s), (low_ms, top_ms), left=30.0, top=36.0, bottom=34.0)
    _draw_background(plot, session, speech, phases)
    _draw_rhythm(plot, segments)
    _draw_notes(plot, session, speech)
    return plot.svg(_description(session, speech, phases))


def _draw_background(plot: Plot, session: ClientSession, speech: Speech, phases: list[PhaseFigures]) -> None:
    end_s, (low_ms, top_ms), free_px = plot.x_range[1], plot.y_range, 0.0
    for figures in phases:
        colour, opacity = _FILL[figures.phase]
        plot.band(figures.start_s, figures.end_s, low_ms, top_ms, f"ground {figures.phase}", colour, opacity)
        name = phase_short(speech, figures.phase, session.row.kind)
        left, width = max(plot.x(figures.start_s) + 2, free_px), _BOLD * width_of(name)
        if left + width < plot.x(figures.end_s) + _OVERHANG_PX:
            plot.text(left, plot.top - 5 - _LANE_PX, name, bold=True)
            free_px = left + width + 6
    for value in ticks(low_ms, top_ms, 4):
        plot.level(value)
        plot.text(plot.left - 5, plot.y(value) + 4, speech.number(value), anchor="end")
    _draw_times(plot, session, speech, phases)
    if session.baseline_range.low_ms is not None and session.baseline_range.high_ms is not None:
        plot.band(plot.x_range[0], end_s, session.baseline_range.low_ms, session.baseline_range.high_ms, "usual", "green", 0.13)
    base = next((figures.rmssd_ms for figures in phases if figures.phase == "baseline"), None)
    if base is not None:
        plot.level(base, "base", "orange", 1.5, "6 4")
    plot.text(plot.left, plot.height - 4, speech.say("RMSSD in milliseconds"))


def moment_of(speech: Speech, row: SessionRow, at_s: float) -> str:
    """Return the time of day at session time `at_s`; where the date is not known, that session time."""
    return speech.time(row.started_utc, at_s) if row.dated else clock(at_s)


def _draw_times(plot: Plot, session: ClientSession, speech: Speech, phases: list[PhaseFigures]) -> None:
    """Draw the moment of each phase's start, and at the end, where there is room."""
    free_px = 0.0
    borders = [*(figures.start_s for figures in phases), phases[-1].end_s]
    last_px = plot.x(borders[-1]) - width_of("00:00")
    for n, at_s in enumerate(borders):
        text = moment_of(speech, session.row, at_s)
        last = n == len(borders) - 1
        left = last_px if last else plot.x(at_s) - (0 if n == 0 else width_of(text) / 2)
        if left >= free_px and (last or left + width_of(text) < last_px - 6):
            plot.text(left, plot.height - plot.bottom + 15, text)
            free_px = left + width_of(text) + 6


def _draw_rhythm(plot: Plot, segments: list[Segment]) -> None:
    top_ms = plot.y_range[1]
    for run in smoothed(segments):
        at, low, middle, high = (
            values.tolist() for values in (run.at_s, run.low_ms, run.middle_ms, np.minimum(run.high_ms, top_ms))
        )
        plot.area(
            list(zip(at, [min(v, top_ms) for v in low], strict=True)), list(zip(at, high, strict=True)), "spread", "blue", 0.16
        )
        plot.line([(t, min(v, top_ms)) for t, v in zip(at, middle, strict=True)], "rhythm", "blue", 2.2)


def _draw_notes(plot: Plot, session: ClientSession, speech: Speech) -> None:
    """Draw a line for each stop and each note for clients, labelled where there is room, stops first."""
    start_s, end_s = plot.x_range
    occupied: list[tuple[float, float]] = []
    within = (mark for mark in session.visit.marks if start_s <= mark.at_s <= end_s)
    notes = [(mark.kind == "stop", mark.at_s, (mark.note or "").casefold()) for mark in within]
    for is_stop, at_s, note in sorted(notes, key=lambda one: (not one[0], one[1])):
        if note not in CLIENT_NOTES and not is_stop:
            continue
        word = speech.say("stopped") if is_stop else speech.known(note)
        colour = "warn" if is_stop else "ink"
        plot.upright(at_s, f"noted {colour}", colour, dashes="" if is_stop else "2 3")
        width = width_of(word)
        left = min(max(plot.x(at_s) - width / 2, plot.left), plot.width - plot.right - width)
        if all(left > end + 8 or left + width < begin - 8 for begin, end in occupied):
            plot.text(left, plot.top - 5, word, colour, bold=is_stop)
            occupied.append((left, left + width))


def _description(session: ClientSession, speech: Speech, phases: list[PhaseFigures]) -> str:
    """Return the chart's text alternative; the table beside it gives the figures."""
    parts = [
        f"{phase_short(speech, figures.phase, session.row.kind)}: {speech.number(figures.rmssd_ms)} ms" for figures in phases
    ]
    return "; ".join([speech.say("RMSSD in milliseconds"), *parts])

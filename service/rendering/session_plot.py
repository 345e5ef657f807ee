"""Chart of a session, drawn by Matplotlib; only for the worker process, the server must not import this."""

from io import StringIO
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
import numpy as np

from ...analysis.figures import PhaseFigures, SessionReport
from .plain_words import phase_word
from .smoothing import SEGMENT_S, smoothed

_SIZE_IN: Final = (7.4, 2.4)
_BLUE, _ORANGE, _INK, _QUIET, _LINE = "#0072B2", "#D55E00", "#1b2127", "#55616d", "#d5dbe1"
_CARD: Final = "#ffffff"
_FONT_FAMILIES: Final = "'DejaVu Sans', Verdana, sans-serif"
"""Text is measured in the first, which Matplotlib bundles; a reader without it gets one of the others."""
_BANDS: Final = {"settle": "#fafbfc", "baseline": "#f0f3f5", "massage": "#e4f0f8", "recovery": "#eef5f0"}
_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "restbeat",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _QUIET,
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
}


def session_picture(report: SessionReport) -> str:
    """Return the chart of a session as SVG text: RMSSD of 10 s as points, a smoothed line with its range, phases, gaps, marks.

    Deterministic: the same report gives the same bytes.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE_IN, facecolor=_CARD)
        FigureCanvasSVG(figure)
        known = [segment.rmssd_ms for segment in report.segments if segment.rmssd_ms is not None]
        if known:
            _draw(figure.add_axes((0.072, 0.185, 0.905, 0.69)), report, max(known))
        else:
            figure.text(0.5, 0.5, _reason_for_no_chart(report), ha="center", va="center", color=_QUIET, size=10)
        text = StringIO()
        figure.savefig(text, format="svg", transparent=False, metadata={"Date": None, "Creator": "restbeat"})
    return text.getvalue().replace("'DejaVu Sans'", _FONT_FAMILIES)


def _reason_for_no_chart(report: SessionReport) -> str:
    return "No RMSSD to draw: too few beats followed each other." if report.hrv else "Heart rate only: there is no HRV to draw."


def _draw(axes: Axes, report: SessionReport, greatest: float) -> None:
    values = np.array([np.nan if s.rmssd_ms is None else s.rmssd_ms for s in report.segments])
    top = 1.12 * min(greatest, 1.6 * float(np.nanpercentile(values, 97)))
    axes.set_xlim(0, max(report.duration_s, SEGMENT_S) / 60)
    axes.set_ylim(0, top)
    phases = report.figures.phases
    for figures in phases:
        _draw_phase(axes, figures, report.kind, report.duration_s)
    base = next((figures.rmssd_ms for figures in phases if figures.phase == "baseline"), None)
    if base is not None:
        _draw_baseline(axes, base)
    at = np.array([segment.mid_s for segment in report.segments]) / 60
    axes.plot(at, values, ".", color=_BLUE, alpha=0.45, ms=3, mec="none")
    for run in smoothed(report.segments):
        axes.fill_between(run.at_s / 60, run.low_ms, run.high_ms, color=_BLUE, alpha=0.14, lw=0)
        axes.plot(run.at_s / 60, run.middle_ms, color=_BLUE, lw=1.7, solid_capstyle="round")
    _draw_marks(axes, report)
    axes.set_ylabel("RMSSD, ms")
    axes.set_xlabel("minutes", labelpad=1)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=2))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=report.duration_s > 300))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda minute, _: f"{minute:g}"))
    axes.tick_params(length=0, pad=4)
    axes.grid(axis="y", color=_LINE, lw=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _draw_phase(axes: Axes, figures: PhaseFigures, kind: str, duration_s: float) -> None:
    axes.axvspan(figures.start_s / 60, figures.end_s / 60, color=_BANDS.get(figures.phase, _CARD), lw=0, zorder=0)
    share = (figures.end_s - figures.start_s) / max(duration_s, 1.0)
    name = phase_word(figures.phase, kind)
    if share > 0.0115 * len(name):
        at = (figures.start_s / 60, 1.0)
        axes.annotate(
            name, at, (3, 4), xycoords=("data", "axes fraction"), textcoords="offset points", color=_QUIET, weight="bold"
        )


def _draw_baseline(axes: Axes, rmssd_ms: float) -> None:
    axes.axhline(rmssd_ms, color=_ORANGE, lw=1.1, dashes=(5, 3))
    at = (1.0, rmssd_ms)
    text = axes.annotate(
        f"baseline {rmssd_ms:.0f} ms", at, (-3, 3), xycoords=("axes fraction", "data"), textcoords="offset points", ha="right"
    )
    text.set_color(_INK)
    text.set_bbox({"facecolor": _CARD, "alpha": 0.75, "pad": 1, "edgecolor": "none"})


def _draw_marks(axes: Axes, report: SessionReport) -> None:
    """Draw the marks, numbered as on the page; a mark too close to the previous number gets only its tick."""
    nearest = 0.02 * report.duration_s
    last = -nearest
    for number, note in enumerate(report.notes, 1):
        axes.axvline(note.at_s / 60, 0, 0.05, color=_INK, lw=1)
        if note.at_s - last >= nearest:
            place = (note.at_s / 60, 0.05)
            axes.annotate(
                str(number),
                place,
                (0, 1.5),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                size=7.5,
                annotation_clip=True,
            )
            last = note.at_s

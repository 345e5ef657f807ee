"""Figures as aligned tables in the terminal."""

from collections.abc import Sequence
from math import expm1
from pathlib import Path

from rich.table import Table

from ...analysis.figure_table import FIGURES
from ...analysis.figures import PhaseFigures, SessionReport
from ..rendering.plain_words import checked, polar, second_look, usual_sentence
from .console import PlainConsole


def print_report(report: SessionReport, number: int, data: Path) -> None:
    """Print a session's report: its phases side by side, the responses, the quality of the stream."""
    out = PlainConsole()
    figures = report.figures
    out.print(_phases(figures.recording, figures.phases))
    for phase, reasons in report.reasons.items():
        for reason in reasons:
            out.print(f"{phase}: {reason}", soft_wrap=True)
    table = Table(title="Relaxation response against the baseline", title_justify="left")
    for heading in ("Phase", "Class", "Change of RMSSD", "95 % interval", "Why"):
        table.add_column(heading)
    for response in figures.responses:
        low, high = report.intervals.get(response.phase, (None, None))
        between = "–" if low is None or high is None else f"{_percent(low)} to {_percent(high)}"
        change = "–" if response.percent is None else f"{response.percent:+.0f} %"
        table.add_row(response.phase, response.class_, change, between, response.why)
    out.print(table)
    for response in figures.responses:
        if sentence := usual_sentence(report, response.phase):
            out.print(f"{response.phase}, more than usual? {sentence}", soft_wrap=True)
    i = figures.integrity
    out.print(
        f"{i.packets} packets, {i.beats} beats, {i.rejected_beats} rejected; {i.gaps} gaps, {i.lost_s:.1f} s lost; "
        f"{i.duplicate_packets} doubled packets{_odd(report)}. {checked(report.parity)} Algorithm {figures.algorithm}.".replace(
            "  ", " "
        ),
        soft_wrap=True,
    )
    if comparison := second_look(report):
        out.print(comparison, soft_wrap=True)
    if report.polar:
        out.print(polar(report.polar, report.kind), soft_wrap=True)
    out.print(f"Stored as session {number} in {data}.", soft_wrap=True)


def print_figures(name: str, figures: PhaseFigures, reasons: Sequence[str]) -> None:
    """Print the figures of a whole recording, with the reasons for missing ones."""
    out = PlainConsole()
    out.print(_phases(name, [figures]))
    for reason in reasons:
        out.print(reason, soft_wrap=True)


def _phases(title: str, phases: Sequence[PhaseFigures]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for phase in phases:
        table.add_column(phase.phase, justify="right")
    table.add_column("Unit", style="dim")
    for figure in FIGURES:
        table.add_row(figure.name, *(_number(figure.of(phase), figure.decimals) for phase in phases), figure.unit)
    return table


def _odd(report: SessionReport) -> str:
    stream = report.stream
    fills = "" if stream.rr_fills_pct is None else f"; RR intervals fill {stream.rr_fills_pct:.1f} % of the time heard"
    counts = (
        (stream.late_batches, "late batches"),
        (stream.no_rr_packets, "packets without RR"),
        (stream.unreadable_packets, "unreadable packets"),
        (stream.no_contact_packets, "packets without skin contact"),
        (stream.two_straps_beats, "beats of two straps at once"),
        (stream.surplus_beats, "beats too many after a reconnect"),
        (stream.left_out_beats, "times a beat left out by the strap"),
    )
    odd = (
        (stream.repeats_beats, "the strap sends beats again"),
        (stream.rr_in_ms, "RR in ms, 2.4 % short"),
        (stream.rr_step_ms, f"RR in steps of {stream.rr_step_ms:.1f} ms"),
    )
    return (
        fills + "".join(f"; {count} {what}" for count, what in counts if count) + "".join(f"; {text}" for so, text in odd if so)
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(delta_ln: float) -> str:
    return f"{100 * expm1(delta_ln):+.0f} %"

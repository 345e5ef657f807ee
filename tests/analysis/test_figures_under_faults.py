"""Effect of each fault on the figures: none where no true beat is lost, and correct as far as beats survive."""

from dataclasses import dataclass
import os
from pathlib import Path

import numpy as np
import pytest

from restbeat.analysis.beats.beat_stream import BeatStream
from restbeat.analysis.session_report import phase_spans, summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.errors import PayloadError
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.fault_grammar import KINDS, parse_faults
from restbeat.sensors.recordings.fault_injection import with_faults
from restbeat.sensors.recordings.recording import HEART_RATE, Fault, Packet, Recording, read

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
NAMES = ("clear", "none", "opposite", "sleepy", "slow-breathing")
HARMLESS = ("double@0", "double@300", "double@400:200", "late@60:4", "late@400:10", "late@320:2", "double@100,late@500:4")
LOSING = (
    *("drop@120:15", "silence@200:20", "no-rr@90:30", "no-rr@390:30", "contact-off@400:10", "garbage:0.5%"),
    *("ectopic:2%", "missed:1%", "extra:1%", "merge@310:60", "swap@500"),
    *("drop@350:5,silence@700:40", "ectopic:2%,drop@120:15,garbage:0.5%"),
)
SEEDS = (3, 8, 21)
SINGLE = {"ectopic", "missed", "extra", "garbage"}
AROUND_S = 1.5
"""Margin around a fault's span: a packet contains beats that ended up to this long before it."""


def fixture(name):
    return read(next((ROOT / "fixtures").glob(f"*simulated_{name}.*")))


def simulated(seed):
    header, events = simulate("clear", seed=seed, minutes=(5, 10, 5))
    return Recording(header, tuple(events))


def put(recording, *texts, seed=1):
    return with_faults([recording], parse_faults(texts), seed=seed)[0]


def report(recording):
    return summarise("fault", recording.header, recording.events)


def rmssd(one):
    return {phase.phase: phase.rmssd_ms for phase in one.figures.phases}


def beats_s(recording):
    """Return the sum of all RR intervals sent, in s."""
    total = 0
    for event in recording.events:
        if isinstance(event, Packet) and event.char == HEART_RATE:
            try:
                total += sum(parse(event.payload).rr_1024)
            except PayloadError:
                continue
    return total / 1024


def gone_s(whole, troubled):
    """Return the time in s of the beats that a fault removed; 0 where it added beats."""
    return max(beats_s(whole) - beats_s(troubled), 0.0)


def judged(recording, end_s):
    stream = BeatStream()
    stream.set_device(recording.header.device)
    beats = [beat for event in recording.events if isinstance(event, Packet) for beat in stream.push(event)]
    return beats + stream.finish(end_s)


def _begins(beat):
    return beat.end_s - beat.rr_ms / 1000


def truth(whole, troubled):
    """Return RMSSD of each phase from the unaffected beats of the whole recording, without those near a fault."""
    faults = [event for event in troubled.events if isinstance(event, Fault)]
    spans = phase_spans(whole.events)
    swaps = [fault.t for fault in faults if fault.kind == "swap"]
    if swaps:  # the part after the swap is another client's and complete in itself
        parts = [[e for e in troubled.events if (e.t >= swaps[0]) is behind] for behind in (False, True)]
        beats = [b for part in parts for b in judged(Recording(whole.header, tuple(part)), spans[-1].end_s)]
    else:
        beats = judged(whole, spans[-1].end_s)
    touched = [
        (fault.t - AROUND_S, (fault.t if fault.kind in SINGLE else fault.until_s) + AROUND_S)
        for fault in faults
        if fault.kind not in {"double", "late", "swap"}
    ]
    kept = [b for b in beats if b.diff_ms is not None and not any(t < b.end_s and _begins(b) < u for t, u in touched)]
    return {
        span.phase.value: float(
            np.sqrt(np.mean([b.diff_ms**2 for b in kept if _begins(b) >= span.start_s and b.end_s <= span.end_s]))
        )
        for span in spans
    }


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_that_loses_no_beat_leaves_rmssd_unchanged(name, fault):
    whole, troubled = report(fixture(name)), report(put(fixture(name), fault))
    assert rmssd(troubled) == pytest.approx(rmssd(whole), rel=0.01)
    assert troubled.figures.integrity.lost_s == pytest.approx(whole.figures.integrity.lost_s, abs=1)


@pytest.mark.parametrize("fault", LOSING)
@pytest.mark.parametrize("name", NAMES)
def test_a_fault_that_loses_or_distorts_beats_leaves_rmssd_of_the_others_and_its_seconds_are_counted(name, fault):
    whole = fixture(name)
    for seed in (1, 2) if "%" in fault else (1,):
        troubled = put(whole, fault, seed=seed)
        result = report(troubled)
        assert rmssd(result) == pytest.approx(truth(whole, troubled), rel=0.025), seed
        if "swap" not in fault:  # the time between two straps is neither lost nor measured
            assert result.figures.integrity.lost_s == pytest.approx(gone_s(whole, troubled), abs=1.0), seed


@pytest.mark.parametrize("fault", ["ectopic:2%", "missed:1%", "extra:1%"])
@pytest.mark.parametrize("name", NAMES)
def test_distorted_beats_are_rejected(name, fault):
    troubled = put(fixture(name), fault)
    put_in = sum(isinstance(event, Fault) for event in troubled.events)
    assert report(troubled).figures.integrity.rejected_beats >= 0.8 * put_in


@pytest.mark.parametrize("name", NAMES)
def test_two_straps_on_one_stream_give_no_plausible_figure(name):
    result = report(put(fixture(name), "merge@310:240"))
    assert result.stream.two_straps_beats > 150
    assert rmssd(result)["massage"] is None, "too few beats of the phase are left"


@pytest.mark.parametrize("seconds", [2, 3, 5, 8, 15, 25, 40])
@pytest.mark.parametrize("kind", ["drop", "silence"])
@pytest.mark.parametrize("seed", SEEDS)
def test_lost_seconds_are_counted_to_a_second(seed, kind, seconds):
    recording = simulated(seed)
    for at in (130.4, 471.0, 905.7):
        troubled = put(recording, f"{kind}@{at}:{seconds}")
        lost_s = report(troubled).figures.integrity.lost_s
        assert lost_s == pytest.approx(gone_s(recording, troubled), abs=1.0), (at, lost_s)
        assert lost_s == pytest.approx(seconds, abs=1.2), (at, lost_s)


@dataclass(frozen=True)
class Line:
    """Effect of a fault on the figures of one recording."""

    off_pct: float
    gone_s: float
    lost_s: float
    rejected: int
    duplicates: int


def line_of(whole, text):
    troubled = put(whole, text)
    result, true = report(troubled), truth(whole, troubled)
    off = max((100 * abs(value / true[phase] - 1) for phase, value in rmssd(result).items()), default=0.0)
    integrity = result.figures.integrity
    return Line(off, gone_s(whole, troubled), integrity.lost_s, integrity.rejected_beats, integrity.duplicate_packets)


def figures_table():
    rows = []
    for kind in KINDS.values():
        lines = [line_of(fixture(name), kind.example) for name in NAMES]
        off_s = "–" if kind.name == "swap" else f"{max(abs(line.gone_s - line.lost_s) for line in lines):.1f}"
        off_pct, first = max(line.off_pct for line in lines), lines[0]
        rows.append(
            f"| `{kind.example}` | {off_pct:.1f} % | {first.gone_s:.1f} | {first.lost_s:.1f} | {off_s} |"
            f" {first.rejected} | {first.duplicates} |\n"
        )
    head = (
        "fault",
        "RMSSD error, at most",
        "lost, s",
        "counted, s",
        "error, s, at most",
        "rejected beats",
        "ignored packets",
    )
    return f"| {' | '.join(head)} |\n| --- |{' ---: |' * (len(head) - 1)}\n{''.join(rows)}"


def test_the_page_of_faults_lists_the_effect_of_each_on_the_figures():
    before, found, rest = PAGE.read_text().partition("<!-- figures -->\n")
    _, end, after = rest.partition("<!-- /figures -->")
    assert found
    assert end
    text = before + found + figures_table() + end + after
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "run again with RESTBEAT_UPDATE=1"

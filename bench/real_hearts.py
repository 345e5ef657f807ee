"""The rule on quiet hours of real people, where nothing was done to them: how often it calls a change, by person.

The recordings are read from the folder that RESTBEAT_REAL_DATA names: nsr2db_half.npz, RR intervals of 27 people over a day
(PhysioNet's nsr2db, Holter, unlabelled rest and sleep), one array a person in units of 1/128 s. Further series are of single
persons, each for itself: pyhrv's hour in fixtures/, wearablehrv_test_vu.txt, kbre93_polarH10_ibi.csv, and any file *.rr.txt with
an interval in ms a line.
"""

from dataclasses import dataclass
import os
from pathlib import Path

import numpy as np

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import JudgedBeat
from restbeat.analysis.beats.phase_segments import PhaseBeats
from restbeat.analysis.beats.phase_spans import beat_arrays
from restbeat.analysis.rhythm.phase_rhythm import not_compared, rhythm_of_phase, usable_beats
from restbeat.analysis.rhythm.rhythm_watch import rhythms_of
from restbeat.sensors.model import RR_UNIT_MS
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.recording import HEART_RATE, Packet, read

from .hearts import Heard

VARIABLE = "RESTBEAT_REAL_DATA"
FIXTURE = Path(__file__).parent.parent / "fixtures" / "pyhrv_nni-60min_real.jsonl.gz"
UNIT_MS = 1000 / 128
HOLE = 60_000
PLANS = {"5/5": (5, 5, 0), "5/15": (5, 15, 0), "5/30": (5, 30, 0), "5/10/5": (5, 10, 5), "5/30/5": (5, 30, 5)}
"""Minutes of baseline, massage and recovery; with a recovery that is compared, else the massage."""
MOST_REJECTED, MOST_VARIED = 0.05, 0.05
"""A window is quiet with at most this share of rejected beats, and this coefficient of variation of mean RR over 30 s."""
_PIECE_S = 30.0
_LOCAL = 15
"""Beats of the moving mean about which a change deepens the beat-to-beat variation."""


def real_folder():
    """Return the folder of the real recordings, None where there is none."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named and (Path(named) / "nsr2db_half.npz").exists() else None


def people(folder):
    """Yield the name and the day of each person."""
    with np.load(folder / "nsr2db_half.npz") as days:
        for name in days.files:
            yield name, Day.of(days[name])


@dataclass(frozen=True, eq=False)
class Day:
    """The judged beats of a person's day, and the rhythm at each of them."""

    end_s: np.ndarray
    rr_ms: np.ndarray
    accepted: np.ndarray
    adjacent: np.ndarray
    rhythms: tuple = ()

    @classmethod
    def of(cls, ticks):
        ticks = ticks.astype(np.int64)
        hole = ticks >= HOLE
        return cls.of_intervals(np.where(hole, 10_000.0, ticks * UNIT_MS), hole)

    @classmethod
    def of_intervals(cls, all_ms, hole):
        end_s = np.cumsum(all_ms) / 1000
        judge, verdicts, after_hole = ArtifactFilter(), [], np.r_[False, hole[:-1]][~hole]
        for rr_ms, gap in zip(all_ms[~hole].tolist(), after_hole.tolist(), strict=True):
            verdicts += judge.push(rr_ms, gap=gap)
        verdicts += judge.flush()
        beats = [
            JudgedBeat(end, v.rr_ms, v.accepted, gap, v.diff_ms, v.kind)
            for end, v, gap in zip(end_s[~hole].tolist(), verdicts, after_hole.tolist(), strict=True)
        ]
        rhythms, arrays = tuple(rhythms_of(beats)), beat_arrays(beats)
        usable = usable_beats(arrays, rhythms)
        return cls(usable.end_s, usable.rr_ms, usable.accepted, usable.adjacent, rhythms)

    def withheld(self, heard):
        """Return whether the rhythm of either phase forbids a comparison."""
        bounds = [np.searchsorted(self.end_s, part.bounds_s) for part in (heard.base, heard.phase)]
        return not_compared(*(rhythm_of_phase(self.rhythms[first:last]) for first, last in bounds)) is not None

    def part(self, start_s, stop_s, ratio=1.0):
        """Return the beats of a span; their variation about a moving mean is `ratio` times as deep."""
        first, last = np.searchsorted(self.end_s, [start_s, stop_s])
        rr, adjacent = self.rr_ms[first:last], self.adjacent[first:last].copy()
        adjacent[:1] = False
        if ratio != 1:
            kernel = np.ones(_LOCAL)
            local = np.convolve(rr, kernel, "same") / np.convolve(np.ones(rr.size), kernel, "same")
            rr = local + ratio * (rr - local)
        return PhaseBeats(self.end_s[first:last], rr, self.accepted[first:last], adjacent, (start_s, stop_s))

    def quiet(self, start_s, stop_s):
        first, last = np.searchsorted(self.end_s, [start_s, stop_s])
        accepted, pieces = self.accepted[first:last], int((stop_s - start_s) // _PIECE_S)
        if accepted.size < 30 or 1 - accepted.mean() > MOST_REJECTED:
            return False
        at = ((self.end_s[first:last] - start_s) // _PIECE_S).astype(int)
        use = accepted & (at < pieces)
        counts = np.bincount(at[use], minlength=pieces)
        if counts.min() < 8:
            return False
        means = np.bincount(at[use], self.rr_ms[first:last][use], pieces) / counts
        return means.std() / means.mean() < MOST_VARIED

    def sessions(self, minutes, ratio=1.0, begin_s=60.0):
        """Yield a session of each quiet window, half a window apart; the recovery is compared where the plan has one."""
        lengths = 60 * np.cumsum(minutes)
        start_s, total_s = begin_s, float(lengths[-1])
        while start_s + total_s < self.end_s[-1]:
            if self.quiet(start_s, start_s + total_s):
                base, massage, recovery = (
                    self.part(start_s + a, start_s + b, deepened) if b > a else None
                    for a, b, deepened in zip([0, *lengths], lengths, (1.0, ratio, ratio), strict=False)
                )
                heard = Heard(base, massage, (np.nan, np.nan), recovery=recovery)
                yield heard.in_recovery() if recovery else heard
            start_s += total_s / 2


def verdicts(folder, rules, plans=PLANS, ratio=1.0, names=None, advance=lambda: None):
    """Return the verdicts of each rule in each plan, by person."""
    found = {(rule, plan): {} for rule in rules for plan in plans}
    for name, day in people(folder):
        if names is not None and name not in names:
            continue
        for plan, minutes in plans.items():
            windows = list(day.sessions(minutes, ratio))
            for rule in rules:
                found[rule, plan][name] = ["withheld" if day.withheld(heard) else rule(heard, 1.0, ()) for heard in windows]
        advance()
    return found


def single_series(folder):
    """Yield the name of each further series and its beats."""
    sent = [event.payload for event in read(FIXTURE).events if isinstance(event, Packet) and event.char == HEART_RATE]
    yield "pyhrv, an hour", [rr * RR_UNIT_MS for payload in sent for rr in parse(payload).rr_1024]
    for file, name, read_ms in (
        (
            "wearablehrv_test_vu.txt",
            "wearable-hrv, ECG, 48 min",
            lambda path: np.loadtxt(path, skiprows=3, usecols=2, delimiter="\t"),
        ),
        ("kbre93_polarH10_ibi.csv", "dont-hold-your-breath, 10 min", lambda path: np.loadtxt(path, delimiter=",")[:, 1]),
        *((path.name, path.name.removesuffix(".rr.txt"), np.loadtxt) for path in sorted(folder.glob("*.rr.txt"))),
    ):
        if (folder / file).exists():
            yield name, read_ms(folder / file)


def single_verdicts(folder, rule):
    """Yield for each further series and plan the verdicts of its quiet windows, as they are and with ×1.42."""
    for name, rr_ms in single_series(folder):
        all_ms = np.asarray(rr_ms, dtype=np.float64)
        day = Day.of_intervals(all_ms, np.zeros(all_ms.size, dtype=bool))
        for plan, minutes in PLANS.items():
            windows = [list(day.sessions(minutes, ratio, begin_s=0.0)) for ratio in (1.0, 1.42)]
            yield name, plan, *(["withheld" if day.withheld(heard) else rule(heard, 1.0, ()) for heard in one] for one in windows)


def share(by_person, wanted, *, draws=2000, least=10):
    """Return the share of the wanted verdicts in %, its 95 % interval by resampling people, and that of their worst tenth.

    People with fewer than `least` windows are not ranked.
    """
    hits = np.array([sum(verdict in wanted for verdict in seen) for seen in by_person.values()])
    counts = np.array([len(seen) for seen in by_person.values()])
    drawn = np.random.default_rng(1).integers(0, hits.size, (draws, hits.size))
    low, high = np.percentile(100 * hits[drawn].sum(axis=1) / np.maximum(counts[drawn].sum(axis=1), 1), [2.5, 97.5])
    ranked = np.sort(100 * hits[counts >= least] / counts[counts >= least])[::-1]
    worst = ranked[: max(round(ranked.size / 10), 1)].mean() if ranked.size else np.nan
    return 100 * hits.sum() / max(counts.sum(), 1), low, high, worst

"""The relaxation response and a course evaluated by simulation, with the alternative rules; writes docs/response.md.

Example: python -m bench.response --sessions 200
"""

import argparse
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from math import log
import os
from pathlib import Path
import pickle
import platform
from statistics import median
import sys
import time

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from restbeat.analysis.beats.beat_stream import JudgedBeat
from restbeat.analysis.course import technique_associations as observed
from restbeat.analysis.course.course import course
from restbeat.analysis.course.session_regression import fit
from restbeat.analysis.live.running_sums import RunningComparison, RunningSums
from restbeat.analysis.response.earlier_rests import RestPhase
from restbeat.analysis.response.relaxation_response import Response, classify_response
from restbeat.analysis.response.resting_response import compare_with_rests
from restbeat.analysis.response.running_estimate import provisional_change

from .cells import CELLS, FIRM, HELD_OUT, NONE, USED, Cell, by_rule, drifts, run
from .hearts import Scenario, sessions
from .real_hearts import PLANS, VARIABLE, real_folder, share, single_verdicts, verdicts as real_verdicts
from .rivals import RIVALS, former
from .treatments import TECHNIQUES, Plan, course_of

PAGE = Path(__file__).parent.parent / "docs" / "response.md"
SEED = 20261124
EARLIER_SESSIONS = 80
LEAST_FOR_PAGE = 1000
SLOWER = tuple((roll_off, slower) for roll_off in (0, 1, 1.5) for slower in (3, 4, 6))
"""Exponents by which the breathing tone deepens as breathing slows, and by how many breaths a minute it slows."""
ALLOWED = {NONE: "0", USED: "usual"}
PARTS = {"slower": 8, "held": 4, "tried": 8, "running": 8, "second": 2, "over": 8, "worked": 40}
"""Divisor of the number of sessions in each table without bounds; the table states its number."""
DRAWS = (lambda _: np.zeros(4), lambda rng: rng.normal(0, 0.15, 4), lambda _: np.array([0.35, 0, 0, 0]))
"""Effects of four techniques in ln RMSSD: none, drawn from the prior, one of them ×1.42."""


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m bench.response", description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2000, metavar="N", help="simulated sessions a cell (2000)")
    parser.add_argument("--no-page", action="store_true", help=f"print the tables only, as below {LEAST_FOR_PAGE} sessions")
    parser.add_argument("--page", action="store_true", help="write the page whatever the number; it states it")
    asked = parser.parse_args(arguments)
    count = asked.sessions
    counts = {name: max(count // part, 20 if name == "worked" else 50) for name, part in PARTS.items()}
    began = time.perf_counter()
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        fast = speed(progress)
        real_table, single_table = real(progress), single(progress)
        judged, failing = bounds(count, progress)
        made = {
            "slower": slower_breathing,
            "held": held_out,
            "tried": rivals,
            "running": while_running,
            "second": usual,
            "over": courses,
            "worked": treatments,
        }
        tables = {name: make(counts[name], progress) for name, make in made.items()}
    tables |= {"real": real_table, "single": single_table}
    text = page(tables | {"judged": judged, "speed": fast}, count, counts, time.perf_counter() - began)
    print(text)
    if asked.page or (count >= LEAST_FOR_PAGE and not asked.no_page):
        PAGE.write_text(text)
    if failing:
        sys.exit("Over its bound: " + "; ".join(failing))


def stepper(progress, name, total):
    bar = progress.add_task(name, total=total)
    return lambda steps=1: progress.advance(bar, steps)


def bounds(count, progress):
    """Return the table of all cells, with and without an allowance for wander, and those out of their bounds."""
    advance = stepper(progress, "cells", len(CELLS) * count)
    outcomes = [
        outcome
        for cell in CELLS
        for outcome in run(cell, count, SEED, allowances=tuple(cell.bounds) or (NONE, USED), advance=advance)
    ]
    rows, failing = [], []
    for outcome in outcomes:
        what = ", ".join(f"{' + '.join(bound.verdicts)} {bound}" for bound in outcome.bounds)
        within = "yes" if outcome.holds and outcome.bounds else "no" if outcome.bounds else "–"
        shares = [f"{outcome.pct(verdict):.1f}" for verdict in ("clear", "slight", "none", "opposite", "insufficient")]
        rows.append((outcome.cell.name, outcome.cell.minutes, ALLOWED[outcome.scale], *shares, what, within))
        if not outcome.holds:
            failing.append(f"{outcome.cell.name} {outcome.cell.minutes} w={ALLOWED[outcome.scale]}: {what}")
    heads = ("simulated", "minutes", "w", "clear", "slight", "none", "opposite", "insufficient", "bound", "within")
    return table(heads, rows), failing


def real(progress):
    """Return the table of real people at rest, by the former rule and today's; a sentence where there are no recordings."""
    folder = real_folder()
    if folder is None:
        return f"Not measured: {VARIABLE} names no folder with the recordings."
    rules = {"before": former, "now": by_rule}
    advance = stepper(progress, "real people", 54)
    calm, changed = (real_verdicts(folder, tuple(rules.values()), ratio=ratio, advance=advance) for ratio in (1.0, 1.42))
    rows = []
    for plan in PLANS:
        for name, rule in rules.items():
            seen = calm[rule, plan]
            firm, low, high, worst = share(seen, FIRM)
            windows = sum(len(found) for found in seen.values())
            slight, power = share(seen, ("slight",))[0], share(changed[rule, plan], ("clear",))[0]
            shares = f"{firm:.1f} [{low:.1f}–{high:.1f}]", f"{worst:.1f}", f"{slight:.1f}", f"{power:.0f}"
            rows.append((plan, name, str(len(seen)), str(windows), *shares))
    heads = ("minutes", "rule", "people", "windows", "clear + opposite", "worst tenth of people", "slight", "clear at ×1.42")
    return table(heads, rows)


def single(progress):
    """Return the table of single persons' series, each for itself."""
    folder = real_folder()
    if folder is None:
        return f"Not measured: {VARIABLE} names no folder with the recordings."
    advance = stepper(progress, "single persons", 5 * 4)
    rows = []
    for name, plan, calm, changed in single_verdicts(folder, by_rule):
        firm, slight, power = sum(v in FIRM for v in calm), calm.count("slight"), changed.count("clear")
        if calm:
            rows.append((name, plan, str(len(calm)), str(firm), str(slight), str(calm.count("withheld")), str(power)))
        advance()
    return table(("series", "minutes", "windows", "clear + opposite", "slight", "withheld", "clear at ×1.42"), rows)


def held_out(count, progress):
    """Return the table of false positives and power in held-out cells."""
    advance = stepper(progress, "held out", 4 * len(HELD_OUT) * count)
    rows = []
    for name, changes in HELD_OUT.items():
        found = []
        for minutes in (5, 15):
            null, change = (
                run(Cell(name, Scenario(phase_min=minutes, ratio=ratio, **changes)), count, SEED + 1, advance=advance)
                for ratio in (1.0, 1.42)
            )
            found += [pair(outcome.pct(*FIRM), other.pct("clear")) for outcome, other in zip(null, change, strict=True)]
        rows.append((name, *found))
    return table(("simulated", "5/5, w=0", "5/5", "5/15, w=0", "5/15"), rows)


def slower_breathing(count, progress):
    """Return the table of breathing that slows, without and with a change beside it, by the former rule and today's."""
    advance = stepper(progress, "slower breathing", len(SLOWER) * 2 * 2 * count)
    rows = []
    for roll_off, slower in SLOWER:
        cells = []
        for minutes in (5, 15):
            slows = {"breathing_hz": 0.27, "breathing_to_hz": 0.27 - slower / 60, "roll_off": roll_off}
            calm, changed = (
                run(Cell("", Scenario(phase_min=minutes, ratio=ratio, **slows)), count, SEED + 5,
                    allowances=(USED,), rules=(former, by_rule), advance=advance)
                for ratio in (1.0, 1.42)
            )  # fmt: skip
            for before, after in zip(calm, changed, strict=True):
                cells.append(f"{before.pct(*FIRM):.1f} / {before.pct('slight'):.0f} / {after.pct('clear'):.0f}")
        rows.append((f"{roll_off:g}", f"−{slower}", *cells))
    heads = ("deepens by 1/f to the power", "a minute", "5/5, before", "5/5, now", "5/15, before", "5/15, now")
    return table(heads, rows)


def rivals(count, progress):
    """Return the table of alternative rules, on one list of scenarios."""
    tuned = [Scenario(phase_min=minutes) for minutes in (5, 15)]
    families = ("drift τ 60 s", "drift at two speeds, 20 and 200 s", "drift SD spread e^±.4 between sessions",
                "drift half as large in the massage")  # fmt: skip
    others = [Scenario(phase_min=minutes, **HELD_OUT[name]) for name in families for minutes in (5, 15)]
    artifacts = [Scenario(phase_min=5, left_phase=0.01), Scenario(phase_min=5, left_base=0.01)]
    advance = stepper(progress, "rules tried", count * (2 * len(tuned + others) + len(artifacts)))
    firm = {key: [] for key in (*((rule, w) for rule in RIVALS.values() for w in (NONE, USED)),)}
    power = {key: [] for key in firm}
    spoilt = {key: [] for key in firm}
    for scenario in tuned + others:
        quiet = drifts(scenario, EARLIER_SESSIONS, SEED + 3)
        for ratio, into, verdicts in ((1.0, firm, FIRM), (1.42, power, ("clear",))):
            gather(replace(scenario, ratio=ratio), verdicts, into, count, quiet, advance)
    for scenario in artifacts:
        gather(scenario, FIRM, spoilt, count, drifts(Scenario(phase_min=5), EARLIER_SESSIONS, SEED + 3), advance)
    rows = []
    for name, rule in RIVALS.items():
        for w in (NONE, USED):
            at = (rule, w)
            seen = [pair(f, p) for f, p in zip(firm[at][:2], power[at][:2], strict=True)]
            held = [pair(np.mean(firm[at][2 + k :: 2]), np.mean(power[at][2 + k :: 2])) for k in (0, 1)]
            rows.append((name, ALLOWED[w], *seen, *held, f"{np.mean(spoilt[at]):.1f}"))
    heads = ("rule", "w", "tuned 5/5", "tuned 5/15", "held out 5/5", "held out 5/15", "1 % artifacts 5/5")
    return table(heads, rows)


def gather(scenario, verdicts, into, count, quiet, advance):
    rules = tuple(RIVALS.values())
    outcomes = run(Cell("", scenario), count, SEED + 2, earlier=quiet, rules=rules, advance=advance)
    for (rule, w), outcome in zip(((rule, w) for rule in rules for w in (NONE, USED)), outcomes, strict=True):
        into[rule, w].append(outcome.pct(*verdicts))


def while_running(count, progress):
    """Return the coverage of the provisional interval, by the time since the phase began."""
    minutes = (1.2, 2, 3, 5, 10)
    advance = stepper(progress, "while running", 3 * count)
    rows = []
    for name, scenario in (("nothing but drift", Scenario(phase_min=10)), ("RMSSD ×1.42", Scenario(phase_min=10, ratio=1.42)),
                           ("slow wander SD .10", Scenario(phase_min=10, wander_sd=0.10))):  # fmt: skip
        held, wide = dict.fromkeys(minutes, 0), {m: [] for m in minutes}
        for heard in sessions(scenario, count, SEED + 4):
            beats = [*judged(heard.base), *judged(heard.phase)]
            for m in minutes:
                found = provisional_change(running_comparison(beats, 60 * m))
                low, high = (np.log1p(x / 100) for x in (found.low_pct, found.high_pct))
                held[m] += low <= log(scenario.ratio) <= high
                wide[m].append((high - low) / 2)
            advance()
        rows.append((name, *(f"{100 * held[m] / count:.0f} / {np.mean(wide[m]):.2f}" for m in minutes)))
    return table(("simulated", *(f"{m:g} min" for m in minutes)), rows)


def judged(phase):
    before = np.concatenate([[np.nan], phase.rr_ms[:-1]])
    for end, rr, last, near in zip(phase.end_s, phase.rr_ms, before, phase.adjacent, strict=True):
        yield JudgedBeat(float(end), float(rr), True, False, float(rr - last) if near else None, "normal")


def running_comparison(beats, lasted_s, base_s=300.0):
    sums = RunningSums()
    for beat in beats:
        if beat.end_s < base_s + lasted_s:
            sums.push(beat)
    return RunningComparison(phase="massage", baseline=sums.between(0.0, base_s), current=sums.between(base_s))


def usual(count, progress):
    """Return how often a change is classified as more than usual, without and with an effect."""
    advance = stepper(progress, "second question", 9 * count)
    rng = np.random.default_rng(SEED)
    error, effects = 0.115, (0.0, log(1.42), log(2))
    rows = []
    for rests in (3, 5, 8):
        for wander in (0.0, 0.2, 0.3):
            said, by_prior = np.zeros(3), np.zeros(2)
            for _ in range(count):
                today, *known = 0.1 + rng.normal(0, np.hypot(error, wander), rests + 1)
                lines = [RestPhase(float(value), error, 300.0, 1200.0) for value in known]
                for n, effect in enumerate(effects):
                    response = Response("none", "", delta=float(today) + effect, steady=True)
                    said[n] += compare_with_rests(response, 300.0, 1200.0, lines).verdict == "more"
                for n, effect in enumerate(effects[:2]):
                    by_prior[n] += more_by_prior(float(today) + effect, known, error)
                advance()
            shares = [f"{100 * share / count:.1f}" for share in said]
            rows.append((str(rests), f"{wander:.1f}", *shares, pair(*(100 * by_prior / count))))
    return table(("rests", "wander", "as at rest", "×1.42", "×2", "with a prior: as at rest / ×1.42"), rows)


def more_by_prior(today, known, error):
    """Return the same with a prior for the session-to-session SD instead of Student's t."""
    x = np.column_stack([np.ones(len(known) + 1), np.arange(len(known) + 1) == 0])
    found = fit(x, np.array([today, *known]), np.full(len(known) + 1, error), [np.inf, np.inf])
    return found.contrast([0.0, 1.0]).low > 0


def courses(count, progress):
    """Return the table of power and coverage of a course."""
    rng = np.random.default_rng(SEED)
    rows = []
    advance = stepper(progress, "courses", 3 * 7 * count)
    for wander in (0.0, 0.1, 0.2):
        cells = []
        for plan, figure, truth in (
            (Plan(sessions=4, mean=0.0), "response_pct", 0.0),
            (Plan(sessions=6, mean=0.0), "response_pct", 0.0),
            (Plan(sessions=4, mean=log(1.2)), "response_pct", log(1.2)),
            (Plan(sessions=6, mean=log(1.2)), "response_pct", log(1.2)),
            (Plan(sessions=6, rests=4, mean=log(1.2)), "response_pct", log(1.2)),
            (Plan(sessions=12, mean=0.1), "response_pct_per_week", 0.0),
            (Plan(sessions=12, mean=0.1, slope=0.04), "response_pct_per_week", 0.04),
        ):
            found = []
            for _ in range(count):
                found.append(getattr(course(course_of(replace(plan, wander_sd=wander), rng)), figure))
                advance()
            called = np.mean([one.low > 0 or (truth == 0 and one.high < 0) for one in found])
            holds = np.mean([one.low <= 100 * np.expm1(truth) <= one.high for one in found])
            cells.append(pair(100 * called, 100 * holds))
        rows.append((f"{wander:.1f}", *cells))
    heads = ("wander", "4, none", "6, none", "4, ×1.2", "6, ×1.2", "6, ×1.2, 4 rests", "12, no trend", "12, +4 % a week")
    return table(heads, rows)


def treatments(count, progress):
    """Return positives and coverage of technique associations, by order of the techniques and by how fast they act."""
    advance = stepper(progress, "techniques", 10 * 3 * count)
    rows = []
    plain = observed._TIME_SD
    for order, approach, timed in (
        ("any", 60.0, True), ("any", 150.0, True), ("any", 300.0, True), ("habit", 60.0, True), ("habit", 150.0, True),
        ("habit", 300.0, True), ("habit", 150.0, False), ("habit", 300.0, False), ("whole", 150.0, True), ("whole", 300.0, True),
    ):  # fmt: skip
        observed._TIME_SD = plain if timed else 1e-6
        plan = Plan(order=order, approach_s=approach, mean=0.3)
        cells = [techniques(plan, draw, np.random.default_rng(SEED), count, advance) for draw in DRAWS]
        observed._TIME_SD = plain
        (none, _, every, _), (_, holds, _, _), (_, _, _, first) = cells
        name = order if timed else f"{order}, time left out"
        rows.append((name, f"{approach:.0f}", f"{none:.1f}", f"{every:.0f}", f"{holds:.0f}", f"{first:.0f}"))
    return table(("order", "lag, s", "false calls", "any of 4", "intervals that hold", "finds ×1.42"), rows)


def techniques(plan, draw, rng, count, advance):
    called, held, anything, first = [], [], [], []
    for _ in range(count):
        effects = draw(rng)
        sessions_ = course_of(replace(plan, effects=tuple(effects)), rng)
        share = np.array(
            [sum(s.seconds for x in sessions_ for s in x.massage_segments if s.technique == name) for name in TECHNIQUES]
        )
        share /= share.sum()
        any_called = False
        for line in course(sessions_).went_with:
            n = TECHNIQUES.index(line.name)
            if line.percent is None:
                first += [False] * (n == 0)
                continue
            others = share * effects / (1 - share[n])
            low, high = np.log1p(line.low / 100), np.log1p(line.high / 100)
            called.append(low > 0 or high < 0)
            held.append(low <= effects[n] - (others.sum() - others[n]) <= high)
            any_called |= called[-1]
            first += [low > 0] * (n == 0)
        anything.append(any_called)
        advance()
    return tuple(100 * float(np.mean(found)) if found else float("nan") for found in (called, held, anything, first))


def speed(progress):
    """Return the milliseconds of a warm run."""
    advance = stepper(progress, "speed", 4)
    rows = []
    for minutes in (5, 35):
        scenario = Scenario(phase_min=minutes)
        heard, seen = next(sessions(scenario, 1, SEED)), drifts(scenario, 6, SEED)
        rows.append((f"verdict, 5/{minutes} min", *timed(50, classify_response, heard.base, heard.phase, earlier=seen)))
        advance()
        running = running_comparison([*judged(heard.base), *judged(heard.phase)], 60 * minutes)
        rows.append((f"provisional interval, 5/{minutes} min", *timed(5, provisional_change, running)))
        advance()
    rows.append(("what a room hands to the worker", f"{len(pickle.dumps(running)) / 1000:.1f} kB", "–", "–"))
    return table(("", "median", "bound", "within"), rows)


def timed(bound_ms, job, *arguments, **more):
    times = []
    for _ in range(40):
        began = time.perf_counter()
        job(*arguments, **more)
        times.append(1000 * (time.perf_counter() - began))
    return f"{median(times):.1f} ms", f"{bound_ms} ms", "yes" if median(times) <= bound_ms else "no"


def pair(one, other):
    return f"{one:.1f} / {other:.0f}"


def table(heads, rows):
    rows = [heads, *rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(heads))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "| " + " | ".join("-" * width for width in widths) + " |", *lines[1:]])


def page(tables, count, counts, seconds):
    versions = ", ".join(f"{name} {version(name)}" for name in ("restbeat", "numpy", "scipy"))
    known = {
        "day": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "python": platform.python_version(),
        "versions": versions, "count": count, "minutes": f"{seconds / 60:.0f}",
    } | {f"{name}_count": number for name, number in counts.items()}  # fmt: skip
    return (Path(__file__).parent / "response_page.md").read_text().format(**known, **tables)


if __name__ == "__main__":
    main()

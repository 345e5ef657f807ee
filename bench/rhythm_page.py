"""The part of docs/artifacts.md about rhythms and real people."""

import os

import numpy as np

from . import annotated_beats, real_people, rhythms
from .artifact_series import REAL_DATA

CAUGHT_PCT, WITHHELD_PCT = 98.0, 1.0
"""Least share of fibrillating minutes, and greatest share of sinus minutes of simulated hearts, in which HRV is withheld."""


def simulated_over(rows):
    """Return a sentence for each kind of simulated heart beyond its bound."""
    return [
        f"{name}: withheld in {pct:.1f} % of {minutes} minutes"
        for name, minutes, pct in rows
        if (pct < CAUGHT_PCT if name.startswith("fibrillation") else pct > WITHHELD_PCT)
    ]


def part(rows, judge, judges, table):
    """Return the part of the page.

    `rows`: of the simulated hearts; `judge`: the live filter; `judges`: functions of RR in ms that return the accepted intervals,
    by name; `table`: sets rows as a table.
    """
    folder, people, kept = os.environ.get(REAL_DATA), "", ""
    if folder:
        series, tuned = real_people.people(folder)
        of_people = rhythms.people_rows(series, tuned)
        people = table(
            [["people", "minutes", "irregular", "ectopic"]]
            + [[name, str(minutes), *(f"{pct:.2f} %" for pct in pcts)] for name, minutes, *pcts in of_people]
        )
        head = ["people", "windows without", "p95", "p99", "windows with", "p95", "p99", "ectopics left out"]
        kept = table([head, *(_kept(row) for row in real_people.rows(series, tuned, lambda *args: _accepted(judge, *args)))])
    annotated = rhythms.annotated_rows()
    found = table([["minutes", "number", "withheld"], *([name, str(n), f"{pct:.1f} %"] for name, n, pct in [*rows, *annotated])])
    there = "" if annotated else f"\nThe annotated records that {rhythms.ANNOTATED} names were not there.\n"
    by_beat = [
        [name, *(str(one) if isinstance(one, int) else f"{one:.1f} %" for one in numbers)]
        for name, *numbers in annotated_beats.rows(judges)
    ]
    ectopics = table([["", "windows with", "median", "p90", "p95", "windows without", "median", "p90", "p95"], *by_beat])
    return TEXT.format(
        found=found,
        there=there,
        people=people or ABSENT,
        kept=kept or ABSENT,
        real=REAL_DATA,
        ectopics=ectopics if by_beat else ABSENT,
    )


def _kept(row):
    name, without, with_some, *losses, caught = row
    shares = [f"{loss:.1f} %" for loss in losses]
    return [name, str(without), *shares[:2], str(with_some), *shares[2:], f"{100 * caught:.0f} %"]


def _accepted(judge, rr_ms, hole):
    """Return which intervals the live filter accepts; none is pushed in a hole."""
    lost = np.append(False, hole[:-1])
    accepted = np.zeros(rr_ms.size, dtype=bool)
    accepted[~hole] = [verdict.accepted for verdict in judge(rr_ms[~hole], lost[~hole])]
    return accepted


ABSENT = "The recordings were not there."
TEXT = """\
## Rhythm

`analysis/rhythm/` tells a sinus-like rhythm from others by the beats received, rejected ones included; where it is
irregular, ectopic (over a tenth) or paced, there is no HRV. Share of minutes at whose end HRV is withheld, each row's hearts
judged beat by beat as live:

{found}
{there}
Bounds: 98 % of the fibrillating minutes of simulated hearts at least, 1 % of their sinus minutes at most. The score's weights
come from a logistic regression on half of the Atrial Fibrillation records, the Arrhythmia records, half of the people below,
nine healthy children and adults, and simulated hearts of other seeds. In the Atrial Fibrillation records the other minutes are
of people with many atrial ectopics. The annotated records are PhysioNet's (ODC-By), read where `{annotated}` names their folder;
`bench/rhythms.py` tells their form.

Twenty-seven people of PhysioNet's nsr2db by day and night (Holter, 1/128 s), the first {beats} beats of each; every second
one was tuned on:

{people}

## Breaths and sighs

What the live filter takes from five-minute windows of the same people: RMSSD's loss against that of all beats but those
presumed ectopic (`bench/real_people.py` tells how; single beats are not annotated here), and the share of presumed ectopics
left out. People with more than .6 % of them are left out, because their milder ones cannot be told from breaths.

{kept}

## Annotated ectopics

Error of RMSSD in five-minute windows of the MIT-BIH Arrhythmia records that are sinus rhythm by annotation, with and without
annotated ectopic beats (a tenth at most), against that of all sinus beats; paced people, and windows of which nothing is
shown, are left out. What remains wrong are ectopics that come on time or up to a tenth early, which intervals alone do not tell
from the heart's own, and sick hearts that skip and pause without any.

{ectopics}
""".replace("{annotated}", rhythms.ANNOTATED).replace("{beats}", f"{real_people.BEATS:,}")

"""Artifacts in RR intervals, added to a clean series so that every wrong interval is known."""

from dataclasses import dataclass

import numpy as np

KINDS = (
    "ectopic, full pause",
    "ectopic, partial pause",
    "ectopic, no pause",
    "bigeminy",
    "couplet",
    "missed",
    "extra",
    "mix",
    "dropped, told",
    "dropped, not told",
)
_MIX = ("ectopic, full pause", "ectopic, partial pause", "ectopic, no pause", "couplet", "missed", "extra")
_TAKES = {"ectopic, no pause": 1, "extra": 1, "couplet": 3}
"""Number of intervals that an artifact occupies; two where none is given."""
_LEAD = 20
"""Beats at the start without artifacts, from which a filter learns the rhythm."""
_BIGEMINY = (3, 7)
"""Premature beats in a row, each after one normal beat."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoilt:
    """A series with artifacts: arrays of one length."""

    rr_ms: np.ndarray
    wrong: np.ndarray
    """Whether each interval is an artifact."""
    lost_before: np.ndarray
    """Whether intervals were lost before each."""


def spoil(rr_ms, kind, share, rng):
    """Return the series with artifacts of a kind in a share of the beats, at random places.

    There is at least one normal interval between two of them: single ectopic beats in a row would be a tachycardia.
    """
    wanted = round(share * len(rr_ms))
    free = np.ones(len(rr_ms), dtype=bool)
    free[:_LEAD] = free[-3:] = False
    events = {}
    placed = 0
    for at in rng.permutation(len(rr_ms)).tolist():
        if placed >= wanted:
            break
        one = _MIX[rng.integers(len(_MIX))] if kind == "mix" else kind
        repeats = min(int(rng.integers(*_BIGEMINY)), wanted - placed) if kind == "bigeminy" else 1
        takes = _TAKES.get(one, 2) * repeats
        if one.startswith("dropped"):
            takes = 1
        if at + takes > len(rr_ms) or not free[max(at - 1, 0) : at + takes + 1].all():
            continue
        free[at : at + takes] = False
        events[at] = (one, repeats, takes)
        placed += 2 if one == "couplet" else repeats
    return _written(rr_ms, events, rng)


def _written(rr_ms, events, rng):
    rr, wrong, lost_before = [], [], []
    at, lost = 0, False
    while at < len(rr_ms):
        kind, repeats, takes = events.get(at, ("", 1, 1))
        part = _part(kind, repeats, rr_ms[at : at + takes].tolist(), rng)
        rr += part
        wrong += [bool(kind)] * len(part)
        lost_before += [lost and not n for n in range(len(part))]
        lost = kind.startswith("dropped") or (lost and not part)
        at += takes
    return Spoilt(np.array(rr), np.array(wrong), np.array(lost_before))


def _part(kind, repeats, x, rng):
    if kind in ("", "missed"):
        return [sum(x)] if kind else x
    if kind.startswith("dropped"):
        return []
    if kind == "extra":
        cut = rng.uniform(0.25, 0.75) * x[0]
        return [cut, x[0] - cut]
    early = rng.uniform(0.2, 0.4)
    if kind == "bigeminy":
        return [y for n in range(repeats) for y in _premature(x[2 * n : 2 * n + 2], early + rng.normal(0, 0.01), 1.0)]
    if kind == "couplet":
        first, second = early * x[0], rng.uniform(0.2, 0.4) * x[1]
        return [x[0] - first, x[1] - second, x[2] + first + second]
    if kind == "ectopic, no pause":
        return [x[0] * (1 - early)]
    return _premature(x, early, 1.0 if kind == "ectopic, full pause" else rng.uniform(0.2, 0.8))


def _premature(x, early, pause):
    return [x[0] * (1 - early), x[1] + pause * early * x[0]]

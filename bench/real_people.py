"""Real people's day-long RR: what the live filter takes from windows without ectopics, by a criterion that looks both ways.

The recordings have no annotations of single beats here. An interval is presumed ectopic where, against the medians of six
intervals on either side, it is early by more than a fifth, or early with a compensatory pause, or cut in two; windows of people
with more than .6 % of such beats are left out, since their milder ectopics cannot be told from breaths.
"""

from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

WINDOW_S = 300
BEATS = 40_000
"""Beats of each person that are looked at."""
_STEPS = 128
_MOST_ECTOPIC = 0.006


def people(folder):
    """Return RR in ms of each person by name, and the names that the filter's and the rhythm's constants were chosen on."""
    file = np.load(Path(folder) / "nsr2db_half.npz")
    return {name: file[name][:BEATS].astype(np.float64) * 1000 / _STEPS for name in file.files}, set(file.files[::2])


def rows(series, tuned, judge):
    """Return for each half of the people its windows without and with ectopics, their loss in %, and the sensitivity."""
    made = []
    for name, chosen in (("tuned on", True), ("held out", False)):
        without, with_some, hits = [], [], []
        for person, rr_ms in series.items():
            if (person in tuned) is not chosen:
                continue
            hole = rr_ms > 3000
            wrong = presumed_ectopic(np.where(hole, np.median(rr_ms), rr_ms))
            if np.mean(wrong) / 2 > _MOST_ECTOPIC:
                continue
            accepted = judge(rr_ms, hole)
            hits += (~accepted[wrong & ~hole]).tolist()
            for a, b in _windows(rr_ms):
                if hole[a:b].sum() > 2 or np.mean(~accepted[a:b]) > 0.1:
                    continue
                truth, found = _rmssd(rr_ms[a:b], ~(wrong | hole)[a:b]), _rmssd(rr_ms[a:b], (accepted & ~hole)[a:b])
                if truth and found:
                    (with_some if wrong[a:b].any() else without).append(100 * abs(found / truth - 1))
        losses = [np.quantile(part, q) for part in (without, with_some) for q in (0.95, 0.99)]
        made.append((name, len(without), len(with_some), *losses, float(np.mean(hits))))
    return made


def presumed_ectopic(rr_ms):
    """Return which intervals are presumed ectopic, or the pause after one."""
    around = sliding_window_view(np.pad(rr_ms, 8, mode="edge"), 17)
    before, after = np.median(around[:, 2:8], axis=1), np.median(around[:, 10:16], axis=1)
    base = (before + after) / 2
    x, y, z = rr_ms, np.append(rr_ms[1:], rr_ms[-1]), np.append(rr_ms[2:], rr_ms[-2:])
    deviation = np.abs(x / base - 1)
    scale = np.maximum(1.4826 * np.median(sliding_window_view(np.pad(deviation, 50, mode="edge"), 101), axis=1), 0.012)
    steady = np.abs(after / before - 1) < 0.08
    paused = (y > 1.03 * base) & (np.abs(x + y - 2 * base) < 0.12 * base) & (z < 1.06 * before) & steady
    early = (x < 0.8 * base) & (deviation > 4.5 * scale) & (y > base)
    compensated = (x < 0.92 * base) & (deviation > 3.2 * scale) & paused
    cut = (x < 0.68 * base) & (y < 0.68 * base) & (np.abs(x + y - base) < 0.3 * base)
    run = (x < 0.8 * base) & (y < 0.9 * base) & (z > base)
    first = early | compensated | cut | run
    wrong = first.copy()
    wrong[1:] |= first[:-1]
    wrong[2:] |= run[:-2]
    return wrong | (x > 1.45 * base)


def _windows(rr_ms):
    t = np.cumsum(np.where(rr_ms > 3000, 0, rr_ms)) / 1000
    for start in np.arange(0, t[-1] - WINDOW_S, WINDOW_S):
        yield np.searchsorted(t, [start, start + WINDOW_S])


def _rmssd(rr_ms, good):
    squares = np.diff(rr_ms)[good[1:] & good[:-1]] ** 2
    return float(np.sqrt(np.mean(squares))) if squares.size > 60 else None

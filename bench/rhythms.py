"""How often a rhythm is called irregular: simulated hearts with and without a sinus rhythm, and annotated records where present.

Records are text as WFDB's tools print it, in the folder that `ANNOTATED` names: `mitdb/RECORDannotations.txt` (`rdann -v`),
`afdb/qrsRECORD.txt` (`ann2rr -v -V`: start in samples, interval in s, end in samples) and `afdb/atrRECORD.txt` (`rdann -v`).
"""

from itertools import accumulate, pairwise
import os
from pathlib import Path

import numpy as np

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import JudgedBeat
from restbeat.analysis.rhythm.rhythm_watch import WITHOUT_HRV, Rhythm, RhythmWatch

ANNOTATED = "RESTBEAT_ANNOTATED_DATA"
GRIDS = (1024, 1000, 128)
"""Resolutions of straps, in steps a second."""
SPREADS = (0.08, 0.10, 0.15, 0.20, 0.25)
CONDUCTION = ("independent", "gamma", "refractory node", "autocorrelation 0.3")
_HOLE_MS = 3000
_STEP_S = 0.05


def fibrillating(conduction, spread, rng, *, beats=1200):
    """Simulate RR in ms of atrial fibrillation; `spread`: coefficient of variation."""
    mean_ms = rng.uniform(480, 1050)
    match conduction:
        case "independent":
            rr_ms = mean_ms * (1 + spread * rng.standard_normal(beats))
        case "gamma":
            rr_ms = rng.gamma(spread**-2, mean_ms * spread**2, beats)
        case "refractory node":
            refractory_ms = mean_ms * (1 - 1.2 * spread)
            rr_ms = refractory_ms + (mean_ms - refractory_ms) * rng.gamma(1.44, 1 / 1.44, beats)
        case _:
            pushes = np.sqrt(1 - 0.3**2) * rng.standard_normal(beats)
            rr_ms = mean_ms * np.exp(spread * np.array(list(accumulate(pushes.tolist(), lambda last, push: 0.3 * last + push))))
    return as_sent(np.maximum(rr_ms, 260), rng)


def breathing(rng, *, rr_s, hz, depth, uneven, lf=0.02, jitter_ms=3.0, slow=0.03, seconds=900):
    """Simulate RR in ms of a sinus rhythm whose breaths differ in length and depth by `uneven`, a coefficient of variation."""
    count = int(seconds / _STEP_S)
    t, tone, at = np.arange(count) * _STEP_S, np.zeros(count), 0
    while at < count:
        length = max(int(np.exp(uneven * rng.standard_normal()) / hz / _STEP_S), 5)
        share = np.arange(length) / length
        wave = np.where(share < 0.4, share / 0.8, 0.5 + (share - 0.4) / 1.2)  # inspiration is shorter than expiration
        part = depth * np.exp(1.5 * uneven * rng.standard_normal()) * np.sin(2 * np.pi * wave)
        tone[at : at + length] = part[: count - at]
        at += length
    keep = np.exp(-_STEP_S / 60)
    pushes = np.sqrt(1 - keep**2) * rng.standard_normal(count)
    wander = slow * np.array(list(accumulate(pushes.tolist(), lambda last, push: keep * last + push)))
    pressure = lf * np.sin(2 * np.pi * 0.1 * t + 0.05 * np.cumsum(rng.standard_normal(count)))
    beats = np.cumsum(np.maximum(1 + np.clip(tone + pressure, -0.6, 0.6) + wander, 0.2)) * _STEP_S / rr_s
    at_s = np.interp(np.arange(1, int(beats[-1])), beats, t)
    return np.diff(np.sort(at_s + rng.normal(0, jitter_ms / 1000, at_s.size))) * 1000


def with_rmssd(lowest_ms, highest_ms, rng, **heart):
    """Simulate a sinus rhythm as `breathing` does, as deep as gives an RMSSD between the two."""
    wanted, seed, low, high = rng.uniform(lowest_ms, highest_ms), int(rng.integers(2**31)), 0.001, 0.9
    for _ in range(12):
        depth = np.sqrt(low * high)
        rr_ms = breathing(np.random.default_rng(seed), depth=depth, **heart)
        low, high = (depth, high) if np.sqrt(np.mean(np.diff(rr_ms) ** 2)) < wanted else (low, depth)
    return as_sent(rr_ms, rng)


SINUS = {
    "strong sinus arrhythmia, RMSSD 70–140": lambda rng: with_rmssd(
        70, 140, rng, rr_s=rng.uniform(0.75, 1.1), hz=rng.uniform(0.15, 0.33), uneven=0.2, lf=rng.uniform(0.01, 0.04)
    ),
    "athlete, RMSSD 150–280": lambda rng: with_rmssd(
        150, 280, rng, rr_s=rng.uniform(1.05, 1.5), hz=rng.uniform(0.14, 0.3), uneven=0.16, jitter_ms=rng.uniform(2, 8)
    ),
    "slow breathing, swing 30–60 %": lambda rng: as_sent(
        breathing(rng, rr_s=rng.uniform(0.75, 1.1), hz=rng.uniform(0.08, 0.1), depth=rng.uniform(0.15, 0.3), uneven=0.1, lf=0.01),
        rng,
    ),
    "old, RMSSD 2–5": lambda rng: as_sent(
        breathing(rng, rr_s=rng.uniform(0.75, 1.1), hz=0.25, depth=0.001, uneven=0.1, lf=0.003, jitter_ms=1.0, slow=0.02), rng
    ),
}
"""Simulated hearts in sinus rhythm, by name."""


def as_sent(rr_ms, rng):
    """Round to the resolution of one of the straps."""
    steps = rng.choice(GRIDS)
    return np.round(rr_ms * steps / 1000) * 1000 / steps


def rhythm_by_minute(rr_ms):
    """Return the beat at which each minute ends and the rhythm then, as live; an interval over 3 s is a hole."""
    judge, watch, seen = ArtifactFilter(), RhythmWatch(), []
    ends, verdicts, kept, lost, t = [], [], [], False, 0.0
    for n, rr in enumerate(rr_ms.tolist()):
        t += rr / 1000
        if not 0 < rr < _HOLE_MS:
            lost = True
            continue
        verdicts += judge.push(rr, gap=lost)
        ends.append((t, lost))
        kept.append(n)
        lost = False
    for v, (end_s, gap) in zip(verdicts + judge.flush(), ends, strict=True):
        seen.append(watch.push(JudgedBeat(end_s, v.rr_ms, v.accepted, gap, v.diff_ms, v.kind.value)))
    minute = np.array([int(end_s // 60) for end_s, _ in ends])
    last = np.flatnonzero(np.diff(minute))
    return [(kept[n], seen[n]) for n in last]


def withheld(series):
    """Return the number of whole minutes of several series, and the share in % that ended in a rhythm without HRV."""
    rhythms = [rhythm for rr_ms in series for _, rhythm in rhythm_by_minute(rr_ms)]
    return len(rhythms), 100 * sum(rhythm in WITHOUT_HRV for rhythm in rhythms) / len(rhythms)


def simulated_rows(hearts):
    """Return a row (name, minutes, withheld in %) for each kind of simulated heart."""
    rows = []
    for n, conduction in enumerate(CONDUCTION):
        for spread in SPREADS:
            seeds = ([n, round(100 * spread), seed] for seed in range(hearts))
            series = [fibrillating(conduction, spread, np.random.default_rng(seed)) for seed in seeds]
            rows.append((f"fibrillation, {conduction}, spread {100 * spread:.0f} %", *withheld(series)))
    for n, (name, heart) in enumerate(SINUS.items(), len(CONDUCTION)):
        rows.append((name, *withheld([heart(np.random.default_rng([n, seed])) for seed in range(hearts)])))
    return rows


def annotated_rows():
    """Return a row (name, minutes, withheld in %) for each kind of annotated minute; none without the records."""
    folder = os.environ.get(ANNOTATED)
    counts = {}
    for record in [*_mitdb(Path(folder) / "mitdb"), *_afdb(Path(folder) / "afdb")] if folder else ():
        database, rr_ms, rhythm, ectopic = record
        ends = rhythm_by_minute(rr_ms)
        for (before, _), (end, found) in pairwise(ends):
            kind = _kind(rhythm[before + 1 : end + 1], ectopic[before + 1 : end + 1])
            if kind:
                seen = counts.setdefault(f"{database}, {kind}", [0, 0])
                seen[0] += 1
                seen[1] += found in WITHOUT_HRV
    return [(name, minutes, 100 * hit / minutes) for name, (minutes, hit) in sorted(counts.items())]


def people_rows(people, tuned):
    """Return a row (name, minutes, irregular in %, ectopic in %) for each half of the people, and the worst of each half."""
    rows = []
    for name, chosen in (("tuned on", True), ("held out", False)):
        shares = {
            person: [rhythm for _, rhythm in rhythm_by_minute(rr_ms)]
            for person, rr_ms in people.items()
            if (person in tuned) is chosen
        }
        rows.append((name, *_share([rhythm for rhythms in shares.values() for rhythm in rhythms])))
        worst = max(shares, key=lambda person: _share(shares[person])[1])
        rows.append((f"{name}, worst ({worst})", *_share(shares[worst])))
    return rows


def _share(rhythms):
    return len(rhythms), *(100 * rhythms.count(one) / len(rhythms) for one in (Rhythm.IRREGULAR, Rhythm.ECTOPIC))


def _kind(rhythm, ectopic):
    if (rhythm == "AFIB").all():
        return "fibrillation"
    if not (rhythm == "N").all():
        return None
    if not len(ectopic) or ectopic[0] is None:
        return "other rhythms, ectopics not annotated"
    share = float(np.mean(ectopic.astype(float)))
    if share > 0.1:
        return "sinus, over a tenth ectopic"
    return "sinus, under 3 % ectopic" if share < 0.03 else None


def _mitdb(folder):
    for path in sorted(folder.glob("*annotations.txt")):
        samples, ectopic, rhythm, now = [], [], [], "N"
        for sample, kind, aux in annotations(path):
            if kind == "+":
                now = aux
            elif kind in "NLRBAaJSVrFejnE/fQ?":
                samples.append(sample)
                ectopic.append(kind in "VAaJSFrejE")
                rhythm.append(now)
        yield "MIT-BIH Arrhythmia", np.diff(samples) / 0.36, np.array(rhythm)[1:], np.array(ectopic, dtype=object)[1:]


def _afdb(folder):
    for path in sorted(folder.glob("qrs*.txt")):
        ends = np.loadtxt(path)[:, 2]
        rhythm = np.full(ends.size - 1, "N", dtype="<U6")
        for sample, _, aux in annotations(path.with_name(path.name.replace("qrs", "atr"))):
            rhythm[ends[1:] >= sample] = aux
        yield "MIT-BIH Atrial Fibrillation", np.diff(ends) / 0.25, rhythm, np.full(rhythm.size, None)


def annotations(path):
    for line in path.read_text().splitlines():
        parts = line.split()
        if len(parts) >= 5 and parts[1].isdigit():
            yield int(parts[1]), parts[2], parts[6].strip("(") if len(parts) > 6 else ""

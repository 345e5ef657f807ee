"""Real ectopics, annotated beat by beat (MIT-BIH Arrhythmia): RMSSD of five-minute windows against that of all their sinus beats.

The records are text in the folder that `rhythms.ANNOTATED` names. Windows are sinus rhythm throughout, by annotation, with at
most a tenth of ectopic beats; paced people are left out, and so are windows of which the product gives no figure.
"""

from collections import defaultdict
import os
from pathlib import Path

import numpy as np

from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import JudgedBeat
from restbeat.analysis.figures import too_few_accepted
from restbeat.analysis.rhythm.phase_rhythm import rhythm_of_phase
from restbeat.analysis.rhythm.rhythm_watch import WITHOUT_HRV, rhythms_of

from .rhythms import ANNOTATED, annotations

WINDOW_S = 300.0
_SAMPLES_A_SECOND = 360
_PACED = {"102", "104", "107", "217"}
_SINUS_BEATS, _ECTOPIC_BEATS = "NLRB", "AaJSVFejErfQ?"
_DISTURBANCES = "x~|![]"
"""Blocked beats, noise, artifacts and flutter: nobody annotated the beats about them."""
_MOST_ECTOPIC = 0.1
_FEWEST_DIFFERENCES = 60


def rows(judges):
    """Return a row for each judge: its name, windows with ectopics, median, p90 and p95 of their error, and the same without.

    `judges`: functions of RR in ms that return the accepted intervals, by name. Without the records there are no rows.
    """
    folder = os.environ.get(ANNOTATED)
    errors = {name: defaultdict(list) for name in judges}
    for path in sorted((Path(folder) / "mitdb").glob("*annotations.txt")) if folder else ():
        if path.name[:3] in _PACED:
            continue
        end_s, rr_ms, wrong, sinus = record(path)
        accepted = {name: judge(rr_ms) for name, judge in judges.items()}
        shown = _shown(end_s, rr_ms)
        for start_s in np.arange(0.0, end_s[-1] - WINDOW_S + 1, WINDOW_S):
            beats = slice(*np.searchsorted(end_s, [start_s, start_s + WINDOW_S]))
            if not sinus[beats].all() or np.mean(wrong[beats]) / 2 > _MOST_ECTOPIC or not shown(beats):
                continue
            truth = _rmssd(rr_ms[beats], ~wrong[beats])
            for name, kept in accepted.items():
                found = _rmssd(rr_ms[beats], kept[beats])
                if truth and found:
                    errors[name][bool(wrong[beats].any())].append(100 * abs(found / truth - 1))
    return [(name, *_summary(some[True]), *_summary(some[False])) for name, some in errors.items() if some]


def record(path):
    """Return the end of each interval in s, its length in ms, whether it is spoilt, and whether its rhythm is sinus.

    An interval is spoilt where one of its beats is no sinus beat, or a disturbance is annotated within it.
    """
    at, ectopic, rhythm, disturbed, now = [], [], [], [], "N"
    for sample, kind, aux in annotations(path):
        if kind == "+":
            now = aux
        elif kind in _DISTURBANCES:
            disturbed.append(sample)
        elif kind in _SINUS_BEATS + _ECTOPIC_BEATS:
            at.append(sample)
            ectopic.append(kind not in _SINUS_BEATS)
            rhythm.append(now in {"N", "SBR"})
    ectopic = np.array(ectopic)
    wrong = ectopic[1:] | ectopic[:-1] | (np.histogram(disturbed, bins=at)[0] > 0)
    end_s = np.array(at[1:]) / _SAMPLES_A_SECOND
    return end_s, np.diff(at) * 1000 / _SAMPLES_A_SECOND, wrong, np.array(rhythm)[1:]


def _shown(end_s, rr_ms):
    """Return a function that tells of which beats (a slice) the product shows figures."""
    judge = ArtifactFilter()
    verdicts = [verdict for rr in rr_ms.tolist() for verdict in judge.push(rr)] + judge.flush()
    beats = [
        JudgedBeat(float(at), v.rr_ms, v.accepted, False, v.diff_ms, v.kind.value) for at, v in zip(end_s, verdicts, strict=True)
    ]
    rhythms, accepted = rhythms_of(beats), np.array([v.accepted for v in verdicts])

    def shown(window):
        withheld = rhythm_of_phase(rhythms[window]) in WITHOUT_HRV
        return not withheld and not too_few_accepted(100 * float(np.mean(accepted[window])))

    return shown


def _rmssd(rr_ms, good):
    squares = np.diff(rr_ms)[good[1:] & good[:-1]] ** 2
    return float(np.sqrt(np.mean(squares))) if squares.size > _FEWEST_DIFFERENCES else None


def _summary(errors):
    return len(errors), *(float(np.quantile(errors, q)) for q in (0.5, 0.9, 0.95))

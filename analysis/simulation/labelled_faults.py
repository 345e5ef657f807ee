"""Labelled faults for simulated sessions: artifacts in the beats, and duplicate packets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...sensors.recordings.recording import HEART_RATE, Event, Packet

Array = NDArray[np.float64]
_APART_BEATS = 12


@dataclass(frozen=True, slots=True)
class LabelledBeats:
    """Beats as a strap would report them, with a label for each artifact."""

    beats_s: Array
    artifacts: list[dict[str, Any]]
    """Each {"kind": "missed" | "extra" | "ectopic", "t": end in s of the first wrong interval}."""


def with_artifacts(beats_s: Array, rng: np.random.Generator, *, shares: dict[str, float]) -> LabelledBeats:
    """Return the beats with artifacts, never two within 12 beats. shares: share of the beats by kind of artifact.

    missed: two intervals become one. extra: one interval is split. ectopic: a beat comes 30 % early, and the next interval is
    longer by as much.
    """
    places = np.arange(2 * _APART_BEATS, beats_s.size - _APART_BEATS, _APART_BEATS)
    kinds = [kind for kind, share in shares.items() for _ in range(round(share * beats_s.size))]
    chosen = rng.choice(places, size=min(len(kinds), places.size), replace=False)
    beats = beats_s.copy()
    artifacts: list[dict[str, Any]] = []
    drop: list[int] = []
    added: list[float] = []
    for k, kind in sorted(zip(chosen.tolist(), kinds, strict=False)):
        interval = float(beats_s[k] - beats_s[k - 1])
        match kind:
            case "missed":
                drop.append(k)
                at = float(beats_s[k + 1])
            case "extra":
                at = float(beats_s[k - 1]) + interval * float(rng.uniform(0.35, 0.65))
                added.append(at)
            case _:
                at = float(beats_s[k]) - 0.3 * interval
                beats[k] = at
        artifacts.append({"kind": kind, "t": round(at, 3)})
    return LabelledBeats(np.sort(np.append(np.delete(beats, drop), added)), artifacts)


def with_duplicate_packets(events: list[Event], *, from_s: float) -> list[Event]:
    """Return the events with every heart rate packet from `from_s` on twice, as after a reconnect without a disconnect.

    That is what bleak #2002 does to notifications.
    """
    out: list[Event] = []
    for event in events:
        out.append(event)
        if isinstance(event, Packet) and event.char == HEART_RATE and event.t >= from_s:
            out.append(Packet(round(event.t + 0.001, 3), event.char, event.payload))
    return sorted(out, key=lambda event: event.t)

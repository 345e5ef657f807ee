"""Streams of straps with any mixture of faults, from hearts whose RMSSD is known."""

from dataclasses import dataclass, field

import numpy as np

from restbeat.sensors.model import Contact, Device, Measurement
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import HEART_RATE, Header, Packet, Recording

PHASE_S = 300.0
LEAD_S = 60.0


@dataclass(frozen=True)
class OddStrap:
    """A strap's way to send; the values given here are those of a faultless one."""

    every_s: float = 1.0
    jitter_s: float = 0.02
    first_only: bool = False
    """Whether it sends the first RR of each packet only."""
    lost: float = 0.0
    """Share of packets that never arrive."""
    every_nth: int = 0
    """Every how many packets one is lost; 0: none."""
    repeats: bool = False
    """Whether the last RR is sent again in packets without a beat."""
    padding: int = 0
    """Zeros sent with each packet."""
    unit: int = 1024
    """Parts of a second in which RR is sent."""
    grid: int = 1024
    """Parts of a second to which the strap rounds beat times."""
    drift: float = 0.0
    """How much faster its clock runs, s per s."""
    leaves_out: float = 0.0
    """Share of RR intervals that never arrive, without a hole between packets."""


@dataclass(frozen=True)
class Stream:
    """A recording with its truth."""

    recording: Recording
    rmssd_ms: float
    """Of the heart itself in the phase from `LEAD_S` on, over the beats that were sent one after the other."""
    sent: np.ndarray = field(repr=False)


def heart(rng, *, bpm=None, rmssd_ms=None, end_s=LEAD_S + PHASE_S):
    """Return beat times (s) of a heart that breathes, with a 0.1 Hz rhythm, slow wander, and noise of its own."""
    bpm = rng.uniform(45, 105) if bpm is None else bpm
    rr_s, n = 60 / bpm, int(end_s * bpm / 60 * 1.3) + 20
    breath_hz, wander = rng.uniform(0.15, 0.33), np.cumsum(rng.standard_normal(n)) * 0.001
    at = np.arange(n) * rr_s
    shape = (
        rng.uniform(0.01, 0.05) * np.sin(2 * np.pi * (breath_hz * at + rng.random()))
        + rng.uniform(0.005, 0.03) * np.sin(2 * np.pi * (0.1 * at + rng.random()))
        + rng.uniform(0.003, 0.01) * rng.standard_normal(n)
    )
    rr = rr_s * (1 + shape + wander - wander.mean())
    if rmssd_ms is not None:
        scale = rmssd_ms / 1000 / np.sqrt(np.mean(np.diff(rr) ** 2))
        rr = rr.mean() + (rr - rr.mean()) * scale
    beats = np.cumsum(np.clip(rr, 0.26, 2.4))
    return beats[beats < end_s]


def stream(beats_s, strap, rng, *, device=None):
    """Return the recording of a strap that hears these beats, and the heart's own RMSSD in the phase."""
    rr_ms = 1000 * np.diff(beats_s)
    ticks = np.rint(beats_s * (1 + strap.drift) * strap.grid)
    units = np.rint(np.diff(ticks) / strap.grid * strap.unit).astype(int)
    end_s, events, sent, n, last = float(beats_s[-1]), [], [], 0, 0
    arrival, before = 0.0, 0.0
    while True:
        n += 1
        due = n * strap.every_s
        if due > end_s:
            break
        upto = int(np.searchsorted(beats_s[1:], due - 0.15, side="right"))
        mine, last = list(range(last, max(upto, last))), max(upto, last)
        arrival = max(due + (rng.uniform(0, strap.jitter_s) if strap.jitter_s else 0.0), before + 0.001)
        before = arrival
        if strap.first_only:
            mine = mine[:1]
        if strap.leaves_out:
            mine = [k for k in mine if rng.random() >= strap.leaves_out]
        rr = [int(units[k]) for k in mine]
        if not rr and strap.repeats and last:
            rr = [int(units[last - 1])]
        if (strap.lost and rng.random() < strap.lost) or (strap.every_nth and n % strap.every_nth == 0):
            continue
        sent += mine
        known = np.diff(beats_s[max(0, last - 8) : last + 1])
        hr = int(np.clip(round(60 / float(known.mean())), 1, 250)) if known.size else 0
        rr += [0] * strap.padding
        measured = Measurement(hr, Contact.NOT_REPORTED, None, tuple(rr), bool(rr))
        events.append(Packet(round(arrival, 3), HEART_RATE, encode(measured)))
    header = Header(device or Device(name="Odd strap"))
    heard = np.unique(np.array(sent, dtype=int))
    both = heard[1:][(np.diff(heard) == 1) & (beats_s[heard[:-1]] >= LEAD_S)]
    rmssd_ms = float(np.sqrt(np.mean((rr_ms[both] - rr_ms[both - 1]) ** 2))) if both.size else np.nan
    return Stream(Recording(header, tuple(events)), rmssd_ms, heard)


def any_strap(rng):
    """Return a strap with a random mixture of faults."""

    def sometimes(share, value, otherwise):
        return value if rng.random() < share else otherwise

    return OddStrap(
        every_s=float(sometimes(0.6, 1.0, rng.uniform(0.2, 5.0) if rng.random() < 0.5 else rng.uniform(0.5, 2.0))),
        jitter_s=float(sometimes(0.6, 0.03, rng.uniform(0.0, 0.5))),
        first_only=sometimes(0.15, True, False),
        lost=float(sometimes(0.25, rng.uniform(0, 0.2), 0.0)),
        every_nth=int(sometimes(0.15, rng.integers(2, 30), 0)),
        repeats=sometimes(0.15, True, False),
        padding=int(sometimes(0.15, rng.integers(1, 4), 0)),
        unit=int(sometimes(0.15, 1000, 1024)),
        grid=int(rng.choice([1024, 1024, 1000, 256, 128, 125])),
        drift=float(sometimes(0.3, rng.uniform(-5e-4, 5e-4), 0.0)),
        leaves_out=float(sometimes(0.15, rng.uniform(0, 0.15), 0.0)),
    )

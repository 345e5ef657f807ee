"""Sessions to write and what comes back, from the recordings in fixtures/."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from restbeat.analysis.hrv.time_domain import numpy_time_domain
from restbeat.analysis.session_report import summarise
from restbeat.sensors.model import RR_UNIT_MS
from restbeat.sensors.recordings.recording import read
from restbeat.service.exchange.session_data import session_data

FIXTURES = Path(__file__).parents[3] / "fixtures"
BEGAN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
OPTICAL = "verity-sense_simulated_optical.jsonl.gz"
PULSE = "verity-sense_simulated_pulse.jsonl.gz"
ECG = "polar-h10_simulated_ecg.jsonl.gz"
CLEAR = "polar-h10_simulated_clear.jsonl.gz"
GAPS = "polar-h10_simulated_link-loss.jsonl.gz"
NOISY = "polar-h10_simulated_noisy.jsonl.gz"
WITH_RR = sorted(path.name for path in FIXTURES.glob("*.jsonl*") if path.name != OPTICAL)


def of_recording(recording, name="recording", began=BEGAN):
    report = summarise(name, recording.header, recording.events, compute_time_domain=numpy_time_domain)
    return session_data(recording.header, recording.events, report, began)


@cache
def session(name):
    return of_recording(read(FIXTURES / name), name)


def ticks(rr_ms):
    return round(rr_ms / RR_UNIT_MS)


def same_beats(data):
    """What must survive: each interval on the grid of 1/1024 s, where beats were lost, what was left out."""
    return [(ticks(b.rr_ms), b.gap_before and n > 0, b.accepted) for n, b in enumerate(data.beats)]


def differences(data):
    """The differences that enter RMSSD, in 1/1024 s, in order."""
    return [
        ticks(after.rr_ms) - ticks(before.rr_ms)
        for before, after in zip(data.beats, data.beats[1:], strict=False)
        if after.diff_ms is not None
    ]

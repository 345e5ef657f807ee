"""Clean RR series for the artifact benchmark: simulated hearts, a real fixture, and real recordings where they are available."""

from datetime import datetime
from pathlib import Path

import numpy as np

from restbeat.analysis.simulation.heart_model import HeartState, simulate_heart
from restbeat.sensors.model import RR_UNIT_MS
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.recording import HEART_RATE, Packet, read

REAL_DATA = "RESTBEAT_REAL_DATA"
"""Environment variable with the folder of real recordings."""
_FIXTURE = Path(__file__).parent.parent / "fixtures" / "pyhrv_nni-60min_real.jsonl.gz"
_SITTING, _DEEP_BREATHING = ("14:09:20", "14:14:20"), ("14:29:25", "14:32:25")


def simulated_series(seed=0, *, minutes=5):
    """Simulate five kinds of heart; another seed gives other hearts of the same kinds."""
    quiet = HeartState(rr_s=0.9, hf_amplitude=0.03, lf_amplitude=0.02, breathing_hz=0.25)
    breathing = {"0.10 Hz, swing 30 %": (0.10, 0.148), "0.10 Hz, swing 60 %": (0.10, 0.28), "0.08 Hz, swing 45 %": (0.08, 0.215)}
    hearts = {f"simulated, RMSSD {rmssd_ms}": quiet.with_rmssd(rmssd_ms) for rmssd_ms in (20, 90)} | {
        f"simulated, breathing {name}": HeartState(
            rr_s=0.9, hf_amplitude=depth, lf_amplitude=0.01, breathing_hz=hz, jitter_ms=4.0
        )
        for name, (hz, depth) in breathing.items()
    }
    return {
        name: _as_a_strap_sends(_simulated(heart, 60.0 * minutes, np.random.default_rng([seed, n])))
        for n, (name, heart) in enumerate(hearts.items())
    }


def fixture_series(from_beat=2700, beats=750):
    """Return a part of the real hour that pyHRV ships."""
    packets = [event for event in read(_FIXTURE).events if isinstance(event, Packet) and event.char == HEART_RATE]
    units = [rr for packet in packets for rr in parse(packet.payload).rr_1024]
    return {"real ECG, quiet hour": np.array(units[from_beat : from_beat + beats]) * RR_UNIT_MS}


def real_series(folder):
    """Return three parts of real recordings without a visible artifact."""
    h10 = np.loadtxt(folder / "kbre93_polarH10_ibi.csv", delimiter=",")[:, 1]
    rows = [line.split("\t") for line in (folder / "wearablehrv_test_vu.txt").read_text().splitlines()[2:]]
    at_s = np.array([_seconds(row[0].partition("/")[2]) for row in rows])
    rr_ms = np.array([float(row[2]) for row in rows])

    def within(span):
        start_s, end_s = map(_seconds, span)
        return rr_ms[(at_s > start_s) & (at_s <= end_s)]

    return {
        "real Polar H10": h10,
        "real ECG, high RSA": within(_SITTING),
        "real ECG, deep breathing": within(_DEEP_BREATHING),
    }


def _simulated(heart, seconds, rng):
    beats_s = simulate_heart([(0.0, heart)], seconds, rng, tau_s=150.0, drift_sd=0.15).beats_s
    return np.diff(beats_s) * 1000


def _as_a_strap_sends(rr_ms):
    return np.round(rr_ms / RR_UNIT_MS) * RR_UNIT_MS


def _seconds(clock):
    fmt = "%H:%M:%S.%f" if "." in clock else "%H:%M:%S"
    time = datetime.strptime(clock, fmt)  # noqa: DTZ007 a time of day
    return time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6

"""Polar Flow: the JSON files of its data export and of its programming interface."""

import json

import pytest

from restbeat.service.exchange.packet_reconstruction import began_of

from ..reading.test_random_files import figures_of
from .made import AT_S, BEGAN, EVERY_S, RR, assert_rates, assert_same, at, bpm, read_as

RATES = [{"dateTime": at(s, "%Y-%m-%dT%H:%M:%S.000"), "value": bpm(s)} for s in EVERY_S]


def training(samples):
    exercise = {"startTime": at(0), "duration": "PT255.2S", "heartRate": {"min": 60, "avg": 70, "max": 90}, "samples": samples}
    return json.dumps({"exportVersion": "1.6", "duration": "PT255.2S", "maximumHeartRate": 90, "exercises": [exercise]})


def test_the_rr_of_a_training_session_are_read_and_not_its_heart_rates(tmp_path):
    """“training-session-….json” of the data export: exercises with `samples`, of them `heartRate` with dates, and `rr` with a
    `duration` of ISO 8601 such as PT0.812S, and whether the sensor was `offline`.
    """
    rr = [{"duration": f"PT{one / 1000:g}S", "offline": False} for one in RR]
    assert_same(read_as(tmp_path, "training-session.json", training({"heartRate": RATES, "rr": rr})))


def test_intervals_while_the_sensor_was_offline_are_no_heartbeats(tmp_path):
    """The same, with `offline` true."""
    out = set(range(40, 50))
    rr = [{"durationMillis": 300 if n in out else int(one), "offline": n in out} for n, one in enumerate(RR)]
    found = read_as(tmp_path, "training-session.json", training({"rrSamples": rr}))
    assert "10 rows are marked as no heartbeats" in " ".join(found.source.evidence)
    assert figures_of(found).accepted_pct == pytest.approx(100 * (1 - 10 / RR.size))


def test_a_training_session_without_rr_gives_heart_rates(tmp_path):
    """The same, of a watch that kept no intervals."""
    found = read_as(tmp_path, "training-session.json", training({"heartRate": RATES}))
    assert_rates(found, 71, EVERY_S[-1])
    assert began_of(found.recording.header) == BEGAN


@pytest.mark.parametrize("form", ["export", "interface"])
def test_pulse_to_pulse_intervals_of_a_day_are_read(tmp_path, form):
    """“ppi_samples_….json” of the export: days of devices with `ppiSamples` of `sampleDateTime` and `pulseLength` in ms; in the
    programming interface `offsetMillis` of the day, `ppInterval` in ms, `skinContact` and `offline`.
    """
    if form == "export":
        samples = [{"sampleDateTime": at(t)[:-3], "pulseLength": int(rr)} for t, rr in zip(AT_S, RR, strict=True)]
        content = [{"date": "2024-05-01", "devicePpiSamplesList": [{"deviceId": "X", "ppiSamples": samples}]}]
    else:
        samples = [
            {"offsetMillis": round(36_000_000 + 1000 * t), "ppInterval": int(rr), "skinContact": True, "offline": False}
            for t, rr in zip(AT_S, RR, strict=True)
        ]
        content = {"dailyPpiSamples": [{"date": "2024-05-01", "ppiSamplesPerDevice": [{"ppiSamples": samples}]}]}
    assert_same(read_as(tmp_path, "ppi_samples.json", json.dumps(content)))


def test_a_table_of_time_and_interval_without_a_heading_is_read(tmp_path):
    """Polar Flow's export of HRV: seconds from the start and the interval in ms, with a tab between them and no heading."""
    assert_same(read_as(tmp_path, "polar.txt", "\n".join(f"{t:.3f}\t{rr}" for t, rr in zip(AT_S, RR, strict=True))))

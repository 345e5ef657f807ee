"""Oura, Fitbit, Garmin Connect and Movesense: JSON, of which some holds beats, some heart rates, and some figures only."""

import json

import pytest

from ..reading.test_random_files import figures_of
from .made import AT_S, RR, assert_rates, assert_same, at, read_as, refusal

FIVE_MIN = 300


def test_ouras_interbeat_intervals_are_read(tmp_path):
    """Oura's interface, interbeat_interval: rows of `timestamp`, `timestamp_unix` in ms, `ibi` in ms and `validity`."""
    rows = [{"timestamp": at(t)[:-3] + "Z", "ibi": int(rr), "validity": 1} for t, rr in zip(AT_S, RR, strict=True)]
    assert_same(read_as(tmp_path, "oura.json", json.dumps({"data": rows, "next_token": None})))


def test_ouras_intervals_that_are_bad_corrected_or_a_gap_are_left_out(tmp_path):
    """The same: validity 1 is good, 0 raw, 2 bad, 3 corrected, -1 and -2 a gap."""
    codes = {30: 2, 90: 3, 150: -1, 210: -2}
    rows = [
        {"timestamp": at(t)[:-3] + "Z", "ibi": 1700 if n in codes else int(rr), "validity": codes.get(n, 1)}
        for n, (t, rr) in enumerate(zip(AT_S, RR, strict=True))
    ]
    found = read_as(tmp_path, "oura.json", json.dumps({"data": rows}))
    assert "4 rows are marked as no heartbeats" in " ".join(found.source.evidence)
    assert figures_of(found).rmssd_ms == pytest.approx(31, rel=0.05)


def test_ouras_night_gives_its_heart_rates_each_of_five_minutes_and_no_hrv(tmp_path):
    """Oura's interface, sleep: `heart_rate` and `hrv` with `interval` 300 (s), `items` (bpm, and RMSSD in ms; null where none is
    known) and `timestamp`. RMSSD of five minutes each is no series of beats.
    """
    items = {"heart_rate": [51 + n % 4 if n % 11 else None for n in range(90)], "hrv": [60 + n % 20 for n in range(90)]}
    night = {name: {"interval": 300.0, "items": each, "timestamp": at(0)} for name, each in items.items()}
    assert_rates(read_as(tmp_path, "oura.json", json.dumps({"data": [{"average_hrv": 66, **night}]})), 52.5, 88 * FIVE_MIN)


def test_ouras_heart_rates_of_a_day_are_read(tmp_path):
    """Oura's interface, heartrate: rows of `bpm`, `source` and `timestamp`, five minutes apart."""
    rows = [{"bpm": 60 + n % 5, "source": "rest", "timestamp": at(FIVE_MIN * n)} for n in range(60)]
    assert_rates(read_as(tmp_path, "oura.json", json.dumps({"data": rows})), 62, 59 * FIVE_MIN)


FITBIT = {
    "heart_rate-2024-05-01.json": json.dumps([
        {"dateTime": at(5 * n, "%m/%d/%y %H:%M:%S"), "value": {"bpm": 60 + n % 5, "confidence": 2}} for n in range(60)
    ]),
    "intraday.json": json.dumps({
        "activities-heart": [{"dateTime": "2024-05-01", "value": {"restingHeartRate": 60}}],
        "activities-heart-intraday": {"dataset": [{"time": at(5 * n, "%H:%M:%S"), "value": 60 + n % 5} for n in range(60)]},
    }),
    "heart_rate_2024-05-01.csv": "timestamp,beats per minute\n" + "\n".join(f"{at(5 * n)},{60 + n % 5}.0" for n in range(60)),
}  # fmt: skip


@pytest.mark.parametrize("name", FITBIT)
def test_fitbits_heart_rates_are_read(tmp_path, name):
    """Fitbit's export: `dateTime` (month first) and `value.bpm`, or a table of `timestamp` and `beats per minute`; its interface:
    `activities-heart-intraday` with a `dataset` of `time` and `value`.
    """
    assert_rates(read_as(tmp_path, name, FITBIT[name]), 62, 295)


FIGURES = {
    "fitbit hrv.json": json.dumps({
        "hrv": [{"minutes": [{"minute": at(FIVE_MIN * n), "value": {"rmssd": 30.1, "coverage": 0.9, "hf": 200.1, "lf": 300.3}}
                             for n in range(40)]}]
    }),
    "Heart Rate Variability Details.csv": "timestamp,rmssd,coverage,low_frequency,high_frequency\n"
    + "\n".join(f"{at(FIVE_MIN * n)[:-7]},{30 + n % 5}.1,0.9,300.1,200.2" for n in range(40)),
    "garmin hrv.json": json.dumps({
        "hrvSummary": {"lastNightAvg": 50},
        "hrvReadings": [{"hrvValue": 45 + n % 9, "readingTimeGMT": at(FIVE_MIN * n)[:-5]} for n in range(60)],
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_tables_of_rmssd_are_refused_as_figures(tmp_path, name):
    """Fitbit's HRV: `rmssd`, `coverage`, `lf` and `hf` and Garmin Connect's `hrvValue`, of five minutes each."""
    assert "figures computed from beats" in refusal(tmp_path, name, FIGURES[name])


@pytest.mark.parametrize("form", ["records", "lines", "recorder"])
def test_movesenses_intervals_are_read(tmp_path, form):
    """Movesense's interface, /Meas/HR: `average` in bpm and `rrData`, the intervals in ms since the last message."""
    if form == "records":
        packs = [{"hr": {"average": 70.1, "rrData": RR[n : n + 2].tolist()}} for n in range(0, RR.size, 2)]
        content = json.dumps({"data": packs})
    elif form == "lines":
        content = "\n".join(json.dumps({"Body": {"average": 70.5, "rrData": [int(rr)]}, "Uri": "1/Meas/HR"}) for rr in RR)
    else:
        content = json.dumps({"Meas": {"hr": [{"average": 70.5, "rrData": [int(rr)]} for rr in RR]}})
    assert_same(read_as(tmp_path, "movesense.json", content))

"""Suunto: .sml and .xml of Moveslink and Movescount, and the JSON of the app; heart rates are in Hz."""

import json

import pytest

from .made import AT_S, EVERY_S, RR, assert_rates, assert_same, at, bpm, read_as

SAMPLES = "".join(f"<Sample><HR>{bpm(s) / 60:.4f}</HR><Time>{s}</Time></Sample>" for s in EVERY_S)


def sml(rr=""):
    header = "<Header><Duration>255</Duration><DateTime>2024-05-01T10:00:00</DateTime></Header>"
    return (
        '<?xml version="1.0" encoding="utf-8"?><sml xmlns="http://www.suunto.com/schemas/sml" SdkVersion="2.4.89">'
        f"<DeviceLog>{header}<Samples>{SAMPLES}</Samples>{rr}</DeviceLog></sml>"
    )


def test_the_rr_of_an_sml_file_are_read(tmp_path):
    """Suunto's markup language: `R-R` with `Data`, intervals in ms with blanks between them, after samples with `HR` in Hz."""
    assert_same(read_as(tmp_path, "move.sml", sml(f"<R-R><Data>{' '.join(map(str, RR))}</Data></R-R>")))


def test_an_sml_file_without_rr_gives_heart_rates_from_hz(tmp_path):
    """The same; `HR` is in Hz, so 1.1667 is 70 bpm, and `Time` in s from the start."""
    found = read_as(tmp_path, "move.sml", sml())
    assert_rates(found, 71, EVERY_S[-1])
    assert found.source.unit == "Hz"


def sample(content, t, *, as_text):
    attributes = {"suunto/sml": content}
    return {"Attributes": json.dumps(attributes) if as_text else attributes, "Source": "suunto-1", "TimeISO8601": at(t)[:-3]}


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("key", ["IBI", "Data"])
def test_the_rr_of_the_apps_json_are_read_and_not_its_heart_rates(tmp_path, key, as_text):
    """samples.json of the app's export: samples with `TimeISO8601` and `Attributes`, in older ones as text; in them
    `suunto/sml` with a `Sample` (`HR` in Hz) or `R-R`, whose `IBI` or `Data` are some intervals in ms.
    """
    rates = [sample({"Sample": {"HR": bpm(s) / 60}}, s, as_text=as_text) for s in EVERY_S]
    packs = range(0, RR.size, 5)
    rr = [sample({"R-R": {key: RR[n : n + 5].tolist()}}, AT_S[n + 4], as_text=as_text) for n in packs]
    assert_same(read_as(tmp_path, "samples.json", json.dumps({"Samples": rates + rr})))


def test_json_of_one_device_log_is_read(tmp_path):
    """The JSON that Movescount gave: a `DeviceLog` with `Samples` (`HR` in Hz) and `R-R` with all intervals in `Data`."""
    samples = [{"HR": bpm(s) / 60, "TimeISO8601": at(s)} for s in EVERY_S]
    log = {"DeviceLog": {"Header": {"DateTime": at(0)}, "Samples": samples, "R-R": {"Data": RR.tolist()}}}
    assert_same(read_as(tmp_path, "move.json", json.dumps(log)))


def test_json_without_rr_gives_heart_rates_from_hz(tmp_path):
    """samples.json of a watch that kept no intervals."""
    rates = [sample({"Sample": {"HR": bpm(s) / 60}}, s, as_text=False) for s in EVERY_S]
    assert_rates(read_as(tmp_path, "samples.json", json.dumps({"Samples": rates})), 71, EVERY_S[-1])

"""The bundle is valid R4B, its codes are the right ones, and nobody can be found in it."""

from datetime import datetime
import json

from fhir.resources.R4B.bundle import Bundle
import msgspec
import pytest

from restbeat.analysis.figure_table import LOINC, OWN_CODES
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Recording, read
from restbeat.service.exchange.fhir import PHASE
from restbeat.service.exchange.formats import write_as

from .sessions import BEGAN, CLEAR, ECG, FIXTURES, GAPS, NOISY, OPTICAL, PULSE, of_recording, session

LOINC_OF = {"8867-4": "mean_hr_bpm", "9279-1": "resp_per_min", "80404-7": "sdnn_ms"}
LOCAL = {"rmssd", "ln-rmssd", "mean-rr", "pnn50", "sd1", "sd2", "lf", "hf", "accepted", "ln-rmssd-change"}


def bundle_of(data):
    return json.loads(write_as("fhir", data))


def observations(bundle):
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Observation"]


def code_of(observation):
    (coding,) = observation["code"]["coding"]
    return coding["system"], coding["code"]


def phase_of(observation):
    return next(
        part["valueString"]
        for extension in observation.get("extension", ())
        if extension["url"] == PHASE
        for part in extension["extension"]
        if part["url"] == "name"
    )


@pytest.mark.parametrize("name", [CLEAR, GAPS, NOISY, OPTICAL, PULSE, ECG])
@pytest.mark.parametrize("dated", [True, False])
def test_the_bundle_is_valid_r4b(name, dated):
    data = session(name) if dated else of_recording(read(FIXTURES / name), name, began=None)
    bundle = Bundle.model_validate_json(write_as("fhir", data))
    assert bundle.type == "collection"
    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert kinds[:2] == ["Patient", "Device"]
    assert set(kinds[2:]) == {"Observation"}


def test_every_figure_of_every_phase_is_there_under_its_code():
    data = session(CLEAR)
    found = observations(bundle_of(data))
    by_code = {(code_of(o), phase_of(o)): o for o in found if code_of(o) != (LOINC, "72514-3")}
    for figures in data.report.figures.phases:
        for code, name in LOINC_OF.items():
            assert by_code[(LOINC, code), figures.phase]["valueQuantity"]["value"] == getattr(figures, name)
        assert by_code[(OWN_CODES, "rmssd"), figures.phase]["valueQuantity"] == {
            "value": figures.rmssd_ms,
            "unit": "ms",
            "system": "http://unitsofmeasure.org",
            "code": "ms",
        }
    assert {code for (system, code), _ in by_code if system == LOINC} == set(LOINC_OF)
    assert {code for (system, code), _ in by_code if system == OWN_CODES} == LOCAL


def test_the_response_has_its_interval_and_class():
    data = session(CLEAR)
    (change,) = [o for o in observations(bundle_of(data)) if code_of(o)[1] == "ln-rmssd-change" and phase_of(o) == "massage"]
    response = next(r for r in data.report.figures.responses if r.phase == "massage")
    assert change["valueQuantity"]["value"] == response.delta_ln_rmssd
    low, high, verdict = change["component"]
    assert (low["valueQuantity"]["value"], high["valueQuantity"]["value"]) == data.report.intervals["massage"]
    assert verdict["valueString"] == "clear"


def test_pain_is_a_score_at_its_moment():
    pain = [o for o in observations(bundle_of(session(CLEAR))) if code_of(o) == (LOINC, "72514-3")]
    assert [o["valueQuantity"]["value"] for o in pain] == [5, 3]
    moments = [datetime.fromisoformat(o["effectiveDateTime"]) for o in pain]
    assert [(moment - BEGAN).total_seconds() for moment in moments] == [5, 905]


@pytest.mark.parametrize("name", [CLEAR, OPTICAL, ECG])
def test_a_figure_is_either_a_value_or_absent_with_a_reason(name):
    data = session(name)
    for o in observations(bundle_of(data)):
        assert ("valueQuantity" in o) != ("dataAbsentReason" in o)
        if "dataAbsentReason" in o:
            (coding,) = o["dataAbsentReason"]["coding"]
            assert coding["code"] == ("unknown" if data.report.hrv else "unsupported")
            assert o["dataAbsentReason"]["text"]


def test_a_vital_sign_has_category_subject_and_period():
    for o in observations(bundle_of(session(CLEAR))):
        if code_of(o)[1] in {"8867-4", "9279-1"}:
            assert o["category"][0]["coding"][0]["code"] == "vital-signs"
            assert o["valueQuantity"]["code"] == "/min"
            assert o["effectivePeriod"]["start"] < o["effectivePeriod"]["end"]
            assert o["subject"]["reference"].startswith("urn:uuid:")


def test_bound_codes_are_from_their_r4b_value_sets():
    for o in observations(bundle_of(session(CLEAR))):
        assert o["status"] == "final"
        (category,) = o["category"]
        (coding,) = category["coding"]
        assert coding == {"system": coding["system"], "code": coding["code"]}
        assert coding["system"].endswith("/CodeSystem/observation-category")
        assert coding["code"] in {"vital-signs", "procedure", "survey"}
        assert o["valueQuantity"]["system"] == "http://unitsofmeasure.org"
        assert o["valueQuantity"]["code"] in {"/min", "ms", "1", "%", "ms2", "{score}"}


def test_references_resolve_and_ids_are_unique():
    bundle = bundle_of(session(CLEAR))
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    for o in observations(bundle):
        assert o["subject"]["reference"] == urls[0]
        assert o.get("device", {"reference": urls[1]})["reference"] == urls[1]


def test_no_strap_address_is_in_the_bundle():
    recording = read(FIXTURES / CLEAR)
    device = Device(name="Polar H10", address="A0:9E:1A:00:00:01", firmware="5.0.0")
    header = msgspec.structs.replace(recording.header, device=device, client="C-17")
    text = write_as("fhir", of_recording(Recording(header, recording.events)))
    assert b"A0:9E" not in text
    assert b"C-17" in text
    assert b"5.0.0" in text


def test_the_same_session_has_the_same_ids_and_the_client_one_id_in_all():
    first, second = bundle_of(session(CLEAR)), bundle_of(session(CLEAR))
    assert first == second
    recording = read(FIXTURES / GAPS)
    client = session(CLEAR).header.client
    other = bundle_of(of_recording(Recording(msgspec.structs.replace(recording.header, client=client), recording.events)))
    assert other["entry"][0]["fullUrl"] == first["entry"][0]["fullUrl"]
    assert other["identifier"] != first["identifier"]

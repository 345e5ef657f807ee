"""The page of formats: what is read and what is refused stand there as the readers have them (RESTBEAT_UPDATE=1 rewrites it)."""

import os
from pathlib import Path

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.programs.reports import REPORTS
from restbeat.service.exchange.readable_formats import READ
from restbeat.service.exchange.reading.refusals import REFUSALS, check_dropped, check_intervals, in_beats_a_minute, refuse_alien

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "formats.md"
HERE = "tests/service/exchange"
TESTS = {
    "RR text": f"{HERE}/reading/test_number_list.py",
    "restbeat CSV": f"{HERE}/test_round_trips.py",
    "tables (CSV, TSV, semicolons, bars, blanks)": f"{HERE}/reading/test_random_files.py",
    "JSON": f"{HERE}/reading/test_random_files.py",
    "Kubios HRV report (.csv, .txt)": f"{HERE}/programs/test_kubios.py",
    "text of training and research": f"{HERE}/programs/test_training_apps.py",
    "Polar Flow (.json)": f"{HERE}/programs/test_polar_flow.py",
    "JSON of wearables": f"{HERE}/programs/test_wearables.py",
    "Apple Health export": f"{HERE}/programs/test_apple_health.py",
    "Suunto (.sml, .xml, .json)": f"{HERE}/programs/test_suunto.py",
    "XML of watches": f"{HERE}/programs/test_watch_xml.py",
    "EDF+": f"{HERE}/test_edf.py",
    "WFDB annotations (.atr, .qrs, .ecg …; extra `restbeat[wfdb]`)": f"{HERE}/programs/test_wfdb_annotations.py",
    "Garmin FIT": f"{HERE}/programs/test_fit.py",
    "Polar .hrm": f"{HERE}/programs/test_polar_hrm.py",
    "Open mHealth": f"{HERE}/test_open_mhealth.py",
}
"""The test that reads one of each format."""
BEGINS, ENDS = "<!-- what is read: begins -->\n", "<!-- what is read: ends -->"


def refusal(check, *given):
    with pytest.raises(RecordingError) as refused:
        check(*given)
    return str(refused.value)


def generated():
    """Return the tables of what is read, and of what is refused."""
    lines = ["| format | written by, among others | what is read | gaps | test |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {each.name} | {each.written_by} | {each.read} | {each.gaps} | `{TESTS[each.name]}` |" for each in READ]
    sentences = [
        refusal(check_intervals, "rr.txt", [812.0]),
        refusal(check_intervals, "rr.txt", [3900.0] * 30),
        refusal(check_intervals, "rr.txt", [190.0] * 30),
        refusal(in_beats_a_minute, "hr.csv", [700.0] * 30, "bpm"),
        refusal(check_dropped, "rr.csv", 40, 200, ["rr.csv line 3: 'x' is no row of beats; it is left out."]),
        *(f"hrv.txt {each.words}." for each in REPORTS),
        *(f"rr.txt seems to hold {each.words}." for each in REFUSALS),
    ]
    return "\n".join([*lines, "", "What is refused, in its words:", "", *(f"- {sentence}" for sentence in sentences), ""])


def test_the_page_says_what_the_readers_read_and_refuse():
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGINS)
    wanted = before + BEGINS + "\n" + generated() + "\n" + ENDS + rest.split(ENDS)[1]
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == wanted, "run again with RESTBEAT_UPDATE=1"


def test_each_format_has_a_test_that_reads_one():
    assert list(TESTS) == [each.name for each in READ]
    assert [path for path in TESTS.values() if not (ROOT / path).is_file()] == []


def test_each_refusal_knows_its_kind():
    assert "index" in refusal(refuse_alien, "rr.txt", list(range(50)))

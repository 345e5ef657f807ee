"""The page of formats: what is read and what is refused stand there as the readers have them (RESTBEAT_UPDATE=1 rewrites it)."""

import os
from pathlib import Path

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.service.exchange.formats import READ
from restbeat.service.exchange.reading.refusals import REFUSALS, check_dropped, check_intervals, check_rates, refuse_alien

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "formats.md"
BEGINS, ENDS = "<!-- what is read: begins -->\n", "<!-- what is read: ends -->"


def refusal(check, *given):
    with pytest.raises(RecordingError) as refused:
        check(*given)
    return str(refused.value)


def generated():
    """Return the tables of what is read, and of what is refused."""
    lines = ["| format | written by, among others | what is read | gaps | test |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {each.name} | {each.written_by} | {each.read} | {each.gaps} | `{each.test}` |" for each in READ]
    sentences = [
        refusal(check_intervals, "rr.txt", [812.0]),
        refusal(check_intervals, "rr.txt", [3900.0] * 30),
        refusal(check_intervals, "rr.txt", [190.0] * 30),
        refusal(check_rates, "hr.csv", [700.0] * 30),
        refusal(check_dropped, "rr.csv", 40, 200, ["rr.csv line 3: 'x' is no row of beats; it is left out."]),
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


def test_each_format_names_a_test_that_is_there():
    assert [each.test for each in READ if not (ROOT / each.test).is_file()] == []


def test_each_refusal_knows_its_kind():
    assert "index" in refusal(refuse_alien, "rr.txt", list(range(50)))

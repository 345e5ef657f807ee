"""The calendar file, read by a library for RFC 5545."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest

from restbeat.analysis.course.follow_up_windows import SLOTS, window
from restbeat.service.follow_up.models import FollowUp, LinkedSession
from restbeat.web.follow_up.calendar_file import calendar_file

ENDED = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
ADDRESS = f"https://practice.example/c/{'A' * 22}.AAAAAA.{'B' * 43}"


def session(number=7, ended=ENDED):
    slots = []
    for slot in SLOTS:
        span = window(ended, slot)
        times = {"opens_utc": span.opens, "due_utc": span.due, "closes_utc": span.closes}
        slots.append(FollowUp(session=number, slot=slot, state="later", **times))
    return LinkedSession(session=number, started_utc="2026-11-23T20:00:00.000Z", kind="massage", shown=True, follow_ups=slots)


def events(file):
    return icalendar.Calendar.from_ical(file).events


@pytest.mark.parametrize(("language", "title"), [("en", "A few short questions"), ("de", "Ein paar kurze Fragen")])
def test_both_follow_ups_are_events_at_the_hour_the_session_ended(language, title):
    first, second = events(calendar_file(session(), ADDRESS, language))
    assert (first["DTSTART"].dt, second["DTSTART"].dt) == (ENDED + timedelta(hours=24), ENDED + timedelta(hours=48))
    for event in (first, second):
        assert (str(event["SUMMARY"]), str(event["URL"])) == (title, ADDRESS)
        assert event["DURATION"].dt == timedelta(minutes=15)
        (alarm,) = event.walk("VALARM")
        assert (str(alarm["ACTION"]), alarm["TRIGGER"].dt) == ("DISPLAY", timedelta(0))


def test_the_file_mentions_no_health_and_no_names():
    for language in ("en", "de"):
        text = calendar_file(session(), "https://practice.example/c/x", language).decode().lower()
        for word in ("pain", "schmerz", "massage", "heart", "herz", "relax", "health", "session", "sitzung"):
            assert word not in text


def test_an_event_keeps_its_uid_however_often_the_file_is_made_and_by_whichever_link():
    names = [str(event["UID"]) for event in events(calendar_file(session(), ADDRESS, "en"))]
    assert names == [str(event["UID"]) for event in events(calendar_file(session(), "https://elsewhere.example/c/y", "de"))]
    others = [str(event["UID"]) for event in events(calendar_file(session(8), ADDRESS, "en"))]
    assert len({*names, *others}) == 4
    assert calendar_file(session(), ADDRESS, "en") == calendar_file(session(), ADDRESS, "en")


@pytest.mark.parametrize("address", [ADDRESS, "https://x/c/" + "ä€😀" * 60, "https://x/c/a;b,c\\d"])
def test_lines_are_folded_at_75_octets_without_splitting_a_character(address):
    file = calendar_file(session(), address, "de")
    lines = file.split(b"\r\n")
    assert lines.pop() == b""
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    assert all(line.decode() for line in lines)
    assert all(str(event["DESCRIPTION"]) == address for event in events(file))

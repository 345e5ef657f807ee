from datetime import UTC, datetime, timedelta

import pytest

from restbeat.analysis.course.follow_up_windows import SLOTS, state_of, window

ENDED = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)


def hours(count):
    return ENDED + timedelta(hours=count)


@pytest.mark.parametrize(("slot", "opens", "closes"), [(24, 20, 36), (48, 40, 72)])
def test_a_slot_is_open_in_its_window_and_due_at_the_hour_of_the_sessions_end(slot, opens, closes):
    found = window(ENDED, slot)
    assert (found.opens, found.due, found.closes) == (hours(opens), hours(slot), hours(closes))
    moments = (opens - 0.001, opens, closes - 0.001, closes)
    assert [state_of(found, None, hours(at)) for at in moments] == ["later", "open", "open", "missed"]


def test_an_answer_can_be_corrected_for_ten_minutes_even_after_the_window_has_closed():
    found = window(ENDED, 24)
    at = found.closes - timedelta(minutes=1)
    assert state_of(found, at, at + timedelta(minutes=9, seconds=59)) == "correctable"
    assert state_of(found, at, at + timedelta(minutes=10)) == "answered"


def test_the_first_slot_closes_before_the_second_opens():
    assert [window(ENDED, slot).opens for slot in SLOTS] == [hours(20), hours(40)]
    assert window(ENDED, 24).closes < window(ENDED, 48).opens

"""What people enter into a session can be taken back and dated back, and two tablets never disagree."""

import pytest

from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import STOP_NOTE, Mark, Packet, Pain, PhaseStart
from restbeat.service.errors import RefusedError
from restbeat.service.rooms.session_entries import UNDO_S, SessionEntries
from restbeat.service.rooms.session_runner import Session


class Held:
    """A clock that a test moves."""

    speed, at = 1.0, 0.0

    def now(self):
        return self.at


class Book:
    def __init__(self):
        self.events, self.corrections, self.presses = {}, [], []

    def append(self, session, event, key=None):
        if key:
            self.presses.append(key)
        self.events[len(self.events)] = event
        return len(self.events) - 1

    def correct(self, session, seq, event, became_s, therapist):
        assert self.events[seq] == event
        self.corrections.append((event, became_s, therapist))


class Desk:
    def __init__(self, **options):
        self.clock, self.book, self.wall_s = Held(), Book(), 0.0
        self.session = Session(1, None, self.clock, self.book)
        self.journal = SessionEntries(self.session, self.book, monotonic_s=lambda: self.wall_s, **options)

    def beat(self, until_s, rr=1004, swing=40):
        while self.clock.at < until_s:
            self.clock.at += 1.0
            payload = b"\x10\x40" + (rr + swing * (int(self.clock.at) % 2)).to_bytes(2, "little")
            self.session.take(Packet(self.clock.at, "2a37", payload))

    def advance(self, leaving, ago_s=0.0):
        return self.journal.advance(Phase(leaving), ago_s, "Ada")

    @property
    def starts(self):
        return [(start.phase.value, start.t) for start in self.session.live.starts]


@pytest.fixture
def desk():
    return Desk()


def test_a_phase_begins_once_however_many_tablets_press(desk):
    desk.clock.at = 60.0
    assert desk.advance("settle") is Phase.BASELINE
    with pytest.raises(RefusedError, match="settle is over already: this is baseline"):
        desk.advance("settle")
    assert desk.starts == [("baseline", 60.0)]


def test_a_phase_can_begin_two_minutes_ago_but_not_before_the_one_it_ends(desk):
    desk.clock.at = 60.0
    desk.advance("settle")
    desk.clock.at = 500.0
    with pytest.raises(RefusedError, match="before the phase before it began"):
        desk.advance("baseline", ago_s=440.0)
    desk.advance("baseline", ago_s=120.0)
    assert desk.starts == [("baseline", 60.0), ("massage", 380.0)]


def test_what_was_entered_is_taken_back_from_session_and_store_alike(desk):
    desk.clock.at = 100.0
    mark = desk.journal.mark(Mark(0.0, technique="kneading", region="neck"), 20.0, "Ada")
    assert (mark.text, mark.at_s, mark.by) == ("Kneading, neck", 80.0, "Ada")
    desk.journal.undo(mark.number, "Bo")
    assert desk.session.told == {}
    assert desk.book.corrections == [(Mark(80.0, technique="kneading", region="neck"), None, "Bo")]
    with pytest.raises(RefusedError, match="no such entry any more"):
        desk.journal.undo(mark.number, "Ada")


def test_an_entry_stays_after_thirty_seconds(desk):
    pain = desk.journal.pain(4, 0.0, "Ada")
    desk.wall_s = UNDO_S - 0.1
    assert [action.number for action in desk.journal.actions()] == [pain.number]
    desk.wall_s = UNDO_S
    assert desk.journal.actions() == []
    with pytest.raises(RefusedError, match="“Pain 4” is more than 30 s old, and stays"):
        desk.journal.undo(pain.number, "Ada")


def test_a_phase_that_was_taken_back_never_began(desk):
    desk.beat(60)
    desk.advance("settle")
    desk.beat(180)
    baseline = desk.session.live.figures(180.5).baseline_rmssd_ms
    desk.advance("baseline")
    desk.beat(210, swing=80)
    desk.journal.undo(desk.journal.actions()[0].number, "Ada")
    assert desk.session.live.phase is Phase.BASELINE
    assert desk.session.live.figures(210.5).baseline_rmssd_ms > 1.1 * baseline


def test_a_phase_dated_back_takes_its_beats_from_the_one_before(desk):
    desk.beat(60)
    desk.advance("settle")
    desk.beat(180)
    calm = desk.session.live.figures(180.5).baseline_rmssd_ms
    desk.beat(300, swing=120)
    desk.advance("baseline")
    assert desk.session.live.figures(300.5).baseline_rmssd_ms > 1.3 * calm
    desk.journal.redate(desk.journal.actions()[0].number, 119.0, "Ada")
    assert desk.starts == [("baseline", 60.0), ("massage", 181.0)]
    assert desk.session.live.figures(300.5).baseline_rmssd_ms == pytest.approx(calm, rel=0.03)
    assert desk.book.corrections == [(PhaseStart(300.0, Phase.MASSAGE), 181.0, "Ada")]


def test_a_phase_cannot_be_dated_past_its_neighbours_nor_taken_back_under_them(desk):
    desk.clock.at = 60.0
    desk.advance("settle")
    first = desk.journal.actions()[0].number
    desk.clock.at = 80.0
    desk.advance("baseline")
    with pytest.raises(RefusedError, match="later phase has begun"):
        desk.journal.undo(first, "Ada")
    with pytest.raises(RefusedError, match="before the phase before it began"):
        desk.journal.redate(desk.journal.actions()[0].number, 20.0, "Ada")
    with pytest.raises(RefusedError, match="after the next phase began"):
        desk.journal.redate(first, 0.0, "Ada")
    desk.journal.redate(first, 50.0, "Ada")
    assert desk.starts == [("baseline", 30.0), ("massage", 80.0)]


def test_pain_that_increased_ends_the_massage_and_can_be_taken_back_whole(desk):
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    desk.clock.at = 30.0
    stop = desk.journal.stop("Ada")
    assert (stop.kind, stop.text) == ("stop", STOP_NOTE)
    assert desk.starts[-1] == ("recovery", 30.0)
    assert Mark(30.0, note=STOP_NOTE, kind="stop") in desk.session.told.values()
    desk.journal.undo(stop.number, "Ada")
    assert desk.starts[-1] == ("massage", 20.0)
    assert not any(isinstance(event, Mark) for event in desk.session.told.values())


def test_nothing_is_entered_into_a_session_that_has_ended(desk):
    for n, phase in enumerate(("settle", "baseline", "massage", "recovery"), 1):
        desk.clock.at = float(n)
        desk.advance(phase)
    for enter in (
        lambda: desk.journal.pain(3, 0.0, "Ada"),
        lambda: desk.journal.stop("Ada"),
        lambda: desk.journal.mark(Mark(0.0, note="x"), 0.0, "Ada"),
    ):
        with pytest.raises(RefusedError, match="has ended"):
            enter()
    with pytest.raises(RefusedError, match="cannot be dated back"):
        desk.journal.redate(desk.journal.actions()[0].number, 1.0, "Ada")
    assert desk.journal.ends(desk.journal.actions()[0].number)


def test_what_a_recording_tells_is_kept_but_not_for_the_button_to_take_back(desk):
    desk.session.restore([PhaseStart(1.0, Phase.BASELINE), Pain(2.0, 5)])
    assert desk.journal.actions() == []
    desk.clock.at = 10.0
    desk.journal.undo(desk.journal.pain(6, 0.0, "Ada").number, "Ada")
    assert list(desk.session.told.values()) == [PhaseStart(1.0, Phase.BASELINE), Pain(2.0, 5)]


def test_a_rest_session_has_no_massage():
    desk = Desk(rest=True)
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    assert desk.journal.actions()[0].text == "Rest began"


def test_a_press_that_is_sent_again_counts_once_and_is_answered_as_before(desk):
    desk.clock.at = 100.0
    first = desk.journal.mark(Mark(0.0, technique="Kneading"), 0.0, "Ada", "press-1")
    desk.clock.at = 103.0
    again = desk.journal.mark(Mark(0.0, technique="Kneading"), 3.0, "Ada", "press-1")
    desk.journal.pain(4, 0.0, "Ada", "press-2")
    assert (again.number, again.at_s) == (first.number, 100.0)
    assert desk.journal.pain(4, 0.0, "Ada", "press-2").text == "Pain 4"
    assert list(desk.session.told.values()) == [Mark(100.0, technique="Kneading"), Pain(103.0, 4)]
    assert desk.book.presses == ["press-1", "press-2"]


def test_a_phase_that_is_told_again_by_the_same_press_is_no_refusal(desk):
    desk.clock.at = 60.0
    assert desk.journal.advance(Phase.SETTLE, 0.0, "Ada", "press-1") is Phase.BASELINE
    assert desk.journal.advance(Phase.SETTLE, 0.5, "Ada", "press-1") is Phase.BASELINE
    assert desk.starts == [("baseline", 60.0)]


def test_a_press_that_was_taken_back_does_not_come_back_when_it_is_sent_again(desk):
    mark = desk.journal.mark(Mark(0.0, note="Talking"), 0.0, "Ada", "press-1")
    desk.journal.undo(mark.number, "Ada")
    with pytest.raises(RefusedError, match="“Talking” was entered, and taken back since"):
        desk.journal.mark(Mark(0.0, note="Talking"), 0.0, "Ada", "press-1")
    assert desk.session.told == {}


def test_a_stop_that_comes_late_ends_the_massage_when_it_was_pressed_but_never_before_it_began(desk):
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    desk.clock.at = 50.0
    stop = desk.journal.stop("Ada", 12.0, "press-1")
    assert desk.starts[-1] == ("recovery", 38.0)
    assert desk.journal.stop("Ada", 13.0, "press-1").number == stop.number
    desk.journal.undo(stop.number, "Ada")
    desk.journal.stop("Ada", 45.0, "press-2")
    assert desk.starts[-1] == ("recovery", 20.0)

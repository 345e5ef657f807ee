"""What people enter into a session can be taken back and dated back, and two tablets never disagree."""

import msgspec
import pytest

from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import STOP_NOTE, Mark, Packet, Pain, PhaseStart
from restbeat.service.errors import RefusedError
from restbeat.service.rooms.session_entries import REDATE_MASSAGE_S, UNDO_S, SessionEntries
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
        if became_s is not None:
            self.events[seq] = msgspec.structs.replace(event, t=became_s)
        self.corrections.append((event, became_s, therapist))


class Desk:
    def __init__(self, **options):
        self.clock, self.book, self.wall_s = Held(), Book(), 0.0
        self.session = Session(1, None, self.clock, self.book)
        self.entries = SessionEntries(self.session, self.book, monotonic_s=lambda: self.wall_s, **options)

    def beat(self, until_s, rr=1004, swing=40):
        while self.clock.at < until_s:
            self.clock.at += 1.0
            payload = b"\x10\x40" + (rr + swing * (int(self.clock.at) % 2)).to_bytes(2, "little")
            self.session.take(Packet(self.clock.at, "2a37", payload))

    def advance(self, leaving, ago_s=0.0):
        return self.entries.advance(Phase(leaving), ago_s, "Ada")

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


def test_a_phase_can_be_backdated_but_not_before_the_phase_it_ends(desk):
    desk.clock.at = 60.0
    desk.advance("settle")
    desk.clock.at = 500.0
    with pytest.raises(RefusedError, match="before the phase before it began"):
        desk.advance("baseline", ago_s=440.0)
    desk.advance("baseline", ago_s=120.0)
    assert desk.starts == [("baseline", 60.0), ("massage", 380.0)]


def test_an_undone_entry_is_removed_from_session_and_store(desk):
    desk.clock.at = 100.0
    mark = desk.entries.mark(Mark(0.0, technique="kneading", region="neck"), 20.0, "Ada")
    assert (mark.text, mark.at_s, mark.by) == ("Kneading, neck", 80.0, "Ada")
    desk.entries.undo(mark.number, "Bo")
    assert desk.session.entered == {}
    assert desk.book.corrections == [(Mark(80.0, technique="kneading", region="neck"), None, "Bo")]
    assert desk.entries.undo(mark.number, "Ada").text == "Kneading, neck"
    assert len(desk.book.corrections) == 1, "an undo sent again because its answer got lost changes nothing"
    with pytest.raises(RefusedError, match="no such entry any more"):
        desk.entries.undo(mark.number + 1, "Ada")


def test_an_entry_cannot_be_undone_after_thirty_seconds(desk):
    pain = desk.entries.pain(4, 0.0, "Ada")
    desk.wall_s = UNDO_S - 0.1
    assert [action.number for action in desk.entries.changeable()] == [pain.number]
    desk.wall_s = UNDO_S
    assert desk.entries.changeable() == []
    with pytest.raises(RefusedError, match="“Pain 4” is more than 30 s old, and stays"):
        desk.entries.undo(pain.number, "Ada")


def test_the_beginning_of_a_massage_can_be_moved_earlier_and_later_for_ten_minutes(desk):
    desk.clock.at = 60.0
    desk.advance("settle")
    desk.clock.at = 300.0
    desk.advance("baseline")
    for _ in range(15):
        desk.entries.mark(Mark(0.0, note="talking"), 0.0, "Ada")
    desk.clock.at, desk.wall_s = 500.0, REDATE_MASSAGE_S - 1
    (massage,) = desk.entries.changeable()
    assert (massage.text, massage.left_s, massage.redate_left_s) == ("Massage began", 0.0, 1.0)
    with pytest.raises(RefusedError, match="is more than 30 s old, and stays"):
        desk.entries.undo(massage.number, "Ada")
    desk.entries.redate(massage.number, 120.0, "Ada")
    assert desk.starts == [("baseline", 60.0), ("massage", 380.0)]
    desk.entries.redate(massage.number, 260.0, "Ada")
    assert desk.starts == [("baseline", 60.0), ("massage", 240.0)]
    desk.wall_s += UNDO_S + 1
    with pytest.raises(RefusedError, match="“Massage began” is more than 10 min old, and stays"):
        desk.entries.redate(massage.number, 100.0, "Ada")


def test_the_beginning_of_a_massage_stays_once_the_session_has_ended(desk):
    for at_s, leaving in ((60.0, "settle"), (300.0, "baseline"), (400.0, "massage"), (410.0, "recovery")):
        desk.clock.at = at_s
        desk.advance(leaving)
    desk.wall_s = UNDO_S
    assert desk.entries.changeable() == []


def test_an_undone_phase_never_began(desk):
    desk.beat(60)
    desk.advance("settle")
    desk.beat(180)
    baseline = desk.session.live.figures(180.5).baseline_rmssd_ms
    desk.advance("baseline")
    desk.beat(210, swing=80)
    desk.entries.undo(desk.entries.changeable()[0].number, "Ada")
    assert desk.session.live.phase is Phase.BASELINE
    assert desk.session.live.figures(210.5).baseline_rmssd_ms > 1.1 * baseline


def test_a_backdated_phase_takes_its_beats_from_the_phase_before(desk):
    desk.beat(60)
    desk.advance("settle")
    desk.beat(180)
    calm = desk.session.live.figures(180.5).baseline_rmssd_ms
    desk.beat(300, swing=120)
    desk.advance("baseline")
    assert desk.session.live.figures(300.5).baseline_rmssd_ms > 1.3 * calm
    desk.entries.redate(desk.entries.changeable()[0].number, 119.0, "Ada")
    assert desk.starts == [("baseline", 60.0), ("massage", 181.0)]
    assert desk.session.live.figures(300.5).baseline_rmssd_ms == pytest.approx(calm, rel=0.03)
    assert desk.book.corrections == [(PhaseStart(300.0, Phase.MASSAGE), 181.0, "Ada")]


def test_a_phase_cannot_be_moved_past_its_neighbours_nor_undone_after_a_later_phase(desk):
    desk.clock.at = 60.0
    desk.advance("settle")
    first = desk.entries.changeable()[0].number
    desk.clock.at = 80.0
    desk.advance("baseline")
    with pytest.raises(RefusedError, match="later phase has begun"):
        desk.entries.undo(first, "Ada")
    with pytest.raises(RefusedError, match="before the phase before it began"):
        desk.entries.redate(desk.entries.changeable()[0].number, 20.0, "Ada")
    with pytest.raises(RefusedError, match="after the next phase began"):
        desk.entries.redate(first, 0.0, "Ada")
    desk.entries.redate(first, 50.0, "Ada")
    assert desk.starts == [("baseline", 30.0), ("massage", 80.0)]


def test_a_stop_for_pain_ends_the_massage_and_can_be_undone_as_a_whole(desk):
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    desk.clock.at = 30.0
    stop = desk.entries.stop("Ada")
    assert (stop.kind, stop.text) == ("stop", STOP_NOTE)
    assert desk.starts[-1] == ("recovery", 30.0)
    assert Mark(30.0, note=STOP_NOTE, kind="stop") in desk.session.entered.values()
    desk.entries.undo(stop.number, "Ada")
    assert desk.starts[-1] == ("massage", 20.0)
    assert not any(isinstance(event, Mark) for event in desk.session.entered.values())


def test_nothing_can_be_entered_into_an_ended_session(desk):
    for n, phase in enumerate(("settle", "baseline", "massage", "recovery"), 1):
        desk.clock.at = float(n)
        desk.advance(phase)
    for enter in (
        lambda: desk.entries.pain(3, 0.0, "Ada"),
        lambda: desk.entries.stop("Ada"),
        lambda: desk.entries.mark(Mark(0.0, note="x"), 0.0, "Ada"),
    ):
        with pytest.raises(RefusedError, match="has ended"):
            enter()
    with pytest.raises(RefusedError, match="cannot be dated back"):
        desk.entries.redate(desk.entries.changeable()[0].number, 1.0, "Ada")
    assert desk.entries.ends(desk.entries.changeable()[0].number)


def test_entries_of_a_recording_are_kept_and_cannot_be_undone(desk):
    desk.session.restore([PhaseStart(1.0, Phase.BASELINE), Pain(2.0, 5)])
    assert desk.entries.changeable() == []
    desk.clock.at = 10.0
    desk.entries.undo(desk.entries.pain(6, 0.0, "Ada").number, "Ada")
    assert list(desk.session.entered.values()) == [PhaseStart(1.0, Phase.BASELINE), Pain(2.0, 5)]


def test_a_rest_session_has_no_massage():
    desk = Desk(rest=True)
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    assert desk.entries.changeable()[0].text == "Rest began"


def test_a_press_sent_again_counts_once_and_gets_the_same_answer(desk):
    desk.clock.at = 100.0
    first = desk.entries.mark(Mark(0.0, technique="Kneading"), 0.0, "Ada", "press-1")
    desk.clock.at = 103.0
    again = desk.entries.mark(Mark(0.0, technique="Kneading"), 3.0, "Ada", "press-1")
    desk.entries.pain(4, 0.0, "Ada", "press-2")
    assert (again.number, again.at_s) == (first.number, 100.0)
    assert desk.entries.pain(4, 0.0, "Ada", "press-2").text == "Pain 4"
    assert list(desk.session.entered.values()) == [Mark(100.0, technique="Kneading"), Pain(103.0, 4)]
    assert desk.book.presses == ["press-1", "press-2"]


def test_the_same_press_sent_again_for_a_phase_is_not_refused(desk):
    desk.clock.at = 60.0
    assert desk.entries.advance(Phase.SETTLE, 0.0, "Ada", "press-1") is Phase.BASELINE
    assert desk.entries.advance(Phase.SETTLE, 0.5, "Ada", "press-1") is Phase.BASELINE
    assert desk.starts == [("baseline", 60.0)]


def test_an_undone_press_is_not_entered_again_when_it_is_sent_again(desk):
    mark = desk.entries.mark(Mark(0.0, note="Talking"), 0.0, "Ada", "press-1")
    desk.entries.undo(mark.number, "Ada")
    with pytest.raises(RefusedError, match="“Talking” was entered, and taken back since"):
        desk.entries.mark(Mark(0.0, note="Talking"), 0.0, "Ada", "press-1")
    assert desk.session.entered == {}


def test_a_delayed_stop_ends_the_massage_when_it_was_pressed_but_never_before_it_began(desk):
    for at, leaving in ((10.0, "settle"), (20.0, "baseline")):
        desk.clock.at = at
        desk.advance(leaving)
    desk.clock.at = 50.0
    stop = desk.entries.stop("Ada", 12.0, "press-1")
    assert desk.starts[-1] == ("recovery", 38.0)
    assert desk.entries.stop("Ada", 13.0, "press-1").number == stop.number
    desk.entries.undo(stop.number, "Ada")
    desk.entries.stop("Ada", 45.0, "press-2")
    assert desk.starts[-1] == ("recovery", 20.0)

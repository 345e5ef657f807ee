"""Whose session it is: the strap on the right client, what was settled before, another client, the client's own screen."""

import pytest

from restbeat.service.errors import RefusedError, UnknownRoomError
from restbeat.service.rooms.messages import ClientView
from restbeat.service.sessions.screening import Screening

from ..practice_under_test import ADDRESS, audit, open_room


async def test_a_strap_last_worn_by_another_client_must_be_confirmed(bench):
    room = await open_room(bench, client="M-014", posture="prone")
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    with pytest.raises(RefusedError, match="M-014 wore this strap last"):
        await open_room(bench, client="M-020")
    await open_room(bench, client="M-020", strap_confirmed=True)
    worn = "SELECT pseudonym, strap_address, posture FROM client ORDER BY pseudonym"
    rows = await bench.storage.run(lambda db: [tuple(row) for row in db.execute(worn)])
    assert rows == [("M-014", None, "prone"), ("M-020", ADDRESS, None)]


async def test_the_plan_of_a_session_is_stored_and_shown(bench):
    asked = (Screening("Fever or infection?", yes=False), Screening("Recent injury?", yes=True))
    settled = {"client": "M-014", "posture": "prone", "technique": "Swedish", "pain_before": 6, "screening": asked}
    with pytest.raises(RefusedError, match=r"Answered with yes: Recent injury\?\. Consider it"):
        await open_room(bench, **settled)
    await open_room(bench, **settled, screening_confirmed=True)
    (state,) = bench.live_feed.rooms()
    shown = (state.posture, state.technique, state.pain_before, state.pain, state.therapist, state.target_s)
    assert shown == ("prone", "Swedish", 6, 6, "Ada", 180.0)
    query = "SELECT question, answer, confirmed_utc IS NOT NULL FROM screening ORDER BY question"
    rows = await bench.storage.run(lambda db: [tuple(row) for row in db.execute(query)])
    assert rows == [("Fever or infection?", "no", 1), ("Recent injury?", "yes", 1)]


async def test_a_session_can_be_reassigned_to_another_client_and_is_audited(bench):
    room = await open_room(bench, client="M-014")
    with pytest.raises(RefusedError, match="M-020 has not agreed to be recorded yet"):
        await bench.rooms.reassign(room, "M-020", by="Ada")
    await bench.rooms.reassign(room, "M-020", consent=True, by="Ada")
    (state,) = bench.live_feed.rooms()
    (row,) = (await bench.reports.sessions()).rows
    assert (state.client, row.client) == ("M-020", "M-020")
    log = [row for row in await audit(bench) if row[1] == "session reassigned"]
    assert log == [("Ada", "session reassigned", "M-020", state.session, "before: M-014")]
    assert [check.ok for check in state.ready if check.name == "strap"] == [True]
    await bench.rooms.reassign(room, "M-020", by="Bo")
    assert [row for row in await audit(bench) if row[1] == "session reassigned"] == log, "a second press changes nothing"
    worn = "SELECT pseudonym, strap_address FROM client ORDER BY pseudonym"
    rows = await bench.storage.run(lambda db: [tuple(row) for row in db.execute(worn)])
    assert rows == [("M-014", None), ("M-020", ADDRESS)], "the strap goes with the session"
    with pytest.raises(RefusedError, match="Nothing is recorded without consent"):
        await bench.rooms.reassign(room, None, by="Ada")
    await bench.rooms.reassign(room, None, consent=True, by="Ada")
    assert (await bench.reports.sessions()).rows[0].client is None
    await open_room(bench, "A0:9E:1A:00:00:02", client="M-014")


async def test_the_client_view_is_part_of_the_room_state(bench):
    room = await open_room(bench)
    assert bench.live_feed.rooms()[0].client_view == ClientView()
    bench.rooms.show_client(room, ClientView(pacer=True, pace_per_min=5.5))
    assert bench.live_feed.rooms()[0].client_view == ClientView(pacer=True, pace_per_min=5.5)
    with pytest.raises(UnknownRoomError):
        bench.rooms.show_client("room-9", ClientView())


@pytest.mark.parametrize(
    ("answers", "confirmed", "said"),
    [
        ((), False, "not asked"),
        ((False, False), False, "not confirmed"),
        ((False, False), True, "asked"),
        ((False, True), True, "asked"),
    ],
)
async def test_only_a_press_says_that_the_screening_was_asked(bench, answers, confirmed, said):
    asked = tuple(Screening(f"Question {n}", yes=yes) for n, yes in enumerate(answers))
    await open_room(bench, screening=asked, screening_confirmed=confirmed)
    visit = await bench.notes.visit(1, by="Ada")
    assert (visit.screened, [answer.yes for answer in visit.screening]) == (said, list(answers))

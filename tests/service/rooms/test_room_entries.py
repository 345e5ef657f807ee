"""What is entered into a running session: it reaches every page, the store and the report; pain first."""

from contextlib import closing
import sqlite3

from restbeat.sensors.recordings.recording import Mark
from restbeat.service.rooms.session_entries import RequestKey
from restbeat.service.storage.database import DATABASE

from ..practice_under_test import flags, open_room


async def test_entries_reach_every_page_the_store_and_the_report(bench):
    room = await open_room(bench, client="M-014", pain_before=5)
    await bench.straps[0].heard.wait()
    for leaving in ("settle", "baseline"):
        await bench.rooms.entries.advance(room, leaving, by="Ada")
    await bench.rooms.entries.mark(room, Mark(0.0, technique="Kneading", region="Neck"), ago_s=0.0, by="Ada")
    await bench.rooms.entries.pain(room, 7, ago_s=0.0, by="Ada")
    (state,) = bench.live_feed.rooms()
    assert (state.pain, state.notice) == (7, "Pain 7, 2 more than before. Lighten or stop; what was measured is kept.")
    assert [action.text for action in state.actions] == ["Pain 7", "Kneading, Neck", "Massage began", "Baseline began"]
    story = bench.rooms.story(room)
    assert [mark.text for mark in story.marks] == ["Kneading, Neck"]
    assert [score for _, score in story.pain] == [7]
    _, report = await bench.reports.of(state.session)
    assert [note.text for note in report.notes] == ["Kneading, Neck"]
    await bench.rooms.undo(room, state.actions[1].number, by="Bo")
    _, report = await bench.reports.of(state.session)
    assert report.notes == []
    kept = await bench.storage.run(lambda db: db.execute("SELECT therapist, became_s FROM correction").fetchall())
    assert [tuple(row) for row in kept] == [("Bo", None)]


async def test_a_stop_for_pain_flags_the_next_visit_unless_it_is_undone(bench):
    room = await open_room(bench, client="M-014")
    for leaving in ("settle", "baseline"):
        await bench.rooms.entries.advance(room, leaving)
    stop = await bench.rooms.entries.stop(room, by="Ada")
    (state,) = bench.live_feed.rooms()
    assert (state.phase, await flags(bench)) == ("recovery", ["Pain increased – stopped"])
    await bench.rooms.undo(room, stop.number, by="Ada")
    (state,) = bench.live_feed.rooms()
    assert (state.phase, await flags(bench)) == ("massage", [])


async def test_an_entry_with_a_key_is_on_disk_when_it_is_answered(bench):
    room = await open_room(bench)
    await bench.rooms.entries.pain(room, 4, request=RequestKey(key="press-00001"))
    with closing(sqlite3.connect(bench.storage.folder / DATABASE)) as other:
        assert other.execute("SELECT score, press FROM pain").fetchall() == [(4, "press-00001")]


async def test_a_stop_for_pain_is_shown_until_the_session_ends(bench):
    room = await open_room(bench)
    for leaving in ("settle", "baseline"):
        await bench.rooms.entries.advance(room, leaving)
    stop = await bench.rooms.entries.stop(room, by="Ada")
    await bench.rooms.entries.pain(room, 2)
    assert bench.live_feed.rooms()[0].notice.startswith("Stopped: pain increased.")
    await bench.rooms.undo(room, stop.number)
    assert bench.live_feed.rooms()[0].notice is None


async def test_the_story_holds_the_level_of_each_minute_and_where_each_mark_was_made(bench):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    await bench.rooms.entries.mark(room, Mark(0.0, technique="Kneading", region="Neck", pressure="Deep"))
    story = bench.rooms.story(room)
    (mark,) = story.marks
    assert (mark.technique, mark.region, mark.pressure) == ("Kneading", "Neck", "Deep")
    full = story.segments[4]
    assert (full.mid_s, full.resp_per_min) == (45.0, None)
    assert full.low_ms < full.level_ms < full.high_ms

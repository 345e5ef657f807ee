"""A practice for the pages under test: real or made-up rooms, and other parts as given."""

from restbeat.service.practice import Practice
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.settings import PracticeSettings


def practice_of(rooms, live_feed, **parts):
    """Return a practice with these rooms and parts; made-up rooms provide settings and reports too."""
    if not isinstance(rooms, Rooms):
        return Practice(live_feed=live_feed, rooms=rooms, settings=rooms, reports=rooms, **parts)
    store, now_utc = rooms._storage, rooms._now_utc
    if "clients" in parts:
        parts |= {"notes": SessionNotes(store, now_utc=now_utc)}
    return Practice(
        live_feed=live_feed,
        rooms=rooms,
        settings=PracticeSettings(store, now_utc=now_utc),
        reports=SessionReports(store, rooms._worker),
        **parts,
    )

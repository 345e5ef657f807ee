"""Shared parts of the room page's tests: a practice with one room, its opened page, and states of a room."""

from restbeat.service.rooms.live_feed import LiveFeed

from .fake_practice import FakePractice
from .made_up import room_state
from .screen import until

SURE = {"change_so_far_pct": 27.0, "change_low_pct": 3.0, "change_high_pct": 62.0, "resp_per_min": 13.2}
NOTICE = {"pain_before": 5, "pain": 7, "notice": "Pain 7, 2 more than before. Lighten or stop; what was measured is kept."}


def a_practice(**changes):
    return FakePractice(LiveFeed(), [room_state(**changes)])


async def open_room(page, address, room="room-1"):
    await page.goto(f"{address}/rooms/{room}")
    await until(page, "document.querySelector('#next-word').textContent.trim() !== ''")
    await until(page, "!document.querySelector('#plot').dataset.library || document.querySelector('#plot canvas')")

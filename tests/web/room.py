"""What the tests of the room page share: a house with one room, the page once it lives, and states that it can be in."""

from restbeat.service.rooms.live_feed import LiveFeed

from .fake_practice import FakeHouse
from .made_up import room_state
from .screen import until

SURE = {"change_so_far_pct": 27.0, "change_low_pct": 3.0, "change_high_pct": 62.0, "resp_per_min": 13.2}
NOTICE = {"pain_before": 5, "pain": 7, "notice": "Pain 7, 2 more than before. Lighten or stop; what was measured is kept."}


def a_house(**changes):
    return FakeHouse(LiveFeed(), [room_state(**changes)])


async def opened(page, address, room="room-1"):
    await page.goto(f"{address}/rooms/{room}")
    await until(page, "document.querySelector('#next-word').textContent.trim() !== ''")
    await until(page, "!document.querySelector('#plot').dataset.library || document.querySelector('#plot canvas')")

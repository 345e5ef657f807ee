"""The computer's sleep and the sessions: held off while one runs, and told to each session where it came all the same."""

import asyncio
import logging
from typing import Final

from ...sensors.computer_sleep import SleepWatch
from ...sensors.dbus.sleep_inhibitor import SleepInhibitor
from .room_registry import RoomRegistry

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 1.0
_AGAIN_S: Final = 60.0
"""How often the system is asked again that did not agree to stay awake."""


class SleepGuard:
    """Watches the computer's sleep for the rooms, while `run` runs."""

    def __init__(self, rooms: RoomRegistry, watch: SleepWatch, inhibitor: SleepInhibitor | None) -> None:
        """`inhibitor`: None where sleep is not held off."""
        self._rooms = rooms
        self._watch = watch
        self._inhibitor = inhibitor
        self._refused_s = 0.0
        """How long ago the system refused, s; 0 where it did not."""

    async def run(self) -> None:
        """Look every second until cancelled; the computer may sleep afterwards."""
        try:
            while True:
                self.look()
                await self._hold_or_release()
                await asyncio.sleep(_EVERY_S)
        finally:
            if self._inhibitor:
                self._inhibitor.release()

    def look(self) -> None:
        """Tell the running sessions of a sleep that has ended since the last look."""
        slept_s = self._watch.slept_s()
        if not slept_s:
            return
        _LOG.warning("This computer slept for %.0f s. Running sessions have a gap of that length.", slept_s)
        for room in self._rooms:
            if room.running and not room.bench:
                room.note_sleep(slept_s)

    async def _hold_or_release(self) -> None:
        if self._inhibitor is None:
            return
        running = any(room.running and not room.bench for room in self._rooms)
        if not running:
            self._inhibitor.release()
            self._refused_s = 0.0
        elif not self._inhibitor.held:
            if self._refused_s % _AGAIN_S < _EVERY_S and await self._inhibitor.hold("A session runs"):
                self._refused_s = 0.0
                return
            self._refused_s += _EVERY_S
        for room in self._rooms:
            room.kept_awake = self._inhibitor.held

"""A clock that waits for the first packet."""

import asyncio

from ..clock import Clock, RunningClock


class StartableClock:
    """Stands at 0 until it is started: for a session whose time begins with its strap's first packet."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._started = asyncio.Event()
        self._running: Clock | None = None

    @property
    def speed(self) -> float:
        """Session seconds a wall second."""
        return self._speed

    def start(self) -> None:
        """Let it run; once it runs, this changes nothing."""
        if self._running is None:
            self._running = RunningClock(self._speed)
            self._started.set()

    def now(self) -> float:
        """Session time in s."""
        return self._running.now() if self._running else 0.0

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t`; at once where it is past."""
        if self._running is None and t > 0:
            await self._started.wait()
        if self._running:
            await self._running.sleep_until(t)

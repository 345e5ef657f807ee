"""A clock that stands still until the first packet."""

import asyncio

from ..clock import Clock, RunningClock


class StartableClock:
    """A clock that stands at 0 until `start`: for a session whose time begins with its strap's first packet."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._started = asyncio.Event()
        self._running: Clock | None = None

    @property
    def speed(self) -> float:
        """Session seconds per wall second."""
        return self._speed

    def start(self) -> None:
        """Start the clock; no effect once it runs."""
        if self._running is None:
            self._running = RunningClock(self._speed)
            self._started.set()

    def now(self) -> float:
        """Return the session time in s."""
        return self._running.now() if self._running else 0.0

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t` (s); return at once if that has passed."""
        if self._running is None and t > 0:
            await self._started.wait()
        if self._running:
            await self._running.sleep_until(t)

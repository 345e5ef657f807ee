"""A session's own clock: seconds since it began, at any speed, and at a test's command."""

import asyncio
from collections.abc import Callable
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the session began. Watchdogs, staleness and beat times run by it; transport timeouts stay wall time."""

    @property
    def speed(self) -> float:
        """Session seconds a wall second."""
        ...

    def now(self) -> float:
        """Session time in s."""
        ...

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t`; at once where it is past."""
        ...


class RunningClock:
    """Runs from 0, `speed` times as fast as the monotonic clock; `start_s` takes up a session where it stopped."""

    def __init__(self, speed: float = 1.0, *, start_s: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._start = monotonic() - start_s / speed

    @property
    def speed(self) -> float:
        """Session seconds a wall second."""
        return self._speed

    def now(self) -> float:
        """Session time in s."""
        return (self._monotonic() - self._start) * self._speed

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t`; at once where it is past."""
        await asyncio.sleep(max(0.0, (t - self.now()) / self._speed))


class FlatOutClock:
    """Jumps to whatever time is waited for: a replay as fast as it can."""

    speed = float("inf")

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Session time in s."""
        return self._now

    async def sleep_until(self, t: float) -> None:
        """Be at `t`."""
        self._now = max(self._now, t)

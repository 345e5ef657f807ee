"""A session's own clock: seconds since it began, at any speed, and at a test's command."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
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


class TransportClock:
    """A running clock that can be paused, given another speed, and set to another time."""

    def __init__(
        self, speed: float = 1.0, *, start_s: float = 0.0, paused: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._full_speed = speed
        self._paused = paused
        self._holds = 0
        self._monotonic = monotonic
        self._anchor_s, self._anchor = start_s, monotonic()
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        """Session seconds a wall second at this moment: 0 while it stands."""
        return 0.0 if self._paused or self._holds else self._full_speed

    @property
    def full_speed(self) -> float:
        """The speed it has when it is not paused."""
        return self._full_speed

    @property
    def paused(self) -> bool:
        """Whether somebody has paused it."""
        return self._paused

    def now(self) -> float:
        """Session time in s."""
        return self._anchor_s + (self._monotonic() - self._anchor) * self.speed

    def steer(self, *, speed: float | None = None, paused: bool | None = None, at_s: float | None = None) -> None:
        """Change what is named; whoever waits on the clock waits anew."""
        self._anchor_s, self._anchor = self.now() if at_s is None else at_s, self._monotonic()
        self._full_speed = self._full_speed if speed is None else speed
        self._paused = self._paused if paused is None else paused
        self._changed.set()
        self._changed = asyncio.Event()

    @contextmanager
    def held(self) -> Generator[None]:
        """Let it stand within the block, whatever else is asked of it."""
        self.steer()
        self._holds += 1
        try:
            yield
        finally:
            self.steer()
            self._holds -= 1

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t`; at once where it is past."""
        await asyncio.sleep(0)
        while (left_s := t - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s / self.speed if self.speed else None):
                    await self._changed.wait()


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

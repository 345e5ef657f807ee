"""Clocks of a session: seconds since it began, at any speed."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the session began.

    Watchdogs, staleness and beat times use it; transport timeouts stay in wall time.
    """

    @property
    def speed(self) -> float:
        """Session seconds per wall second."""
        ...

    def now(self) -> float:
        """Return the session time in s."""
        ...

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t` (s); return at once if that has passed."""
        ...


def elapsed_s() -> float:
    """Return the seconds since a fixed moment, those during which the computer slept included.

    `time.monotonic` stands still meanwhile on Linux and macOS; on Windows it does not.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    if clock is None:
        clock = getattr(time, "CLOCK_MONOTONIC", None)  # macOS: it goes on during sleep, unlike mach_absolute_time
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class RunningClock:
    """A clock that runs from `start_s`, `speed` times as fast as time passes, asleep or awake.

    `start_s` (s) resumes a session where it stopped.
    """

    def __init__(self, speed: float = 1.0, *, start_s: float = 0.0, monotonic: Callable[[], float] = elapsed_s) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._start = monotonic() - start_s / speed

    @property
    def speed(self) -> float:
        """Session seconds per wall second."""
        return self._speed

    def now(self) -> float:
        """Return the session time in s."""
        return (self._monotonic() - self._start) * self._speed

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t` (s); return at once if that has passed."""
        await asyncio.sleep(max(0.0, (t - self.now()) / self._speed))


class TransportClock:
    """A clock that can be paused, set to another speed, and set to another time."""

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
        """Session seconds per wall second at this moment: 0 while it stands still."""
        return 0.0 if self._paused or self._holds else self._full_speed

    @property
    def full_speed(self) -> float:
        """The speed when it is not paused."""
        return self._full_speed

    @property
    def paused(self) -> bool:
        """Whether it is paused by `steer`."""
        return self._paused

    def now(self) -> float:
        """Return the session time in s."""
        return self._anchor_s + (self._monotonic() - self._anchor) * self.speed

    def steer(self, *, speed: float | None = None, paused: bool | None = None, at_s: float | None = None) -> None:
        """Change speed, pause or time; None leaves one as it is. Pending `sleep_until` calls are recomputed."""
        self._anchor_s, self._anchor = self.now() if at_s is None else at_s, self._monotonic()
        self._full_speed = self._full_speed if speed is None else speed
        self._paused = self._paused if paused is None else paused
        self._changed.set()
        self._changed = asyncio.Event()

    @contextmanager
    def held(self) -> Generator[None]:
        """Keep the clock still within the block, whatever `steer` sets."""
        self.steer()
        self._holds += 1
        try:
            yield
        finally:
            self.steer()
            self._holds -= 1

    async def sleep_until(self, t: float) -> None:
        """Wait until session time `t` (s); return at once if that has passed."""
        await asyncio.sleep(0)
        while (remaining_s := t - self.now()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(remaining_s / self.speed if self.speed else None):
                    await self._changed.wait()


class FlatOutClock:
    """A clock that jumps to whatever time is awaited: for a replay as fast as possible."""

    speed = float("inf")

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Return the session time in s."""
        return self._now

    async def sleep_until(self, t: float) -> None:
        """Jump to session time `t` (s), unless it has passed."""
        self._now = max(self._now, t)

"""A computer's sleep: noticed by two clocks, of which one stands still meanwhile, and held off where the system lets us."""

from collections.abc import Callable
import time
from typing import Final

from .clock import elapsed_s

_LEAST_S: Final = 1.0
"""Least difference of the clocks that counts as a sleep, s."""


class SleepWatch:
    """Tells how long the computer slept since it was asked last."""

    def __init__(self, *, elapsed: Callable[[], float] = elapsed_s, awake: Callable[[], float] = time.monotonic) -> None:
        """Take two clocks in s: `elapsed` counts the time asleep, `awake` does not."""
        self._elapsed = elapsed
        self._awake = awake
        self._asleep_s = elapsed() - awake()

    def slept_s(self) -> float:
        """Return how long the computer slept since the last call, s; 0 where it did not."""
        asleep_s = self._elapsed() - self._awake()
        slept_s = asleep_s - self._asleep_s
        if slept_s < _LEAST_S:
            return 0.0
        self._asleep_s = asleep_s
        return slept_s

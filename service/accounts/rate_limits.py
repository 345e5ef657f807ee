"""Wrong tries make the next one wait: a few are free, then each doubles the wait. And a limit to what one address may ask."""

from collections.abc import Callable
from typing import Final

_FREE: Final = 5
_LONGEST_S: Final = 900.0
_FORGET_S: Final = 3600.0
_MOST_KEYS: Final = 10_000


class FailedAttemptLimiter:
    """Counts wrong tries by key: a name, an address."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._wrong: dict[str, tuple[int, float]] = {}

    def wait_s(self, *keys: str) -> float:
        """How long the next try must wait; 0 where it may be made now."""
        return max((self._left_s(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Count a wrong try."""
        now_s = self._now_s()
        for key in keys:
            count, last_s = self._wrong.pop(key, (0, now_s))
            self._wrong[key] = ((count if now_s - last_s < _FORGET_S else 0) + 1, now_s)
        while len(self._wrong) > _MOST_KEYS:
            del self._wrong[next(iter(self._wrong))]

    def succeeded(self, *keys: str) -> None:
        """Forget the wrong tries."""
        for key in keys:
            self._wrong.pop(key, None)

    def _left_s(self, key: str) -> float:
        count, last_s = self._wrong.get(key, (0, 0.0))
        if count < _FREE:
            return 0.0
        return max(0.0, last_s + min(2.0 ** (count - _FREE), _LONGEST_S) - self._now_s())


class TokenBucket:
    """Lets a key take so many at once, and one more each second."""

    def __init__(self, now_s: Callable[[], float], most: int) -> None:
        self._now_s = now_s
        self._most = most
        self._full_s: dict[str, float] = {}
        """When the bucket of a key is full again."""

    def wait_s(self, key: str) -> float:
        """How long the next must wait; 0 where it may be taken now."""
        return max(0.0, self._full_s.get(key, 0.0) - self._now_s() - self._most + 1)

    def take(self, key: str) -> None:
        """Take one."""
        now_s = self._now_s()
        self._full_s[key] = max(self._full_s.pop(key, now_s), now_s) + 1
        while len(self._full_s) > _MOST_KEYS:
            del self._full_s[next(iter(self._full_s))]

"""Limits on failed attempts, each of which doubles the wait after a few free ones, and on requests of one address."""

from collections.abc import Callable
from typing import Final

_FREE_ATTEMPTS: Final = 5
_MAX_WAIT_S: Final = 900.0
_FORGET_S: Final = 3600.0
_MAX_KEYS: Final = 10_000


class FailedAttemptLimiter:
    """Counter of failed attempts by key: a name, an address.

    The first `_FREE_ATTEMPTS` cost nothing; the wait then doubles from 1 s to `_MAX_WAIT_S`.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._failures: dict[str, tuple[int, float]] = {}

    def wait_s(self, *keys: str) -> float:
        """Return the seconds until the next attempt of all these keys; 0 where it may be made now."""
        return max((self._left_s(key) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Count a failed attempt for each key."""
        now_s = self._now_s()
        for key in keys:
            count, last_s = self._failures.pop(key, (0, now_s))
            self._failures[key] = ((count if now_s - last_s < _FORGET_S else 0) + 1, now_s)
        while len(self._failures) > _MAX_KEYS:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, *keys: str) -> None:
        """Forget the failed attempts of each key."""
        for key in keys:
            self._failures.pop(key, None)

    def _left_s(self, key: str) -> float:
        count, last_s = self._failures.get(key, (0, 0.0))
        if count < _FREE_ATTEMPTS:
            return 0.0
        return max(0.0, last_s + min(2.0 ** (count - _FREE_ATTEMPTS), _MAX_WAIT_S) - self._now_s())


class TokenBucket:
    """Token bucket by key: `most` tokens at once, and one more each second."""

    def __init__(self, now_s: Callable[[], float], most: int) -> None:
        self._now_s = now_s
        self._most = most
        self._full_s: dict[str, float] = {}
        """Time at which the bucket of a key is full again, in s."""

    def wait_s(self, key: str) -> float:
        """Return the seconds until the next token of a key; 0 where one may be taken now."""
        return max(0.0, self._full_s.get(key, 0.0) - self._now_s() - self._most + 1)

    def take(self, key: str) -> None:
        """Take a token of a key."""
        now_s = self._now_s()
        self._full_s[key] = max(self._full_s.pop(key, now_s), now_s) + 1
        while len(self._full_s) > _MAX_KEYS:
            del self._full_s[next(iter(self._full_s))]

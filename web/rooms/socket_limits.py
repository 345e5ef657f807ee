"""The most live sockets at once: of one login or address, and in all, so that no browser takes them from the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from ..http.person import LOGIN

_RETRY_S: Final = 5


@dataclass(slots=True, eq=False)
class SocketLimits:
    """How many live sockets may be open, and how many are."""

    each: int = 250
    """Of one login; without logins, of one address. Behind a proxy every browser has that of the proxy."""
    total: int = 1000
    _open: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def held(self, request: web.Request) -> Iterator[None]:
        """Count a request's socket within the block.

        Raises `web.HTTPTooManyRequests` where its login or address has too many, `web.HTTPServiceUnavailable` where all together
        are too many.
        """
        login = request.get(LOGIN)
        holder = login.token if login else f"address {request.remote}"
        if self._open[holder] >= self.each:
            raise _refused(
                web.HTTPTooManyRequests(text="Too many pages are open here already. Close some; this one tries again.")
            )
        if self._open.total() >= self.total:
            raise _refused(web.HTTPServiceUnavailable(text="Too many pages are open in this practice. This one tries again."))
        self._open[holder] += 1
        try:
            yield
        finally:
            self._open[holder] -= 1
            if not self._open[holder]:
                del self._open[holder]


def _refused(error: web.HTTPException) -> web.HTTPException:
    error.headers["Retry-After"] = str(_RETRY_S)
    return error

"""A strap belongs to one running restbeat of a computer: two would both hear it, and the first to end would cut the other off."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
import logging
import os
from pathlib import Path
from typing import Final, Self

from platformdirs import user_runtime_path

from ..errors import FolderTakenError, StorageError, StrapTakenError
from ..storage.database import take_folder

_BUS: Final = "DBUS_SYSTEM_BUS_ADDRESS"
_LOG = logging.getLogger(__name__)
ELSEWHERE: Final = (
    "Another restbeat on this computer holds this strap. End its session there, or stop that restbeat, or choose another strap."
)


class StrapClaims:
    """The straps of this process. Each is a folder taken as a data folder is: the hold ends with the process however it dies."""

    def __init__(self, folder: Path, air: str = "") -> None:
        """`folder` is shared by every restbeat of the computer; `air` tells apart radios that hear different worlds."""
        self._folder = folder
        self._air = air
        self._releases: dict[str, Callable[[], None]] = {}

    @classmethod
    def of_this_computer(cls) -> Self:
        """Those that every restbeat of this user minds."""
        return cls(user_runtime_path("restbeat") / "straps", os.environ.get(_BUS, ""))

    async def take(self, address: str) -> None:
        """Claim a strap. Raises `StrapTakenError` where another process has it."""
        try:
            hold = await asyncio.to_thread(take_folder, self._folder / _key(self._air, address))
        except FolderTakenError as error:
            raise StrapTakenError(ELSEWHERE) from error
        except StorageError as error:  # a lock that cannot be had must keep nobody from a session
            _LOG.warning("Whether another restbeat holds a strap cannot be told: %s", error)
        else:
            self._releases[canonical(address)] = hold.close

    def drop(self, address: str) -> None:
        """Leave a strap to others."""
        self._releases.pop(canonical(address), lambda: None)()


def canonical(address: str) -> str:
    """An address as it compares: some write it in small letters."""
    return address.upper()


def _key(air: str, address: str) -> str:
    return sha256(f"{air}\0{canonical(address)}".encode()).hexdigest()[:16]

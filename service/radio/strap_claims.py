"""Claims on straps across the restbeat processes of a computer.

Two processes would both hear a strap, and the first to end would disconnect it for the other.
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256
import logging
import os
from pathlib import Path
from typing import Final, Self

from platformdirs import user_runtime_path

from ...sensors.model import canonical_address
from ..errors import FolderTakenError, StorageError, StrapTakenError
from ..storage.database import take_folder

_BUS: Final = "DBUS_SYSTEM_BUS_ADDRESS"
_LOG = logging.getLogger(__name__)
HELD_ELSEWHERE: Final = (
    "Another restbeat on this computer holds this strap. End its session there, or stop that restbeat, or choose another strap."
)


class StrapClaims:
    """Straps claimed by this process. Each claim is a locked folder, like the data folder, so it ends with the process."""

    def __init__(self, folder: Path, air: str = "") -> None:
        """`folder` is shared by every restbeat of the computer; `air` separates radios that hear different (virtual) straps."""
        self._folder = folder
        self._air = air
        self._releases: dict[str, Callable[[], None]] = {}

    @classmethod
    def of_this_computer(cls) -> Self:
        """Return claims in the folder that every restbeat of this user shares."""
        return cls(user_runtime_path("restbeat") / "straps", os.environ.get(_BUS, ""))

    async def claim(self, address: str) -> None:
        """Claim a strap. Raises `StrapTakenError` where another process holds it."""
        try:
            lock = await asyncio.to_thread(take_folder, self._folder / _key(self._air, address))
        except FolderTakenError as error:
            raise StrapTakenError(HELD_ELSEWHERE) from error
        except StorageError as error:  # a folder that cannot be locked must not prevent a session
            _LOG.warning("Whether another restbeat holds a strap cannot be told: %s", error)
        else:
            self._releases[canonical_address(address)] = lock.close

    def release(self, address: str) -> None:
        """Release a strap; one that is not claimed is ignored."""
        self._releases.pop(canonical_address(address), lambda: None)()


def _key(air: str, address: str) -> str:
    return sha256(f"{air}\0{canonical_address(address)}".encode()).hexdigest()[:16]

"""The folder of files that wait for a decision: open to this account of the computer alone."""

from contextlib import suppress
import os
from pathlib import Path
import shutil


def clear(folder: Path) -> None:
    """Empty the folder of what an earlier run left in it; it is made where missing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(0o700, exist_ok=True)


def append(path: Path, piece: bytes) -> None:
    """Append to a file, which is made where missing."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        file.write(piece)


def erase(*paths: Path) -> None:
    """Delete files, those of them that are there."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)

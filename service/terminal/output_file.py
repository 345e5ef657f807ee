"""Files that a command writes: never over another unasked, whole or not at all."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


async def demand_free(out: Path, *, force: bool) -> None:
    """Refuse to overwrite a file. Raises `OutputError` where there is one, unless `force`."""
    if not force and await asyncio.to_thread(out.exists):
        raise OutputError(f"{out} is there already and was left as it is. Choose another name, or replace it with --force.")


@contextmanager
def whole_file(out: Path) -> Generator[Path]:
    """Yield a path to write to; it takes the place of `out` when the block ends, and is deleted where the block fails.

    Raises `OutputError` where the file cannot be written.
    """
    part = out.with_name(f".{out.name}.part.gz" if out.suffix == ".gz" else f".{out.name}.part")
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Nothing was changed.") from error
    finally:
        part.unlink(missing_ok=True)

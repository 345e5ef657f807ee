"""Output files of commands: written completely or not at all, and never over an existing file unless forced."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


async def require_absent(out: Path, *, force: bool) -> None:
    """Require that a file does not exist, unless `force`. Raises `OutputError` where it does."""
    if not force and await asyncio.to_thread(out.exists):
        raise OutputError(f"{out} is there already and was left as it is. Choose another name, or replace it with --force.")


@contextmanager
def whole_file(out: Path) -> Generator[Path]:
    """Yield a temporary path to write to; it replaces `out` when the block ends, and is deleted where the block fails.

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

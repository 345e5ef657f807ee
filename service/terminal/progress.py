"""Progress of the commands: a bar on stderr where that is a terminal, and counts with their nouns."""

from collections.abc import Generator
from contextlib import contextmanager

from ..backups.backup import ProgressCallback


@contextmanager
def bar(what: str) -> Generator[ProgressCallback]:
    """Show a progress bar labelled `what` while the block runs; yields a function to update it (done, total)."""
    # imported here as the server imports this module but shows no bar, and would start 35 ms later
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    from .console import PlainConsole  # noqa: PLC0415

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=PlainConsole(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def counted(number: int, what: str) -> str:
    """Return a count with its noun: 1 session, 2 sessions."""
    return f"{number} {what}{'' if number == 1 else 's'}"

"""What the commands tell: a bar on stderr for what takes long, where somebody watches; and how many of what there were."""

from collections.abc import Generator
from contextlib import contextmanager

from ..storage.backup import ProgressCallback


@contextmanager
def bar(what: str) -> Generator[ProgressCallback]:
    """Show a bar while the block runs."""
    # the server knows of progress, shows no bar, and would start 35 ms later
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, whole: progress.update(task, completed=done, total=whole)


def counted(number: int, what: str) -> str:
    """1 session, 2 sessions."""
    return f"{number} {what}{'' if number == 1 else 's'}"

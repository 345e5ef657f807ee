"""The console of the commands: it shows text as it is, whatever a device, a file or a person put into it."""

from typing import Any

from rich.console import Console
from rich.text import Text

from .printable_text import printable


class PlainConsole(Console):
    """A console, on stdout or stderr, without markup in texts or cells of tables, and without control characters in them."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text to print, with what steers a terminal replaced."""
        return super().render_str(printable(text), **options)

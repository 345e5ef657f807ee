"""Single keys from a terminal, without waiting for Return."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
import os
import sys
from typing import TextIO

if sys.platform != "win32":
    import termios
    import tty

_NAMES = {"\x1b[C": "right", "\x1b[D": "left", "\x1bOC": "right", "\x1bOD": "left"}


@contextmanager
def keys(terminal: TextIO, on_key: Callable[[str], None]) -> Generator[bool]:
    """Call `on_key` with each key within the block, and restore the terminal after it; yields False where there is no terminal.

    A key is its character, or "left" or "right". Needs a running event loop. Ctrl-C still sends its signal.
    """
    if sys.platform == "win32":
        yield False
        return
    try:
        descriptor = terminal.fileno()
        attributes = termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        yield False
        return

    def read() -> None:
        text = os.read(descriptor, 64).decode(errors="replace")
        while text:
            key = next((code for code in _NAMES if text.startswith(code)), text[0])
            text = text[len(key) :]
            on_key(_NAMES.get(key, key))

    loop = asyncio.get_running_loop()
    try:
        tty.setcbreak(descriptor)
        loop.add_reader(descriptor, read)
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, attributes)

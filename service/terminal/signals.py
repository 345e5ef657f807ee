"""Handling of Ctrl-C and termination signals, and lines printed without buffering."""

import asyncio
import signal
import sys

from .printable_text import printable


def stop_signal() -> asyncio.Event:
    """Return an event that Ctrl-C and a termination signal set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt instead
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def no_stop_signal() -> None:
    """Restore the default handling, by which Ctrl-C and a termination signal end the program."""
    loop = asyncio.get_running_loop()
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        try:
            loop.remove_signal_handler(number)
        except NotImplementedError:
            signal.signal(number, default)


def print_line(text: str) -> None:
    """Print a line and flush it, so that it appears at once even in a pipe; control characters are replaced."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()

"""Freed memory goes back to the system."""

import subprocess
import sys

import psutil
import pytest

from restbeat.service.worker.freed_memory import release_freed_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps what was freed")

ARENAS = """
import ctypes, threading
from restbeat.service.worker.freed_memory import limit_freed_memory
{call}
barrier = threading.Barrier(9)
def allocate():
    kept = [bytes(100_000) for _ in range(10)]
    barrier.wait()
    barrier.wait()
for _ in range(8):
    threading.Thread(target=allocate).start()
barrier.wait()
c = ctypes.CDLL(None)
c.malloc_info(0, ctypes.c_void_p.in_dll(c, "stdout"))
c.fflush(None)
barrier.wait()
"""


def arenas_after(call):
    """Return how many arenas eight threads allocate from in a process that begins with a statement."""
    told = subprocess.run(
        [sys.executable, "-c", ARENAS.format(call=call)], capture_output=True, text=True, check=True, timeout=60
    )
    return told.stdout.count("<heap nr=")


def test_threads_share_two_arenas_instead_of_one_each():
    assert arenas_after("limit_freed_memory()") <= 2 < arenas_after("pass")


def test_what_was_freed_below_something_that_is_kept_goes_back_to_the_system():
    process = psutil.Process()
    blocks = [bytes(100_000) for _ in range(1_000)]  # small enough to come from the heap
    kept = blocks[-1]
    del blocks
    before = process.memory_info().rss
    release_freed_memory()
    assert before - process.memory_info().rss > 50_000_000
    assert kept

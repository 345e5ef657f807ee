"""Freed memory goes back to the system."""

import sys

import psutil
import pytest

from restbeat.service.worker.freed_memory import release_freed_memory


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps what was freed")
def test_what_was_freed_below_something_that_is_kept_goes_back_to_the_system():
    process = psutil.Process()
    blocks = [bytes(100_000) for _ in range(1_000)]  # small enough to come from the heap
    kept = blocks[-1]
    del blocks
    before = process.memory_info().rss
    release_freed_memory()
    assert before - process.memory_info().rss > 50_000_000
    assert kept

"""Return of freed memory to the system."""

import ctypes
import sys


def release_freed_memory() -> None:
    """Give the memory that this process has freed back to the system, where its C library can (glibc).

    Each thread allocates from an arena of its own, in which what a report or a backup has freed otherwise stays for good.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)

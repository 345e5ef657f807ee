"""Return of freed memory to the system, where the C library can (glibc)."""

import ctypes
import sys

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 128 * 1024


def limit_freed_memory() -> None:
    """Have this process keep little of what it frees; call before its threads start.

    All threads share two arenas, for each has its own holes; and blocks from 128 KiB are taken from the system one by one, also
    after a large one was freed (glibc would raise that limit with each, up to 32 MiB).
    """
    if _C is not None:
        _C.mallopt(_M_ARENA_MAX, 2)
        _C.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def release_freed_memory() -> None:
    """Give the memory that this process has freed back to the system: what a report or a backup has freed otherwise stays."""
    if _C is not None:
        _C.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


_C = _glibc()

"""The only module that imports sqlite-utils, which imports pandas where that is installed: 36 MB and 0.2 s for nothing."""

import sys


def _without_pandas() -> None:
    if "pandas" in sys.modules:
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]
    try:
        import sqlite_utils  # noqa: F401, PLC0415
    finally:
        del sys.modules["pandas"]


_without_pandas()

from sqlite_utils import Database  # noqa: E402
from sqlite_utils.migrations import Migrations  # noqa: E402

__all__ = ["Database", "Migrations"]

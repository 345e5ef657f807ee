"""Fixtures of all tests. Without Chromium or dbus-daemon the tests that need it are skipped, or fail under CI."""

import os
from pathlib import Path
import shutil
import tempfile

import playwright.async_api
import playwright.sync_api
import pytest

from restbeat.service.worker.worker import Worker

from .chromium import PROGRAMS

# a busy computer is no reason to fail; tests of a time limit state it themselves
playwright.async_api.expect.set_options(timeout=20_000)
playwright.sync_api.expect.set_options(timeout=20_000)

_LEFT_BEFORE = pytest.StashKey()
_NEEDS = {"browser": PROGRAMS, "dbus": ("dbus-daemon",)}


def pytest_collection_modifyitems(items):
    for marker, programs in _NEEDS.items():
        if any(shutil.which(program) for program in programs):
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.usefixtures(f"_no_{marker}"))


def _missing(what):
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and under CI nothing is skipped")
    pytest.skip(f"{what} is not installed")


@pytest.fixture
def _no_browser():
    _missing("Chromium")


@pytest.fixture
def _no_dbus():
    _missing("dbus-daemon")


def pytest_sessionstart(session):
    session.config.stash[_LEFT_BEFORE] = _left_behind()


def pytest_sessionfinish(session):
    """Fail the run where a file of restbeat is left in the temporary folder: it may hold a client's data."""
    if hasattr(session.config, "workerinput"):  # another process of the same run may be using one at this moment
        return
    if left := _left_behind() - session.config.stash[_LEFT_BEFORE]:
        session.config.get_terminal_writer().line(f"left in the temporary folder: {', '.join(sorted(left))}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _left_behind():
    return {
        path.name
        for path in Path(tempfile.gettempdir()).iterdir()
        if path.name.startswith("restbeat") and not path.name.startswith("restbeat-bus")
    }


@pytest.fixture(scope="session")
def worker_pool():
    """One analysis process for all tests, because its imports take seconds."""
    return Worker()

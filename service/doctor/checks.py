"""Checks of `restbeat doctor`: each gives one row, even where it fails or hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from enum import Enum
import errno
from importlib.metadata import PackageNotFoundError, requires, version
import os
from pathlib import Path
import platform
import re
import shutil
import socket
import sys
import time

import msgspec

from ...sensors.bluetooth.error_messages import NOT_ALLOWED
from ...sensors.bluetooth.scanner import adapter_state
from ..backups.backup_schedule import notice
from ..backups.daemon_thread import in_daemon_thread
from ..backups.nightly_backups import standing_of
from ..errors import StorageError
from ..packets.archive_size import ArchiveSize
from ..storage.database import DATABASE, folder_taken
from .database_summary import stored_schedule, summarise_database

_TIMEOUT_S = 15.0
_LEAST_FREE_GB, _LOW_FREE_GB = 0.2, 2.0
_LARGE_WAL_MB = 64.0
_DRIFT_OVER_S, _LARGEST_DRIFT_S = 0.5, 0.05
_SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
_CONNECTIONS_A_USER = 256


class State(Enum):
    """Result of a check: fine, worth attention, such that restbeat cannot work, or not known as it could not be tried."""

    OK = "ok"
    LOOK = "look"
    BAD = "bad"
    UNTRIED = "not tried"


class Finding(msgspec.Struct, frozen=True):
    """One row: the check, its state, the finding, and advice."""

    check: str
    state: State
    found: str
    hint: str = ""


Check = Callable[[], Awaitable[Finding]]


async def run(name: str, check: Check) -> Finding:
    """Run a check for 15 s at most; one that fails or hangs gives a finding that says so."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return Finding(
            name, State.BAD, f"no answer within {_TIMEOUT_S:g} s", "Something hangs there: try again, then restart it."
        )
    except Exception as error:  # noqa: BLE001 whatever it is, the other checks must still run
        return Finding(name, State.UNTRIED, f"{type(error).__name__}: {error}", "This check itself failed: please report it.")


async def python() -> Finding:
    """Check the versions of Python and the system."""
    state = State.OK if sys.version_info >= (3, 11) else State.BAD
    hint = "" if state is State.OK else "restbeat needs Python 3.11 or newer."
    return Finding("Python", state, f"{platform.python_version()} on {platform.system()} {platform.machine()}", hint)


async def libraries() -> Finding:
    """Check the installed versions of restbeat and its dependencies."""
    names = [re.split(r"[^\w.-]", text)[0] for text in requires("restbeat") or () if "extra ==" not in text]
    found, missing = [f"restbeat {version('restbeat')}"], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("Libraries", State.BAD, f"missing: {', '.join(missing)}", "Install restbeat anew.")
    return Finding("Libraries", State.OK, ", ".join(found))


async def bus() -> Finding:
    """Check the D-Bus system bus, through which Bluetooth is used on Linux."""
    if sys.platform != "linux":
        return Finding("D-Bus", State.OK, "not needed on this system")
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM_BUS)
    path = re.search(r"unix:path=([^,;]+)", address)
    if path is None:
        return Finding("D-Bus", State.UNTRIED, f"at {address}, which is no socket to look at")
    try:
        _, writer = await asyncio.open_unix_connection(path[1])
    except OSError as error:
        return Finding("D-Bus", State.BAD, f"no system bus at {path[1]}: {error.strerror or error}", "Install and start dbus.")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return Finding("D-Bus", State.OK, f"reached; {_CONNECTIONS_A_USER} connections a user by default, one a strap")


async def bluez() -> Finding:
    """Check the version of BlueZ, where bluetoothctl reports it."""
    program = shutil.which("bluetoothctl")
    if program is None:
        return Finding(
            "BlueZ", State.UNTRIED, "version unknown: there is no bluetoothctl", "Install bluez, or see what “Adapter” says."
        )
    process = await asyncio.create_subprocess_exec(
        program, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    match = re.search(rb"(\d+)\.(\d+)", printed)
    if match is None:
        return Finding("BlueZ", State.UNTRIED, "version unknown: bluetoothctl does not tell it")
    old = (int(match[1]), int(match[2])) < (5, 55)
    return Finding(
        "BlueZ",
        State.LOOK if old else State.OK,
        match[0].decode(),
        "Older than 5.55: update it if straps are lost." if old else "",
    )


def adapter(name: str | None) -> Check:
    """Return the check whether a scan can start: an adapter, its power, and the right to use it."""

    async def check() -> Finding:
        radio = await adapter_state(name)
        found, _, hint = radio.text.rstrip(".").partition(". ")
        return Finding("Adapter", State.OK if radio.ready else State.BAD, found, f"{hint}." if hint else "")

    return check


def permissions(name: str | None) -> Check:
    """Return the check whether this user may use Bluetooth: on Linux root, the user at the screen, and a group may."""

    async def check() -> Finding:
        if sys.platform != "linux":
            return Finding("Permissions", State.UNTRIED, "the system asks for them when Bluetooth is first used")
        radio = await adapter_state(name)
        who = "root" if os.geteuid() == 0 else "in the group bluetooth" if "bluetooth" in _groups() else "in no special group"
        if radio.text == NOT_ALLOWED:
            hint = "Add the user to the group bluetooth (usermod -aG bluetooth NAME) and log in anew."
            return Finding("Permissions", State.BAD, f"may not use Bluetooth; the user is {who}", hint)
        if not radio.ready:
            hint = "“Adapter” says why; mend that, then look again."
            return Finding("Permissions", State.UNTRIED, f"Bluetooth could not be tried; the user is {who}", hint)
        return Finding("Permissions", State.OK, f"may use Bluetooth; the user is {who}")

    return check


def _groups() -> set[str]:
    import grp  # noqa: PLC0415 there is none on Windows

    names = set()
    for number in os.getgroups():
        with suppress(KeyError):
            names.add(grp.getgrgid(number).gr_name)
    return names


def disk(data: Path) -> Check:
    """Return the check of the data folder: that it is writable, closed to other users, and has room on its disk."""

    def examine() -> Finding:
        existing = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
        free_gb = shutil.disk_usage(existing).free / 1e9
        found = f"{data}, {free_gb:.1f} GB free"
        if not os.access(existing, os.W_OK):
            return Finding("Data folder", State.BAD, f"{found}, not writable", "Give this user the right, or choose --data.")
        if free_gb < _LEAST_FREE_GB:
            return Finding("Data folder", State.BAD, found, "Free some space: sessions can hardly be stored.")
        if free_gb < _LOW_FREE_GB:
            return Finding("Data folder", State.LOOK, found, "Free some space.")
        if existing != data:
            return Finding("Data folder", State.OK, f"{found}, not made yet")
        if os.name == "posix" and data.stat().st_mode & 0o007:
            return Finding("Data folder", State.LOOK, f"{found}, open to other users", f"Close it: chmod 700 {data}")
        return Finding("Data folder", State.OK, found)

    return lambda: in_daemon_thread(examine)


def database(data: Path) -> Check:
    """Return the check of the database, which it reads without changing it."""

    def examine() -> Finding:
        if not (data / DATABASE).exists():
            return Finding("Database", State.OK, "none yet; it is made at the first session")
        try:
            contents = summarise_database(data)
        except StorageError as error:
            return Finding("Database", State.BAD, str(error), "Copy the file to a safe place before anything else.")
        found = f"{contents.sessions} sessions, {contents.packets} packets, {contents.size_mb:.1f} MB{_growth(contents.archive)}"
        if contents.damage:
            return Finding(
                "Database", State.BAD, f"{found}; damaged: {contents.damage}", "Copy it to a safe place; put a backup there."
            )
        if contents.pending:
            return Finding(
                "Database", State.LOOK, f"{found}; {contents.pending} migrations pending", "The next start brings it up to date."
            )
        if contents.interrupted:
            return Finding(
                "Database", State.LOOK, f"{found}; {contents.interrupted} running or cut off", "Resume or end them from the page."
            )
        if contents.wal_mb > _LARGE_WAL_MB:
            return Finding("Database", State.LOOK, f"{found}; log of {contents.wal_mb:.0f} MB", "Stop and start restbeat once.")
        return Finding("Database", State.OK, found)

    return lambda: in_daemon_thread(examine)


def _growth(archive: ArchiveSize | None) -> str:
    if archive is None or archive.month_bytes is None:
        return ""
    share = f", {archive.packed} of {archive.sessions} sessions packed"
    return f", about {archive.month_bytes / 1e6:.1f} MB more a month{share}, {archive.reused_bytes / 1e6:.1f} MB to be used again"


def backups(data: Path) -> Check:
    """Return the check of the backups: whether they are made by themselves, and when the last one was, and verified."""

    def examine() -> Finding:
        if not (data / DATABASE).exists():
            return Finding("Backups", State.OK, "nothing to back up yet")
        now = datetime.now(UTC)
        try:
            schedule = stored_schedule(data)
        except StorageError as error:
            return Finding("Backups", State.UNTRIED, str(error))
        standing = standing_of(data, msgspec.structs.replace(schedule, quiet_until_utc=None), now)
        last = "none yet" if standing.last_utc is None else f"the last of {standing.last_utc:%Y-%m-%d %H:%M} UTC"
        verified = "" if standing.last_utc is None else ", verified" if standing.last_verified else ", not verified"
        where = f"to {schedule.folder} at {schedule.hour}:00" if schedule.folder else "no automatic ones"
        amiss = notice(standing, now)
        return Finding("Backups", State.LOOK if amiss else State.OK, f"{where}; {last}{verified}", amiss or "")

    return lambda: in_daemon_thread(examine)


def data_folder_use(data: Path) -> Check:
    """Return the check whether a running restbeat holds the data folder."""

    def examine() -> Finding:
        in_use = (data / DATABASE).exists() and folder_taken(data)
        return Finding(
            "In use", State.OK, "a running restbeat holds the data folder" if in_use else "no running restbeat holds it"
        )

    return lambda: in_daemon_thread(examine)


async def clock() -> Finding:
    """Check the drift of the wall clock against the monotonic clock over 0.5 s, and report the time zone."""
    wall_s, steady_s = time.time(), time.monotonic()
    await asyncio.sleep(_DRIFT_OVER_S)
    drift_s = (time.time() - wall_s) - (time.monotonic() - steady_s)
    found = f"time zone {time.strftime('%Z (UTC%z)')}, drift {1000 * drift_s:+.1f} ms in {_DRIFT_OVER_S:g} s"
    if abs(drift_s) > _LARGEST_DRIFT_S:
        return Finding("Clock", State.LOOK, found, "The system clock is being set; wait until it keeps still.")
    return Finding("Clock", State.OK, found)


def port(number: int) -> Check:
    """Return the check whether the pages can be served at a port."""

    async def check() -> Finding:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", number))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return Finding(
                        "Port", State.LOOK, f"{number} is in use", "By restbeat itself? Else choose another with --port."
                    )
                return Finding("Port", State.UNTRIED, f"{number}: {error.strerror}", "Choose another with --port.")
        return Finding("Port", State.OK, f"{number} is free")

    return check

"""What is amiss with a computer, in a table; and a support file without the people in it."""

import asyncio
from datetime import UTC, datetime
import getpass
import json
import os
from pathlib import Path
import socket
import sqlite3
import subprocess
import sys
import zipfile

import pytest

from restbeat.sensors.bluetooth.scanner import on_bus
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, Mark
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.doctor import checks, doctor
from restbeat.service.doctor.checks import Finding, State
from restbeat.service.doctor.doctor import examine, redacted
from restbeat.service.errors import AmissError, OutputError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import DATABASE

CLIENT, ADDRESS, NOTE = "Zq7Client", "A0:9E:1A:77:66:55", "Zq7Note"


@pytest.fixture
async def data(tmp_path):
    folder = tmp_path / "Zq7Folder"
    async with await SessionStore.open(folder) as storage:
        header = Header(device=Device(name="Polar H10 77665544", address=ADDRESS), client=CLIENT)
        session = await storage.create_session(NewSession(header=header, source="strap"))
        storage.append(session, Mark(1.0, note=NOTE))
        await storage.end_session(session, datetime.now(UTC), 1.0)
    folder.chmod(0o700)
    return folder


async def found(check):
    return await checks.run("a check", check)


async def test_without_bluetooth_the_command_says_what_is_missing_and_fails(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    async with on_bus(f"unix:path={tmp_path}/none"):
        with pytest.raises(AmissError, match="D-Bus, Adapter"):
            await examine(data, adapter=None, as_json=True, bundle=None)
    findings = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert findings["D-Bus"]["state"] == findings["Adapter"]["state"] == "bad"
    assert findings["D-Bus"]["hint"]
    assert findings["Adapter"]["hint"]
    rows = [
        "Python",
        "Libraries",
        "D-Bus",
        "BlueZ",
        "Adapter",
        "Permissions",
        "Data folder",
        "Database",
        "Backups",
        "In use",
        "Clock",
        "Port",
    ]
    assert list(findings) == rows
    assert findings["Database"]["state"] == findings["Data folder"]["state"] == findings["Clock"]["state"] == "ok"
    assert findings["Backups"]["state"] == "look"
    assert findings["Backups"]["found"] == "no automatic ones; none yet"
    assert findings["Database"]["found"].startswith("1 sessions, 0 packets")
    assert "neurokit2" in findings["Libraries"]["found"]


@pytest.mark.dbus
async def test_with_an_adapter_all_is_well_and_without_power_it_is_not(data, capsys):
    async with virtual_straps([]) as air, on_bus(air.bus_address):
        assert (await found(checks.bus)).state is State.OK
        assert (await found(checks.adapter(None))) == Finding("Adapter", State.OK, "Bluetooth ready")
        await examine(data, adapter="hci0", as_json=False, bundle=None)
        assert "restbeat doctor" in capsys.readouterr().out
        assert "hci7" in (await found(checks.adapter("hci7"))).found
        air.bluez.power("hci0", on=False)
        async with asyncio.timeout(5):
            while (off := await found(checks.adapter(None))).state is State.OK:
                pass
        assert (off.found, off.hint) == ("Bluetooth is switched off", "Switch it on.")


@pytest.mark.dbus
async def test_a_user_without_permission_gets_advice_how_to_get_it(monkeypatch):
    async with virtual_straps([]) as air, on_bus(air.bus_address):
        assert (await found(checks.permissions(None))).found.startswith("may use Bluetooth; the user is ")
    async with virtual_straps([]) as air, on_bus(air.bus_address):
        air.bluez.refuses = "org.freedesktop.DBus.Error.AccessDenied"
        denied = await found(checks.permissions(None))
    assert (denied.state, "may not use Bluetooth" in denied.found) == (State.BAD, True)
    assert "usermod -aG bluetooth" in denied.hint


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [("5.66", "ok", "5.66"), ("5.50", "look", "5.50"), ("odd", "not tried", "version unknown: bluetoothctl does not tell it")],
)
async def test_the_version_of_bluez_is_shown_and_an_old_one_is_flagged(tmp_path, monkeypatch, said, state, told):
    program = tmp_path / "bluetoothctl"
    program.write_text(f"#!/bin/sh\necho 'bluetoothctl: {said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    seen = await found(checks.bluez)
    assert (seen.state.value, seen.found, bool(seen.hint)) == (state, told, state == "look")


async def test_a_check_that_fails_or_hangs_is_a_row_and_no_traceback(monkeypatch):
    async def ill():
        raise RuntimeError("no pulse")

    async def hangs():
        await asyncio.Event().wait()

    assert (await found(ill)).found == "RuntimeError: no pulse"
    monkeypatch.setattr(checks, "_TIMEOUT_S", 0.01)
    assert (await found(hangs)).state is State.BAD


def test_a_hanging_disk_does_not_keep_the_command_from_ending():
    program = (
        "import asyncio, time; from restbeat.service.doctor import checks; checks._TIMEOUT_S = 0.1;"
        "print(asyncio.run(checks.run('Disk', lambda: checks.in_daemon_thread(lambda: time.sleep(3600)))).found)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("no answer within 0.1 s\n", "")


async def test_the_database_is_read_without_changing_it(data):
    before = (data / DATABASE).read_bytes()
    assert (await found(checks.database(data))).state is State.OK
    assert (data / DATABASE).read_bytes() == before
    assert (await found(checks.data_folder_use(data))).found.startswith("no running")
    async with await SessionStore.open(data):
        assert (await found(checks.data_folder_use(data))).found.startswith("a running")
        assert (await found(checks.database(data))).state is State.OK


async def test_an_interrupted_session_is_flagged(data):
    async with await SessionStore.open(data) as storage:
        await storage.create_session(NewSession(source="cut"))
    seen = await found(checks.database(data))
    assert (seen.state, "cut off" in seen.found) == (State.LOOK, True)


async def test_a_file_that_is_no_database_is_bad(tmp_path):
    (tmp_path / DATABASE).write_bytes(b"no database at all, but long enough to look like something" * 40)
    assert (await found(checks.database(tmp_path))).state is State.BAD
    other = tmp_path / "other"
    other.mkdir()
    db = sqlite3.connect(other / DATABASE)
    db.execute("CREATE TABLE recipe (name TEXT)")
    db.close()
    assert "another program" in (await found(checks.database(other))).found
    assert (await found(checks.database(tmp_path / "none"))).state is State.OK


async def test_a_folder_open_to_all_and_a_port_in_use_are_flagged(data):
    data.chmod(0o755)
    assert (await found(checks.disk(data))).hint.startswith("Close it")
    assert (await found(checks.disk(data / "deeper" / "still"))).found.endswith("not made yet")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert (await found(checks.port(taken.getsockname()[1]))).state is State.LOOK
    assert (await found(checks.port(1))).state is State.OK


async def test_the_support_file_names_nobody(data, tmp_path):
    findings = [
        Finding(
            "Adapter",
            State.BAD,
            f"strap {ADDRESS} of {getpass.getuser()} on {socket.gethostname()} in {data} and {Path.home()}/x",
        )
    ]
    bundle = tmp_path / "support.zip"
    doctor._write_bundle(bundle, findings, data)
    with zipfile.ZipFile(bundle) as pack:
        text = "".join(pack.read(name).decode() for name in pack.namelist())
        assert set(pack.namelist()) == {"findings.json", "schema.sql", "counts.json"}
    for secret in (
        CLIENT,
        NOTE,
        ADDRESS,
        "77:66:55",
        "77665544",
        "Zq7Folder",
        str(data),
        f"of {getpass.getuser()} ",
        socket.gethostname(),
    ):
        assert secret not in text, secret
    assert "A0:9E:1A:xx:xx:xx" in text
    assert "CREATE TABLE packet" in text
    assert json.loads(zipfile.ZipFile(bundle).read("counts.json"))["sessions"] == 1


async def test_a_name_with_special_letters_is_not_in_the_support_file_either(tmp_path, monkeypatch):
    folder = tmp_path / "jürgen-müller" / "restbeat"
    monkeypatch.setattr(getpass, "getuser", lambda: "Jürgen")
    monkeypatch.setattr(socket, "gethostname", lambda: "praxis-müller.local")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "jürgen-müller")
    said = (f"in {folder}", f"{tmp_path}/jürgen-müller/x of jürgen", "on PRAXIS-MÜLLER", r"C:\Users\Jürgen\restbeat")
    bundle = tmp_path / "support.zip"
    doctor._write_bundle(bundle, [Finding("Data folder", State.OK, text, text) for text in said], folder)
    with zipfile.ZipFile(bundle) as pack:
        text = "".join(pack.read(name).decode() for name in pack.namelist())
    assert [finding["found"] for finding in json.loads(text)] == [
        "in (data folder)",
        "(home)/x of (user)",
        "on (computer)",
        r"C:\Users\(user)\restbeat",
    ]
    for secret in ("rgen", "ller", "u00fc"):
        assert secret not in text.lower(), secret


def test_words_that_hold_a_name_by_chance_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "rest")
    assert redacted("restbeat of rest", tmp_path) == "restbeat of (user)"


async def test_what_could_not_be_tried_is_neither_fine_nor_amiss(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    async def breaks():
        raise LookupError("no such thing")

    async with on_bus(f"unix:path={tmp_path}/none"):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "tcp:host=localhost,port=1")
        untried = [await found(check) for check in (checks.bus, checks.bluez, checks.permissions(None), breaks)]
        with pytest.raises(AmissError) as amiss:
            await examine(data, adapter=None, as_json=False, bundle=None)
    assert [finding.state.value for finding in untried] == ["not tried"] * 4
    assert "Permissions" not in str(amiss.value)
    assert "not tried" in capsys.readouterr().out


async def test_a_port_that_may_not_be_taken_is_not_called_free(monkeypatch):
    class Refusing(socket.socket):
        def bind(self, address):
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checks.socket, "socket", Refusing)
    assert await found(checks.port(80)) == Finding("Port", State.UNTRIED, "80: Permission denied", "Choose another with --port.")


async def test_a_support_file_does_not_replace_another_file(data, tmp_path):
    bundle = tmp_path / "support.zip"
    bundle.write_text("mine")
    with pytest.raises(OutputError, match="is there already and was left as it is"):
        await examine(data, adapter=None, as_json=True, bundle=bundle)
    assert bundle.read_text() == "mine"

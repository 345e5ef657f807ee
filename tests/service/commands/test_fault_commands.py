"""Faults from the command line: told, stored with the session, and felt on the air."""

import asyncio
from asyncio.subprocess import PIPE
from contextlib import aclosing, asynccontextmanager, closing
from itertools import pairwise
import signal
import sqlite3
import sys

import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import FaultError
from restbeat.sensors.recordings.fault_grammar import parse_faults
from restbeat.sensors.recordings.fault_injection import with_faults
from restbeat.sensors.recordings.recording import ConnectionEvent, Fault, Packet, read
from restbeat.sensors.source import ConnectionChange, ConnectionState, ScriptedSource
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.commands.options import FIXTURES
from restbeat.service.commands.replay import replay_file
from restbeat.service.errors import OutputError
from restbeat.service.sessions.session_store import SessionStore
from restbeat.web.demo import RECORDINGS

from ...sensors.conftest import recording, until

MINUTE = FIXTURES / "polar-h10_simulated_one-minute.jsonl"
QUICK = Timing(silent_after_wall_s=0.2, scan_s=0.4, first_wait_s=0.05)


async def test_injected_faults_are_printed_and_stored_with_the_session(tmp_path, capsys):
    await replay_file(MINUTE, None, tmp_path, as_json=True, faults=["drop@20:5", "ectopic:5%"], seed=4)
    assert "Put in: drop at 20 s for 5 s (5 packets)" in capsys.readouterr().err
    (troubled,) = with_faults([read(MINUTE)], parse_faults(["drop@20:5", "ectopic:5%"]), seed=4)
    async with await SessionStore.open(tmp_path) as storage:
        header, events = await storage.events(1)
    assert header.extra["faults"] == ["drop@20:5", "ectopic:5%"]
    assert [e for e in events if isinstance(e, Fault)] == [e for e in troubled.events if isinstance(e, Fault)]
    assert sum(isinstance(e, Packet) for e in events) == sum(isinstance(e, Packet) for e in troubled.events)


async def test_a_replay_can_be_kept_as_a_recording_with_its_injected_faults(tmp_path, capsys):
    out = tmp_path / "troubled.jsonl.gz"
    await replay_file(MINUTE, None, tmp_path / "data", as_json=True, faults=["drop@20:5", "ectopic:5%"], seed=4, keep=out)
    assert f"Kept {out}" in capsys.readouterr().err
    (troubled,) = with_faults([read(MINUTE)], parse_faults(["drop@20:5", "ectopic:5%"]), seed=4)
    kept = read(out)
    assert (kept.header, kept.events) == (troubled.header, troubled.events)
    with pytest.raises(OutputError, match="there already"):
        await replay_file(MINUTE, None, tmp_path / "data", as_json=True, keep=out)
    assert read(out) == kept


async def test_a_fault_that_cannot_be_read_plays_nothing(tmp_path):
    with pytest.raises(FaultError, match="An example: drop@120:15"):
        await replay_file(MINUTE, None, tmp_path, as_json=True, faults=["drop@20"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.dbus
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("drop@20:20", ConnectionState.LOST),
        ("silence@20:25", ConnectionState.SILENT),
        ("double@20:20", None),
        ("late@20:3", None),
    ],
)
async def test_a_virtual_strap_has_the_fault_on_the_air(fault, state):
    (troubled,) = with_faults([recording(80)], parse_faults([fault]), seed=1)
    async with virtual_straps([troubled], clock_for=lambda _: RunningClock(20)) as air, on_bus(air.bus_address):
        player = air.players[0]
        source = ScriptedSource(StrapSource(player.strap.address, timing=QUICK), troubled)
        items = []

        async def take():
            async with aclosing(source.items(RunningClock(20))) as stream:
                async for item in stream:
                    items.append(item)  # noqa: PERF401 they are looked at while they come

        task = asyncio.create_task(take())
        await player.finished.wait()
        await until(lambda: any(isinstance(item, Fault) for item in items))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    states = [item.state for item in items if isinstance(item, ConnectionChange)]
    heard = [item.payload for item in items if isinstance(item, Packet) and item.char == "2a37"]
    assert state is None or state in states
    assert states[-1] is ConnectionState.STREAMING
    ups = [item.up for item in items if isinstance(item, ConnectionEvent)]
    assert ups[-1] is True
    assert (False in ups) is (state is not None)
    sent = [event.payload for event in troubled.events if isinstance(event, Packet) and event.char == "2a37"]
    assert heard == sent if state is None else len(heard) > 30


@asynccontextmanager
async def running(*arguments):
    """A command as a process of its own, ended by Ctrl-C; gives what reads a line of it, and what stderr said in the end."""
    command = [sys.executable, "-m", "restbeat.web", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    said = []

    async def line():
        async with asyncio.timeout(60):
            return (await process.stdout.readline()).decode()

    try:
        yield line, said
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            _, errors = await process.communicate()
        said += errors.decode().splitlines()
        assert process.returncode == 0, errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.dbus
async def test_a_virtual_sensor_has_the_faults_of_a_replay_to_the_byte():
    faults = ["double@10:20", "garbage:5%", "no-rr@40:8"]
    (troubled,) = with_faults([read(MINUTE)], parse_faults(faults), seed=4)
    wanted = [event.payload for event in troubled.events if isinstance(event, Packet) and event.char == "2a37"]
    options = [option for fault in faults for option in ("--fault", fault)]
    async with running("virtual-sensor", MINUTE, "--speed", 20, "--seed", 4, *options) as (line, said):
        bus = (await line()).strip().split("DBUS_SYSTEM_BUS_ADDRESS=")[1]
        source = StrapSource((await line()).split()[0], timing=QUICK)
        heard = []
        async with on_bus(bus), aclosing(source.items(RunningClock(20))) as items, asyncio.timeout(60):
            async for item in items:
                if isinstance(item, Packet) and item.char == "2a37":
                    heard.append(item.payload)
                if len(heard) == len(wanted):
                    break
    assert heard == wanted
    assert "Put in: double at 10 s for 20 s (20 packets)" in said
    assert "Put in: 3 garbage" in said


@pytest.mark.dbus
async def test_the_demo_injects_faults_in_every_room_and_stores_them(tmp_path):
    faults = ["--fault", "double@5:20", "--fault", "ectopic:3%", "--seed", 2]
    async with running("demo", "--port", 0, "--speed", 60, "--data", tmp_path, *faults) as (line, said):
        while "restbeat demo at" not in await line():
            pass
        db = sqlite3.connect(f"file:{tmp_path}/restbeat.db?mode=ro", uri=True)
        with closing(db):
            enough = (
                "SELECT count(*) FROM (SELECT session FROM fault WHERE kind = 'ectopic' GROUP BY session HAVING count(*) > 2)"
            )
            await until(lambda: db.execute(enough).fetchone()[0] == 3, 30)
    assert all(any(line.startswith(f"Put in into recording {n}: double at 5 s for 20 s") for line in said) for n in (1, 2, 3))
    recordings = with_faults([read(FIXTURES / name) for name in RECORDINGS], parse_faults(["double@5:20", "ectopic:3%"]), seed=2)
    async with await SessionStore.open(tmp_path) as storage:
        for session, troubled in enumerate(recordings, 1):
            header, events = await storage.events(session)
            assert (header.extra["faults"], header.extra["fault_seed"]) == (["double@5:20", "ectopic:3%"], 2)
            stored = [event for event in events if isinstance(event, Fault)]
            assert stored == [event for event in troubled.events if isinstance(event, Fault)][: len(stored)]
            assert {fault.kind for fault in stored} >= {"double", "ectopic"}
            heart = [event.payload for event in events if isinstance(event, Packet) and event.char == "2a37" and event.t > 8.0]
            assert sum(a == b for a, b in pairwise(heart[:30])) > 10, "each packet twice"


def test_the_help_names_the_fault_option():
    from click.testing import CliRunner

    from restbeat.web.commands import cli

    for command in ("replay", "demo", "virtual-sensor"):
        assert "drop@120:15" in CliRunner().invoke(cli, [command, "--help"]).output

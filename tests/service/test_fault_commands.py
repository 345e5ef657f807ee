"""Faults from the command line: told, stored with the session, and felt on the air."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from restbeat.sensors.ble import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import FaultError
from restbeat.sensors.fault_grammar import parse_faults
from restbeat.sensors.faults import with_faults
from restbeat.sensors.recording import Fault, Link, Packet, read
from restbeat.sensors.source import LinkChange, LinkState, ScriptedSource
from restbeat.sensors.virtual.air import virtual_straps
from restbeat.service.playback import replay_file
from restbeat.service.storage import Storage

from ..sensors.conftest import recording, until

MINUTE = Path(__file__).parents[2] / "fixtures" / "polar-h10_simulated_one-minute.jsonl"
QUICK = Timing(silent_after_wall_s=0.2, look_s=0.4, first_wait_s=0.05)


async def test_what_was_put_in_is_told_and_stored_with_the_session(tmp_path, capsys):
    await replay_file(MINUTE, None, tmp_path, as_json=True, faults=["drop@20:5", "ectopic:5%"], seed=4)
    assert "Put in: drop at 20 s for 5 s (5 packets)" in capsys.readouterr().err
    (troubled,) = with_faults([read(MINUTE)], parse_faults(["drop@20:5", "ectopic:5%"]), seed=4)
    async with await Storage.open(tmp_path) as storage:
        header, events = await storage.events(1)
    assert header.extra["faults"] == ["drop@20:5", "ectopic:5%"]
    assert [e for e in events if isinstance(e, Fault)] == [e for e in troubled.events if isinstance(e, Fault)]
    assert sum(isinstance(e, Packet) for e in events) == sum(isinstance(e, Packet) for e in troubled.events)


async def test_a_fault_that_cannot_be_read_plays_nothing(tmp_path):
    with pytest.raises(FaultError, match="An example: drop@120:15"):
        await replay_file(MINUTE, None, tmp_path, as_json=True, faults=["drop@20"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "state"),
    [("drop@20:20", LinkState.LOST), ("silence@20:25", LinkState.SILENT), ("double@20:20", None), ("late@20:3", None)],
)
async def test_a_virtual_strap_has_the_fault_on_the_air(fault, state):
    (troubled,) = with_faults([recording(80)], parse_faults([fault]), seed=1)
    async with virtual_straps([troubled], bus="python", clock_for=lambda _: RunningClock(20)) as air, on_bus(air.bus_address):
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
    states = [item.state for item in items if isinstance(item, LinkChange)]
    heard = [item.payload for item in items if isinstance(item, Packet) and item.char == "2a37"]
    assert state is None or state in states
    assert states[-1] is LinkState.STREAMING
    links = [item.up for item in items if isinstance(item, Link)]
    assert links[-1] is True
    assert (False in links) is (state is not None)
    sent = [event.payload for event in troubled.events if isinstance(event, Packet) and event.char == "2a37"]
    assert heard == sent if state is None else len(heard) > 30


def test_the_help_names_the_fault_option():
    from click.testing import CliRunner

    from restbeat.service.cli import cli

    for command in ("replay", "demo", "virtual-sensor"):
        assert "drop@120:15" in CliRunner().invoke(cli, [command, "--help"]).output

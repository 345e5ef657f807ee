import asyncio
from contextlib import aclosing

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Mark, Packet, Pain, PhaseStart, Recording
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described, ReplaySource, ScriptedSource

PACKETS = [Packet(float(t), "2a37", b"\x00\x40") for t in range(1, 6)]


def recording(*events):
    return Recording(Header(Device(name="H10")), events)


async def gathered(source, clock):
    async with aclosing(source.items(clock)) as items:
        return [item async for item in items]


async def test_a_replay_yields_every_event_at_its_time():
    clock, times = FlatOutClock(), []
    async with aclosing(ReplaySource(recording(*PACKETS)).items(clock)) as items:
        got = [item async for item in items if times.append(clock.now()) is None]
    assert got[0] == Described(0.0, Device(name="H10"))
    assert got[1] == ConnectionChange(0.0, ConnectionState.STREAMING)
    assert got[2:] == PACKETS
    assert times[2:] == [1.0, 2.0, 3.0, 4.0, 5.0]


async def test_a_replay_shows_a_lost_connection_as_lost():
    got = await gathered(
        ReplaySource(recording(PACKETS[0], ConnectionEvent(2.0, up=False), ConnectionEvent(4.0, up=True))), FlatOutClock()
    )
    assert [item.state for item in got if isinstance(item, ConnectionChange)] == [
        ConnectionState.STREAMING,
        ConnectionState.LOST,
        ConnectionState.STREAMING,
    ]


class Strap:
    def __init__(self, error=None):
        self.let_go, self.error = asyncio.Event(), error

    async def items(self, clock):
        try:
            for packet in PACKETS:
                await clock.sleep_until(packet.t)
                yield packet
            if self.error:
                raise self.error
            await asyncio.Event().wait()
        finally:
            self.let_go.set()


async def test_a_script_adds_phases_marks_and_pain_but_no_packet_and_releases_its_strap():
    strap = Strap()
    script = [PhaseStart(0.0, Phase.BASELINE), PACKETS[0], Mark(2.5, note="turned"), Pain(3.5, 4), PhaseStart(5.5, Phase.ENDED)]
    got = []
    async with asyncio.timeout(20), aclosing(ScriptedSource(strap, recording(*script)).items(RunningClock(20.0))) as items:
        async for item in items:
            got.append(item)
            if item == script[-1]:
                break
    assert got == sorted([*PACKETS, *(e for e in script if not isinstance(e, Packet))], key=lambda e: e.t)
    assert strap.let_go.is_set()


async def test_an_error_of_the_strap_comes_through_the_script():
    with pytest.raises(OSError, match="gone"):
        await gathered(ScriptedSource(Strap(OSError("gone")), recording()), RunningClock(100.0))

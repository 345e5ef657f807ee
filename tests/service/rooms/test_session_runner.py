import asyncio
from contextlib import suppress

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Packet, PhaseStart, Recording
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described, ReplaySource
from restbeat.service.rooms.session_runner import Session

PACKETS = [Packet(float(t), "2a37", bytes.fromhex("1040") + (950 + 30 * (t % 2)).to_bytes(2, "little")) for t in range(1, 61)]


class Log:
    def __init__(self):
        self.events = []

    def append(self, session, event, key=None):
        self.events.append(event)
        return len(self.events)


class Strap:
    """A strap that never ends; notes whether it was let go."""

    def __init__(self, items):
        self._items = items
        self.let_go = False

    async def items(self, clock):
        try:
            for item in self._items:
                yield item
            await asyncio.Event().wait()
        finally:
            self.let_go = True


def replay(*events):
    return ReplaySource(Recording(Header(Device(name="H10")), events))


async def test_every_event_is_stored_before_it_is_analysed():
    log, seen = Log(), []
    session = Session(1, replay(*PACKETS), FlatOutClock(), log)
    session.observe = lambda _: seen.append((len(log.events), session.live.stream.clock.packets))
    await session.run()
    assert log.events[:-1] == PACKETS
    assert all(stored >= read for stored, read in seen)
    assert session.device.name == "H10"


async def test_a_recording_ends_its_session_at_its_last_event():
    log = Log()
    session = Session(1, replay(*PACKETS), FlatOutClock(), log)
    await session.run()
    assert session.live.phase is Phase.ENDED
    assert log.events[-1] == PhaseStart(60.0, Phase.ENDED)


async def test_phases_follow_the_recordings_own_events():
    phases = []
    lines = [
        PhaseStart(0.0, Phase.BASELINE),
        *PACKETS[:20],
        PhaseStart(20.5, Phase.MASSAGE),
        *PACKETS[20:40],
        PhaseStart(40.5, Phase.ENDED),
    ]
    session = Session(1, replay(*lines, *PACKETS[40:]), FlatOutClock(), Log())
    session.observe = lambda _: phases.append(session.live.phase)
    await session.run()
    assert list(dict.fromkeys(phases)) == [Phase.SETTLE, Phase.BASELINE, Phase.MASSAGE, Phase.ENDED]
    assert session.end_s == 40.5


async def test_an_ended_session_releases_its_strap():
    strap = Strap(PACKETS)
    session = Session(1, strap, RunningClock(), Log())
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0)
    for phase in (Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY, Phase.ENDED):
        session.enter(PhaseStart(session.clock.now(), phase))
    async with asyncio.timeout(5):
        await running
    assert session.live.phase is Phase.ENDED
    assert strap.let_go


async def test_a_stopped_session_releases_its_strap_and_stays_open():
    strap = Strap(PACKETS)
    session = Session(1, strap, RunningClock(), Log())
    heard = asyncio.Event()
    session.observe = lambda _: heard.set()
    running = asyncio.create_task(session.run())
    await heard.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert strap.let_go
    assert session.live.phase is Phase.SETTLE


async def test_an_error_of_the_source_is_raised_by_the_session():
    class Broken:
        async def items(self, clock):
            yield PACKETS[0]
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await Session(1, Broken(), FlatOutClock(), Log()).run()


async def test_connection_and_device_are_shown_and_a_lost_connection_is_stored():
    log, devices = Log(), []
    items = [
        Described(0.0, Device(model="H10")),
        ConnectionChange(1.0, ConnectionState.LOST, "come closer"),
        ConnectionEvent(1.0, up=False),
        PhaseStart(2.0, Phase.ENDED),
    ]
    session = Session(1, Strap(items), RunningClock(), log, describe=devices.append)
    await session.run()
    assert (session.connection.hint, devices) == ("come closer", [Device(model="H10")])
    assert log.events == items[2:]

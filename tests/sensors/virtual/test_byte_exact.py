"""Packets arrive byte for byte and once: every fixture at 60x by both ways to subscribe, and two hundred straps."""

import asyncio
from math import inf
from pathlib import Path

import msgspec
import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.protocols.polar_frames import Stream
from restbeat.sensors.recordings.recording import BATTERY, HEART_RATE, PMD_DATA, ConnectionEvent, Header, Packet, Recording, read
from restbeat.sensors.virtual.straps_on_air import virtual_straps

from ..conftest import beat_packet, until

FIXTURES = Path(__file__).parents[3] / "fixtures"
RECORDINGS = sorted(FIXTURES.glob("*.jsonl*"))
SPEED, PART_S = 60.0, 1220.0
ATTEMPTS = Timing(first_wait_s=0.05, longest_wait_s=0.2)


async def listen(strap, speed, heard, *, acquire_notify=False):
    """Collect every packet of a strap until cancelled."""
    source = StrapSource(strap.address, timing=ATTEMPTS, acquire_notify=acquire_notify)
    async for item in source.items(RunningClock(speed)):
        if isinstance(item, Packet) and item.char != BATTERY:
            heard.append((item.char, item.payload))


def sent_by(bluez):
    """Collect what each strap sends while a client is subscribed."""
    sent, notify = {}, bluez.notify

    def note(strap, uuid, payload):
        heard = notify(strap, uuid, payload)
        if heard and uuid != BATTERY:
            sent.setdefault(strap.address, []).append((uuid, payload))
        return heard

    bluez.notify = note
    return sent


def of(char, packets):
    return [payload for uuid, payload in packets if uuid == char]


def parts_of(recording):
    """Split a fixture into parts that are played in parallel, each on a strap of its own."""
    for n in range(int(recording.events[-1].t // PART_S) + 1):
        part = [event for event in recording.events if event.t // PART_S == n]
        yield Recording(recording.header, tuple(msgspec.structs.replace(event, t=event.t - n * PART_S) for event in part))


@pytest.mark.dbus
@pytest.mark.parametrize("acquire_notify", [False, True], ids=["StartNotify", "AcquireNotify"])
async def test_every_fixture_arrives_as_sent_at_sixty_times_the_speed(acquire_notify):
    whole = {path.name: read(path) for path in RECORDINGS}
    names, recordings = zip(*((name, part) for name, one in whole.items() for part in parts_of(one)), strict=True)
    assert len(whole) >= 13
    assert sum(len(part.events) for part in recordings) == sum(len(one.events) for one in whole.values())
    async with virtual_straps(recordings, clock_for=lambda _: RunningClock(SPEED)) as air, on_bus(air.bus_address):
        sent = sent_by(air.bluez)
        heard = {player.strap.address: [] for player in air.players}
        listening = [
            asyncio.create_task(listen(player.strap, SPEED, heard[player.strap.address], acquire_notify=acquire_notify))
            for player in air.players
        ]
        try:
            async with asyncio.timeout(120):
                await asyncio.gather(*(player.finished.wait() for player in air.players))
            await until(lambda: all(len(heard[a]) >= len(sent[a]) for a in heard), 60)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
    for name, recording, player in zip(names, recordings, air.players, strict=True):
        address = player.strap.address
        assert heard[address] == sent[address], name
        played = [e for e in recording.events if isinstance(e, Packet) and e.char in {HEART_RATE, PMD_DATA}]
        lost_s = next((event.t for event in recording.events if isinstance(event, ConnectionEvent) and not event.up), inf)
        if lost_s == inf:
            assert of(HEART_RATE, sent[address]) == [e.payload for e in played if e.char == HEART_RATE], name
            for stream in Stream:
                # a stream is played from when it is started, a moment after the heart rate
                wanted = [e.payload for e in played if e.char == PMD_DATA and e.payload[0] == stream.value]
                came = [payload for payload in of(PMD_DATA, sent[address]) if payload[0] == stream.value]
                assert came == wanted[len(wanted) - len(came) :], name
        if lost_s == inf:
            assert len(sent[address]) > 0.8 * len(played), name
        else:
            # coming back takes a moment, at this speed minutes of the recording: what came before is whole, and more follows
            before, payloads = [e.payload for e in played if e.t < lost_s], [payload for _, payload in sent[address]]
            assert payloads[: len(before)] == before, name
            assert len(payloads) > len(before), name


@pytest.mark.dbus
@pytest.mark.alone
async def test_two_hundred_straps_at_two_packets_a_second_lose_none():
    straps, seconds = 200, 30
    recordings = [Recording(Header(), tuple(beat_packet(n / 2, n) for n in range(1, 2 * seconds + 1))) for _ in range(straps)]
    async with virtual_straps(recordings, clock_for=lambda _: RunningClock()) as air, on_bus(air.bus_address):
        heard = {player.strap.address: [] for player in air.players}
        listening = [asyncio.create_task(listen(player.strap, 1.0, heard[player.strap.address])) for player in air.players]
        try:
            async with asyncio.timeout(150):
                await asyncio.gather(*(player.finished.wait() for player in air.players))
            await until(lambda: sum(map(len, heard.values())) >= straps * 2 * seconds, 60)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
    wanted = [(HEART_RATE, event.payload) for event in recordings[0].events]
    assert all(packets == wanted for packets in heard.values())
    assert sum(map(len, heard.values())) == 12_000

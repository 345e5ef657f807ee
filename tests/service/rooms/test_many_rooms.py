"""Many straps on one machine: thirty rooms at once, two adapters, and one strap never in two rooms."""

import asyncio

import msgspec
import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Contact, Device, Measurement
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import HEART_RATE, ConnectionEvent, Header, Packet, Recording
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.errors import RefusedError
from restbeat.service.radio.radio import AdapterState
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.worker import Worker

ROOMS, SECONDS, SPEED = 30, 120, 10.0
TIMING = Timing(first_wait_s=0.05, longest_wait_s=0.2)


class Silence:
    def adapter(self):
        return AdapterState(ready=True, text="")

    def straps(self):
        return []


def packet(strap, second):
    """Says whose it is and which."""
    return Packet(float(second), HEART_RATE, encode(Measurement(40 + strap, Contact.NOT_REPORTED, None, (900 + second,), True)))


def recording(strap, seconds=SECONDS):
    return Recording(Header(), tuple(packet(strap, second) for second in range(1, seconds + 1)))


@pytest.fixture(scope="module")
def worker():
    return Worker()


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        yield storage


def house_on(storage, worker, adapter=None, clock_speed=SPEED):
    def source(address):
        return StrapSource(address, adapter=adapter, timing=TIMING)

    return Rooms(storage, worker, LiveFeed(), Silence(), source, new_clock=lambda: RunningClock(clock_speed))


async def payloads(storage, session, enough=0):
    """What is stored of a session, once that is enough."""
    async with asyncio.timeout(20):
        while True:
            await storage.flush()
            _, events = await storage.events(session)
            kept = [event.payload for event in events if isinstance(event, Packet) and event.char == HEART_RATE]
            if len(kept) >= enough:
                return kept
            await asyncio.sleep(0.02)


@pytest.mark.dbus
async def test_thirty_rooms_at_once_keep_every_packet_of_their_own_strap_and_none_of_another(storage, worker):
    recordings = [recording(strap) for strap in range(ROOMS)]
    async with (
        virtual_straps(recordings, clock_for=lambda _: RunningClock(SPEED)) as air,
        on_bus(air.bus_address),
        house_on(storage, worker) as house,
    ):
        addresses = [player.strap.address for player in air.players]
        rooms = await asyncio.gather(
            *(house.open_room(Opening(address=address, kind="rest", consent=True), by="Ada") for address in addresses)
        )
        assert len(set(rooms)) == ROOMS
        async with asyncio.timeout(120):
            await asyncio.gather(*(player.finished.wait() for player in air.players))
            sessions = {row.room: row.session for row in (await storage.sessions()).rows}
            for strap, room in enumerate(rooms):
                kept = await payloads(storage, sessions[room], SECONDS)
                assert kept == [event.payload for event in recordings[strap].events], room
                _, events = await storage.events(sessions[room])
                assert [event.up for event in events if isinstance(event, ConnectionEvent)] == [True], "no connection was lost"


@pytest.mark.dbus
async def test_a_second_claim_of_a_strap_is_refused_even_in_the_same_moment(storage, worker):
    async with virtual_straps([recording(0)]) as air, on_bus(air.bus_address), house_on(storage, worker) as house:
        address = air.players[0].strap.address
        claims = [house.open_room(Opening(address=address, kind="rest", consent=True), by="Ada") for _ in range(5)]
        answers = await asyncio.gather(*claims, return_exceptions=True)
        refused = [str(answer) for answer in answers if isinstance(answer, RefusedError)]
        assert len(refused) == 4
        assert set(refused) == {"Room 1 holds this strap. End its session first, or choose another strap."}
        assert len((await storage.sessions()).rows) == 1, "a refused claim leaves no session behind"


@pytest.mark.dbus
async def test_the_description_of_a_strap_is_stored_with_its_session(storage, worker):
    told = Device("Polar H10", None, "Polar", "H10", "5.0.0", 87, "chest")
    worn = Recording(Header(device=told), recording(0).events)
    async with virtual_straps([worn]) as air, on_bus(air.bus_address), house_on(storage, worker) as house:
        address = air.players[0].strap.address
        await house.open_room(Opening(address=address, kind="rest", consent=True), by="Ada")
        await payloads(storage, 1, 3)
        header, _ = await storage.events(1)
        assert header.device == msgspec.structs.replace(told, address=address)


@pytest.mark.dbus
async def test_straps_of_two_adapters_stream_at_once_and_one_adapter_lost_leaves_the_other(storage, worker):
    async with virtual_straps([recording(0, 3000)], clock_for=lambda _: RunningClock(SPEED)) as air:
        air.bluez.add_adapter("hci1")
        near = air.players[0].strap
        far = type(near)("A0:9E:1A:00:00:99", "Far strap", near.characteristics, adapter="hci1")
        air.bluez.add(far)
        async with (
            on_bus(air.bus_address),
            house_on(storage, worker, "hci0") as first,
            house_on(storage, worker, "hci1") as second,
        ):
            await first.open_room(Opening(address=near.address, kind="rest", consent=True), by="Ada")
            await second.open_room(Opening(address=far.address, kind="rest", consent=True), by="Ada")
            async with asyncio.timeout(20):
                await near.listening.wait()
                await far.listening.wait()
            sessions = sorted(row.session for row in (await storage.sessions()).rows)
            for second_of in range(1, 4):
                air.bluez.notify(far, HEART_RATE, packet(9, second_of).payload)
            assert await payloads(storage, sessions[1], 3) == [packet(9, n).payload for n in range(1, 4)]
            air.bluez.remove_adapter("hci1")
            before = len(await payloads(storage, sessions[0]))
            assert len(await payloads(storage, sessions[0], before + 20)) >= before + 20

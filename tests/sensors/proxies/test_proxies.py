"""Straps through ESPHome Bluetooth proxies: two fake proxies on the loopback network, over the real native API."""

import asyncio
from base64 import b64encode
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
import random
import struct

import bleak
import pytest

from restbeat.sensors.bluetooth.reconnect import Timing
from restbeat.sensors.bluetooth.scanner import on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import NoAdapterError, StrapNotFoundError
from restbeat.sensors.proxies.address import ProxyAddress, ProxyError
from restbeat.sensors.recordings.recording import HEART_RATE, ConnectionEvent, Header, Packet, Recording
from restbeat.sensors.source import Described
from restbeat.sensors.virtual.straps_on_air import virtual_straps

pytest.importorskip("bleak_esphome", reason="the extra restbeat[proxy] is not installed")

from restbeat.sensors.proxies.proxies import APIClient, Proxies
from restbeat.sensors.proxies.scanner import ProxiedWatch
from restbeat.sensors.proxies.strap import ProxiedSource, ProxiedStrap

from ..conftest import H10, beat_packet, until
from .fake_proxy import FakeStrap, two_proxies

ADDRESS = "C0:FF:EE:00:00:01"
PACKETS = [struct.pack("<BBH", 0x10, 60 + n, 1000 + n) for n in range(20)]
QUICK = Timing(first_wait_s=0.05, scan_s=1.0)


@asynccontextmanager
async def practice(levels):
    """Set up two rooms and one strap heard at these levels; yield the fake proxies, the strap and `Proxies`."""
    async with two_proxies() as pair:
        strap = FakeStrap(ADDRESS)
        for fake, level in zip(pair, levels, strict=True):
            fake.levels[strap] = level
        rooms = [ProxyAddress(fake.host, fake.port, room) for fake, room in zip(pair, ("Blue room", "Green room"), strict=True)]
        async with Proxies(rooms) as proxies:
            yield pair, strap, proxies


async def follow(source, into):
    async with aclosing(source.items(RunningClock())) as items:
        async for item in items:
            into.append(item)


@asynccontextmanager
async def streaming(strap, proxies, address=ADDRESS, timing=QUICK):
    """Stream from the strap through the proxies; yield the list of its items."""
    got = []
    source = ProxiedSource(address, proxies, rng=random.Random(1), timing=timing)
    task = asyncio.create_task(follow(source, got))
    try:
        async with asyncio.timeout(10):
            await strap.subscribed.wait()
        yield got
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def heart_rates(items):
    return [item.payload for item in items if isinstance(item, Packet) and item.char == HEART_RATE]


def connection_changes(items):
    return [item.up for item in items if isinstance(item, ConnectionEvent)]


async def test_a_strap_heard_by_two_proxies_streams_through_the_louder_one_byte_for_byte():
    async with practice((-80, -55)) as (pair, strap, proxies), ProxiedWatch(proxies) as watch:
        await until(lambda: watch.near(ADDRESS) and len(proxies.connected) == 2)
        assert watch.near(ADDRESS) == "Green room"
        async with streaming(strap, proxies) as got:
            assert strap.holder is pair[1]
            for packet in PACKETS:
                strap.send(packet)
            await until(lambda: len(heart_rates(got)) >= len(PACKETS))
            assert heart_rates(got) == PACKETS
        await until(lambda: strap.holder is None)


@pytest.mark.parametrize(("name", "listed"), [("H808S 0012345", True), ("Gym 7", False)])
async def test_a_strap_that_does_not_advertise_heart_rate_is_listed_by_its_name_and_streams_by_its_address(name, listed):
    async with practice((-80, -55)) as (_, strap, proxies), ProxiedWatch(proxies) as watch:
        strap.advert = b"\x02\x01\x06" + bytes([len(name) + 1, 9]) + name.encode()
        await until(lambda: len(proxies.connected) == 2)
        if listed:
            await until(lambda: [one.name for one in watch.straps] == [name])
        else:
            await proxies.polled.wait()
            await proxies.polled.wait()
            assert watch.straps == []
        async with streaming(strap, proxies) as got:
            strap.send(PACKETS[0])
            await until(lambda: heart_rates(got))


async def test_a_lost_connection_is_reported_and_re_established():
    async with practice((-80, -55)) as (_, strap, proxies), streaming(strap, proxies) as got:
        strap.send(PACKETS[0])
        await until(lambda: heart_rates(got))
        strap.holder.lose(strap)
        await until(lambda: connection_changes(got) == [True, False, True])
        strap.send(PACKETS[1])
        await until(lambda: len(heart_rates(got)) == 2)
        assert heart_rates(got) == PACKETS[:2]


async def test_where_a_proxy_dies_another_that_hears_the_strap_takes_over():
    async with practice((-80, -55)) as (pair, strap, proxies):
        await until(lambda: len(proxies.levels.receivers(ADDRESS)) == 2)
        async with streaming(strap, proxies) as got:
            strap.send(PACKETS[0])
            await until(lambda: heart_rates(got))
            await pair[1].power_off()
            await until(lambda: connection_changes(got) == [True, False, True])
            assert strap.holder is pair[0]
            strap.send(PACKETS[1])
            await until(lambda: len(heart_rates(got)) == 2)
            assert heart_rates(got) == PACKETS[:2]


async def test_a_proxy_that_comes_back_listens_again():
    async with practice((-80, -55)) as (pair, _, proxies), ProxiedWatch(proxies) as watch:
        await until(lambda: len(proxies.connected) == 2)
        await pair[1].power_off()
        await until(lambda: watch.near(ADDRESS) == "Blue room")
        assert "proxy in Green room" in watch.state.text
        assert watch.state.ready
        await pair[1].power_on()
        await until(lambda: watch.near(ADDRESS) == "Green room")
        assert watch.state.text == "Bluetooth ready."


async def test_a_cancellation_made_up_by_the_library_ends_no_proxy(monkeypatch):
    connect, made_up = APIClient.connect, []

    async def connects(self, *arguments, **options):
        if len(made_up) < 2:
            made_up.append(self)
            raise asyncio.CancelledError
        await connect(self, *arguments, **options)

    monkeypatch.setattr(APIClient, "connect", connects)
    async with practice((-80, -55)) as (_, _, proxies):
        await until(lambda: len(proxies.connected) == 2)
        assert proxies.troubles == []


async def test_where_the_louder_proxy_has_no_free_slot_the_other_is_used():
    async with practice((-80, -55)) as (pair, strap, proxies):
        pair[1].slots = 0
        await until(lambda: len(proxies.levels.receivers(ADDRESS)) == 2)
        async with streaming(strap, proxies):
            assert strap.holder is pair[0]


async def test_where_no_proxy_has_a_free_slot_the_error_says_so():
    async with practice((-80, -55)) as (pair, _, proxies):
        pair[0].slots = pair[1].slots = 0
        await until(lambda: len(proxies.levels.receivers(ADDRESS)) == 2)
        with pytest.raises(StrapNotFoundError, match="is heard, but by no proxy"):
            await ProxiedStrap(ADDRESS, proxies, "hci9").find(0.5)


async def test_a_strap_that_nobody_hears_is_not_found():
    async with practice((-80, -55)) as (_, _, proxies):
        await until(lambda: len(proxies.connected) == 2)
        with pytest.raises(StrapNotFoundError, match="is not heard"):
            await ProxiedStrap("C0:FF:EE:00:00:09", proxies, "hci9").find(0.5)


async def test_where_the_louder_proxy_cannot_connect_the_other_is_tried_next():
    async with practice((-80, -55)) as (pair, strap, proxies):
        pair[1].refuses = True
        await until(lambda: len(proxies.levels.receivers(ADDRESS)) == 2)
        async with streaming(strap, proxies):
            assert strap.holder is pair[0]


async def test_a_proxy_that_hangs_with_its_connection_up_is_replaced_by_another():
    async with practice((-80, -55)) as (pair, strap, proxies):
        await until(lambda: len(proxies.levels.receivers(ADDRESS)) == 2)
        timing = replace(QUICK, silent_after_s=0.3, silent_after_wall_s=0.3)
        async with streaming(strap, proxies, timing=timing) as got:
            strap.send(PACKETS[0])
            await until(lambda: heart_rates(got))
            pair[1].hang()
            strap.let_go()
            await until(lambda: strap.holder is pair[0], seconds=30)
            await until(lambda: connection_changes(got) == [True, False, True])
            strap.send(PACKETS[1])
            await until(lambda: len(heart_rates(got)) == 2)


async def test_two_straps_stream_each_through_the_proxy_of_its_room():
    async with practice((-55, -80)) as (pair, strap, proxies):
        other = FakeStrap("C0:FF:EE:00:00:02", "Polar H10 00000002")
        pair[0].levels[other], pair[1].levels[other] = -80, -55
        await until(lambda: all(len(proxies.levels.receivers(address)) == 2 for address in (ADDRESS, "C0:FF:EE:00:00:02")))
        async with streaming(strap, proxies) as one, streaming(other, proxies, "C0:FF:EE:00:00:02") as two:
            assert (strap.holder, other.holder) == pair
            for packet in PACKETS:
                strap.send(packet)
                other.send(packet[::-1])
            await until(lambda: len(heart_rates(one)) == len(heart_rates(two)) == len(PACKETS))
            assert heart_rates(one) == PACKETS
            assert heart_rates(two) == [packet[::-1] for packet in PACKETS]


async def test_a_straps_description_is_read_through_a_proxy_as_through_an_adapter():
    async with practice((-80, -55)) as (_, strap, proxies), streaming(strap, proxies) as got:
        device = next(item.device for item in got if isinstance(item, Described))
        assert (device.name, device.model, device.battery_pct) == ("Polar H10 00000001", "H10", 90)


@pytest.mark.dbus
async def test_straps_of_proxies_and_of_the_own_adapter_are_in_one_list():
    own = Recording(Header(device=H10), (beat_packet(1.0, 1),))
    async with (
        virtual_straps([own]) as air,
        on_bus(air.bus_address),
        practice((-80, -55)) as (_, _, proxies),
        ProxiedWatch(proxies) as watch,
    ):
        await until(lambda: len(watch.straps) == 2)
        near = {advert.name: watch.near(advert.address) for advert in watch.straps}
        assert near == {"Polar H10 00000001": "Green room", air.players[0].strap.name: None}


@pytest.mark.dbus
async def test_a_strap_that_the_own_adapter_hears_streams_through_it():
    own = Recording(Header(device=H10), tuple(beat_packet(float(n), n) for n in range(1, 60)))
    async with virtual_straps([own]) as air, on_bus(air.bus_address), practice((-80, -55)) as (pair, _, proxies):
        source = ProxiedSource(air.players[0].strap.address, proxies, rng=random.Random(1), timing=QUICK)
        async with aclosing(source.items(RunningClock())) as items, asyncio.timeout(20):
            async for item in items:
                if isinstance(item, Packet):
                    break
        assert not pair[0].held
        assert not pair[1].held


async def test_bleak_is_left_unchanged_and_no_task_stays_behind():
    before = asyncio.all_tasks(), bleak.BleakClient, bleak.BleakScanner
    async with practice((-80, -55)) as (_, strap, proxies), streaming(strap, proxies):
        assert (bleak.BleakClient, bleak.BleakScanner) == before[1:]
        with pytest.raises(ProxyError, match="in use already"):
            async with Proxies([]):
                pass
    assert (bleak.BleakClient, bleak.BleakScanner) == before[1:]
    await until(lambda: asyncio.all_tasks() <= before[0])
    async with Proxies([]) as again:
        assert again.connected == []


@pytest.mark.parametrize(
    ("answer", "keys", "said"),
    [
        (b"", {}, "does not answer"),
        (b"\x01\x00\x00", {}, "wants its encryption key"),
        (b"\x00\x00\x00", {"": b64encode(bytes(32)).decode()}, "speaks without encryption"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_reported_in_a_sentence(answer, keys, said):
    async def serve(_, writer):
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = ProxyAddress("127.0.0.1", server.sockets[0].getsockname()[1], "Blue room")
        async with Proxies([address], keys=keys) as proxies:
            await until(lambda: said in " ".join(proxies.troubles))
            assert "Blue room" in proxies.troubles[0]
            with pytest.raises(NoAdapterError, match=said):
                await ProxiedStrap(ADDRESS, proxies, "hci9").find(1.0)

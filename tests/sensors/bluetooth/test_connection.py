"""The connection to a strap in every kind of trouble: the real Bleak on a virtual BlueZ."""

import asyncio
import gc
import os

from bleak.exc import BleakError
import pytest

from restbeat.sensors.bluetooth import connection
from restbeat.sensors.bluetooth.error_messages import connect_error_text
from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, scan
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import ConnectError, StrapNotFoundError
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import BATTERY, HEART_RATE
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described
from restbeat.sensors.virtual import virtual_strap

from ..conftest import H10, recording, until
from ..streams import QUICK, SPEED, connection_changes, payloads, states, streaming


@pytest.mark.parametrize("acquire_notify", [False, True])
async def test_every_packet_arrives_once_and_byte_for_byte(on_air, acquire_notify):
    played = recording(60)
    async with on_air(played, clock_for=lambda _: RunningClock(SPEED)) as air:
        player = air.players[0]
        async with streaming(player.strap, acquire_notify=acquire_notify) as items:
            await player.finished.wait()
            await until(lambda: len(payloads(items)) >= 60)
            await asyncio.sleep(0.05)
        assert payloads(items) == payloads(played.events)
        assert payloads(items, BATTERY) == [b"\x57"]
        assert [item.t for item in items] == sorted(item.t for item in items)
        assert states(items)[:3] == [ConnectionState.SCANNING, ConnectionState.CONNECTING, ConnectionState.STREAMING]
        assert connection_changes(items) == [True]


@pytest.mark.parametrize(("options", "acquired"), [({}, False), ({"acquire_notify": True}, True)])
async def test_start_notify_is_used_unless_acquire_notify_is_asked_for(on_air, options, acquired):
    async with on_air(recording()) as air, streaming(air.players[0].strap, **options):
        await air.players[0].started.wait()
        (objects,) = air.bluez.straps.values()
        path = objects.paths[HEART_RATE]
        assert (path in objects.notify_sockets, bool(objects.subscribers.get(path))) == (acquired, not acquired)


async def test_the_straps_description_is_read(on_air):
    async with on_air(recording(), clock_for=lambda _: RunningClock(SPEED)) as air:
        address = air.players[0].strap.address
        async with streaming(air.players[0].strap) as items:
            await until(lambda: any(isinstance(item, Described) for item in items))
        device = next(item.device for item in items if isinstance(item, Described))
        assert device == Device("Polar H10", address, "Polar", "H10", "5.0.0", 87, "chest")


async def test_a_strap_that_leaves_reads_unanswered_streams_all_the_same(on_air, monkeypatch):
    monkeypatch.setattr(connection, "_READ_S", 1.0)
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        strap.reads_hang = True
        loop = asyncio.get_running_loop()
        async with streaming(strap) as items:
            await until(lambda: ConnectionState.CONNECTING in states(items))
            begun_s = loop.time()
            await until(lambda: payloads(items))
            waited_s = loop.time() - begun_s
        assert waited_s < 3.5, "once, not for each of the five things that are asked"
        device = next(item.device for item in items if isinstance(item, Described))
        assert (device.name, device.model) == ("Polar H10", None)


async def test_a_lost_connection_is_marked_and_nothing_is_doubled_after_it(on_air):
    played = recording(120, away=(30.0, 60.0))
    async with on_air(played, clock_for=lambda _: RunningClock(SPEED)) as air:
        player = air.players[0]
        async with streaming(player.strap) as items:
            await player.finished.wait()
            await asyncio.sleep(0.05)
        heard = payloads(items)
        assert connection_changes(items) == [True, False, True]
        assert len(heard) == len(set(heard)) == player.sent - len(payloads(items, BATTERY))
        assert heard[:29] == payloads(played.events)[:29]
        assert heard[-1] == payloads(played.events)[-1]
        assert states(items).count(ConnectionState.LOST) == 1


async def test_a_second_client_after_a_loss_would_receive_everything_twice(on_air):
    """The pitfall exists: without disconnecting the lost client, BlueZ notifies once for each subscription."""
    from bleak import BleakClient, BleakScanner

    async with on_air(recording(1)) as air:
        strap, bluez = air.players[0].strap, air.bluez
        heard = []

        async def subscribe():
            device = await BleakScanner.find_device_by_address(strap.address, timeout=3)
            client = BleakClient(device)
            await client.connect()
            await client.start_notify("00002a37-0000-1000-8000-00805f9b34fb", lambda _, payload: heard.append(bytes(payload)))
            return client

        lost = await subscribe()
        bluez.drop(strap)
        await until(lambda: not lost.is_connected)
        again = await subscribe()
        heard.clear()
        bluez.notify(strap, HEART_RATE, b"\x00\x40")
        await until(lambda: len(heard) == 2)
        await again.disconnect()
        await lost.disconnect()


async def test_silence_is_noticed_and_the_stream_recovers(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 10)
            strap.silent = True
            await until(lambda: ConnectionState.LOST in states(items))
            silent = next(item for item in items if isinstance(item, ConnectionChange) and item.state is ConnectionState.SILENT)
            assert "Moisten" in silent.hint
            strap.silent = False
            count = len(payloads(items))
            await until(lambda: len(payloads(items)) > count + 10)
        assert connection_changes(items) == [True, False, True]
        assert len(payloads(items)) == len(set(payloads(items)))


async def test_a_short_silence_keeps_the_connection(on_air):
    timing = Timing(silent_after_wall_s=0.5)
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        async with streaming(strap, timing=timing) as items:
            await until(lambda: len(payloads(items)) > 10)
            strap.silent = True
            await until(lambda: ConnectionState.SILENT in states(items))
            strap.silent = False
            await until(lambda: states(items)[-1] is ConnectionState.STREAMING)
        assert connection_changes(items) == [True]


async def test_a_strap_that_refuses_is_retried_until_it_connects(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        strap.connect_error = "br-connection-profile-unavailable"
        async with streaming(strap) as items:
            await until(lambda: any(isinstance(item, ConnectionChange) and "busy" in (item.hint or "") for item in items))
            strap.connect_error = None
            await until(lambda: len(payloads(items)) > 3)


async def test_a_connection_that_fails_while_it_is_made_is_retried(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        strap.connect_error = "le-connection-abort-by-local"
        async with streaming(strap) as items:
            await until(lambda: ConnectionState.CONNECTING in states(items))
            strap.connect_error = None
            await until(lambda: len(payloads(items)) > 3)


async def test_closing_while_connecting_hangs_leaves_nothing_behind(on_air):
    async with on_air(recording()) as air:
        strap = air.players[0].strap
        strap.connect_hangs = True
        async with streaming(strap) as items:
            await until(lambda: ConnectionState.CONNECTING in states(items))
        strap.connect_hangs = False
        assert [advert.address for advert in await scan(0.4)] == [strap.address]


async def test_closing_does_not_wait_for_a_bluetoothd_that_hangs(on_air):
    async with on_air(recording()) as air:
        strap = air.players[0].strap
        strap.connect_hangs = True
        loop = asyncio.get_running_loop()
        async with streaming(strap) as items:
            await until(lambda: states(items)[-1:] == [ConnectionState.CONNECTING] and air.bluez._connecting)
            air.bluez.hangs = True
            begun_s = loop.time()
        assert loop.time() - begun_s < 5.0, "Bleak's own patience is 15 s, and it waits for all of it"
        air.bluez.hangs = False


async def test_a_strap_that_a_crash_left_connected_is_taken_over(on_air):
    from bleak import BleakClient, BleakScanner

    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        crashed = BleakClient(await BleakScanner.find_device_by_address(strap.address, timeout=3))
        await crashed.connect()
        assert await scan(0.3) == []
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 3)
        await crashed.disconnect()


async def test_a_connection_that_is_lost_as_soon_as_it_is_made_is_retried_like_any_loss(on_air, monkeypatch, caplog):
    from bleak import BleakClient

    connect, losses = BleakClient.connect, [1, 2, 3]
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap

        async def connect_and_lose(client, **options):
            await connect(client, **options)
            if losses.pop(0) if losses else False:
                air.bluez.drop(strap)
                await until(lambda: not client.is_connected)

        monkeypatch.setattr(BleakClient, "connect", connect_and_lose)
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 3)
        assert losses == []
        assert connection_changes(items) == [True]
        assert "unexpected error" not in caplog.text


async def test_malformed_payloads_are_passed_on_unchanged(on_air):
    async with on_air(recording(1)) as air:
        strap = air.players[0].strap
        async with streaming(strap) as items:
            await until(strap.listening.is_set)
            for payload in (b"", b"\xff", b"\x10\x00\x01", bytes(range(200))):
                air.bluez.notify(strap, HEART_RATE, payload)
            await until(lambda: len(payloads(items)) >= 4)
        assert payloads(items)[:4] == [b"", b"\xff", b"\x10\x00\x01", bytes(range(200))]


async def test_closing_disconnects_and_the_strap_is_on_the_air_again(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        tasks = asyncio.all_tasks()
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 3)
            assert await scan(0.3) == []
        await until(lambda: not strap.listening.is_set())
        assert len(await scan(0.4)) == 1
        # Bleak keeps a watcher of its connection, until the block of `on_bus` ends
        assert [t for t in asyncio.all_tasks() - tasks if "monitor_bus_disconnect" not in repr(t)] == []


async def test_no_connection_and_no_descriptor_is_left_open(on_air):
    async def once():
        async with (
            on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air,
            streaming(air.players[0].strap) as items,
        ):
            await until(lambda: len(payloads(items)) > 3)

    def descriptors():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    await once()
    before = descriptors()
    await once()
    await once()
    assert descriptors() == before


async def test_a_strap_without_battery_and_device_information_streams_all_the_same(on_air):
    bare = recording(30, device=Device(name="Bare"))
    bare = type(bare)(bare.header, tuple(event for event in bare.events if event.char == HEART_RATE))
    async with on_air(bare, clock_for=lambda _: RunningClock(SPEED)) as air, streaming(air.players[0].strap) as items:
        await until(lambda: len(payloads(items)) == 30)


async def test_giving_up_on_a_strap_that_is_not_there_says_what_to_check(on_air):
    async with on_air():
        source = StrapSource("A0:9E:1A:00:00:99", timing=QUICK, give_up_after_s=0.5)
        with pytest.raises(StrapNotFoundError, match="Moisten"):
            [item async for item in source.items(RunningClock())]


async def test_giving_up_on_a_strap_that_refuses(on_air):
    async with on_air(recording()) as air:
        air.players[0].strap.connect_error = "br-connection-profile-unavailable"
        source = StrapSource(air.players[0].strap.address, timing=QUICK, give_up_after_s=0.5)
        with pytest.raises(ConnectError, match="busy"):
            [item async for item in source.items(RunningClock())]


async def test_a_strap_not_heard_at_first_gives_a_hint_and_is_found_later(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        strap.advertising = False
        async with streaming(strap) as items:
            await until(lambda: any(isinstance(item, ConnectionChange) and item.hint for item in items))
            strap.advertising = True
            await until(lambda: len(payloads(items)) > 3)


async def test_many_straps_stream_at_once(on_air):
    recordings = [recording(40, device=H10) for _ in range(12)]
    async with on_air(*recordings, clock_for=lambda _: RunningClock(20)) as air:

        async def whole(player):
            async with streaming(player.strap, RunningClock(20)) as items:
                await player.finished.wait()
                await until(lambda: len(payloads(items)) >= 40)
                return payloads(items)

        assert await asyncio.gather(*map(whole, air.players)) == [payloads(recordings[0].events)] * 12


async def test_an_h10_that_went_off_the_air_may_be_in_use_by_another_app(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        strap = air.players[0].strap
        async with streaming(strap) as items:
            await until(lambda: payloads(items))
            strap.advertising = False
            air.bluez.drop(strap)
            await until(lambda: any("second connection" in (i.hint or "") for i in items if isinstance(i, ConnectionChange)))


async def test_of_two_heart_rates_in_one_device_that_of_the_heart_rate_service_is_taken(on_air, monkeypatch):
    table = virtual_strap._table

    def with_another(device, played):
        yield virtual_strap.Characteristic("ffee", HEART_RATE, ("notify",))
        yield from table(device, played)

    monkeypatch.setattr(virtual_strap, "_table", with_another)
    played = recording(20)
    async with on_air(played, clock_for=lambda _: RunningClock(SPEED)) as air:
        async with streaming(air.players[0].strap) as items:
            await air.players[0].finished.wait()
            await until(lambda: len(payloads(items)) >= 20)
        assert payloads(items) == payloads(played.events)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("[org.bluez.Error.Failed] Not paired", "must be paired with this computer first"),
        ("[org.bluez.Error.AuthenticationFailed] Authentication Failed", "must be paired"),
        ("[org.bluez.Error.NotPermitted] Read not permitted: insufficient encryption", "must be paired"),
        ("[org.bluez.Error.InProgress] Operation already in progress", "Another program on this computer is connecting"),
    ],
)
def test_a_strap_to_be_paired_and_one_that_another_program_connects_are_told_in_a_sentence(error, said):
    text = connect_error_text(BleakError(error))
    assert said in text
    assert "org.bluez" not in text

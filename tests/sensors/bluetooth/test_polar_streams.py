"""A Polar strap's streams beside its heart rate: the real Bleak on a virtual BlueZ."""

import asyncio

import numpy as np
import pytest

from restbeat.sensors.bluetooth import polar_streams
from restbeat.sensors.bluetooth.scanner import inspect
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Contact
from restbeat.sensors.protocols.polar_control import Settings, start_command, stop_command
from restbeat.sensors.protocols.polar_frames import Ppi, Stream, encode_acc, encode_ecg, encode_ppi
from restbeat.sensors.recordings.recording import PMD_DATA, ConnectionEvent, Header, Packet, Recording
from restbeat.sensors.virtual.virtual_polar import PolarFault

from ..conftest import H10, recording, until
from ..streams import SPEED, connection_changes, payloads, streaming

START_ECG, START_ACC, START_PPI = (
    start_command(Stream.ECG, Settings(rates_hz=(130,), resolutions_bit=(14,))),
    start_command(Stream.ACC, Settings(rates_hz=(25,), resolutions_bit=(16,), ranges_g=(2,))),
    start_command(Stream.PPI, Settings()),
)
ASK_ECG, ASK_ACC = b"\x01\x00", b"\x01\x02"
STOP_ECG, STOP_ACC, STOP_PPI = (stop_command(stream) for stream in (Stream.ECG, Stream.ACC, Stream.PPI))


def ecg(n):
    return encode_ecg(n, np.full(73, n))


def acc(n):
    return encode_acc(n, np.full((36, 3), n))


def ppi(n):
    return encode_ppi(n, [Ppi(60, 1000 + n, 5, blocker=False, contact=Contact.YES)])


def polar(seconds=60, *, frames=(ecg, acc), away=None):
    """A recording with one heart rate packet per second and two frames per second of each stream, all different."""
    worn = recording(seconds, device=H10, away=away)
    more = [Packet(n / 2 + 0.1, PMD_DATA, frame(n)) for n in range(1, 2 * seconds + 1) for frame in frames]
    return Recording(Header(device=H10), tuple(sorted((*worn.events, *more), key=lambda event: event.t)))


def at_speed(_):
    return RunningClock(SPEED)


def noting(air):
    """Collect each notification that the straps send, once."""
    sent, notify = [], air.bluez.notify

    def note(strap, uuid, payload):
        heard = notify(strap, uuid, payload)
        if heard and uuid == PMD_DATA:
            sent.append(payload)
        return heard

    air.bluez.notify = note
    return sent


@pytest.mark.parametrize("acquire_notify", [False, True])
async def test_ecg_and_acceleration_arrive_as_they_were_sent_and_are_stopped_on_leaving(on_air, acquire_notify):
    played = polar()
    async with on_air(played, clock_for=at_speed) as air:
        player, sent = air.players[0], noting(air)
        service = player.strap.polar
        async with streaming(player.strap, acquire_notify=acquire_notify) as items:
            await player.finished.wait()
            await until(lambda: len(payloads(items, PMD_DATA)) >= len(sent))
            assert service.streaming == {Stream.ECG, Stream.ACC}
        assert service.streaming == set()
        assert service.commands == [ASK_ECG, START_ECG, ASK_ACC, START_ACC, STOP_ACC, STOP_ECG]
        assert payloads(items, PMD_DATA) == sent
        assert len(sent) > 0.7 * len(payloads(played.events, PMD_DATA))
        assert payloads(items) == payloads(played.events)
        assert connection_changes(items) == [True]


async def test_an_optical_sensor_gives_its_pulse_intervals(on_air):
    async with on_air(polar(frames=(ppi,)), clock_for=at_speed) as air:
        strap = air.players[0].strap
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items, PMD_DATA)) > 3)
        assert strap.polar.commands == [START_PPI, STOP_PPI]
        assert strap.polar.streaming == set()


async def test_where_there_is_ecg_pulse_intervals_are_not_started(on_air):
    async with on_air(polar(frames=(ppi, ecg)), clock_for=at_speed) as air:
        strap = air.players[0].strap
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items, PMD_DATA)) > 3)
            assert strap.polar.streaming == {Stream.ECG}
        assert all(payload[0] == Stream.ECG.value for payload in payloads(items, PMD_DATA))


async def test_without_the_option_no_command_is_sent(on_air):
    async with on_air(polar(), clock_for=at_speed) as air:
        strap = air.players[0].strap
        async with streaming(strap, pmd=False) as items:
            await until(lambda: len(payloads(items)) > 10)
        assert (strap.polar.commands, payloads(items, PMD_DATA)) == ([], [])


async def test_inspecting_a_strap_starts_no_stream(on_air):
    async with on_air(polar(), clock_for=at_speed) as air:
        strap = air.players[0].strap
        assert (await inspect(strap.address)).has_rr
        assert strap.polar.commands == []


async def test_a_strap_without_the_service_has_none(on_air):
    async with on_air(recording(), clock_for=at_speed) as air:
        assert air.players[0].strap.polar is None
        async with streaming(air.players[0].strap) as items:
            await until(lambda: len(payloads(items)) > 10)
        assert connection_changes(items) == [True]


async def test_after_a_lost_connection_the_streams_start_anew_and_nothing_is_doubled(on_air):
    played = polar(120, away=(30.0, 60.0))
    async with on_air(played, clock_for=at_speed) as air:
        player, sent = air.players[0], noting(air)
        async with streaming(player.strap) as items:
            await player.finished.wait()
            await until(lambda: len(payloads(items, PMD_DATA)) >= len(sent))
            await asyncio.sleep(0.05)
        heard = payloads(items, PMD_DATA)
        assert connection_changes(items) == [True, False, True]
        assert heard == sent
        assert len(heard) == len(set(heard))
        times = [item.t for item in items if isinstance(item, Packet) and item.char == PMD_DATA]
        up_again = [item.t for item in items if isinstance(item, ConnectionEvent)][2]
        assert sum(t > up_again for t in times) > 60
        # the strap kept its streams on through the loss: each is stopped and started anew
        again = [ASK_ECG, START_ECG, STOP_ECG, START_ECG, ASK_ACC, START_ACC, STOP_ACC, START_ACC, STOP_ACC, STOP_ECG]
        assert player.strap.polar.commands[4:] == again
        assert player.strap.polar.streaming == set()


@pytest.mark.parametrize("fault", PolarFault)
async def test_a_strap_that_refuses_its_streams_goes_on_with_its_heart_rate(on_air, fault):
    played = polar()
    async with on_air(played, clock_for=at_speed) as air:
        player = air.players[0]
        player.strap.polar.fault = fault
        loop = asyncio.get_running_loop()
        async with streaming(player.strap) as items:
            await player.finished.wait()
            await until(lambda: len(payloads(items)) >= 60)
            leaves_s = loop.time()
        assert loop.time() - leaves_s < 2.0
        assert payloads(items) == payloads(played.events)
        assert payloads(items, PMD_DATA) == []
        assert connection_changes(items) == [True]
        assert player.strap.polar.streaming == set()


async def test_a_stream_whose_answer_was_lost_arrives_all_the_same_and_is_stopped(on_air):
    async with on_air(polar(frames=(ppi,)), clock_for=at_speed) as air:
        strap = air.players[0].strap
        strap.polar.fault = PolarFault.LOSES_ANSWERS
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items, PMD_DATA)) > 3)
        assert strap.polar.commands == [START_PPI, STOP_PPI]
        assert strap.polar.streaming == set()


async def test_a_command_without_an_answer_is_given_up_after_its_time_limit(on_air, monkeypatch):
    monkeypatch.setattr(polar_streams, "_START_S", 0.2)
    async with on_air(polar(), clock_for=at_speed) as air:
        strap = air.players[0].strap
        strap.polar.fault = PolarFault.NEVER_ANSWERS
        async with streaming(strap) as items:
            await until(lambda: strap.polar.commands)
            (starting,) = (task for task in asyncio.all_tasks() if task.get_name() == "Polar streams")
            await until(starting.done, 1.0)
            assert starting.exception() is None
            count = len(payloads(items))
            await until(lambda: len(payloads(items)) > count + 3)
        assert connection_changes(items) == [True]


async def test_a_loss_while_the_streams_start_is_handled_like_any_loss(on_air):
    async with on_air(polar(600), clock_for=at_speed) as air:
        strap = air.players[0].strap
        strap.polar.fault = PolarFault.NEVER_ANSWERS
        async with streaming(strap) as items:
            await until(lambda: strap.polar.commands)
            air.bluez.drop(strap)
            await until(lambda: connection_changes(items) == [True, False, True])
            await until(lambda: len(strap.polar.commands) == 2)
            strap.polar.fault = None
            air.bluez.drop(strap)
            await until(lambda: len(payloads(items, PMD_DATA)) > 3)
        assert strap.polar.streaming == set()

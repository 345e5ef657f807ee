"""What a strap may send at most: more than any real strap does, and far less than a hostile one can."""

from pathlib import Path

import pytest

from restbeat.sensors.bluetooth.packet_limit import LONGEST_PAYLOAD, PacketLimit
from restbeat.sensors.bluetooth.reconnect import FLOOD_HINT
from restbeat.sensors.recordings.recording import BATTERY, HEART_RATE, LEFT_OUT, PMD_DATA, ConnectionEvent, Fault, Packet, read
from restbeat.sensors.source import ConnectionChange, ConnectionState

from ..conftest import until
from .test_reconnect import ManualClock, ScriptedStrap, running_source

FIXTURES = Path(__file__).parents[3] / "fixtures"
HOUR_S = 3600
ROW_BYTES = 100
"""What a packet takes on the disk beside its payload, at most."""
PACKET = bytes.fromhex("10480004")


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.jsonl*")))
@pytest.mark.parametrize("stalled_s", [0, 25])
def test_everything_that_a_strap_sends_comes_in_also_after_a_stall(name, stalled_s):
    packets = [event for event in read(FIXTURES / name).events if isinstance(event, Packet)]
    limit = PacketLimit()
    arrivals = [max(stalled_s, packet.t) for packet in packets]
    assert all(limit.admits(t, packet.char, len(packet.payload)) for t, packet in zip(arrivals, packets, strict=True))


def test_acceleration_at_its_highest_rate_comes_in_beside_ecg():
    limit = PacketLimit()
    for n in range(HOUR_S * 10):
        t = n / 10
        assert n % 10 or limit.admits(t, HEART_RATE, 12)
        assert n % 5 or limit.admits(t, PMD_DATA, 229)
        assert limit.admits(t, PMD_DATA, 130)


@pytest.mark.parametrize(
    ("uuid", "size"), [(HEART_RATE, LONGEST_PAYLOAD), (HEART_RATE, 4), (PMD_DATA, LONGEST_PAYLOAD), (BATTERY, 1)]
)
def test_a_thousand_packets_a_second_are_at_most_thirty_megabytes_an_hour(uuid, size):
    limit = PacketLimit()
    kept = sum(size + ROW_BYTES for n in range(1000 * HOUR_S // 10) if limit.admits(n / 1000, uuid, size))
    assert 0 < 10 * kept <= 30e6


def test_a_stalled_computer_at_high_speed_lets_in_what_came_meanwhile():
    limit = PacketLimit(speed=1000.0)
    assert all(limit.admits(2000.0, HEART_RATE, 6) for _ in range(2000))


def test_a_flood_of_one_kind_leaves_the_heart_rate_alone():
    limit = PacketLimit()
    for n in range(100_000):
        limit.admits(n / 1000, PMD_DATA, 512)
        assert n % 1000 or limit.admits(n / 1000, HEART_RATE, 6)


def test_nothing_longer_than_an_attribute_comes_in():
    assert not PacketLimit().admits(0.0, PMD_DATA, LONGEST_PAYLOAD + 1)


async def flooded(items, strap, clock, seconds):
    for _ in range(1000 * seconds):
        clock.to(clock.t + 0.001)
        strap.on_packet(HEART_RATE, PACKET)
    await until(lambda: any(isinstance(item, ConnectionChange) and item.hint == FLOOD_HINT for item in items))


async def test_what_was_left_out_is_told_as_a_hint_a_count_and_a_gap(caplog):
    clock, strap = ManualClock(), ScriptedStrap()
    async with running_source(strap, clock) as items:
        await until(lambda: strap.on_packet)
        await flooded(items, strap, clock, 70)
        await until(lambda: any(isinstance(item, Fault) for item in items))
        fault = next(item for item in items if isinstance(item, Fault))
        admitted = sum(isinstance(item, Packet) for item in items)
        assert fault.kind == LEFT_OUT
        assert fault.count + admitted >= 60_000
        at = items.index(fault)
        assert [item.up for item in items[at + 1 : at + 3] if isinstance(item, ConnectionEvent)] == [False, True]
    assert "were left out" in caplog.text


async def test_a_strap_that_is_calm_again_has_no_hint_any_more():
    clock, strap = ManualClock(), ScriptedStrap()
    async with running_source(strap, clock) as items:
        await until(lambda: strap.on_packet)
        await flooded(items, strap, clock, 40)
        for _ in range(12):
            clock.to(clock.t + 1.0)
            strap.on_packet(HEART_RATE, PACKET)
        await until(lambda: any(isinstance(item, Fault) for item in items))
        changes = [item for item in items if isinstance(item, ConnectionChange)]
        assert (changes[-1].state, changes[-1].hint) == (ConnectionState.STREAMING, None)

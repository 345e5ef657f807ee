"""The test bench: recordings under transport control in rooms of their own, over the real application."""

import asyncio

import pytest

from restbeat.service.commands.options import FIXTURES
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.settings import Settings
from restbeat.service.testbench.bench import Bench
from restbeat.web.app import create_app

from ...practices import practice_of

CLEAR = "polar-h10_simulated_clear.jsonl.gz"
MINUTE = "polar-h10_simulated_one-minute.jsonl"


class NoHouse:
    trouble = None
    zone = None

    async def read(self):
        return Settings()

    def adapter(self):
        raise AssertionError


@pytest.fixture
async def bench():
    async with Bench(LiveFeed(), [FIXTURES]) as bench:
        bench.live_feed = bench._live_feed
        yield bench


@pytest.fixture
async def client(aiohttp_client, bench):
    return await aiohttp_client(create_app(practice_of(NoHouse(), bench.live_feed, test_bench=bench), version="1"))


async def state_where(bench, room, wanted):
    slot = bench.live_feed.subscribe(room)
    try:
        async with asyncio.timeout(20):
            while True:
                if room in bench.live_feed.records and wanted(bench.live_feed.records[room].state):
                    return bench.live_feed.records[room].state
                await slot.wait()
                slot.take()
    finally:
        bench.live_feed.unsubscribe(slot)


async def test_without_a_test_bench_its_addresses_do_not_exist(aiohttp_client, bench):
    client = await aiohttp_client(create_app(practice_of(NoHouse(), bench.live_feed), version="1"))
    assert [(await client.get(path)).status for path in ("/bench", "/api/v1/bench")] == [404, 404]
    assert (await client.post("/api/v1/bench", json={"recording": CLEAR})).status in {404, 405}
    assert "/bench" not in await (await client.get("/nothing")).text()


async def test_a_recording_can_be_played_paused_sought_looped_and_closed(client, bench):
    played = await (await client.post("/api/v1/bench", json={"recording": CLEAR, "speed": 60, "faults": ["drop@20:5"]})).json()
    assert (played["room"], played["duration_s"], played["told"]) == ("bench-1", 1200.0, ["drop at 20 s for 5 s (5 packets)"])
    state = await state_where(bench, "bench-1", lambda state: state.now_s > 5)
    assert (state.bench, state.session, state.paused) == (True, None, False)
    answer = await (await client.post("/api/v1/bench/bench-1", json={"paused": True, "at_s": 600})).json()
    assert (answer["paused"], answer["at_s"]) == (True, 600)
    state = await state_where(bench, "bench-1", lambda state: state.paused and state.now_s == 600)
    assert (state.phase, state.signal, state.speed) == ("massage", "good", 0)
    assert state.rmssd_ms is not None
    assert len(bench.live_feed.records["bench-1"].beats) > 90, "the strip is there at once"
    await client.post("/api/v1/bench/bench-1", json={"at_s": 1190, "paused": False, "loop": True, "speed": 1000})
    async with asyncio.timeout(20):
        while (await (await client.get("/api/v1/bench")).json())["rooms"][0]["rounds"] < 2:
            pass
    assert (await client.post("/api/v1/bench/bench-1/close")).status == 200
    assert "bench-1" not in bench.live_feed.records
    assert (await client.post("/api/v1/bench/bench-1", json={})).status == 404


async def test_at_its_end_a_recording_waits_and_can_be_sought_back(client, bench):
    await client.post("/api/v1/bench", json={"recording": CLEAR, "speed": 1000})
    await client.post("/api/v1/bench/bench-1", json={"at_s": 1195})
    await state_where(bench, "bench-1", lambda state: state.phase == "ended")
    await client.post("/api/v1/bench/bench-1", json={"at_s": 400, "paused": True})
    state = await state_where(bench, "bench-1", lambda state: state.phase == "massage")
    assert state.now_s == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"recording": "../README.md"}, "no recording"),
        ({"recording": "nothing.jsonl"}, "no recording nothing.jsonl"),
        ({"recording": CLEAR, "faults": ["flood@3"]}, "flood"),
        ({"recording": CLEAR, "faults": ["drop@1200:5"]}, "after the end"),
        ({"recording": CLEAR, "faults": [f"swap@500:{FIXTURES / CLEAR}"]}, "no recording /"),
        ({"recording": CLEAR, "speed": 0}, "speed"),
        ({}, "recording"),
    ],
)
async def test_requests_that_cannot_be_played_are_refused_with_a_sentence(client, bench, body, words):
    answer = await client.post("/api/v1/bench", json=body)
    assert answer.status in {400, 409, 422}
    assert words in (await answer.json())["error"]
    assert bench.rooms() == []


async def test_no_more_rooms_are_opened_than_a_page_can_show(client):
    answers = await asyncio.gather(*(client.post("/api/v1/bench", json={"recording": MINUTE}) for _ in range(9)))
    assert sorted(answer.status for answer in answers) == [201] * 8 + [409]


async def test_a_strap_can_be_swapped_for_that_of_another_recording_by_name(client):
    body = {"recording": CLEAR, "faults": [f"swap@20:{MINUTE}"]}
    assert (await (await client.post("/api/v1/bench", json=body)).json())["told"] == ["swap at 20 s (40 packets)"]


async def test_a_failing_bench_room_is_logged(bench, monkeypatch, caplog):
    async def broken(self):
        raise ValueError("odd")

    monkeypatch.setattr("restbeat.service.rooms.room.Room.run", broken)
    await bench.open(CLEAR, faults=[], seed=1, speed=1, loop=False)
    async with asyncio.timeout(20):
        while not caplog.records:  # noqa: ASYNC110 the log tells nobody
            await asyncio.sleep(0.01)
    assert "bench room bench-1 stands still" in caplog.text


async def test_recordings_of_a_further_folder_are_offered_beside_the_fixtures(tmp_path, aiohttp_client):
    (tmp_path / "own.jsonl").write_bytes((FIXTURES / "polar-h10_simulated_one-minute.jsonl").read_bytes())
    (tmp_path / "empty.jsonl").write_text('{"format":"restbeat-recording","version":1}\n')
    (tmp_path / "secret.txt").write_text("no recording")
    async with Bench(LiveFeed(), [FIXTURES, tmp_path]) as bench:
        names = await bench.recordings()
        assert "own.jsonl" in names
        assert CLEAR in names
        assert "secret.txt" not in names
        client = await aiohttp_client(create_app(practice_of(NoHouse(), bench._live_feed, test_bench=bench), version="1"))
        assert (await client.post("/api/v1/bench", json={"recording": "own.jsonl"})).status == 201
        assert (await client.post("/api/v1/bench", json={"recording": "empty.jsonl"})).status == 409

import asyncio
import socket

import msgspec
import pytest

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import ClientFrame, ClientView, ServerMessage
from restbeat.web.app import create_app
from restbeat.web.rooms.live_socket import Pace

from ...practices import practice_of
from ..fake_practice import FakePractice
from ..made_up import beats, room_state

QUICK = Pace(frame_s=0.005, heartbeat_s=0.05, send_s=0.3)


@pytest.fixture
def live_feed():
    return LiveFeed()


@pytest.fixture
def practice(live_feed):
    return FakePractice(live_feed, [room_state()])


async def next_message(live):
    return msgspec.json.decode(await live.receive_str(timeout=5), type=ServerMessage)


async def until(live, kind):
    while True:
        message = await next_message(live)
        if type(message).__name__ == kind:
            return message


async def serve(aiohttp_client, practice, live_feed, pace=QUICK):
    return await aiohttp_client(create_app(practice_of(practice, live_feed), version="0", pace=pace))


async def test_the_first_frame_is_the_snapshot(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live?room=room-1") as live:
        assert [type(await next_message(live)).__name__ for _ in range(4)] == ["Snapshot", "Story", "RoomList", "Heartbeat"]


async def test_a_grid_that_hides_clients_is_sent_no_names(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live", headers={"Cookie": "restbeat-hide=yes"}) as live:
        frame = await live.receive_str(timeout=5)
        assert '"client":null' in frame
        assert "M-014" not in frame
    async with client.ws_connect("/live?room=room-1", headers={"Cookie": "restbeat-hide=yes"}) as live:
        assert (await until(live, "Snapshot")).state.client == "M-014"


async def test_a_clients_own_screen_is_sent_only_what_the_therapist_switches_on(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live?room=room-1&view=client") as live:
        assert (await until(live, "ClientFrame")).field is False
        answer = await client.put("/api/v1/rooms/room-1/client-view", json={"field": True, "pace_per_min": 4.5})
        assert (await answer.json())["client_view"]["pace_per_min"] == 4.5
        assert await until(live, "ClientFrame") == ClientFrame(True, False, 0.4, None, False)
        practice.change("room-1", room_state(notice="Pain 7.", client_view=ClientView(field=True)))
        assert (await until(live, "ClientFrame")).level is None
    for nonsense in ({"pace_per_min": 8}, {"pace_per_min": 3.9}, {"field": "yes"}, {"volume": 1}):
        assert (await client.put("/api/v1/rooms/room-1/client-view", json=nonsense)).status == 400
    assert (await client.put("/api/v1/rooms/cellar/client-view", json={})).status == 404


async def test_updates_follow_at_once_and_without_a_missing_batch(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed, Pace(frame_s=0.005))
    async with client.ws_connect("/live") as live:
        seq = (await next_message(live)).seq
        await until(live, "Heartbeat")
        for n in range(30):
            live_feed.publish(room_state(now_s=700 + n), beats(700 + n, 701.5 + n))
            update = await next_message(live)
            assert update.first_seq == seq + 1
            seq = update.seq


async def test_the_heartbeat_reports_a_missing_adapter(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live") as live:
        assert (await until(live, "Heartbeat")).adapter is None
        practice.ready = False
        while (beat := await until(live, "Heartbeat")).adapter is None:
            pass
        assert beat.adapter.startswith("No Bluetooth adapter.")


async def test_a_request_brings_a_new_snapshot_and_nonsense_is_ignored(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live") as live:
        await until(live, "Snapshot")
        for nonsense in ("", "{}", '{"type":"ask"}', "[1"):
            await live.send_str(nonsense)
        await live.send_str('{"type":"ask","room":"room-1"}')
        assert (await until(live, "Snapshot")).state.room == "room-1"


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:1"])
async def test_another_sites_page_cannot_connect(aiohttp_client, practice, live_feed, origin):
    client = await serve(aiohttp_client, practice, live_feed)
    answer = await client.get(
        "/live",
        headers={
            "Origin": origin,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )
    assert answer.status == 403


async def test_our_own_page_can_connect(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    async with client.ws_connect("/live", origin=f"http://{client.host}:{client.port}") as live:
        await until(live, "Snapshot")


async def stalled_reader(client):
    """Open a socket that completes its handshake and then never reads a byte."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (client.host, client.port))
    request = (
        f"GET /live HTTP/1.1\r\nHost: {client.host}:{client.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    return raw


async def test_a_stalled_browser_delays_nobody_and_is_disconnected(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed, Pace(frame_s=0.001, heartbeat_s=10, send_s=0.3))
    raw = await stalled_reader(client)
    wide = beats(0, 200, faults=False)  # large batches fill the stalled one's buffers quickly
    try:
        async with client.ws_connect("/live") as live:
            seq = (await next_message(live)).seq
            await until(live, "Heartbeat")
            loop = asyncio.get_running_loop()
            until_s = loop.time() + 20
            slowest = 0.0
            while len(live_feed._subscribers) > 1 and loop.time() < until_s:
                start = loop.time()
                live_feed.publish(room_state(now_s=300.0), wide)
                update = await next_message(live)
                slowest = max(slowest, loop.time() - start)
                assert update.first_seq == seq + 1
                seq = update.seq
            assert len(live_feed._subscribers) == 1, "the stalled reader is still there"
            assert slowest < 0.25
    finally:
        raw.close()


async def test_the_server_closes_sockets_when_it_stops(aiohttp_client, practice, live_feed):
    client = await serve(aiohttp_client, practice, live_feed)
    live = await client.ws_connect("/live")
    await until(live, "Snapshot")
    closing = asyncio.create_task(client.server.close())
    while not live.closed:
        await live.receive(timeout=5)
    assert live.close_code == 1001
    await closing
    assert not live_feed._subscribers

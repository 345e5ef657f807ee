"""A strap belongs to one restbeat of a computer."""

import asyncio
import sys

import pytest

from restbeat.service.errors import RefusedError, StrapTakenError
from restbeat.service.radio.strap_claims import StrapClaims
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.worker import Worker

from ..practice_under_test import ADDRESS, PracticeUnderTest

SENTENCE = "Another restbeat on this computer holds this strap. End its session there, or stop that restbeat"


async def test_a_strap_held_by_another_process_is_refused_until_that_process_ends(tmp_path):
    program = (
        "import asyncio, sys, pathlib\nfrom restbeat.service.radio.strap_claims import StrapClaims\n"
        f"asyncio.run(StrapClaims(pathlib.Path(sys.argv[1])).claim({ADDRESS.lower()!r}))\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(tmp_path), stdin=pipe, stdout=pipe)
    try:
        assert await other.stdout.readline() == b"held\n"
        with pytest.raises(StrapTakenError, match=SENTENCE):
            await StrapClaims(tmp_path).claim(ADDRESS)
        await StrapClaims(tmp_path).claim("A0:9E:1A:00:00:02")
        await StrapClaims(tmp_path, "another bus").claim(ADDRESS)
    finally:
        other.kill()
        await other.communicate()
    await StrapClaims(tmp_path).claim(ADDRESS)


async def test_a_lock_that_fails_does_not_prevent_a_session(tmp_path, caplog):
    (tmp_path / "file").touch()
    await StrapClaims(tmp_path / "file").claim(ADDRESS)
    assert "cannot be told" in caplog.text


@pytest.fixture
async def two(tmp_path):
    """Two restbeats of one computer, each with its own data."""
    async with await SessionStore.open(tmp_path / "a") as one, await SessionStore.open(tmp_path / "b") as other:
        benches = [PracticeUnderTest(storage, Worker(), claims=StrapClaims(tmp_path / "straps")) for storage in (one, other)]
        async with benches[0].rooms, benches[1].rooms:
            yield benches


async def test_a_session_holds_its_strap_from_its_beginning_to_its_end(two):
    first, second = two
    room = await first.rooms.open_room(Opening(address=ADDRESS, kind="rest", consent=True), by="Ada")
    with pytest.raises(StrapTakenError, match=SENTENCE) as refused:
        await second.rooms.open_room(Opening(address=ADDRESS.lower(), kind="rest", consent=True), by="Bo")
    assert refused.value.room is None
    assert (await second.reports.sessions()).rows == [], "a refused claim leaves no session behind"
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await first.rooms.entries.advance(room, leaving)
    async with asyncio.timeout(20):
        while True:
            try:
                await second.rooms.open_room(Opening(address=ADDRESS, kind="rest", consent=True), by="Bo")
                break
            except RefusedError:
                await asyncio.sleep(0.02)


async def test_a_claim_within_one_process_names_the_room_however_the_address_is_written(two):
    house = two[0].rooms
    await house.open_room(Opening(address=ADDRESS.lower(), kind="rest", consent=True), by="Ada")
    assert [strap.room for strap in house.straps()] == ["room-1"]
    with pytest.raises(StrapTakenError, match="Room 1 holds this strap") as refused:
        await house.open_room(Opening(address=ADDRESS, kind="rest", consent=True), by="Ada")
    assert refused.value.room == "room-1"

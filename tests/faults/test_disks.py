"""Disks that are full, broken or slow under a practice that serves: told in two seconds, nothing lost, well again by itself."""

import asyncio
from contextlib import asynccontextmanager, closing, suppress
import os
from pathlib import Path
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import aiohttp
import pytest

from restbeat.service.storage.database import DATABASE

from .practice_child import ADDRESSES

HERE = Path(__file__).parent
CHILD = str(HERE / "practice_child.py")
TOLD_S = 2.0
"""How soon trouble is to be told."""


def missing(what):
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and under CI nothing is skipped")
    pytest.skip(f"{what} is not installed")


@asynccontextmanager
async def practice(*command, environment=None):
    """Run a practice, yield a client of it, and stop it in order."""
    child = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, cwd=HERE.parents[1], env=os.environ | (environment or {})
    )
    try:
        address = (await child.stdout.readline()).decode().strip()
        assert address, "the practice did not start"
        async with aiohttp.ClientSession(address) as client:
            yield client, child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
        await child.wait()


async def health(client):
    async with client.get("/healthz") as answer:
        return answer.status, (await answer.json()).get("storage", {}).get("code")


async def told(client, wanted, within_s):
    """Wait until the health check answers `wanted`; return how long that took, s."""
    start = time.monotonic()
    while (found := await health(client)) != wanted:
        assert time.monotonic() - start < within_s, f"{found} and not {wanted}"
        await asyncio.sleep(0.02)
    return time.monotonic() - start


async def post(client, path, body):
    async with client.post(f"/api/v1/{path}", json=body) as answer:
        return answer.status, await answer.json()


async def goes_through(client, spoil, mend, codes, record_property):
    """Spoil the disk under a running session, look at what is said, mend it, and look at what is kept; return the room."""
    status, opened = await post(client, "rooms", {"address": ADDRESSES[0], "consent": True})
    assert status == 201
    room = opened["room"]
    assert (await post(client, f"rooms/{room}/marks", {"note": "before"}))[0] == 201
    await spoil()
    start = time.monotonic()
    while (found := await health(client))[1] not in codes:
        assert time.monotonic() - start < 20, found
        await asyncio.sleep(0.02)
    record_property("told_s", round(time.monotonic() - start, 2))
    assert found[0] == 503
    assert time.monotonic() - start < TOLD_S + 0.5
    status, answer = await post(client, f"rooms/{room}/marks", {"note": "meanwhile", "key": "meanwhile-0"})
    assert status == 503
    assert len(answer["error"]) > 20
    async with client.get(f"/api/v1/rooms/{room}") as state:
        assert (await state.json())["signal_text"] == "Not being saved"
    async with client.get("/sessions") as page:
        assert page.status == 200
        assert "disk-notice" in await page.text()
    async with client.get("/api/v1/sessions") as sessions:
        assert sessions.status == 200, "pages that only read answer meanwhile"
    await mend()
    await told(client, (200, None), 30)
    status, _ = await post(client, f"rooms/{room}/marks", {"note": "meanwhile", "key": "meanwhile-0"})
    assert status == 201
    return room


def marks(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return sorted(row[0] for row in db.execute("SELECT note FROM mark"))


async def test_a_disk_without_space_is_told_and_all_is_stored_when_there_is_space(tmp_path, record_property):
    if not shutil.which("unshare"):
        missing("unshare")
    own = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    folder = tmp_path / "disk"
    folder.mkdir()
    script = f'mount -t tmpfs -o size=64m none "{folder}" && exec "{sys.executable}" "{CHILD}" "{folder}"'
    async with practice("unshare", *own, "sh", "-c", script) as (client, child):
        inside = Path(f"/proc/{child.pid}/root{folder}")

        async def fill():
            with suppress(OSError), (inside / "ballast").open("wb", buffering=0) as ballast:
                while ballast.write(bytes(4096)):
                    pass

        async def clear():
            (inside / "ballast").unlink()

        await goes_through(client, fill, clear, {"disk-full"}, record_property)
        out = tmp_path / "out"
        out.mkdir()
        for path in inside.glob(f"{DATABASE}*"):  # noqa: ASYNC240 - SQLite itself follows links, and would look outside
            (out / path.name).write_bytes(path.read_bytes())
        assert marks(out) == ["before", "meanwhile"]


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc") or missing("a C compiler")
    library = tmp_path_factory.mktemp("shim") / "disk_shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "disk_shim.c", "-ldl"], check=True, timeout=120)
    return library


@pytest.mark.parametrize(("word", "codes"), [("eio", {"disk-error"}), ("slow", {"slow"})])
async def test_a_disk_that_fails_or_does_not_answer_is_told_and_all_is_stored_when_it_does(
    tmp_path, shim, word, codes, record_property
):
    switch, data = tmp_path / "switch", tmp_path / "data"

    async def spoil():
        switch.write_text(word)

    async def mend():
        switch.unlink()

    environment = {"LD_PRELOAD": str(shim), "RESTBEAT_DISK_SWITCH": str(switch)}
    async with practice(sys.executable, CHILD, str(data), environment=environment) as (client, _):
        await goes_through(client, spoil, mend, codes, record_property)
    assert marks(data) == ["before", "meanwhile"]

"""Export and erasure from the pages, over a real database."""

import io
import json
import zipfile

import pytest

from restbeat.service.backups.backup import take_backup
from restbeat.service.backups.backup_catalogue import BackupEntry, add_backup
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.models import Identity
from restbeat.service.errors import WorkerError
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.web.app import create_app

from ...practices import practice_of
from ...web.clients.test_client_record_pages import ODD, a_session
from ..clients.test_clients import bench, records  # noqa: F401 fixtures
from ..practice_under_test import NOW, open_room


@pytest.fixture
async def client(aiohttp_client, bench, records: Clients):  # noqa: F811 fixtures
    rights = DataRequests(bench.storage, bench.worker, records._cipher, bench.rooms, now_utc=lambda: NOW)
    return await aiohttp_client(
        create_app(practice_of(bench.rooms, bench.live_feed, clients=records, data_requests=rights), version="1.2.3")
    )


async def test_an_export_is_downloaded_and_noted_and_leaves_no_files_behind(client, bench, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    await a_session(bench, ODD)
    address = (await (await client.get("/clients")).text()).split('class="open" href="')[1].split('"')[0]
    assert f'href="{address}/export.zip"' in await (await client.get(address)).text()
    answer = await client.get(f"{address}/export.zip")
    assert (answer.status, answer.content_type) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Frau_X_2_b.zip"'
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        assert json.loads(archive.read("records.json"))["client"][0]["pseudonym"] == ODD
    log = await bench.storage.run(lambda db: [row[0] for row in db.execute("SELECT action FROM audit")])
    assert "client exported" in log
    assert (await client.get("/clients/M-nobody/export.zip")).status == 404
    assert set(tmp_path.iterdir()) == before


async def test_an_erasure_asks_for_the_pseudonym_lists_backups_and_clears_the_rooms(client, bench, tmp_path):  # noqa: F811
    room = await open_room(bench, client="M-014")
    path = "/api/v1/clients/M-014/erase"
    assert (await client.post(path, json={"pseudonym": "M-015"})).status == 409
    running = await client.post(path, json={"pseudonym": "M-014"})
    assert (running.status, (await running.json())["error"]) == (409, "M-014 has a session in Room 1. End it first.")
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    while (await bench.reports.sessions()).rows[0].state != "ended":
        await bench.storage.flush()
    await bench.storage.flush()
    take_backup(bench.storage.folder, tmp_path / "old.db")
    add_backup(bench.storage.folder, BackupEntry(str(tmp_path / "old.db"), NOW, NOW))
    erased = await client.post(path, json={"pseudonym": "M-014"})
    assert erased.status == 200
    answer = await erased.json()
    assert answer["sessions"] == 1
    assert [one["file"] for one in answer["backups"]] == [str(tmp_path / "old.db")]
    assert bench.live_feed.rooms() == []
    assert (await client.get("/clients/M-014")).status == 404
    assert (await client.post(path, json={"pseudonym": "M-014"})).status == 404
    assert (await client.get("/clients/M-014/export.zip")).status == 404


async def test_an_export_whose_key_is_missing_is_refused_with_409_and_not_wrapped(client, bench, records):  # noqa: F811
    await records.add("M-014", by="Ada")
    await records.set_identity("M-014", Identity(name="Erika"), new_key=False, by="Ada")
    records._cipher.path.unlink()
    answer = await client.get("/clients/M-014/export.zip")
    assert answer.status == 409
    assert "The key that opens names and addresses is not at" in await answer.text()


async def test_an_export_that_the_worker_fails_is_answered_with_503(client, bench, records, monkeypatch):  # noqa: F811
    async def run(*_):
        raise WorkerError("The analysis process died twice.")

    await a_session(bench, "M-014")
    monkeypatch.setattr(bench.worker, "run", run)
    answer = await client.get("/clients/M-014/export.zip")
    assert answer.status == 503
    assert "The analysis process died twice." in await answer.text()

"""Sessions with the beats of a file are found without reading the archive."""

from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, dump
from restbeat.service.sessions.session_store import NewSession
from restbeat.service.uploads import twins
from restbeat.service.uploads.file_contents import read_upload
from restbeat.service.uploads.twins import twin_of

from ..practice_under_test import NOW, PACKETS, bench  # noqa: F401 fixture

# ruff: noqa: F811 what fixtures are is imported


async def recorded(bench, packets, client="M-014"):
    header = Header(Device(name="H10"), client=client)
    session = await bench.storage.create_session(NewSession(header=header, source="H10"))
    for packet in packets:
        bench.storage.append(session, packet)
    await bench.storage.end_session(session, NOW, 90.0)
    return session


async def test_no_search_for_a_twin_reads_the_table_of_sessions(bench):
    for query in (twins._IMPORTED, twins._AS_LONG):
        values = (None,) * query.count("?")
        plan = await bench.storage.read(lambda db, q=query, v=values: db.execute(f"EXPLAIN QUERY PLAN {q}", v).fetchall())
        assert [row[3] for row in plan if row[3].startswith("SCAN")] == []
        assert any("USING INDEX session_" in row[3] for row in plan)


async def test_of_many_sessions_as_long_as_a_file_only_the_newest_are_opened(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(twins, "_MOST_COMPARED", 3)
    file = tmp_path / "a.jsonl"
    file.write_bytes(dump(Header(Device(name="H10")), PACKETS))
    read = read_upload(file, tmp_path / "kept.jsonl", "a.jsonl")
    other = [packet for packet in PACKETS if packet is not PACKETS[0]]
    twin = await recorded(bench, PACKETS)
    for _ in range(2):
        await recorded(bench, other)
    assert (await bench.storage.read(lambda db: twin_of(db, read, "M-014"))).session == twin
    opened = []
    first = twins._first_packets
    monkeypatch.setattr(twins, "_first_packets", lambda db, session: opened.append(session) or first(db, session))
    for _ in range(4):
        await recorded(bench, other, client="M-015")
    await bench.storage.read(lambda db: twin_of(db, read, "M-014"))
    assert opened[-1] == twin, "this client's come first"
    await recorded(bench, other)
    opened.clear()
    assert await bench.storage.read(lambda db: twin_of(db, read, "M-014")) is None
    assert len(opened) == 3

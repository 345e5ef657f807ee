"""Files brought to a client's page: what they hold, what becomes of them, and what nobody gets to do with them."""

import asyncio
from datetime import timedelta
import os
import signal

import psutil
import pytest

from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, dump
from restbeat.service.errors import RefusedError, UnconfirmedError, UnknownClientError, UnknownError
from restbeat.service.practice import open_practice
from restbeat.service.sessions.session_store import NewSession
from restbeat.service.settings import Settings
from restbeat.service.uploads.file_reader import FileReader
from restbeat.service.uploads.models import Choice
from restbeat.service.uploads.uploads import Limits

from ..practice_under_test import NOW, PACKETS, Air, Strap, audit, bench  # noqa: F401 fixture
from .waiting import BOMB, SAMPLES, heart_rates, pieces, records_of, rr_list, uploads_of

# ruff: noqa: F811, ASYNC110 what fixtures are is imported; neither database, disk nor system tells what they do


@pytest.fixture
async def records(bench, tmp_path):
    made = records_of(bench, tmp_path)
    await made.add("M-014", by="Ada")
    await made.agree("M-014", "record", by="Ada")
    return made


@pytest.fixture
async def uploads(bench, records):
    async with uploads_of(bench) as made:
        yield made


async def brought(uploads, content, name="rr.txt", client="M-014"):
    return await uploads.receive(client, name, pieces(content))


def in_folder(bench):
    return sorted(path.name for path in (bench.storage.folder / "uploads").iterdir())


async def sessions(bench):
    return (await bench.storage.sessions()).rows


async def test_a_list_of_intervals_is_told_as_what_it_is(uploads, bench):
    upload = await brought(uploads, rr_list())
    held = upload.contents
    assert (held.format, held.beats, held.heart_rate_only, held.kind, held.phases) == ("RR text", 400, False, "massage", ())
    assert held.duration_s == pytest.approx(340, rel=0.01)
    assert held.mean_hr_bpm == pytest.approx(60_000 / 850, rel=0.01)
    assert held.used_pct == 100.0
    assert held.told[0] == "Read as RR intervals in ms; times: the sum of the intervals; 400 rows."
    assert (held.began_utc, held.began_local) == (None, None)
    assert await sessions(bench) == []


async def test_a_file_of_heart_rates_says_so_with_its_date(uploads):
    held = (await brought(uploads, heart_rates(), "hr.csv")).contents
    assert (held.heart_rate_only, held.beats, held.used_pct, held.strip.unit) == (True, 0, None, "bpm")
    assert held.began_utc == "2026-05-03T08:00:00.000Z"
    assert "heart rate only" in held.reasons[0]


async def test_a_refused_file_says_its_sentence_under_its_own_name_and_leaves_nothing(uploads, bench):
    with pytest.raises(RefusedError, match=r"^wave\.txt seems to hold the samples of a pulse or an ECG"):
        await brought(uploads, SAMPLES, "C:\\Users\\Ada\\wave.txt")
    assert in_folder(bench) == []
    assert await uploads.of_client("M-014") == []


async def test_what_waits_is_private_and_is_the_beats_alone(uploads, bench):
    upload = await brought(uploads, rr_list(), "../../etc/Erika Mustermann.txt")
    assert upload.name == "Erika Mustermann.txt"
    assert in_folder(bench) == [f"{upload.upload}.jsonl"]
    assert (bench.storage.folder / "uploads").stat().st_mode & 0o777 == 0o700
    assert "Erika" not in (bench.storage.folder / "uploads" / f"{upload.upload}.jsonl").read_text()


async def test_a_name_and_a_text_of_a_file_are_cleaned(uploads):
    odd = "a\u202e\x1b[31m\n<b>" + "x" * 200 + ".txt"
    upload = await brought(uploads, rr_list(), odd)
    assert upload.name.isprintable()
    assert len(upload.name) <= 80
    mark = b'{"t": 3, "mark": {"note": "' + b"\\u001b[2J" + b"y" * 5000 + b'"}}\n'
    lines = dump(Header(source="\x1b]0;x\x07" * 50, extra={"evil": "x"}), PACKETS).split(b"\n", 3)
    raw = b"\n".join([*lines[:3], b""]) + mark
    upload = await brought(uploads, raw + lines[3], "own.jsonl")
    session = (await uploads.add("M-014", upload.upload, Choice(), by="Ada")).session
    header, events = await uploads._store.events(session)
    assert header.source.isprintable()
    assert set(header.extra) == {"imported"}
    note = next(event.note for event in events if getattr(event, "note", None))
    assert note.isprintable()
    assert len(note) <= 200


async def test_a_file_becomes_a_session_that_counts_like_any_other(uploads, bench):
    upload = await brought(uploads, rr_list())
    choice = Choice(kind="rest", began_local="2026-11-20T10:00", parts=(2, 2, 1))
    session = (await uploads.add("M-014", upload.upload, choice, by="Ada")).session
    (row,) = await sessions(bench)
    assert (row.session, row.client, row.kind, row.source, row.imported, row.dated) == (
        *(session, "M-014", "rest", "RR text file", "RR text", True),
    )
    assert (row.state, row.duration_s) == ("ended", 300.0)
    _, report = await bench.reports.of(session)
    assert [(phase.phase, phase.end_s) for phase in report.figures.phases] == [
        ("baseline", 120.0),
        ("massage", 240.0),
        ("recovery", 300.0),
    ]
    assert report.figures.phases[0].rmssd_ms is not None
    assert [row[:4] for row in await audit(bench)][-1] == ("Ada", "session imported", "M-014", session)
    assert in_folder(bench) == []
    assert await uploads.of_client("M-014") == []


async def test_adding_it_twice_in_a_hurry_adds_it_once(uploads, bench):
    upload = await brought(uploads, rr_list())
    added = await asyncio.gather(*(uploads.add("M-014", upload.upload, Choice(), by="Ada") for _ in range(3)))
    assert len({one.session for one in added}) == len(await sessions(bench)) == 1


async def test_without_phases_it_is_one_phase_and_its_own_stay(uploads, bench):
    upload = await brought(uploads, rr_list())
    session = (await uploads.add("M-014", upload.upload, Choice(), by="Ada")).session
    _, report = await bench.reports.of(session)
    assert [phase.phase for phase in report.figures.phases] == ["massage"]
    again = await brought(uploads, rr_list(300, 700))
    with pytest.raises(RefusedError, match=r"The parts are 10 min long, and the file 3\.5 min"):
        await uploads.add("M-014", again.upload, Choice(parts=(5, 4, 1)), by="Ada")
    assert [one.upload for one in await uploads.of_client("M-014")] == [again.upload]


async def test_the_practices_clock_dates_what_the_file_does_not(uploads, bench):
    await bench.settings.write(Settings(time_zone="Europe/Berlin"), by="Ada")
    upload = await brought(uploads, rr_list())
    session = (await uploads.add("M-014", upload.upload, Choice(began_local="2026-07-01T10:00"), by="Ada")).session
    assert (await bench.storage.session(session)).started_utc == "2026-07-01T08:00:00Z"


@pytest.mark.parametrize(
    ("began", "sentence"),
    [
        ("2026-11-24T10:00", "That lies in the future"),
        ("1971-01-01T10:00", "before 1990"),
        ("2026-02-30T10:00", "There is no such date"),
        ("2020-01-01T10:00", "keeps sessions for 24 months, and this one is older"),
    ],
)
async def test_a_date_that_cannot_be_is_refused_and_the_file_waits_on(uploads, bench, began, sentence):
    await bench.settings.write(Settings(keep_months=24, time_zone="UTC"), by="Ada")
    upload = await brought(uploads, rr_list())
    with pytest.raises(RefusedError, match=sentence):
        await uploads.add("M-014", upload.upload, Choice(began_local=began), by="Ada")
    assert len(await uploads.of_client("M-014")) == 1
    assert await sessions(bench) == []


async def test_a_session_without_a_date_is_told_apart(uploads, bench, records):
    upload = await brought(uploads, rr_list())
    session = (await uploads.add("M-014", upload.upload, Choice(), by="Ada")).session
    assert (await bench.storage.session(session)).dated is False
    assert (await records.client("M-014", by="Ada")).client.last_visit_utc is None


async def test_the_same_beats_are_said_and_added_again_only_on_purpose(uploads, bench, records):
    first = await brought(uploads, rr_list())
    assert first.twin is None
    session = (await uploads.add("M-014", first.upload, Choice(parts=(1, 1, 1)), by="Ada")).session
    comma = b", ".join(rr_list().split())
    second = await brought(uploads, comma, "other.txt")
    assert (second.twin.session, second.twin.client) == (session, "M-014")
    with pytest.raises(UnconfirmedError, match=f"holds the beats of session {session}"):
        await uploads.add("M-014", second.upload, Choice(), by="Ada")
    assert (await uploads.add("M-014", second.upload, Choice(confirmed=True), by="Ada")).session == session + 1
    await records.add("M-015", by="Ada")
    await records.agree("M-015", "record", by="Ada")
    elsewhere = await brought(uploads, rr_list(), client="M-015")
    assert elsewhere.twin.client == "M-014"
    assert (await brought(uploads, rr_list(400, 851))).twin is None


async def test_a_session_recorded_here_is_known_by_its_beats_packed_or_not(uploads, bench):
    header = Header(Device(name="H10"), client="M-014")
    session = await bench.storage.create_session(NewSession(header=header, source="H10"))
    for packet in PACKETS:
        bench.storage.append(session, packet)
    await bench.storage.end_session(session, NOW, 90.0)
    raw = dump(header, PACKETS)
    assert (await brought(uploads, raw, "a.jsonl")).twin.session == session
    from restbeat.service.packets.packing import Packing

    async with Packing(bench.storage, now_utc=lambda: NOW + timedelta(days=9)):
        async with asyncio.timeout(30):
            while await bench.storage.read(lambda db: db.execute("SELECT count(*) FROM packet").fetchone()[0]):
                await asyncio.sleep(0.05)
    assert (await brought(uploads, raw, "b.jsonl")).twin.session == session


async def test_without_consent_nothing_is_taken_in_and_nothing_added(uploads, bench, records):
    await records.add("M-015", by="Ada")
    with pytest.raises(RefusedError, match="M-015 has not agreed to be recorded yet"):
        await brought(uploads, rr_list(), client="M-015")
    with pytest.raises(UnknownClientError):
        await brought(uploads, rr_list(), client="M-9")
    assert in_folder(bench) == []
    upload = await brought(uploads, rr_list())
    consent = (await records.client("M-014", by="Ada")).consents[0].consent
    await records.withdraw("M-014", consent, by="Ada")
    with pytest.raises(RefusedError, match="M-014 took back the consent"):
        await uploads.add("M-014", upload.upload, Choice(), by="Ada")
    assert await sessions(bench) == []


async def test_a_discarded_file_is_gone_and_so_is_a_clients(uploads, bench):
    one, two = await brought(uploads, rr_list()), await brought(uploads, rr_list(300))
    await uploads.discard("M-014", one.upload)
    assert in_folder(bench) == [f"{two.upload}.jsonl"]
    for gone in (uploads.discard("M-014", one.upload), uploads.add("M-014", one.upload, Choice(), by="Ada")):
        with pytest.raises(UnknownError, match="waits no longer"):
            await gone
    await uploads.forget("M-014")
    assert in_folder(bench) == []


async def test_nobody_reaches_a_file_through_another_client(uploads, records):
    await records.add("M-015", by="Ada")
    await records.agree("M-015", "record", by="Ada")
    upload = await brought(uploads, rr_list())
    for asked in (uploads.add("M-015", upload.upload, Choice(), by="Ada"), uploads.discard("M-015", upload.upload)):
        with pytest.raises(UnknownError):
            await asked


async def test_what_nobody_decided_on_is_erased_after_its_time(bench, records):
    now = [NOW]
    async with uploads_of(bench, now_utc=lambda: now[0], sweep_s=0.01) as uploads:
        upload = await brought(uploads, rr_list())
        now[0] = NOW + timedelta(minutes=59)
        assert len(await uploads.of_client("M-014")) == 1
        now[0] = NOW + timedelta(minutes=61)
        async with asyncio.timeout(10):
            while in_folder(bench):
                await asyncio.sleep(0.01)
        with pytest.raises(UnknownError):
            await uploads.add("M-014", upload.upload, Choice(), by="Ada")


async def test_a_start_erases_what_an_earlier_run_left(bench, records):
    left = bench.storage.folder / "uploads" / "left.jsonl"
    left.parent.mkdir()
    left.write_text("beats")
    async with uploads_of(bench) as uploads:
        assert in_folder(bench) == []
        await brought(uploads, rr_list())
    assert in_folder(bench) == []


async def test_files_are_bounded_in_size_number_and_time(bench, records):
    limits = Limits(file_bytes=1000, of_client=2, of_practice=3, piece_s=0.05)
    async with uploads_of(bench, limits=limits) as uploads:

        async def endless():
            while True:
                yield b"800\n" * 50

        async def stalled():
            yield b"800\n"
            await asyncio.Event().wait()

        with pytest.raises(RefusedError, match="is larger than"):
            await uploads.receive("M-014", "rr.txt", endless())
        with pytest.raises(RefusedError, match="is larger than"):
            await uploads.receive("M-014", "rr.txt", stalled(), size=1001)
        with pytest.raises(RefusedError, match="came too slowly"):
            await uploads.receive("M-014", "rr.txt", stalled())
        with pytest.raises(RefusedError, match=r"rr\.txt is empty"):
            await uploads.receive("M-014", "rr.txt", pieces(b""))
        assert in_folder(bench) == []
        for beats in (60, 70):
            await brought(uploads, rr_list(beats))
        with pytest.raises(RefusedError, match="2 files wait here already"):
            await brought(uploads, rr_list(80))
        await records.add("M-015", by="Ada")
        await records.agree("M-015", "record", by="Ada")
        await brought(uploads, rr_list(80), client="M-015")
        with pytest.raises(RefusedError, match="3 files wait on clients’ pages already"):
            await brought(uploads, rr_list(90), client="M-015")


async def test_a_slow_file_holds_no_other_up(uploads):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        yield rr_list(60)
        begun.set()
        await go_on.wait()

    coming = asyncio.create_task(uploads.receive("M-014", "slow.txt", slow()))
    await begun.wait()
    assert (await brought(uploads, rr_list(70))).contents.beats == 70
    go_on.set()
    assert (await coming).contents.beats == 60


async def test_a_file_that_is_cut_off_leaves_nothing(uploads, bench):
    begun = asyncio.Event()

    async def cut_off():
        yield rr_list(60)
        begun.set()
        await asyncio.Event().wait()

    coming = asyncio.create_task(uploads.receive("M-014", "slow.txt", cut_off()))
    await begun.wait()
    coming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await coming
    assert in_folder(bench) == []


async def test_a_file_that_unpacks_without_end_is_one_sentence(bench, records):
    async with uploads_of(bench, reader=FileReader(memory_bytes=700 << 20)) as uploads:
        with pytest.raises(RefusedError, match=r"^bomb\.gz takes more memory than a session"):
            await brought(uploads, BOMB, "bomb.gz")
        assert (await brought(uploads, rr_list())).contents.beats == 400
    assert in_folder(bench) == []


async def test_a_reader_that_takes_too_long_is_ended_with_one_sentence(bench, records):
    async with uploads_of(bench, reader=FileReader(timeout_s=0.01)) as uploads:
        with pytest.raises(RefusedError, match="took too long to read"):
            await brought(uploads, rr_list())
    assert in_folder(bench) == []


async def test_a_reader_that_dies_is_one_sentence(uploads, bench):
    def readers():
        return {one.pid for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())}

    others = readers()
    coming = asyncio.create_task(brought(uploads, BOMB, "bomb.gz"))
    async with asyncio.timeout(30):
        while not (begun := readers() - others):
            await asyncio.sleep(0.01)
    for process in begun:
        os.kill(process, signal.SIGKILL)
    with pytest.raises(RefusedError, match="its reader broke off"):
        await coming
    assert in_folder(bench) == []


async def test_what_the_disk_refuses_is_said_and_the_file_waits_on(uploads, bench, monkeypatch):
    upload = await brought(uploads, rr_list())
    calls = []

    def fails(db, session, ended, duration_s, now):
        calls.append(session)
        raise OSError("disk I/O error")

    monkeypatch.setattr("restbeat.service.sessions.session_store._end", fails)
    with pytest.raises(OSError, match="disk I/O"):
        await uploads.add("M-014", upload.upload, Choice(), by="Ada")
    monkeypatch.undo()
    assert calls
    assert await sessions(bench) == []
    assert (await uploads.add("M-014", upload.upload, Choice(), by="Ada")).session == 1


async def test_whoever_takes_consent_back_or_is_erased_leaves_no_file_behind(tmp_path):
    async with open_practice(tmp_path / "data", tmp_path / "data.key", Air(), Strap, login=False) as practice:
        clients, uploads, waiting = practice.clients, practice.uploads, tmp_path / "data" / "uploads"
        for name in ("M-014", "M-015"):
            await clients.add(name, by="Ada")
            await clients.agree(name, "record", by="Ada")
            await brought(uploads, rr_list(), client=name)
        assert len(list(waiting.iterdir())) == 2
        consent = (await clients.client("M-014", by="Ada")).consents[0].consent
        await clients.withdraw("M-014", consent, by="Ada")
        assert len(list(waiting.iterdir())) == 1
        await practice.data_requests.erase("M-015", by="Ada")
        assert list(waiting.iterdir()) == []


async def test_a_day_of_beats_is_added_while_the_loop_goes_on(uploads, bench):
    """The bound is a share of what adding takes: other pages answer meanwhile."""
    upload = await brought(uploads, rr_list(100_000))
    assert upload.contents.beats == 100_000
    loop, longest_s = asyncio.get_running_loop(), 0.0

    async def watch():
        nonlocal longest_s
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest_s = max(longest_s, loop.time() - before)

    watching, began = asyncio.create_task(watch()), loop.time()
    await uploads.add("M-014", upload.upload, Choice(began_local="2026-11-20T10:00"), by="Ada")
    took_s = loop.time() - began
    watching.cancel()
    assert longest_s < took_s / 4
    assert (await sessions(bench))[0].duration_s == pytest.approx(85_000, rel=0.01)

"""A stored session becomes a recording in which nobody can be found, and which gives the same figures."""

from datetime import UTC, datetime
import gzip
from pathlib import Path

import msgspec
import pytest

from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.anonymise import ADDRESS, anonymised
from restbeat.sensors.recordings.recording import (
    PMD_DATA,
    ConnectionEvent,
    Event,
    Fault,
    Header,
    Mark,
    Packet,
    Pain,
    PhaseStart,
    read,
)
from restbeat.service.commands.anonymise import write_fixture
from restbeat.service.errors import NoSuchSessionError, OutputError
from restbeat.service.sessions.session_store import NewSession, SessionStore

PEOPLE = ("Zq7Sentinel", "Anna Miller", "anna miller", "anna")
"""As people write names; the second looks like the name of a product, the others like that of a technique."""
STAMP_NS = 812_345_678_901_234_567


def planted(struct, person):
    """Every text field of a struct filled with a text that must not come out again."""
    texts = {f.name: person for f in msgspec.structs.fields(struct) if f.type in {str, str | None} and f.name != "kind"}
    assert texts
    return texts


def header_of(person):
    return Header(
        device=Device(**planted(Device, person)),
        **planted(Header, person),
        extra={"truth": {"person": person}, person: 1},
        device_extra={"serial": person},
    )


def pmd(number):
    return Packet(3.0 + number, PMD_DATA, b"\x00" + (STAMP_NS + number * 10**9).to_bytes(8, "little") + b"\x00" + bytes(9))


def session_events(person):
    _, events = simulate("clear", seed=5, minutes=(1, 1, 1))
    shifted = [msgspec.structs.replace(event, t=event.t + 7.25) for event in events]
    marks = [
        Mark(30.0, **planted(Mark, person)),
        Mark(31.0, technique="long strokes", region="lower back", note=person),
        Mark(32.0, technique="stroking", pressure="light"),
        Mark(32.5, technique=f"stroking {person}"),
        Fault(33.0, "drop", 34.0, 1, person),
        Fault(33.5, person, 34.0, 1),
        Packet(34.0, "2a25", person.encode()),
        Packet(34.5, PMD_DATA, pmd(31).payload[:9]),
        Pain(35.0, 4),
        pmd(31),
        pmd(32),
    ]
    return sorted([*shifted, *marks], key=lambda event: event.t)


async def stored(folder, person="Anna Miller"):
    async with await SessionStore.open(folder) as storage:
        new = NewSession(header=header_of(person), source=person, room=person, posture=person)
        session = await storage.create_session(new)
        events = session_events(person)
        for event in events:
            storage.append(session, event)
        await storage.end_session(session, datetime.now(UTC), events[-1].t)
        await storage.create_session(NewSession(source="running"))
    return folder


@pytest.fixture
async def data(tmp_path):
    return await stored(tmp_path / "data")


@pytest.mark.parametrize("person", PEOPLE)
async def test_no_personal_data_is_in_the_file(person, tmp_path, capsys):
    out = tmp_path / "quiet.jsonl.gz"
    await write_fixture(1, out, await stored(tmp_path / "data", person), licence="CC0-1.0", force=False)
    raw = gzip.decompress(out.read_bytes())
    for text in {person, *person.split()}:
        assert text.lower().encode() not in raw.lower()
        assert text.encode().hex().encode() not in raw
        assert text.encode() not in out.read_bytes()
    assert (STAMP_NS).to_bytes(8, "little").hex()[4:].encode() not in raw
    assert str(datetime.now(UTC).year).encode() not in raw
    recording = read(out)
    assert recording.warnings == ()
    assert recording.header.licence == "CC0-1.0"
    assert recording.header.device.address == ADDRESS
    assert [event for event in recording.events if isinstance(event, Mark)][-2:] == [
        Mark(23.75, technique="long strokes", region="lower back"),
        Mark(24.75, technique="stroking", pressure="light"),
    ]
    said = capsys.readouterr().err
    assert "1 packets of other characteristics left out" in said
    assert "header left out" in said


async def test_the_figures_stay_as_they_were(data, tmp_path):
    out = tmp_path / "quiet.jsonl"
    await write_fixture(1, out, data, licence=None, force=False)
    async with await SessionStore.open(data) as storage:
        header, events = await storage.events(1)
    recording = read(out)
    before = summarise("s", header, events).figures
    after = summarise("s", recording.header, recording.events).figures
    first = events[0].t
    of_phase = {phase.phase: phase for phase in after.phases}
    assert len(of_phase) == 3
    for old in before.phases[-3:]:
        new = of_phase[old.phase]
        assert new.start_s == pytest.approx(old.start_s - first, abs=0.002)
        assert (new.beats, new.rmssd_ms, new.sdnn_ms) == (old.beats, pytest.approx(old.rmssd_ms), pytest.approx(old.sdnn_ms))
    assert before.integrity == after.integrity


def test_what_is_harmless_stays():
    header = Header(device=Device("Polar H10 A1B2C3D4", "A0:9E:1A:12:34:56", "Polar Electro Oy", "H10", "5.0.0", 87, "chest"))
    events: list[Event] = [
        ConnectionEvent(2.0, up=True),
        PhaseStart(3.0, Phase.BASELINE),
        Mark(4.0, technique="Long strokes", region="neck", pressure="light", note="Mrs Miller"),
        Packet(5.0, "2a37", bytes.fromhex("1048e803")),
    ]
    clean, kept, left_out = anonymised(header, events)
    assert clean.device == Device("Polar H10", ADDRESS, "Polar", "H10", "5.0.0", 87, "chest")
    assert kept == [
        ConnectionEvent(0.0, up=True),
        PhaseStart(1.0, Phase.BASELINE),
        Mark(2.0, technique="Long strokes", region="neck", pressure="light"),
        Packet(3.0, "2a37", bytes.fromhex("1048e803")),
    ]
    assert left_out == []


def test_polars_own_clock_begins_at_zero_and_keeps_its_intervals():
    _, kept, _ = anonymised(Header(), [pmd(0), pmd(2)], ecg=True)
    assert [int.from_bytes(event.payload[1:9], "little") for event in kept] == [0, 2 * 10**9]
    assert [event.payload[9:] for event in kept] == [pmd(0).payload[9:]] * 2


def test_the_ecg_is_kept_only_on_request_as_it_can_identify_people():
    acceleration = Packet(3.5, PMD_DATA, b"\x02" + bytes(15))
    flagged = Packet(3.6, PMD_DATA, b"\x40" + pmd(0).payload[1:])  # the stream is in the low bits alone
    _, kept, left_out = anonymised(Header(), [pmd(0), acceleration, flagged, pmd(2)])
    assert [event.payload[0] for event in kept] == [2]
    assert left_out == ["3 packets of ECG, by whose shape a person can be told, left out"]


async def test_impossible_requests_are_refused_with_a_sentence_and_nothing_is_written(data, tmp_path):
    out = tmp_path / "quiet.jsonl"
    with pytest.raises(NoSuchSessionError, match=r"no session 77 .* newest are: 2 \(running\)"):
        await write_fixture(77, out, data, licence=None, force=False)
    with pytest.raises(NoSuchSessionError, match="has not ended"):
        await write_fixture(2, out, data, licence=None, force=False)
    with pytest.raises(OutputError, match=r"end in \.jsonl"):
        await write_fixture(1, tmp_path / "quiet.txt", data, licence=None, force=False)
    with pytest.raises(OutputError, match="could not be written"):
        await write_fixture(1, tmp_path / "none" / "quiet.jsonl", data, licence=None, force=False)
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(OutputError, match="left as it is"):
        await write_fixture(1, out, data, licence=None, force=False)
    assert out.read_text() == "mine"
    await write_fixture(1, out, data, licence=None, force=True)
    assert read(out).events
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_every_fixture_survives_anonymisation(tmp_path):
    for path in sorted((Path(__file__).parents[3] / "fixtures").glob("*.jsonl*")):
        recording = read(path)
        _, kept, _ = anonymised(recording.header, list(recording.events), ecg=True)
        assert told(kept) == told(recording.events)


def told(events):
    """What packets say that is the same before and after: of Polar's frames all but the time on the strap's own clock."""
    packets = [event for event in events if isinstance(event, Packet)]
    return [(p.payload[:1], p.payload[9:]) if p.char == PMD_DATA else p.payload for p in packets]

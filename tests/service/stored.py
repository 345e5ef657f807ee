"""A stored session, and a process that stores until it is killed: for the tests of storage, writer and database."""

from datetime import UTC, datetime
import subprocess
import sys

import msgspec

from restbeat.analysis.figures import Integrity, PhaseFigures, ResponseFigures, SessionFigures, SessionReport
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Fault, Header, Mark, Packet, Pain, PhaseStart
from restbeat.service.sessions.session_store import NewSession, SessionStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

HEADER = Header(
    device=Device(name="Polar H10", address="00:11:22:33:44:55", firmware="5.0.0", battery_pct=0),
    client="c-7",
    kind="rest",
    source="made for a test",
    licence="CC0-1.0",
    extra={"truth": {"z": 1, "a": [0.1, None, "ü"]}, "seed": 3},
    device_extra={"colour": "black"},
)
EVENTS = [
    ConnectionEvent(0.0, up=True),
    Packet(0.912345678901234, "2a37", bytes.fromhex("1648c003")),
    PhaseStart(1.0, Phase.BASELINE),
    Packet(1.0, "2a19", b"\x64"),
    Packet(1.0, "2a37", b""),
    Mark(1.0, technique="stroking", note="größer 🙂"),
    Mark(2.5),
    Pain(2.5, 4),
    Fault(2.5, "drop", 9.0, 3, "ü"),
    ConnectionEvent(3.0, up=False),
    Packet(1 / 3 + 3, "fb005c82-02e7-f387-1cad-8acd2d8df0c8", bytes(range(256))),
    PhaseStart(9.0, Phase.ENDED),
]


async def stored(storage: SessionStore, header: Header = HEADER, events=EVENTS) -> int:
    session = await storage.create_session(NewSession(header=header, source="Polar H10", room="room-1"))
    for event in events:
        storage.append(session, event)
    return session


def report(algorithm: str, rmssd_ms: float) -> bytes:
    figures = SessionFigures(
        recording="x",
        device={},
        phases=[PhaseFigures(phase="baseline", start_s=0, end_s=300, beats=320, rmssd_ms=rmssd_ms)],
        responses=[ResponseFigures(phase="massage", delta_ln_rmssd=0.2, half_width=0.1, class_="clear", why="higher")],
        integrity=Integrity(),
        algorithm=algorithm,
    )
    return msgspec.json.encode(
        SessionReport(figures=figures, segments=[], reasons={}, notes=[], pain=[], duration_s=9.0, hrv=True)
    )


WRITES_UNTIL_KILLED = """
import asyncio, sys, time
from pathlib import Path
from restbeat.sensors.recordings.recording import Packet
from restbeat.service.sessions.session_store import NewSession, SessionStore

async def main():
    storage = await SessionStore.open(Path(sys.argv[1]))
    session = await storage.create_session(NewSession(source="strap", room="room-1"))
    start = time.time()
    for i in range(100_000):
        storage.append(session, Packet(time.time() - start, "2a37", i.to_bytes(4, "little")))
        print(i, time.time(), flush=True)
        await asyncio.sleep(0.01)

asyncio.run(main())
"""


def writing_child(folder):
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

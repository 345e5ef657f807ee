"""Whole courses over a real database: each session is simulated, stored packet by packet, and analysed."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.heart_model import HeartState, rmssd_by_formula, simulate_heart
from restbeat.analysis.simulation.strap_packets import simulate_packets
from restbeat.sensors.model import Contact, Device, Phase
from restbeat.sensors.recordings.recording import Header, Mark, PhaseStart
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.consents import give
from restbeat.service.courses.courses import Courses
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.web.app import create_app

from ...practices import practice_of
from ..practice_under_test import PracticeUnderTest

BEGIN = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
TWELVE = (0, 3, 7, 10, 14, 21, 24, 28, 31, 35, 42, 49)
"""Days of a course over seven weeks."""
DEVICE = Device(name="Polar H10 A1B2C3", manufacturer="restbeat", model="H10", location="chest")
BASE_S, END_S = 270.0, 570.0
_CLIENT = HeartState(rr_s=0.90, hf_amplitude=0.0377, lf_amplitude=0.02, breathing_hz=0.24)


class Clock:
    """Clock of a store whose sessions lie in the past."""

    def __init__(self, now=BEGIN):
        self.now = now

    def __call__(self):
        return self.now


def events_of(ratio, level, seed, *, techniques=("Long strokes", "Kneading"), drift_sd=0.1):
    """Simulate a baseline of 4.5 minutes, then 5 minutes of massage with `ratio` times its RMSSD."""
    rng = np.random.default_rng(seed)
    quiet = _CLIENT.with_rmssd(level * rmssd_by_formula(_CLIENT))
    massage = quiet.with_rmssd(ratio * rmssd_by_formula(quiet))
    heart = simulate_heart([(0.0, quiet), (BASE_S, massage)], END_S, rng, tau_s=1.0, drift_sd=drift_sd)
    sent = simulate_packets(heart.beats_s, END_S, rng, rr=True, contact=Contact.NOT_REPORTED, disconnected=[])
    step = (END_S - BASE_S) / max(len(techniques), 1)
    marks = [Mark(BASE_S + step * n + 0.1, technique=name) for n, name in enumerate(techniques)]
    told = sorted([PhaseStart(0.0, Phase.BASELINE), PhaseStart(BASE_S, Phase.MASSAGE), *marks, *sent.packets], key=lambda e: e.t)
    return [*told, PhaseStart(END_S, Phase.ENDED)]


async def put_session(
    storage, clock, client, at, *, ratio=1.0, level=1.0, seed=1, kind="massage", pain=(None, None), report=True, **more
):
    """Store one session of a client as it would have been recorded on that day, and return its number."""
    clock.now = at
    header = Header(device=DEVICE, client=client, kind=kind)
    session = await storage.create_session(NewSession(header=header, source=DEVICE.name, pain_before=pain[0], therapist="Ada"))
    events = events_of(ratio, level, seed, **more)
    for event in events:
        storage.append(session, event)
    await storage.end_session(session, at + timedelta(seconds=END_S), END_S)
    if pain[1] is not None:
        await storage.run(lambda db: db.execute("UPDATE session SET pain_after = ? WHERE id = ?", (pain[1], session)))
    if report:
        made = summarise(DEVICE.name, header, events, end_s=END_S)
        await storage.put_report(session, ALGORITHM, msgspec.json.encode(made))
    return session


async def put_course(storage, clock, client, *, days, ratios, levels=None, pains=None, seed=1, **more):
    """Store a course, and return the numbers of its sessions."""
    rng = np.random.default_rng(seed)
    levels = levels or np.exp(0.12 * rng.standard_normal(len(days)))
    numbers = [
        await put_session(
            storage,
            clock,
            client,
            BEGIN + timedelta(days=day),
            ratio=float(ratio),
            level=float(level),
            seed=int(rng.integers(2**31)),
            pain=pains[n] if pains else (None, None),
            **more,
        )
        for n, (day, ratio, level) in enumerate(zip(days, ratios, levels, strict=True))
    ]
    await storage.run(lambda db: give(db, client, "trends", "Ada", clock()))
    return numbers


@pytest.fixture
async def bench(tmp_path, worker_pool):
    clock = Clock()
    async with await SessionStore.open(tmp_path / "data", now_utc=clock) as storage:
        made = PracticeUnderTest(storage, worker_pool)
        made.clock, made.cipher = clock, IdentityCipher(tmp_path / "data.key")
        made.records = Clients(storage, made.cipher, made.rooms.end_sessions_of, revoke_all, now_utc=clock)
        made.courses = Courses(storage, worker_pool, made.cipher, made.reports, now_utc=clock)
        async with made.rooms:
            yield made


@pytest.fixture
async def pages(aiohttp_client, bench):
    app = create_app(practice_of(bench.rooms, bench.live_feed, clients=bench.records, courses=bench.courses), version="1.2.3")
    return await aiohttp_client(app)


async def a_course(bench, client="M-014", *, days=TWELVE, ratios=None, **more):
    await bench.records.add(client, by="Ada")
    return await put_course(bench.storage, bench.clock, client, days=days, ratios=ratios or [1.2] * len(days), **more)


async def audited(bench, client):
    return [(row.actor, row.action) for row in await bench.records.audit(client, by="test")][::-1]

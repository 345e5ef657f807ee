"""What the tests of clients' own pages share: a practice with a clock that a test holds, and sessions that ended when it says."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients import consents
from restbeat.service.clients.clients import Clients
from restbeat.service.courses.courses import Courses
from restbeat.service.follow_up import answer_store, link_store, mail_queue
from restbeat.service.follow_up.client_pages import ClientPages
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.follow_up.link_tokens import LinkKeys
from restbeat.service.follow_up.mail_sender import MailSender
from restbeat.service.follow_up.mail_settings import MailSettings
from restbeat.service.follow_up.models import Answers, LinkRequest
from restbeat.service.privacy.erasure import erase
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.web.app import create_app

from ..practices import practice_of
from ..web.made_up import report
from .practice_under_test import Air, Strap

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PUBLIC = "https://practice.example"
DAY = timedelta(hours=24)


class Practice:
    """Clients, links and mail over a real database; `now` is moved by hand, nobody waits after a wrong try."""

    def __init__(self, storage, folder, worker=None, **mail):
        self.storage, self.now, self.patience_s = storage, NOW, 1e6
        self.folder = folder / "data"
        self.cipher = IdentityCipher(folder / "data.key")
        self.keys = LinkKeys(self.cipher.path)
        self.live_feed = LiveFeed()
        self.rooms = Rooms(storage, worker, self.live_feed, Air(), Strap, now_utc=lambda: self.now)
        self.records = Clients(storage, self.cipher, self.rooms.end_sessions_of, revoke_all, now_utc=lambda: self.now)
        self.reports = SessionReports(storage, worker)
        self.courses = Courses(storage, worker, self.cipher, self.reports, now_utc=lambda: self.now)
        self.mail_sender = MailSender(storage, self.cipher, self.keys, now_utc=lambda: self.now, **mail)

    def monotonic_s(self):
        self.patience_s += 4000.0 if self.patience_s else 0.0
        return self.patience_s

    async def begin(self):
        self.links = await ClientPages.open(
            self.storage, self.cipher, self.keys, self.mail_sender, now_utc=lambda: self.now, monotonic_s=self.monotonic_s
        )
        self.app = create_app(
            practice_of(self.rooms, self.live_feed, clients=self.records, client_pages=self.links, courses=self.courses),
            version="1.2.3",
        )

    async def sql(self, query, *values):
        return await self.storage.run(lambda db: [tuple(row) for row in db.execute(query, values)])

    async def client(self, name="M-014", *, agrees=True):
        await self.records.add(name, by="Ada")
        if agrees:
            await self.records.agree(name, "share", by="Ada")

    async def session(self, client="M-014", *, ended_ago=timedelta(0), pain_before=6):
        """A session of half an hour that ended so long ago, with its report; gives its number."""
        number = await self.storage.create_session(
            NewSession(header=Header(client=client), source="H10", consent="imported", pain_before=pain_before)
        )
        ended = self.now - ended_ago
        await self.storage.end_session(number, ended, 1800.0)
        began = (ended - timedelta(minutes=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        await self.sql("UPDATE session SET started_utc = ? WHERE id = ?", began, number)
        await self.storage.put_report(number, ALGORITHM, msgspec.json.encode(report()))
        return number

    async def link(self, client="M-014", *sessions, **wanted):
        """A link, as a therapist makes one."""
        wanted = {"sessions": sessions, "coming": False, "days": 60, "language": "en", "remind": True} | wanted
        return await self.links.make(client, LinkRequest(**wanted), by="Ada")

    async def erase(self, client):
        await self.storage.run(lambda db: erase(db, self.folder, client, "Ada", self.now))

    async def set_mail(self, **settings):
        given = {"public_address": PUBLIC, "practice": "Practice Blue", "host": "127.0.0.1", "security": "none"}
        await self.links.set_mail_settings(MailSettings(**given | {"sender": "blue@practice.example"} | settings), by="Ada")


@asynccontextmanager
async def own_pages(folder, worker=None, **mail):
    async with await SessionStore.open(folder / "data") as storage:
        made = Practice(storage, folder, worker, **mail)
        await made.begin()
        async with made.rooms:
            yield made


@pytest.fixture
async def practice(tmp_path):
    async with own_pages(tmp_path) as made:
        await made.client()
        yield made


@pytest.fixture
async def visitor(aiohttp_client, practice):
    return await aiohttp_client(practice.app)


def token_of(link):
    """The token of a link's row."""
    return link.address.rpartition("/c/")[2]


def plant(db, client, session, word, now):
    """A link, what was answered by it, and a mail that failed, `word` in each."""
    consents.give(db, client, "share", "Ada", now)
    wanted = LinkRequest(sessions=[session], coming=True, days=60, language="en", remind=True)
    link = link_store.make(db, client, wanted, "en", "Ada", now)
    db.execute("UPDATE client_link SET handle = handle || ? WHERE id = ?", (word, link))
    later = now + timedelta(hours=24)
    slot = next(slot for slot in answer_store.sessions_of(db, client, later)[0].follow_ups if slot.slot == 24)
    answer_store.store_answers(db, slot, Answers(pain=3, relief="day", note=f"felt {word}"), now, later)
    mail_queue.put_link(db, link, client, "Ada", now)
    db.execute("UPDATE mail SET trouble = ? WHERE link = ?", (f"550 no {word}", link))

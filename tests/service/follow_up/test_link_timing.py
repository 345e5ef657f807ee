"""Why a link is refused cannot be told by the time it takes: ratios of medians in one run, each kind of refusal in turn."""

from datetime import timedelta
import random
from statistics import median, quantiles
import time

import pytest

from restbeat.service.follow_up.link_store import open_link
from restbeat.service.follow_up.link_tokens import LinkKeys

from ..own_pages import NOW, own_pages, token_of

pytestmark = pytest.mark.alone


@pytest.fixture
async def practice(tmp_path):
    async with own_pages(tmp_path) as made:
        await made.client()
        # the disk's own whims would hide what is sought
        await made.storage.run(lambda db: db.conn.execute("PRAGMA synchronous=OFF").fetchall())
        yield made


async def refusals(practice, folder):
    """Token and session of each kind; the links show twelve sessions."""
    await practice.client("M-015")
    sessions = [await practice.session(ended_ago=timedelta(days=days)) for days in range(1, 13)]
    foreign = await practice.session("M-015")
    good, old = await practice.link("M-014", *sessions), await practice.link("M-014", *sessions)
    token, revoked = token_of(good), await practice.link("M-014", *sessions)
    await practice.links.revoke(revoked.link, by="Ada")
    await practice.sql("UPDATE client_link SET expires_utc = '2026-11-22T10:00:00.000Z' WHERE id = ?", old.link)
    await practice.client("M-016")
    erased = await practice.link("M-016", await practice.session("M-016"))
    await practice.erase("M-016")
    handle = token.partition(".")[0]
    return {
        "altered": (token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1], None),
        "expired": (token_of(old), None),
        "revoked": (token_of(revoked), None),
        "of an erased client": (token_of(erased), None),
        "never existed": (practice.keys.token("A1b2C3d4E5f6G7h8I9j0Kk", NOW), None),
        "of another practice": (LinkKeys(folder / "other.key").token(handle, NOW), None),
        "another client's session": (token, foreign),
        "no token": ("x", None),
    }


def told_apart(took, most):
    """What a reader of a failure needs, where the medians differ by more than the ratio `most`; the first tenth is left out."""
    warm = {why: times[len(times) // 10 :] for why, times in took.items()}
    middle = {why: median(times) for why, times in warm.items()}
    within = {why: quantiles(times, n=20) for why, times in warm.items()}
    figures = [f"{why}: {middle[why]:.1f} µs, 5–95 % {within[why][0]:.1f} to {within[why][-1]:.1f}" for why in took]
    return figures if max(middle.values()) > most * min(middle.values()) else []


def in_turns(kinds, rounds):
    """Every kind once a round, in an order of chance."""
    chance = random.Random(1)
    for _ in range(rounds):
        yield from chance.sample(list(kinds), len(kinds))


async def test_a_refusal_takes_the_same_work_whatever_its_reason(practice, tmp_path):
    kinds = await refusals(practice, tmp_path)
    took = {why: [] for why in kinds}

    def measured(db):
        for why in in_turns(kinds, 600):
            token, session = kinds[why]
            began = time.perf_counter_ns()
            assert open_link(db, practice.keys.handle_of(token, NOW), session, NOW) is None
            took[why].append((time.perf_counter_ns() - began) / 1000)

    await practice.storage.run(measured)
    assert told_apart(took, 1.25) == []


async def test_every_refusal_takes_a_browser_the_same_time(practice, tmp_path, aiohttp_client):
    kinds = await refusals(practice, tmp_path)
    visitor = await aiohttp_client(practice.app)
    took = {why: [] for why in kinds}
    for why in in_turns(kinds, 120):
        token, session = kinds[why]
        path = f"/c/{token}/{session}" if session else f"/c/{token}"
        began = time.perf_counter_ns()
        answer = await visitor.get(path)
        await answer.read()
        took[why].append((time.perf_counter_ns() - began) / 1000)
        assert answer.status == 404
    assert told_apart(took, 1.5) == []

"""The queue before the hashing of passwords: bounded for strangers, and those who are known come first."""

import asyncio
import threading

import pytest

from restbeat.service.accounts.models import TooOftenError
from restbeat.service.accounts.passwords import Passwords


class HeldHasher:
    """A hasher whose checks wait until they are let go, one by one, in the order in which they began."""

    def __init__(self):
        self.began, self.free, self.more = [], threading.Semaphore(0), threading.Condition()

    def hash(self, password):
        return f"hash of {password}"

    def verify(self, stored, password):
        with self.more:
            self.began.append(password)
            self.more.notify_all()
        assert self.free.acquire(timeout=20)
        return stored == f"hash of {password}"


async def began(hasher, count):
    def wait():
        with hasher.more:
            assert hasher.more.wait_for(lambda: len(hasher.began) >= count, timeout=20)

    await asyncio.to_thread(wait)


@pytest.fixture
async def hasher():
    hasher = HeldHasher()
    yield hasher
    hasher.free.release(1000)


async def test_two_are_checked_at_once_eight_strangers_wait_and_others_are_sent_away(hasher):
    passwords = Passwords(hasher)
    tries = [asyncio.create_task(passwords.verify(None, f"wrong {n}")) for n in range(10)]
    await began(hasher, 2)
    with pytest.raises(TooOftenError, match="Many are logging in just now"):
        await passwords.verify(None, "one more")
    assert len(hasher.began) == 2
    hasher.free.release(10)
    assert await asyncio.gather(*tries) == [False] * 10


async def test_a_known_person_comes_before_all_strangers(hasher):
    passwords = Passwords(hasher)
    tries = [asyncio.create_task(passwords.verify(None, f"wrong {n}")) for n in range(10)]
    await began(hasher, 2)
    known = asyncio.create_task(passwords.verify("hash of right", "right", first=True))
    await asyncio.sleep(0)
    hasher.free.release(1)
    await began(hasher, 3)
    assert hasher.began[2] == "right"
    hasher.free.release(10)
    assert await known
    await asyncio.gather(*tries)


async def test_who_gives_up_waiting_leaves_their_turn_to_the_next(hasher):
    passwords = Passwords(hasher)
    tries = [asyncio.create_task(passwords.verify("hash of 3", str(n))) for n in range(4)]
    await began(hasher, 2)
    tries[2].cancel()
    hasher.free.release(4)
    await asyncio.gather(*tries, return_exceptions=True)
    assert tries[2].cancelled()
    assert await tries[3]
    assert hasher.began == ["0", "1", "3"]
    assert not await passwords.verify(None, "later")

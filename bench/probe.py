"""A probe on an event loop: when it was late, and whether the loop or the computer was busy."""

import asyncio
import time

EVERY_S = 0.005


class Probe:
    """A task that wakes every few ms; rows of (time, delay, processor time of the loop's thread meanwhile), all in s."""

    def __init__(self):
        self.rows = []

    async def run(self):
        while True:
            due, used = time.monotonic() + EVERY_S, time.thread_time()
            await asyncio.sleep(EVERY_S)
            now = time.monotonic()
            self.rows.append((now, now - due, time.thread_time() - used))

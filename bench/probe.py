"""A probe on an event loop: when it was late, and whether the loop itself was busy or the machine."""

import asyncio
import time

EVERY_S = 0.005


class Probe:
    """Wakes every few ms; rows of (when, how much too late, how much processor the loop's thread used meanwhile), all in s."""

    def __init__(self):
        self.rows = []

    async def run(self):
        while True:
            due, used = time.monotonic() + EVERY_S, time.thread_time()
            await asyncio.sleep(EVERY_S)
            now = time.monotonic()
            self.rows.append((now, now - due, time.thread_time() - used))

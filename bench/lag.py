"""How late an event loop wakes, and how long it was busy itself, as histograms of fixed size: it may be watched for hours."""

import asyncio
import time

EVERY_S, WIDTH_S, BINS = 0.01, 0.001, 1000


class Lag:
    """A task that wakes every 10 ms and counts how late it was, and for how much of that the loop's own thread computed.

    Bins are 1 ms wide; the last holds all that was later.
    """

    def __init__(self):
        self._late, self._busy = [0] * BINS, [0] * BINS

    async def run(self):
        while True:
            due, used = time.monotonic() + EVERY_S, time.thread_time()
            await asyncio.sleep(EVERY_S)
            late_s = max(time.monotonic() - due, 0.0)
            self._late[_bin(late_s)] += 1
            self._busy[_bin(min(late_s, time.thread_time() - used))] += 1

    def counts_since(self):
        """Return the counts since the last call as pairs of bin and count: how late, and how busy."""
        late, busy, self._late, self._busy = self._late, self._busy, [0] * BINS, [0] * BINS
        return tuple([(n, count) for n, count in enumerate(counts) if count] for counts in (late, busy))


def _bin(seconds):
    return min(int(seconds / WIDTH_S), BINS - 1)


def percentile_ms(pairs, percent):
    """Return the lateness in ms that so many percent of the wake-ups did not exceed, rounded up to a whole ms."""
    total = {}
    for n, count in pairs:
        total[n] = total.get(n, 0) + count
    left = sum(total.values()) * percent / 100
    for n in sorted(total):
        left -= total[n]
        if left <= 0:
            return (n + 1) * WIDTH_S * 1000
    return None

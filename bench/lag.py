"""How late an event loop wakes, as a histogram of fixed size: it may be watched for hours."""

import asyncio
import time

EVERY_S, WIDTH_S, BINS = 0.01, 0.001, 1000


class Lag:
    """A task that wakes every 10 ms and counts how late it was, in bins of 1 ms; the last holds all that was later."""

    def __init__(self):
        self._counts = [0] * BINS

    async def run(self):
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            late_s = max(time.monotonic() - due, 0.0)
            self._counts[min(int(late_s / WIDTH_S), BINS - 1)] += 1

    def counts_since(self):
        """Return the counts since the last call, as pairs of bin and count."""
        counts, self._counts = self._counts, [0] * BINS
        return [(n, count) for n, count in enumerate(counts) if count]


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

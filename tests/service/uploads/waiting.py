"""Files that a person could bring, made by hand, and a practice that takes them in."""

import gzip
from math import sin

from restbeat.service.clients.clients import Clients
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.uploads.uploads import Uploads

from ..practice_under_test import NOW


def rr_list(beats=400, mean_ms=850.0):
    """Return a list of RR intervals in ms of a calm heart, one a line."""
    return "".join(f"{mean_ms + 40 * sin(n / 2.1) + 9 * ((n * 7919) % 13 - 6) / 6:.0f}\n" for n in range(beats)).encode()


def heart_rates(minutes=12):
    """Return a table of heart rates, dated, in the practice's time zone or whatever it is."""
    rows = [f"2026-05-03T08:{n // 6:02}:{n % 6 * 10:02}Z,{62 + round(4 * sin(n / 5))}" for n in range(minutes * 6)]
    return ("time,heart rate\n" + "\n".join(rows) + "\n").encode()


SAMPLES = "".join(f"{512 + round(300 * sin(n / 9))}\n" for n in range(3000)).encode()
"""Samples of a pulse wave, which are refused."""
BOMB = gzip.compress(b"800\n" * (1 << 24))


def pieces(content, size=1 << 16):
    """Return a file as it comes over the network."""

    async def come():
        for at in range(0, len(content), size):
            yield content[at : at + size]

    return come()


def records_of(bench, tmp_path):
    return Clients(
        bench.storage, IdentityCipher(tmp_path / "data.key"), bench.rooms.end_sessions_of, revoke_all, now_utc=lambda: NOW
    )


def uploads_of(bench, **more):
    return Uploads(bench.storage, bench.reports, **({"now_utc": lambda: NOW} | more))

"""Stored sessions with the same beats as a file."""

from hashlib import sha256
from typing import Final

from ...sensors.recordings.recording import HEART_RATE
from ..packets.packet_chunk import decode
from ..packets.stored_packets import packets_of
from ..storage.sqlite import Database
from .file_contents import FIRST_BYTES, beats_in
from .models import ReadUpload, Twin

_WITHIN_S: Final = 5.0
"""How far the lengths of a session and of a file with its beats may lie apart, in s."""
_FEW_PACKETS: Final = 40
_MOST_COMPARED: Final = 200
"""Sessions whose beats are looked at, the newest of this client's first: in a large archive very many are equally long."""
_IMPORTED: Final = """
SELECT id, client FROM session WHERE json_extract(header_extra, '$.imported.beats') = ? ORDER BY client IS NOT ?, id LIMIT 1
"""
_AS_LONG: Final = """
SELECT id, client FROM session WHERE ended_utc IS NOT NULL AND duration_s BETWEEN ? AND ?
ORDER BY client IS NOT ?, id DESC LIMIT ?
"""
_FIRST_ROWS: Final = "SELECT payload FROM packet WHERE session = ? AND char = ? ORDER BY seq LIMIT ?"
_FIRST_CHUNK: Final = "SELECT data FROM packet_chunk WHERE session = ? ORDER BY first_seq LIMIT 1"


def twin_of(db: Database, read: ReadUpload, client: str) -> Twin | None:
    """Return a session with the same beats, one of this client's before another's; None where there is none.

    Files that were added are known by the digest of all their beats, other sessions by their own packets.
    """
    found = db.execute(_IMPORTED, (read.digest, client)).fetchone()
    if found:
        return Twin(session=found[0], client=found[1])
    length_s = read.contents.duration_s
    as_long = (length_s - _WITHIN_S, length_s + _WITHIN_S, client, _MOST_COMPARED)
    for session, whose in db.execute(_AS_LONG, as_long).fetchall():
        if beats_in(_first_packets(db, session))[:FIRST_BYTES] == read.first and _digest(db, session) == read.digest:
            return Twin(session=session, client=whose)
    return None


def _digest(db: Database, session: int) -> str:
    return sha256(beats_in(payload for _, _, char, payload in packets_of(db, session) if char == HEART_RATE)).hexdigest()


def _first_packets(db: Database, session: int) -> list[bytes]:
    """Return the first heart rate packets of a session, without reading it whole."""
    packed = db.execute(_FIRST_CHUNK, (session,)).fetchone()
    if packed:
        return [payload for _, _, char, payload in decode(packed[0]) if char == HEART_RATE]
    return [row[0] for row in db.execute(_FIRST_ROWS, (session, HEART_RATE, _FEW_PACKETS))]

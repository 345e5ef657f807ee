"""The packets of a session as they are stored: rows of their own while it runs, chunks once it has been packed, or both."""

from ..storage.sqlite import Database
from .packet_chunk import PacketRow, decode


def packets_of(db: Database, session: int) -> list[PacketRow]:
    """Return a session's packets, in the order of their numbers. Raises `DamagedChunkError` where a chunk is damaged."""
    rows: list[PacketRow] = []
    for (data,) in db.execute("SELECT data FROM packet_chunk WHERE session = ? ORDER BY first_seq", (session,)):
        rows += decode(data)
    rows += db.execute("SELECT seq, t_s, char, payload FROM packet WHERE session = ? ORDER BY seq", (session,))
    return rows


def last_packet(db: Database, session: int) -> tuple[int, float] | None:
    """Return the greatest number and the time, in s, of a session's packets; None where it has none."""
    row: tuple[int, float] | None = (
        db.execute("SELECT seq, t_s FROM packet WHERE session = ? ORDER BY seq DESC LIMIT 1", (session,)).fetchone()
        or db.execute(
            "SELECT last_seq, last_t_s FROM packet_chunk WHERE session = ? ORDER BY first_seq DESC LIMIT 1", (session,)
        ).fetchone()
    )
    return row


def count_packets_of(db: Database, session: int) -> int:
    """Return the number of a session's packets."""
    alone = db.execute("SELECT count(*) FROM packet WHERE session = ?", (session,)).fetchone()[0]
    packed = db.execute("SELECT coalesce(sum(packets), 0) FROM packet_chunk WHERE session = ?", (session,)).fetchone()[0]
    return int(alone + packed)


def count_packets(db: Database) -> int:
    """Return the number of all packets; of a database of an older restbeat too, which has no chunks."""
    alone = db.execute("SELECT count(*) FROM packet").fetchone()[0]
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'packet_chunk'").fetchone() is None:
        return int(alone)
    return int(alone + db.execute("SELECT coalesce(sum(packets), 0) FROM packet_chunk").fetchone()[0])

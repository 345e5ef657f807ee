"""Everything of a client, gone: from every table, the free pages, the log beside the file; and gone again after a restore.

What was erased is remembered by a salted hash alone, so that a backup put back later does not bring the client back.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
import re
import secrets
from typing import Final

import msgspec

from ..errors import NoSuchClientError
from ..storage.audit_log import note
from ..storage.backup import holds_client
from ..storage.backup_catalogue import BackupEntry, listed_backups
from ..storage.event_rows import moment
from ..storage.sqlite import Database

ERASURES: Final = "erasures.jsonl"
_TEXT_OF_AUDIT: Final = "(erased)"


class Erasure(msgspec.Struct, frozen=True):
    """That a client was erased; who it was only the pseudonym itself can tell."""

    salt: str
    hash: str
    at_utc: datetime

    def fits(self, pseudonym: str, created_utc: datetime) -> bool:
        """Whether this client is the one: a pseudonym that was given anew later is another's."""
        return created_utc <= self.at_utc and _hash(self.salt, pseudonym) == self.hash


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and what still holds it."""

    sessions: int
    packets: int
    backups: Sequence[BackupEntry]
    """They hold the client until they are deleted, each at its time."""


def erase(db: Database, folder: Path, client: str, actor: str, now: datetime) -> Erased:
    """Erase a client: rows, free pages and log. The audit log keeps only that an erase took place. Raises `NoSuchClientError`."""
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        raise NoSuchClientError(f"There is no client {client}. restbeat clients lists them.")
    sessions, packets = _delete(db, client, actor, now)
    wipe(db)
    _remember(folder, client, now)
    return Erased(sessions=sessions, packets=packets, backups=backups_holding(folder, client))


def backups_holding(folder: Path, client: str) -> Sequence[BackupEntry]:
    """Backups on the folder's list that hold a client."""
    return [kept for kept in listed_backups(folder) if holds_client(Path(kept.file), client)]


def erase_again(db: Database, folder: Path, now: datetime) -> int:
    """Erase whoever a restored database brought back; gives how many there were."""
    erasures = _remembered(folder)
    clients = db.execute("SELECT pseudonym, created_utc FROM client").fetchall()
    back = [name for name, created in clients if any(erasure.fits(name, moment(created)) for erasure in erasures)]
    for client in back:
        _delete(db, client, "restbeat", now)
    if back:
        wipe(db)
    return len(back)


def _delete(db: Database, client: str, actor: str, now: datetime) -> tuple[int, int]:
    sessions = [row[0] for row in db.execute("SELECT id FROM session WHERE client = ?", (client,))]
    packets = sum(db.execute("SELECT count(*) FROM packet WHERE session = ?", (session,)).fetchone()[0] for session in sessions)
    with db.atomic():
        for session in sessions:
            db.execute("DELETE FROM audit WHERE session = ?", (session,))
            db.execute("DELETE FROM session WHERE id = ?", (session,))
        db.execute("DELETE FROM audit WHERE client = ?", (client,))
        _unname(db, client)
        db.execute("DELETE FROM client WHERE pseudonym = ?", (client,))
        note(db, now, actor, "client erased")
    return len(sessions), packets


def _unname(db: Database, client: str) -> None:
    """Take the pseudonym out of entries about others that name it, such as a session put under another client."""
    named = re.compile(rf"(?<![\w.-]){re.escape(client)}(?![\w.-])")
    rows = db.execute("SELECT id, detail FROM audit WHERE instr(detail, ?)", (client,)).fetchall()
    for number, detail in rows:
        db.execute("UPDATE audit SET detail = ? WHERE id = ?", (named.sub(_TEXT_OF_AUDIT, detail), number))


def wipe(db: Database) -> None:
    """Overwrite what deleted rows have left in the file, and empty the write-ahead log."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remember(folder: Path, client: str, now: datetime) -> None:
    salt = secrets.token_hex(16)
    with (folder / ERASURES).open("ab") as lines:
        lines.write(msgspec.json.encode(Erasure(salt, _hash(salt, client), now)) + b"\n")


def _remembered(folder: Path) -> list[Erasure]:
    try:
        lines = (folder / ERASURES).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Erasure) for line in lines if line.strip()]


def _hash(salt: str, pseudonym: str) -> str:
    return sha256(f"{salt} {pseudonym}".encode()).hexdigest()

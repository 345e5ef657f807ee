"""Erasure of a client from every table, the free pages and the write-ahead log, and again after a backup is restored.

An erasure is recorded as a salted hash of the pseudonym alone, so that a backup restored later does not bring the client back.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import os
from pathlib import Path
import re
import secrets
from typing import Final

import msgspec

from ..backups.backup import holds_client
from ..backups.backup_catalogue import KEEP_DAYS, BackupEntry, listed_backups
from ..errors import NoSuchClientError
from ..packets.stored_packets import count_packets_of
from ..storage.audit_log import note
from ..storage.database import rescue_copies
from ..storage.event_rows import moment
from ..storage.sqlite import Database

ERASURES: Final = "erasures.jsonl"
_LOG_TRIES: Final = 10
_ERASED_TEXT: Final = "(erased)"


class Erasure(msgspec.Struct, frozen=True):
    """Record of an erasure: it identifies the client only to a reader who knows the pseudonym."""

    salt: str
    hash: str
    at_utc: datetime

    def matches(self, pseudonym: str, created_utc: datetime) -> bool:
        """Return whether this client was erased: a pseudonym assigned again later belongs to another client."""
        return created_utc <= self.at_utc and _hash(self.salt, pseudonym) == self.hash


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of rows erased, and the backups that still hold them."""

    sessions: int
    packets: int
    backups: Sequence[BackupEntry]
    """Backups that hold the client until they expire and are deleted."""


def erase(db: Database, folder: Path, client: str, actor: str, now: datetime) -> Erased:
    """Erase a client's rows, and what they left in free pages and the write-ahead log.

    The audit log keeps only that an erasure took place. Raises `NoSuchClientError` where there is no such client.
    """
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        raise NoSuchClientError(f"There is no client {client}. restbeat clients lists them.")
    _record_erasure(folder, client, now)  # first: a cut after the deletion must not let a backup bring the client back
    sessions, packets = _delete(db, client, actor, now)
    wipe(db)
    return Erased(sessions=sessions, packets=packets, backups=backups_holding(folder, client))


def backups_holding(folder: Path, client: str) -> Sequence[BackupEntry]:
    """Return the folder's listed backups, and copies that were rescued, that hold a client's data."""
    rescued = [_entry_of(path) for path in rescue_copies(folder)]
    return [backup for backup in [*listed_backups(folder), *rescued] if holds_client(Path(backup.file), client)]


def _entry_of(rescued: Path) -> BackupEntry:
    made = datetime.fromtimestamp(rescued.stat().st_mtime, UTC)
    return BackupEntry(str(rescued.resolve()), made, made + timedelta(days=KEEP_DAYS))


def erase_again(db: Database, folder: Path, now: datetime) -> int:
    """Erase the clients that a restored database brought back, and return their number."""
    erasures = _recorded_erasures(folder)
    clients = db.execute("SELECT pseudonym, created_utc FROM client").fetchall()
    returned = [name for name, created in clients if any(erasure.matches(name, moment(created)) for erasure in erasures)]
    for client in returned:
        _delete(db, client, "restbeat", now)
    if returned:
        wipe(db)
    return len(returned)


def _delete(db: Database, client: str, actor: str, now: datetime) -> tuple[int, int]:
    sessions = [row[0] for row in db.execute("SELECT id FROM session WHERE client = ?", (client,))]
    packets = sum(count_packets_of(db, session) for session in sessions)
    with db.atomic():
        for session in sessions:
            db.execute("DELETE FROM audit WHERE session = ?", (session,))
            db.execute("DELETE FROM session WHERE id = ?", (session,))
        db.execute("DELETE FROM audit WHERE client = ?", (client,))
        _remove_mentions(db, client)
        db.execute("DELETE FROM client WHERE pseudonym = ?", (client,))
        note(db, now, actor, "client erased")
    return len(sessions), packets


def _remove_mentions(db: Database, client: str) -> None:
    """Remove the pseudonym from audit entries about others, such as a session assigned to another client."""
    mention = re.compile(rf"(?<![\w.-]){re.escape(client)}(?![\w.-])")
    rows = db.execute("SELECT id, detail FROM audit WHERE instr(detail, ?)", (client,)).fetchall()
    for number, detail in rows:
        db.execute("UPDATE audit SET detail = ? WHERE id = ?", (mention.sub(_ERASED_TEXT, detail), number))


def wipe(db: Database) -> None:
    """Overwrite what deleted rows left in the file, the words of searches among it, and empty the write-ahead log."""
    with db.atomic():
        for words in ("session_search", "client_search"):
            db.execute(f"INSERT INTO {words} ({words}) VALUES ('optimize')")  # noqa: S608 - names of our own
    _empty_log(db)
    db.execute("VACUUM")
    _empty_log(db)


def _empty_log(db: Database) -> None:
    """Empty the write-ahead log; while somebody reads an older state SQLite cannot, so it is tried for some seconds."""
    for _ in range(_LOG_TRIES):
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return


def _record_erasure(folder: Path, client: str, now: datetime) -> None:
    salt = secrets.token_hex(16)
    with (folder / ERASURES).open("ab") as lines:
        lines.write(
            b"\n" + msgspec.json.encode(Erasure(salt, _hash(salt, client), now)) + b"\n"
        )  # a line cut off before ends here
        lines.flush()
        os.fsync(lines.fileno())


def _recorded_erasures(folder: Path) -> list[Erasure]:
    try:
        lines = (folder / ERASURES).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    recorded = []
    for line in lines:
        with suppress(msgspec.MsgspecError):  # a line that a crash cut off: nothing was erased yet
            recorded.append(msgspec.json.decode(line, type=Erasure))
    return recorded


def _hash(salt: str, pseudonym: str) -> str:
    return sha256(f"{salt} {pseudonym}".encode()).hexdigest()

"""Clients' identities, stored encrypted and apart from everything else."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from ..errors import CipherError, RefusedError, WrongKeyError
from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .models import Identity

_KEY_LOST = " If the key is lost for good, say so and enter the identity anew: a new key is made."


def any_identity_stored(db: Database) -> bool:
    """Return whether any identity is stored."""
    return db.execute("SELECT 1 FROM identity WHERE client >= '' LIMIT 1").fetchone() is not None


def has_identity(db: Database, client: str) -> bool:
    """Return whether a client's identity is stored."""
    return db.execute("SELECT 1 FROM identity WHERE client = ?", (client,)).fetchone() is not None


def read_identity(db: Database, cipher: IdentityCipher, client: str) -> Identity:
    """Return a client's identity; empty where none is stored. Raises `RefusedError` where it cannot be decrypted."""
    row = db.execute("SELECT sealed FROM identity WHERE client = ?", (client,)).fetchone()
    if row is None:
        return Identity()
    try:
        return msgspec.json.decode(cipher.decrypt(row[0]), type=Identity)
    except CipherError as error:
        raise RefusedError(str(error)) from error


def language_of(db: Database, cipher: IdentityCipher, client: str) -> str | None:
    """Return the client's language; None where no identity is stored or it cannot be decrypted."""
    row = db.execute("SELECT sealed FROM identity WHERE client = ?", (client,)).fetchone()
    try:
        return None if row is None else msgspec.json.decode(cipher.decrypt(row[0]), type=Identity).language
    except CipherError:
        return None


def write_identity(
    db: Database, cipher: IdentityCipher, client: str, identity: Identity, actor: str, now: datetime, *, new_key: bool
) -> None:
    """Store a client's identity.

    `new_key`: make a new key where that of stored identities is missing, which gives these up. Raises `RefusedError` where
    their key is missing without `new_key`, or the key file cannot be made or read.
    """
    if cipher.key_missing and any_identity_stored(db) and not new_key:
        raise RefusedError(
            f"The key that opens names and addresses is not at {cipher.path}. Put it back from your copy.{_KEY_LOST}"
        )
    try:
        encrypted = cipher.encrypt(msgspec.json.encode(identity))
    except CipherError as error:
        raise RefusedError(str(error)) from error
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO identity VALUES (?, ?, ?)", (client, encrypted, stamp(now)))
        note(db, now, actor, "identity written", client=client)


def find_clients(db: Database, cipher: IdentityCipher, name: str) -> list[str]:
    """Return the pseudonyms of clients whose name, e-mail or phone contains `name`.

    Raises `RefusedError` where the key is missing or cannot be read.
    """
    wanted = name.casefold().strip()
    return [client for client, identity in _decrypted(db, cipher) if any(wanted in text.casefold() for text in _texts(identity))]


def _decrypted(db: Database, cipher: IdentityCipher) -> Iterator[tuple[str, Identity]]:
    """Yield pseudonym and identity; those encrypted with another key are skipped."""
    for client, encrypted in db.execute("SELECT client, sealed FROM identity ORDER BY client").fetchall():
        try:
            yield client, msgspec.json.decode(cipher.decrypt(encrypted), type=Identity)
        except WrongKeyError:
            continue
        except CipherError as error:
            raise RefusedError(str(error)) from error


def _texts(identity: Identity) -> Iterator[str]:
    return (text for text in (identity.name, identity.email, identity.phone) if text)

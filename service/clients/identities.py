"""Who a client is, kept apart from everything else and sealed."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from ..errors import CipherError, RefusedError, WrongKeyError
from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .models import Identity

_LOST = " If the key is lost for good, say so and enter the identity anew: a new key is made."


def any_identity_stored(db: Database) -> bool:
    """Whether an identity is stored."""
    return db.execute("SELECT 1 FROM identity LIMIT 1").fetchone() is not None


def has_identity(db: Database, client: str) -> bool:
    """Whether it is stored who a client is."""
    return db.execute("SELECT 1 FROM identity WHERE client = ?", (client,)).fetchone() is not None


def read_identity(db: Database, cipher: IdentityCipher, client: str) -> Identity:
    """Who a client is; empty where nothing is stored. Raises `RefusedError` where it cannot be opened."""
    row = db.execute("SELECT sealed FROM identity WHERE client = ?", (client,)).fetchone()
    if row is None:
        return Identity()
    try:
        return msgspec.json.decode(cipher.decrypt(row[0]), type=Identity)
    except CipherError as error:
        raise RefusedError(str(error)) from error


def language_of(db: Database, cipher: IdentityCipher, client: str) -> str | None:
    """The language that a client reads; None where it is not written down, or where the key is missing."""
    row = db.execute("SELECT sealed FROM identity WHERE client = ?", (client,)).fetchone()
    try:
        return None if row is None else msgspec.json.decode(cipher.decrypt(row[0]), type=Identity).language
    except CipherError:
        return None


def write_identity(
    db: Database, cipher: IdentityCipher, client: str, identity: Identity, actor: str, now: datetime, *, new_key: bool
) -> None:
    """Store who a client is. Raises `RefusedError` where there were identities, but their key is missing and not given up."""
    if cipher.key_missing and any_identity_stored(db) and not new_key:
        raise RefusedError(f"The key that opens names and addresses is not at {cipher.path}. Put it back from your copy.{_LOST}")
    try:
        encrypted = cipher.encrypt(msgspec.json.encode(identity))
    except CipherError as error:
        raise RefusedError(str(error)) from error
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO identity VALUES (?, ?, ?)", (client, encrypted, stamp(now)))
        note(db, now, actor, "identity written", client=client)


def find_clients(db: Database, cipher: IdentityCipher, name: str) -> list[str]:
    """Pseudonyms of those whose name, e-mail or phone holds `name`. Raises `RefusedError` where the key is missing."""
    wanted = name.casefold().strip()
    return [client for client, identity in _opened(db, cipher) if any(wanted in text.casefold() for text in _texts(identity))]


def _opened(db: Database, cipher: IdentityCipher) -> Iterator[tuple[str, Identity]]:
    """What the present key opens; what another one sealed is passed over."""
    for client, encrypted in db.execute("SELECT client, sealed FROM identity ORDER BY client").fetchall():
        try:
            yield client, msgspec.json.decode(cipher.decrypt(encrypted), type=Identity)
        except WrongKeyError:
            continue
        except CipherError as error:
            raise RefusedError(str(error)) from error


def _texts(identity: Identity) -> Iterator[str]:
    return (text for text in (identity.name, identity.email, identity.phone) if text)

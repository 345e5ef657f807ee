"""What a practice sets for itself, kept in its database."""

from datetime import datetime

import msgspec

from ..web.ports import Settings
from .storage.audit_log import note
from .storage.sqlite import Database

_NAME = "practice"


def read_settings(db: Database) -> Settings:
    """The settings as they are; what was never set has its default, what cannot be read any more too."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (_NAME,)).fetchone()
    if row is None:
        return Settings()
    try:
        return msgspec.json.decode(row[0], type=Settings)
    except msgspec.ValidationError:
        return Settings()


def write_settings(db: Database, settings: Settings, actor: str, now: datetime) -> None:
    """Keep the settings, and who changed them."""
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_NAME, msgspec.json.encode(settings).decode()))
        note(db, now, actor, "settings changed")

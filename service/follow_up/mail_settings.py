"""Where the practice is reached from outside and how it sends mail, kept in its database; the password is kept elsewhere."""

from datetime import datetime
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from ..errors import RefusedError, ServiceError
from ..storage.audit_log import note
from ..storage.sqlite import Database

_NAME = "mail"


Security = Literal["starttls", "tls", "none"]


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the practice is reached from outside, and how it sends mail. The password is kept outside the database."""

    public_address: Annotated[str | None, msgspec.Meta(description="Such as https://practice.example.")] = None
    practice: Annotated[str | None, msgspec.Meta(description="How mails are signed.")] = None
    host: Annotated[str | None, msgspec.Meta(description="Of the SMTP server; None: no mail is sent.")] = None
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    sender: str | None = None

    @property
    def ready(self) -> bool:
        """Whether mail can be sent to clients."""
        return bool(self.host and self.sender and self.public_address)


def read_mail_settings(db: Database) -> MailSettings:
    """The settings as they are; what cannot be read any more counts as never set."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (_NAME,)).fetchone()
    try:
        return MailSettings() if row is None else msgspec.json.decode(row[0], type=MailSettings)
    except msgspec.ValidationError:
        return MailSettings()


def write_mail_settings(db: Database, settings: MailSettings, actor: str, now: datetime) -> None:
    """Keep the settings, and who changed them."""
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_NAME, msgspec.json.encode(settings).decode()))
        note(db, now, actor, "mail settings changed")


def whole_address(text: str | None) -> str | None:
    """Scheme and host of a public address, as they are written first in a link. Raises `RefusedError`."""
    if not text:
        return None
    try:
        parts = urlsplit(text.strip())
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and not parts.query
        fits = fits and "@" not in parts.netloc and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        fits = None
    if not fits:
        raise RefusedError("The public address is a name alone, such as https://practice.example.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def host_of(settings: MailSettings) -> str | None:
    """The name under which the practice is reached from outside."""
    return urlsplit(settings.public_address).hostname if settings.public_address else None


def read_password(file: Path | None) -> str | None:
    """The SMTP password: the first line of a file, or RESTBEAT_MAIL_PASSWORD. Raises `ServiceError`."""
    if file is None:
        return os.environ.get("RESTBEAT_MAIL_PASSWORD") or None
    try:
        return (file.read_text("utf-8").splitlines() or [""])[0] or None
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"The mail password could not be read from {file}: {error}.") from error

"""Settings of the public address and of the mail server, in the database; the password is kept outside it."""

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
    """Public address of the practice and settings of its mail server. The password is kept outside the database."""

    public_address: Annotated[
        str | None, msgspec.Meta(description="Public address, such as https://practice.example; None where there is none.")
    ] = None
    practice: Annotated[str | None, msgspec.Meta(description="Name under which mails are signed.")] = None
    host: Annotated[str | None, msgspec.Meta(description="Host of the SMTP server; None where no mail is sent.")] = None
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    sender: str | None = None

    @property
    def ready(self) -> bool:
        """Whether mail can be sent to clients."""
        return bool(self.host and self.sender and self.public_address)


def read_mail_settings(db: Database) -> MailSettings:
    """Return the stored settings; those that cannot be decoded count as never set."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (_NAME,)).fetchone()
    try:
        return MailSettings() if row is None else msgspec.json.decode(row[0], type=MailSettings)
    except msgspec.ValidationError:
        return MailSettings()


def write_mail_settings(db: Database, settings: MailSettings, actor: str, now: datetime) -> None:
    """Store the settings, and record who changed them in the audit log."""
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_NAME, msgspec.json.encode(settings).decode()))
        note(db, now, actor, "mail settings changed")


def normalise_public_address(text: str | None) -> str | None:
    """Return scheme and host of a public address, as links begin with them; None for an empty text.

    Raises `RefusedError` where the text holds more than a name, or is no http(s) address.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text.strip())
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.path in {"", "/"} and not parts.query
        valid = valid and "@" not in parts.netloc and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = None
    if not valid:
        raise RefusedError("The public address is a name alone, such as https://practice.example.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def host_of(settings: MailSettings) -> str | None:
    """Return the public host name of the practice; None where no public address is set."""
    return urlsplit(settings.public_address).hostname if settings.public_address else None


def read_password(file: Path | None) -> str | None:
    """Return the SMTP password: the first line of `file`, or without one RESTBEAT_MAIL_PASSWORD; None where there is none.

    Raises `ServiceError` where the file cannot be read.
    """
    if file is None:
        return os.environ.get("RESTBEAT_MAIL_PASSWORD") or None
    try:
        return (file.read_text("utf-8").splitlines() or [""])[0] or None
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"The mail password could not be read from {file}: {error}.") from error

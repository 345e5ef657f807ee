"""Links to clients' own pages, in the database.

A link that opens nothing is refused by one SQL statement, whatever the reason, so that the time it takes reveals nothing.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
import secrets
from typing import Any, Final

import msgspec

from ..clients import consents
from ..errors import RefusedError, UnknownError
from ..storage.audit_log import note
from ..storage.event_rows import moment, stamp
from ..storage.sqlite import Database
from . import answer_store
from .link_tokens import LinkKeys
from .mail_settings import read_mail_settings
from .models import LinkRequest, LinkRow, MailRow, OpenedPage

OPENED: Final = "page looked at"
_COLUMNS: Final = (
    "id, client, handle, language, coming, remind, made_utc, made_by, expires_utc, revoked_utc, revoked_by, opened_utc, uses"
)
_LIVE: Final = (
    "revoked_utc IS NULL AND expires_utc > :now AND EXISTS (SELECT 1 FROM consent"
    " WHERE consent.client = client_link.client AND purpose = 'share' AND withdrawn_utc IS NULL)"
)
_OPENS: Final = f"""
SELECT {_COLUMNS} FROM client_link WHERE handle = :handle AND {_LIVE} AND (:session IS NULL OR EXISTS
  (SELECT 1 FROM client_link_offer WHERE link = client_link.id AND session = :session AND shown))
"""  # noqa: S608 - names of our own
_NO_CONSENT: Final = "{0} has not agreed to get a link. Ask, and note that {0} agrees."


class ClientLink(msgspec.Struct, frozen=True):
    """A row of the table `client_link`."""

    id: int
    client: str
    handle: str
    language: str
    coming: bool
    remind: bool
    made_utc: str
    made_by: str
    expires_utc: str
    revoked_utc: str | None
    revoked_by: str | None
    opened_utc: str | None
    uses: int


def of_client(db: Database, client: str) -> list[ClientLink]:
    """Return every link of a client, newest first."""
    return _links(db, "client = :client ORDER BY id DESC", client=client)


def link_of(db: Database, link: int) -> ClientLink:
    """Return one link. Raises `UnknownError` where there is no such link."""
    found = _links(db, "id = :link", link=link)
    if not found:
        raise UnknownError(f"There is no link {link}.")
    return found[0]


def live(db: Database, now: datetime, client: str) -> list[ClientLink]:
    """Return the links of a client that are valid now, newest first."""
    return _links(db, f"client = :client AND {_LIVE} ORDER BY id DESC", client=client, now=stamp(now))


def open_link(db: Database, handle: str | None, session: int | None, now: datetime) -> ClientLink | None:
    """Return the link that a handle opens; None where it opens nothing, which is recorded in the audit log.

    Where `session` is given, the link must show that session.
    """
    values = {"handle": handle or "", "session": session, "now": stamp(now)}
    row = db.execute(_OPENS, values).fetchone()
    if row is not None:
        return _link(row)
    with db.atomic():
        owner = db.execute("SELECT client FROM client_link WHERE handle = :handle", values).fetchone()
        note(db, now, "link", "link refused", client=owner[0] if owner else None)
    return None


def note_use(db: Database, link: ClientLink, session: int | None, action: str, now: datetime) -> None:
    """Record the use of a link in the audit log, and count how often its page was opened."""
    with db.atomic():
        if action == OPENED:
            db.execute("UPDATE client_link SET opened_utc = ?, uses = uses + 1 WHERE id = ?", (stamp(now), link.id))
        note(db, now, "link", action, client=link.client, session=session, detail=f"link {link.id}")


def make(db: Database, client: str, request: LinkRequest, language: str, actor: str, now: datetime) -> int:
    """Create a link and return its number.

    Raises `RefusedError` without consent, where a session is not the client's or has not ended, or nothing would be shown.
    """
    if not consents.has_consent(db, client, "share"):
        raise RefusedError(_NO_CONSENT.format(client))
    _require_content(db, client, request.sessions, coming=request.coming)
    row = {
        "client": client,
        "handle": secrets.token_urlsafe(16),
        "language": language,
        "coming": request.coming,
        "remind": request.remind,
        "made_utc": stamp(now),
        "made_by": actor,
        "expires_utc": stamp(now + timedelta(days=request.days)),
    }
    with db.atomic():
        cursor = db.execute(f"INSERT INTO client_link ({', '.join(row)}) VALUES (:{', :'.join(row)})", row)  # noqa: S608 - names of our own
        link = int(cursor.lastrowid or 0)
        _choose(db, link, dict.fromkeys(request.sessions, True))
        note(db, now, actor, "link made", client=client, detail=f"link {link}, {request.days} days")
    return link


def choose(
    db: Database, link: ClientLink, sessions: Collection[int], *, coming: bool, remind: bool, actor: str, now: datetime
) -> None:
    """Set what a link shows, as chosen by the therapist `actor`.

    Raises `RefusedError` where the link is over, a session is not the client's or has not ended, or nothing would be shown.
    """
    require_live(db, link, now)
    _require_content(db, link.client, sessions, coming=coming)
    hidden = {session: False for session, _ in offers(db, link.id)} if coming else {}
    with db.atomic():
        db.execute("DELETE FROM client_link_session WHERE link = ?", (link.id,))
        db.execute("UPDATE client_link SET coming = ?, remind = ? WHERE id = ?", (coming, remind, link.id))
        _choose(db, link.id, hidden | dict.fromkeys(sessions, True))
        note(db, now, actor, "link changed", client=link.client, detail=f"link {link.id}")


def show(db: Database, link: ClientLink, sessions: Collection[int], *, remind: bool, now: datetime) -> None:
    """Show `sessions` among those that a link may show, and hide the others, as chosen by the client."""
    with db.atomic():
        _choose(db, link.id, {session: session in sessions for session, _ in offers(db, link.id)})
        db.execute("UPDATE client_link SET remind = ? WHERE id = ?", (remind, link.id))
        note(db, now, "link", "link changed", client=link.client, detail=f"link {link.id}")


def revoke(db: Database, link: ClientLink, actor: str, now: datetime) -> None:
    """Revoke a link; one that is revoked already stays as it is."""
    if link.revoked_utc is None:
        with db.atomic():
            db.execute("UPDATE client_link SET revoked_utc = ?, revoked_by = ? WHERE id = ?", (stamp(now), actor, link.id))
            note(db, now, actor, "link revoked", client=link.client, detail=f"link {link.id}")


def revoke_all(db: Database, client: str, actor: str, now: datetime) -> None:
    """Revoke every link of a client, as when the consent to share is withdrawn."""
    for link in of_client(db, client):
        revoke(db, link, actor, now)


def offers(db: Database, link: int) -> list[tuple[int, bool]]:
    """Return the sessions that a link may show, and whether it does, newest first."""
    rows = db.execute("SELECT session, shown FROM client_link_offer WHERE link = ? ORDER BY session DESC", (link,))
    return [(session, bool(shown)) for session, shown in rows.fetchall()]


def require_live(db: Database, link: ClientLink, now: datetime) -> None:
    """Require that a link is valid. Raises `RefusedError` where it is expired or revoked."""
    if state_of(db, link, now) != "live":
        raise RefusedError("This link is over. Make a new one.")


def state_of(db: Database, link: ClientLink, now: datetime) -> Any:
    """Return "live", "expired" or "revoked"; a link without consent counts as revoked."""
    if link.revoked_utc is not None or not consents.has_consent(db, link.client, "share"):
        return "revoked"
    return "live" if stamp(now) < link.expires_utc else "expired"


def row_of(db: Database, link: ClientLink, keys: LinkKeys, now: datetime) -> LinkRow:
    """Return a link as a therapist sees it. Raises `CipherError` where the key file cannot be used."""
    state, offered = state_of(db, link, now), offers(db, link.id)
    names = (
        "language",
        "coming",
        "remind",
        "made_utc",
        "made_by",
        "expires_utc",
        "revoked_utc",
        "revoked_by",
        "opened_utc",
        "uses",
    )
    return LinkRow(
        link=link.id,
        address=address_of(db, link, keys) if state == "live" else "",
        state=state,
        sessions=[session for session, shown in offered if shown],
        offered=[session for session, _ in offered],
        mails=_mails(db, link.id),
        **{name: getattr(link, name) for name in names},
    )


def page_of(db: Database, link: ClientLink, keys: LinkKeys, now: datetime) -> OpenedPage:
    """Return the page that a link opens. Raises `CipherError` where the key file cannot be used."""
    shown = dict(offers(db, link.id))
    sessions = [
        msgspec.structs.replace(session, shown=shown[session.session])
        for session in answer_store.sessions_of(db, link.client, now)
        if session.session in shown
    ]
    return OpenedPage(
        link=link.id,
        path=path_of(link, keys),
        address=address_of(db, link, keys),
        language=link.language,
        expires_utc=link.expires_utc,
        coming=link.coming,
        remind=link.remind,
        mail=read_mail_settings(db).ready,
        sessions=sessions,
    )


def path_of(link: ClientLink, keys: LinkKeys) -> str:
    """Return the path of a link's page, from the first slash on. Raises `CipherError` where the key file cannot be used."""
    return f"/c/{keys.token(link.handle, moment(link.made_utc))}"


def address_of(db: Database, link: ClientLink, keys: LinkKeys) -> str:
    """Return the URL of a link's page, only its path where no public address is set.

    Raises `CipherError` where the key file cannot be used.
    """
    return (read_mail_settings(db).public_address or "") + path_of(link, keys)


def _links(db: Database, which: str, **values: Any) -> list[ClientLink]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM client_link WHERE {which}", values)  # noqa: S608 - names of our own
    return [_link(row) for row in rows.fetchall()]


def _link(row: tuple[Any, ...]) -> ClientLink:
    fields = dict(zip(ClientLink.__struct_fields__, row, strict=True))
    return ClientLink(**fields | {"coming": bool(fields["coming"]), "remind": bool(fields["remind"])})


def _choose(db: Database, link: int, chosen: dict[int, bool]) -> None:
    for session, shown in chosen.items():
        db.execute("INSERT OR REPLACE INTO client_link_session VALUES (?, ?, ?)", (link, session, shown))


def _require_content(db: Database, client: str, sessions: Collection[int], *, coming: bool) -> None:
    ended = db.execute("SELECT id FROM session WHERE client = ? AND dated AND ended_utc IS NOT NULL", (client,))
    ended_sessions = {row[0] for row in ended.fetchall()}
    if foreign := sorted(set(sessions) - ended_sessions):
        raise RefusedError(f"Session {foreign[0]} is none of {client}’s that has ended.")
    if not sessions and not coming:
        raise RefusedError("Choose a session, or those to come.")


def _mails(db: Database, link: int) -> list[MailRow]:
    rows = db.execute(
        "SELECT session, slot, state, coalesce(done_utc, next_utc), tries, trouble FROM mail WHERE link = ? ORDER BY id DESC",
        (link,),
    )
    return [MailRow(**dict(zip(MailRow.__struct_fields__, row, strict=True))) for row in rows.fetchall()]

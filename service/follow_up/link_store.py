"""Links to clients' own pages, as the database keeps them.

A link that opens nothing is refused by one statement, whatever the reason: nobody can tell by the time it takes.
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
    """A row of the table."""

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
    """Every link of a client, newest first."""
    return _links(db, "client = :client ORDER BY id DESC", client=client)


def link_of(db: Database, link: int) -> ClientLink:
    """One link. Raises `UnknownError`."""
    found = _links(db, "id = :link", link=link)
    if not found:
        raise UnknownError(f"There is no link {link}.")
    return found[0]


def live(db: Database, now: datetime, client: str) -> list[ClientLink]:
    """The links of a client that open something now, newest first."""
    return _links(db, f"client = :client AND {_LIVE} ORDER BY id DESC", client=client, now=stamp(now))


def opened(db: Database, handle: str | None, session: int | None, now: datetime) -> ClientLink | None:
    """The link that a handle opens, for a session where one is named. None where it opens nothing; that is noted."""
    values = {"handle": handle or "", "session": session, "now": stamp(now)}
    row = db.execute(_OPENS, values).fetchone()
    if row is not None:
        return _link(row)
    with db.atomic():
        owner = db.execute("SELECT client FROM client_link WHERE handle = :handle", values).fetchone()
        note(db, now, "link", "link refused", client=owner[0] if owner else None)
    return None


def note_use(db: Database, link: ClientLink, session: int | None, action: str, now: datetime) -> None:
    """Note what was done by a link; how often its page was opened is counted."""
    with db.atomic():
        if action == OPENED:
            db.execute("UPDATE client_link SET opened_utc = ?, uses = uses + 1 WHERE id = ?", (stamp(now), link.id))
        note(db, now, "link", action, client=link.client, session=session, detail=f"link {link.id}")


def make(db: Database, client: str, wanted: LinkRequest, language: str, actor: str, now: datetime) -> int:
    """Make a link; gives its number. Raises `RefusedError` without consent, or where a session is not the client's."""
    if not consents.has_consent(db, client, "share"):
        raise RefusedError(_NO_CONSENT.format(client))
    _demand_something(db, client, wanted.sessions, coming=wanted.coming)
    row = {
        "client": client,
        "handle": secrets.token_urlsafe(16),
        "language": language,
        "coming": wanted.coming,
        "remind": wanted.remind,
        "made_utc": stamp(now),
        "made_by": actor,
        "expires_utc": stamp(now + timedelta(days=wanted.days)),
    }
    with db.atomic():
        cursor = db.execute(f"INSERT INTO client_link ({', '.join(row)}) VALUES (:{', :'.join(row)})", row)  # noqa: S608 - names of our own
        link = int(cursor.lastrowid or 0)
        _choose(db, link, dict.fromkeys(wanted.sessions, True))
        note(db, now, actor, "link made", client=client, detail=f"link {link}, {wanted.days} days")
    return link


def choose(
    db: Database, link: ClientLink, sessions: Collection[int], *, coming: bool, remind: bool, actor: str, now: datetime
) -> None:
    """Set what a link shows, for the client. Raises `RefusedError`."""
    demand_live(db, link, now)
    _demand_something(db, link.client, sessions, coming=coming)
    hidden = {session: False for session, _ in offers(db, link.id)} if coming else {}
    with db.atomic():
        db.execute("DELETE FROM client_link_session WHERE link = ?", (link.id,))
        db.execute("UPDATE client_link SET coming = ?, remind = ? WHERE id = ?", (coming, remind, link.id))
        _choose(db, link.id, hidden | dict.fromkeys(sessions, True))
        note(db, now, actor, "link changed", client=link.client, detail=f"link {link.id}")


def show(db: Database, link: ClientLink, sessions: Collection[int], *, remind: bool, now: datetime) -> None:
    """Show these of the sessions that a link may show, and hide the others; its client chooses."""
    with db.atomic():
        _choose(db, link.id, {session: session in sessions for session, _ in offers(db, link.id)})
        db.execute("UPDATE client_link SET remind = ? WHERE id = ?", (remind, link.id))
        note(db, now, "link", "link changed", client=link.client, detail=f"link {link.id}")


def revoke(db: Database, link: ClientLink, actor: str, now: datetime) -> None:
    """End a link."""
    if link.revoked_utc is None:
        with db.atomic():
            db.execute("UPDATE client_link SET revoked_utc = ?, revoked_by = ? WHERE id = ?", (stamp(now), actor, link.id))
            note(db, now, actor, "link revoked", client=link.client, detail=f"link {link.id}")


def revoke_all(db: Database, client: str, actor: str, now: datetime) -> None:
    """End every link of a client, as when the consent to share is taken back."""
    for link in of_client(db, client):
        revoke(db, link, actor, now)


def offers(db: Database, link: int) -> list[tuple[int, bool]]:
    """The sessions that a link may show, and whether it does, newest first."""
    rows = db.execute("SELECT session, shown FROM client_link_offer WHERE link = ? ORDER BY session DESC", (link,))
    return [(session, bool(shown)) for session, shown in rows.fetchall()]


def demand_live(db: Database, link: ClientLink, now: datetime) -> None:
    """Raise `RefusedError` where a link opens nothing any more."""
    if state_of(db, link, now) != "live":
        raise RefusedError("This link is over. Make a new one.")


def state_of(db: Database, link: ClientLink, now: datetime) -> Any:
    """Whether a link is live, expired or revoked."""
    if link.revoked_utc is not None or not consents.has_consent(db, link.client, "share"):
        return "revoked"
    return "live" if stamp(now) < link.expires_utc else "expired"


def row_of(db: Database, link: ClientLink, keys: LinkKeys, now: datetime) -> LinkRow:
    """A link as a therapist sees it. Raises `CipherError`."""
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
    """What a link opens. Raises `CipherError`."""
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
    """Where a link's page is, from the first slash on. Raises `CipherError`."""
    return f"/c/{keys.token(link.handle, moment(link.made_utc))}"


def address_of(db: Database, link: ClientLink, keys: LinkKeys) -> str:
    """The whole address, where the practice has set its public one. Raises `CipherError`."""
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


def _demand_something(db: Database, client: str, sessions: Collection[int], *, coming: bool) -> None:
    ended = db.execute("SELECT id FROM session WHERE client = ? AND ended_utc IS NOT NULL", (client,))
    theirs = {row[0] for row in ended.fetchall()}
    if strange := sorted(set(sessions) - theirs):
        raise RefusedError(f"Session {strange[0]} is none of {client}’s that has ended.")
    if not sessions and not coming:
        raise RefusedError("Choose a session, or those to come.")


def _mails(db: Database, link: int) -> list[MailRow]:
    rows = db.execute(
        "SELECT session, slot, state, coalesce(done_utc, next_utc), tries, trouble FROM mail WHERE link = ? ORDER BY id DESC",
        (link,),
    )
    return [MailRow(**dict(zip(MailRow.__struct_fields__, row, strict=True))) for row in rows.fetchall()]

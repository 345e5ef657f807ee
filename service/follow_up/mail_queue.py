"""The queue of mails to clients, in the database: due, sent and given up. Each mail is sent once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ...analysis.course.follow_up_windows import SLOTS, Slot, window
from ..clients.flags import set_flag
from ..storage.audit_log import note
from ..storage.event_rows import moment, stamp
from ..storage.sqlite import Database
from .link_store import live, offers

GIVE_UP_AFTER: Final = timedelta(days=3)
_FIRST_RETRY: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(hours=4)
_LONGEST: Final = timedelta(hours=72)
_UNSURE_TROUBLE: Final = "restbeat was ended while the mail was handed over."


class Due(msgspec.Struct, frozen=True):
    """A mail that is due; it is given up at `until_utc`."""

    id: int
    link: int
    client: str
    session: int | None
    slot: Slot | None
    tries: int
    until_utc: datetime


def put_link(db: Database, link: int, client: str, actor: str, now: datetime) -> None:
    """Queue a mail with the link itself to its client."""
    with db.atomic():
        row = (client, link, stamp(now), stamp(now + GIVE_UP_AFTER))
        db.execute("INSERT INTO mail (client, link, state, next_utc, until_utc) VALUES (?, ?, 'waiting', ?, ?)", row)
        note(db, now, actor, "link mailed", client=client, detail=f"link {link}")


def mark_interrupted(db: Database, now: datetime) -> None:
    """Mark mails that were being sent when the program ended as unsure: they may have arrived, so they are not sent again."""
    for (mail,) in db.execute("SELECT id FROM mail WHERE state = 'sending'").fetchall():
        finish(db, mail, "unsure", now, _UNSURE_TROUBLE)


def due(db: Database, now: datetime, reachable: Callable[[str], bool]) -> list[Due]:
    """Return the due mails, oldest first, after queueing the reminders that are due now.

    `reachable` returns whether a client has an e-mail address.
    """
    _put_reminders(db, now, reachable)
    rows = db.execute(
        "SELECT id, link, client, session, slot, tries, until_utc FROM mail"
        " WHERE state = 'waiting' AND next_utc <= ? ORDER BY next_utc, id",
        (stamp(now),),
    )
    return [_due(*row) for row in rows.fetchall()]


def still_wanted(db: Database, mail: Due, now: datetime) -> bool:
    """Return whether a mail is still needed: its link shows that session, and the follow-up is not answered."""
    link = next((link for link in live(db, now, mail.client) if link.id == mail.link), None)
    if link is None:
        return False
    if mail.session is None:
        return True
    answered = db.execute("SELECT 1 FROM follow_up WHERE session = ? AND slot = ?", (mail.session, mail.slot)).fetchone()
    return link.remind and (mail.session, True) in offers(db, link.id) and answered is None


def remove(db: Database, mail: int) -> None:
    """Remove a mail from the queue."""
    db.execute("DELETE FROM mail WHERE id = ?", (mail,))


def mark_sending(db: Database, mail: int) -> None:
    """Mark that from now on the server may have the mail."""
    db.execute("UPDATE mail SET state = 'sending' WHERE id = ?", (mail,))


def retry_later(db: Database, mail: Due, trouble: str, now: datetime) -> None:
    """Schedule another try after a delay that doubles each time (1 min to 4 h); fail where that is after `until_utc`."""
    again = now + min(_FIRST_RETRY * 2**mail.tries, _LONGEST_RETRY)
    if again >= mail.until_utc:
        finish(db, mail.id, "failed", now, trouble)
        return
    row = (mail.tries + 1, stamp(again), trouble, mail.id)
    db.execute("UPDATE mail SET state = 'waiting', tries = ?, next_utc = ?, trouble = ? WHERE id = ?", row)


def finish(db: Database, mail: int, state: str, now: datetime, trouble: str | None = None) -> None:
    """Store the final state of a mail; where it failed, flag the client's next visit."""
    with db.atomic():
        row = (state, stamp(now), trouble, mail)
        db.execute("UPDATE mail SET state = ?, done_utc = ?, trouble = ?, tries = tries + 1 WHERE id = ?", row)
        client, session, slot, link = db.execute("SELECT client, session, slot, link FROM mail WHERE id = ?", (mail,)).fetchone()
        what = f"link {link}" if slot is None else f"after {slot} h"
        note(db, now, "restbeat", f"mail {state}", client=client, session=session, detail=what)
        about = session or max((number for number, _ in offers(db, link)), default=None)
        if state == "failed" and about is not None:
            which = "the link" if slot is None else f"the reminder after {slot} h"
            set_flag(db, about, "mail", f"The mail with {which} could not be sent. {trouble or ''}".strip(), now)


def _due(mail: int, link: int, client: str, session: int | None, slot: Slot | None, tries: int, until: str) -> Due:
    return Due(mail, link, client, session, slot, tries, moment(until))


def _put_reminders(db: Database, now: datetime, reachable: Callable[[str], bool]) -> None:
    rows: list[tuple[Any, ...]] = db.execute(
        "SELECT DISTINCT session.id, session.client, ended_utc FROM client_link_offer AS offer"
        " JOIN session ON session.id = offer.session JOIN client_link ON client_link.id = offer.link"
        " WHERE offer.shown AND remind AND revoked_utc IS NULL AND session.dated AND ended_utc > ?",
        (stamp(now - _LONGEST),),
    ).fetchall()
    for session, client, at in rows:
        for slot in SLOTS:
            slot_window = window(moment(at), slot)
            if slot_window.due <= now < slot_window.closes:
                _put_reminder(db, session, client, slot, slot_window.closes, now, reachable)


def _put_reminder(
    db: Database, session: int, client: str, slot: Slot, closes: datetime, now: datetime, reachable: Callable[[str], bool]
) -> None:
    known = "SELECT 1 FROM {} WHERE session = ? AND slot = ?"
    if any(db.execute(known.format(table), (session, slot)).fetchone() for table in ("mail", "follow_up")):
        return
    link = next((link for link in live(db, now, client) if link.remind and (session, True) in offers(db, link.id)), None)
    if link and reachable(client):
        row = (client, link.id, session, slot, stamp(now), stamp(min(closes, now + GIVE_UP_AFTER)))
        db.execute(
            "INSERT INTO mail (client, link, session, slot, state, next_utc, until_utc) VALUES (?, ?, ?, ?, 'waiting', ?, ?)", row
        )

"""Clients' answers one and two days after a session, in the database."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ...analysis.course.follow_up_windows import SLOTS, Slot, state_of, window
from ...analysis.pain_rules import flag_after
from ..clients.flags import Rule, set_flag
from ..clients.pain_scores import stored_pain
from ..storage.audit_log import note
from ..storage.event_rows import moment, stamp
from ..storage.sqlite import Database
from .models import RELIEF_H, Answers, FollowUp, LateError, LinkedSession, OpenFollowUps

MISSED_SHOWN_FOR: Final = timedelta(days=14)
"""How long after its end a follow-up without an answer is listed as missed."""
_LONGEST: Final = timedelta(hours=72)
_RULES: Final[dict[Slot, Rule]] = {24: "after 24 h", 48: "after 48 h"}
_COLUMNS: Final = "session, slot, pain, sleep, relief_h, relief_lasts, done, note, answered_utc"
_UNANSWERED: Final = """
SELECT DISTINCT session.client, ended_utc, slot.value, made_utc, min(expires_utc, coalesce(revoked_utc, expires_utc))
FROM client_link_offer AS offer JOIN client_link ON client_link.id = offer.link JOIN session ON session.id = offer.session,
  json_each('[24, 48]') AS slot
WHERE offer.shown AND session.dated AND session.ended_utc > ?
  AND NOT EXISTS (SELECT 1 FROM follow_up WHERE follow_up.session = session.id AND follow_up.slot = slot.value)
"""


def sessions_of(db: Database, client: str, now: datetime) -> list[LinkedSession]:
    """Return every ended session of a client with its follow-ups, newest first; none whose date nobody knows."""
    rows = db.execute(
        "SELECT id, started_utc, ended_utc, kind FROM session WHERE client = ? AND dated AND ended_utc IS NOT NULL"
        " ORDER BY started_utc DESC, id DESC",
        (client,),
    ).fetchall()
    answered = _answered(db, client)
    return [
        LinkedSession(
            session=session,
            started_utc=started,
            kind=kind,
            shown=True,
            follow_ups=[_follow_up(session, slot, moment(ended), answered.get((session, slot)), now) for slot in SLOTS],
        )
        for session, started, ended, kind in rows
    ]


def store_answers(db: Database, follow_up: FollowUp, answers: Answers, ended: datetime, now: datetime) -> None:
    """Store the answers of a follow-up, and flag the next visit where the pain requires it.

    `ended` is when the session ended. Raises `LateError` where the follow-up cannot be answered or corrected now.
    """
    if follow_up.state not in {"open", "correctable"}:
        raise LateError(follow_up.state)
    session, slot = follow_up.session, follow_up.slot
    first = follow_up.answered_utc
    lasts = answers.relief == "lasts"
    hours = round((now - ended) / timedelta(hours=1), 1) if lasts else RELIEF_H.get(answers.relief or "lasts")
    done = msgspec.json.encode(answers.done).decode()
    corrected = stamp(now) if first else None
    row = (session, slot, answers.pain, answers.sleep, hours, lasts, done, answers.note, first or stamp(now), corrected)
    with db.atomic():
        db.execute(f"INSERT OR REPLACE INTO follow_up ({_COLUMNS}, corrected_utc) VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - names of our own
        set_flag(db, session, _RULES[slot], flag_after(stored_pain(db, session).before, answers.pain, hours=slot), now)
        action = "follow-up corrected" if first else "follow-up answered"
        (client,) = db.execute("SELECT client FROM session WHERE id = ?", (session,)).fetchone()
        note(db, now, "link", action, client=client, session=session, detail=f"after {slot} h")


def unanswered(db: Database, now: datetime) -> list[OpenFollowUps]:
    """Return the clients, by name, who could answer by a link and have not: open follow-ups and recently missed ones."""
    open_: dict[str, set[tuple[str, int]]] = defaultdict(set)
    missed: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for client, ended, slot, made, over in db.execute(_UNANSWERED, (stamp(now - _LONGEST - MISSED_SHOWN_FOR),)):
        slot_window = window(moment(ended), slot)
        if moment(made) >= slot_window.closes or moment(over) <= slot_window.opens:
            continue
        if slot_window.opens <= now < slot_window.closes and moment(over) > now:
            open_[client].add((ended, slot))
        elif slot_window.closes <= now < slot_window.closes + MISSED_SHOWN_FOR:
            missed[client].add((ended, slot))
    clients = sorted(open_.keys() | missed.keys())
    return [OpenFollowUps(client=client, open=len(open_[client]), missed=len(missed[client])) for client in clients]


def _answered(db: Database, client: str) -> dict[tuple[int, int], tuple[Answers, float | None, str]]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM follow_up WHERE session IN (SELECT id FROM session WHERE client = ?)", (client,))  # noqa: S608 - names of our own
    return {
        (session, slot): (_answers(pain, sleep, hours, bool(lasts), done, text), hours, answered)
        for session, slot, pain, sleep, hours, lasts, done, text, answered in rows
    }


def _answers(pain: int, sleep: str | None, hours: float | None, lasts: bool, done: str, text: str | None) -> Answers:
    relief = "lasts" if lasts else next((name for name, value in RELIEF_H.items() if value == hours), None)
    fields = {"pain": pain, "sleep": sleep, "relief": relief, "done": msgspec.json.decode(done), "note": text}
    return msgspec.convert(fields, Answers)


def _follow_up(
    session: int, slot: Slot, ended: datetime, answered: tuple[Answers, float | None, str] | None, now: datetime
) -> FollowUp:
    slot_window = window(ended, slot)
    answers, hours, at = answered or (None, None, None)
    return FollowUp(
        session=session,
        slot=slot,
        state=state_of(slot_window, moment(at) if at else None, now),
        opens_utc=slot_window.opens,
        due_utc=slot_window.due,
        closes_utc=slot_window.closes,
        answers=answers,
        relief_h=hours,
        answered_utc=at,
    )

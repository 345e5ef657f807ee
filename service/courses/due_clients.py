"""Overview of the practice's clients against their visit plans: who is due, who is flagged.

The day from which a client is due is stored with the client (`due_kind`, `due_on`), and what else of the visits the list tells;
triggers forget it when a visit, a plan or the practice's settings change, and `refresh_due` computes those that are forgotten.
So the list is found by an index.
"""

from collections.abc import Iterator, Set as AbstractSet
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from ..clients.models import FlagRow
from ..errors import UnknownError
from ..listing import Page, Wanted, page_of
from ..settings import CoursePlan, read_settings, zone_of
from ..storage.sqlite import Database
from .models import DueRow, DueState, local_day
from .visit_plans import PLAN_COLUMNS, own_plans, stored_plan
from .visit_schedule import LONG_DAYS, SOON_DAYS, ClientPlan, HeldPeriods, due_on, held_periods, missed_periods

STATES: Final[tuple[DueState, ...]] = ("due", "soon", "later", "away", "none", "over")
"""In the order of the list."""
_REFRESHED: Final = 500
"""Number of clients whose day is computed in one transaction."""
_VISITS: Final = """
SELECT client, started_utc FROM json_each(?) JOIN session ON session.client = json_each.value
WHERE kind = 'massage' AND dated ORDER BY client, place
"""
_STORE: Final = """
UPDATE client SET due_kind = :kind, due_on = :day, first_massage_on = :first, massages = :massages, held_periods = :held,
  last_held_period = :last_held WHERE pseudonym = :client
"""
_FLAGS: Final = """
SELECT session.client, flag.id, flag.session, reason, raised_utc, cleared_utc, cleared_by
FROM json_each(?) JOIN session ON session.client = json_each.value JOIN flag ON flag.session = session.id
WHERE session.open_flags > 0 AND cleared_utc IS NULL ORDER BY raised_utc DESC, flag.id DESC
"""
_CLIENTS: Final = f"""
SELECT pseudonym, flagged, due_kind, due_on, last_visit_utc,
  EXISTS (SELECT 1 FROM consent WHERE consent.client = pseudonym AND purpose = 'record' AND withdrawn_utc IS NULL),
  first_massage_on, massages, held_periods, last_held_period, {PLAN_COLUMNS}
FROM client LEFT JOIN plan ON plan.client = pseudonym WHERE flagged = :flagged AND due_kind = :kind
"""  # noqa: S608 - names of our own


class DueWanted(Wanted, frozen=True, kw_only=True):
    """Which page of the list, and which clients of it."""

    state: DueState | None = None
    """Only clients in this state, flagged or not."""


EVERYBODY: Final = DueWanted()


class _Key(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list: in which span, on which day, and whose."""

    span: int
    due_on: str
    client: str


class _Span(msgspec.Struct, frozen=True):
    """Clients who stand together in the list, in the order of their days."""

    flagged: bool
    kind: str
    since: str = ""
    until: str = ""


def refresh_due(db: Database) -> bool:
    """Compute the days that are not known, of some clients at once; return whether there may be more."""
    found = db.execute("SELECT pseudonym FROM client WHERE due_kind IS NULL LIMIT ?", (_REFRESHED,)).fetchall()
    clients = [row[0] for row in found]
    if clients:
        visits, plans, default = _visits(db, clients), own_plans(db, clients), read_settings(db).plan
        with db.atomic():
            for client in clients:
                days = visits.get(client, [])
                plan = plans.get(client) or _usual(default, days[0].isoformat() if days else None)
                db.execute(_STORE, {"client": client, **_due(plan, days)})
    return len(clients) == _REFRESHED


def due_unknown(db: Database) -> bool:
    """Return whether there is a client whose day is not known."""
    return db.execute("SELECT 1 FROM client WHERE due_kind IS NULL LIMIT 1").fetchone() is not None


def due_page(db: Database, wanted: DueWanted, today: date, running: AbstractSet[str]) -> Page[DueRow]:
    """Return a page of the clients, flagged ones first, then by days late; `running`: clients with a running session.

    Raises `UnknownError` where the list has no such page.
    """
    key = _key_of(wanted.after)
    found = list(_found(db, _spans(wanted.state, today), key, wanted.limit + 1))
    page = page_of(found, Wanted(after=wanted.after, limit=wanted.limit), lambda row: _text(row[0]))
    return Page(_rows(db, [row for _, row in page.rows], today, running), page.next)


def _spans(state: DueState | None, today: date) -> list[_Span]:
    late, soon, later = (_day(today, days) for days in (-LONG_DAYS, 1, SOON_DAYS + 1))
    of_state: dict[DueState, tuple[str, str, str]] = {
        "due": ("day", late, soon),
        "soon": ("day", soon, later),
        "later": ("day", later, "9999-99-99"),
        "away": ("day", "", late),
        "none": ("none", "", ""),
        "over": ("over", "", ""),
    }
    return [_Span(flagged, *of_state[one]) for flagged in (True, False) for one in STATES if state in {None, one}]


def _found(db: Database, spans: list[_Span], key: _Key | None, most: int) -> Iterator[tuple[_Key, tuple[Any, ...]]]:
    for number, span in enumerate(spans):
        if most <= 0 or (key and number < key.span):
            continue
        values: dict[str, Any] = {"flagged": span.flagged, "kind": span.kind, "most": most}
        query = _CLIENTS
        if span.until:
            query += " AND due_on >= :since AND due_on < :until"
            values |= {"since": span.since, "until": span.until}
        if key and number == key.span:
            query += " AND (due_on, pseudonym) > (:day, :client)"
            values |= {"day": key.due_on, "client": key.client}
        for row in db.execute(f"{query} ORDER BY due_on, pseudonym LIMIT :most", values).fetchall():
            yield _Key(number, row[3], row[0]), row
            most -= 1


def _rows(db: Database, found: list[tuple[Any, ...]], today: date, running: AbstractSet[str]) -> list[DueRow]:
    default, flags = read_settings(db).plan, _open_flags(db, [row[0] for row in found if row[1]])
    rows = []
    for client, _, kind, day, last_visit_utc, may_record, first_massage, massages, held, last_held, *own in found:
        plan = _usual(default, first_massage) if own[0] is None else stored_plan(own)
        missed = 0
        if plan.starts_on and not plan.over:
            missed = missed_periods(plan.plan, date.fromisoformat(plan.starts_on), HeldPeriods(held, last_held), today)
        rows.append(
            DueRow(
                client=client,
                state=_state(kind, day, today),
                due_on=day or None,
                days_late=(today - date.fromisoformat(day)).days if day else 0,
                last_visit_utc=last_visit_utc,
                sessions=massages,
                missed=missed,
                plan=plan,
                running=client in running,
                may_record=bool(may_record),
                flags=flags.get(client, []),
            )
        )
    return rows


def _open_flags(db: Database, clients: list[str]) -> dict[str, list[FlagRow]]:
    flags: dict[str, list[FlagRow]] = {}
    for client, flag, session, reason, raised, cleared, by in db.execute(_FLAGS, (_json(clients),)):
        row = FlagRow(flag=flag, session=session, reason=reason, raised_utc=raised, cleared_utc=cleared, cleared_by=by)
        flags.setdefault(client, []).append(row)
    return flags


def _visits(db: Database, clients: list[str]) -> dict[str, list[date]]:
    """Return the days of the massages of some clients, in order."""
    zone, visits = zone_of(db), dict[str, list[date]]()
    for client, started_utc in db.execute(_VISITS, (_json(clients),)):
        visits.setdefault(client, []).append(local_day(started_utc, zone))
    return visits


def _usual(plan: CoursePlan, first_massage: str | None) -> ClientPlan:
    return ClientPlan(plan=plan, starts_on=first_massage)


def _due(plan: ClientPlan, visits: list[date]) -> dict[str, Any]:
    """Return what is stored of a client's visits and plan: nothing of it depends on today."""
    starts_on = date.fromisoformat(plan.starts_on) if plan.starts_on else None
    day = None if plan.over or starts_on is None else due_on(plan.plan, starts_on, visits)
    held = held_periods(plan.plan, starts_on, visits) if starts_on else HeldPeriods(0, None)
    return {
        "kind": "day" if day else "none" if starts_on is None and not plan.over else "over",
        "day": day.isoformat() if day else "",
        "first": visits[0].isoformat() if visits else None,
        "massages": len(visits),
        "held": held.number,
        "last_held": held.last,
    }


def _state(kind: str, day: str, today: date) -> DueState:
    if kind != "day":
        return "none" if kind == "none" else "over"
    late = (today - date.fromisoformat(day)).days
    if late > LONG_DAYS:
        return "away"
    return "due" if late >= 0 else "soon" if late >= -SOON_DAYS else "later"


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def _json(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()


def _text(key: _Key) -> str:
    return msgspec.json.encode(key).hex()


def _key_of(text: str | None) -> _Key | None:
    try:
        return None if text is None else msgspec.json.decode(bytes.fromhex(text), type=_Key)
    except (ValueError, msgspec.MsgspecError) as error:
        raise UnknownError("The list has no such page. Begin it anew.") from error

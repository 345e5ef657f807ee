"""Overview of the practice's clients against their visit plans: who is due, who is flagged."""

from collections.abc import Container
from datetime import date

from ..clients import client_store
from ..settings import read_settings
from ..storage.sqlite import Database
from .models import DueRow, DueState, local_day
from .visit_plans import own_plans
from .visit_schedule import LONG_DAYS, SOON_DAYS, ClientPlan, due_on, periods

_VISITS = "SELECT client, started_utc FROM session WHERE client IS NOT NULL AND kind = 'massage' ORDER BY started_utc, id"
_ORDER: tuple[DueState, ...] = ("due", "soon", "later", "away", "none", "over")


def due_rows(db: Database, today: date, running: Container[str]) -> list[DueRow]:
    """Return every client, flagged ones first, then by days late; `running`: clients with a running session."""
    settings = read_settings(db)
    own, default, zone, visits = own_plans(db), settings.plan, settings.zone, dict[str, list[date]]()
    for client, started_utc in db.execute(_VISITS):
        visits.setdefault(client, []).append(local_day(started_utc, zone))
    rows: list[DueRow] = []
    for row in client_store.rows(db):
        days = visits.get(row.client, [])
        plan = own.get(row.client) or ClientPlan(plan=default, starts_on=days[0].isoformat() if days else None)
        state, day = _state(plan, days, today)
        missed = 0
        if plan.starts_on and not plan.over:
            missed = sum(period.missed for period in periods(plan.plan, date.fromisoformat(plan.starts_on), days, today))
        rows.append(
            DueRow(
                client=row.client,
                state=state,
                due_on=day.isoformat() if day else None,
                days_late=(today - day).days if day else 0,
                last_visit_utc=row.last_visit_utc,
                sessions=len(days),
                missed=missed,
                plan=plan,
                running=row.client in running,
                may_record=row.may_record,
                flags=[flag for flag in client_store.flags_of(db, row.client) if flag.cleared_utc is None] if row.flags else [],
            )
        )
    return sorted(rows, key=lambda row: (not row.flags, _ORDER.index(row.state), -row.days_late, row.client))


def _state(plan: ClientPlan, visits: list[date], today: date) -> tuple[DueState, date | None]:
    if plan.over:
        return "over", None
    if plan.starts_on is None:
        return "none", None
    day = due_on(plan.plan, date.fromisoformat(plan.starts_on), visits)
    if day is None:
        return "over", None
    late = (today - day).days
    if late > LONG_DAYS:
        return "away", day
    return ("due" if late >= 0 else "soon" if late >= -SOON_DAYS else "later"), day

"""Visit plans in the database; a client without a plan of their own has the practice's."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from ..errors import RefusedError
from ..settings import CoursePlan, read_settings
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .visit_schedule import ClientPlan

PLAN_COLUMNS: Final = "starts_on, per_week, weeks, then_every_weeks, over"


def plan_of(db: Database, client: str, first_visit: date | None) -> ClientPlan:
    """Return a client's plan, or the practice's from the day of their first massage."""
    row = db.execute(f"SELECT {PLAN_COLUMNS} FROM plan WHERE client = ?", (client,)).fetchone()  # noqa: S608 - constant column names
    return practice_plan(db, first_visit) if row is None else stored_plan(row)


def own_plans(db: Database, clients: Sequence[str]) -> dict[str, ClientPlan]:
    """Return the plans of those of some clients who have one of their own, by client."""
    query = f"SELECT client, {PLAN_COLUMNS} FROM json_each(?) JOIN plan ON plan.client = json_each.value"  # noqa: S608 - constant column names
    return {client: stored_plan(row) for client, *row in db.execute(query, (msgspec.json.encode(clients).decode(),))}


def practice_plan(db: Database, first_visit: date | None) -> ClientPlan:
    """Return the practice's plan for a client whose first massage was on that day; None: it has not begun."""
    return ClientPlan(plan=read_settings(db).plan, starts_on=first_visit.isoformat() if first_visit else None)


def save_plan(db: Database, client: str, plan: ClientPlan, actor: str, now: datetime) -> None:
    """Store a client's own plan. Raises `RefusedError` where it has no start date."""
    try:
        starts_on = date.fromisoformat(plan.starts_on or "")
    except ValueError as error:
        raise RefusedError("A plan needs the day on which it begins, as 2026-11-23.") from error
    steps = plan.plan
    row = (client, starts_on.isoformat(), steps.per_week, steps.weeks, steps.then_every_weeks, plan.over, stamp(now), actor)
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO plan VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        note(db, now, actor, "plan written", client=client)


def delete_plan(db: Database, client: str, actor: str, now: datetime) -> None:
    """Delete a client's own plan; the practice's is in force again."""
    with db.atomic():
        db.execute("DELETE FROM plan WHERE client = ?", (client,))
        note(db, now, actor, "plan dropped", client=client)


def stored_plan(row: Sequence[object]) -> ClientPlan:
    """Return the plan of a row of `PLANPLAN_COLUMNS`."""
    starts_on, per_week, weeks, then_every_weeks, over = row
    plan = CoursePlan(per_week=per_week, weeks=weeks, then_every_weeks=then_every_weeks)  # type: ignore[arg-type] # checked by the table
    return ClientPlan(plan=plan, starts_on=str(starts_on), over=bool(over), own=True)

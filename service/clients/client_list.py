"""The list of clients: in pages, searched and filtered by indexes."""

from collections.abc import Sequence
import re
from typing import Any, Final

import msgspec

from ..listing import LAST, Page, Wanted, begins, holds, page_of, words_of
from ..storage.sqlite import Database
from .models import ClientRow

SELECT: Final = """
SELECT pseudonym, client.created_utc, strap_address, strap_name, last_visit_utc, client.sessions, client.open_flags,
  EXISTS (SELECT 1 FROM consent WHERE consent.client = pseudonym AND purpose = 'record' AND withdrawn_utc IS NULL), client.place
"""
_CURSOR: Final = re.compile(r"-?\d{1,18}|[1-8]\d{18}", re.ASCII)


class ClientsWanted(Wanted, frozen=True, kw_only=True):
    """Which clients, and which page of them; those who came last first."""

    search: str = ""
    """Beginnings of words of the pseudonym; of its number also without the noughts before it."""
    flagged: bool = False
    """Only those with an open flag."""
    worn: Sequence[str] = ()
    """Addresses of straps: only those who wore one of them last."""
    by_name: bool = False
    """Whether in the order of pseudonyms."""


LATEST: Final = ClientsWanted()


def list_clients(db: Database, wanted: ClientsWanted) -> Page[ClientRow]:
    """Return a page of the clients."""
    words = words_of(wanted.search)
    if wanted.search.strip() and not words:
        return Page([])
    conditions: list[str] = []
    values: dict[str, Any] = {"most": wanted.limit + 1}
    tables, key = f"client INDEXED BY {_index(wanted)}", "pseudonym" if wanted.by_name else "client.place"
    if words:
        tables = "client_search JOIN client ON client.place = client_search.rowid"
        key = key if wanted.by_name else "client_search.rowid"
        conditions.append("client_search MATCH :match")
        marks = [holds("flagged", "marks")] if wanted.flagged else []
        values["match"] = " AND ".join([*(begins(word, "client") for word in words), *marks])
    elif wanted.flagged:
        conditions.append("open_flags > 0")
    if wanted.worn:
        conditions.append("strap_address IN (SELECT value FROM json_each(:worn))")
        values["worn"] = msgspec.json.encode(wanted.worn).decode()
    down = wanted.by_name == wanted.backwards
    conditions.append(f"{key} {'<' if down else '>'} :key")
    if wanted.key is None:
        values["key"] = "" if wanted.by_name else LAST
    else:
        values["key"] = wanted.key if wanted.by_name else int(wanted.key) if _CURSOR.fullmatch(wanted.key) else 0
    query = f"{SELECT} FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {key} {'DESC' if down else 'ASC'} LIMIT :most"
    found = page_of(db.execute(query, values).fetchall(), wanted, lambda row: str(row[0 if wanted.by_name else -1]))
    return Page([client_row(row) for row in found.rows], found.next, found.previous)


def _index(wanted: ClientsWanted) -> str:
    """Return the index that finds and orders what is wanted: SQLite would have to guess."""
    if wanted.worn:
        return "client_strap"
    if wanted.flagged:
        return "client_flagged_name" if wanted.by_name else "client_flagged_place"
    return "client_name" if wanted.by_name else "client_place"


def client_row(row: tuple[Any, ...]) -> ClientRow:
    """Return the client of a row that `SELECT` reads."""
    pseudonym, created, address, name, last_visit, sessions, flags, may_record, _ = row
    return ClientRow(
        client=pseudonym,
        created_utc=created,
        last_visit_utc=last_visit,
        sessions=sessions,
        flags=flags,
        may_record=bool(may_record),
        strap_address=address,
        strap_name=name,
    )

"""Descriptions of tables and views, for docs/database.md and for Datasette."""

from collections.abc import Iterator
import re
from typing import Any, Final

from restbeat.service.storage.sqlite import Database

from .column_words import COLUMNS, words_of

TABLES: Final = {
    "session_overview": "A line a session: whose, when, pain, and what came of it by the newest figures.",
    "newest_report": "The report of each session that was made last.",
    "phase_hrv": "The figures of each phase of each session, one row an algorithm version.",
    "response": "The relaxation response of each session, one row an algorithm version.",
    "event": "What happened in a session beside heartbeats, in words.",
    "client": "A person, by a pseudonym. Who that is lies sealed in `identity`.",
    "session": "One visit, or one recording that was imported.",
    "packet": "Every notification of a strap, as it came: the raw truth, from which all else can be computed again. "
    "An hour after a session's end they are moved into `packet_chunk`.",
    "packet_chunk": "Packets of ended sessions, packed: up to 1,800 in each, in a fifth of the space.",
    "link": "When a strap's connection came up, and when it was lost.",
    "strap": "The straps that a session took after its first, which its own row holds: what was sent from then on is theirs.",
    "phase": "When each phase began.",
    "mark": "Technique, region, pressure and notes during a session.",
    "pain": "Pain scores during a session, 0 to 10.",
    "fault": "Trouble that a tester put in on purpose, or packets left out of a strap that sent too many.",
    "report": "What was made of a session, as JSON, one row an algorithm version.",
    "screening": "What was asked before a session.",
    "soap": "The notes after a session.",
    "correction": "What was entered and then taken back, or dated back: as it stood before.",
    "complement": "What else was done for a client, noted beside a session: heat, cold, tai chi, medication and such.",
    "plan": "How often a client is meant to come, where that differs from what the practice has set.",
    "flag": "What is to be minded at a client's next visit.",
    "identity": "Who a client is, encrypted; the key lies outside the database.",
    "consent": "What a client agreed to, per purpose, and when it was taken back.",
    "follow_up": "What a client told a day and two days after a session.",
    "client_link": "Links to clients’ own pages; an address is made of `handle` and a key that lies outside the database.",
    "client_link_session": "What was chosen for a link to show.",
    "client_link_offer": "Sessions that a link may show, and whether it does.",
    "mail": "Links and reminders that were mailed to a client, or are to be: each once.",
    "setting": "What the practice has set, as JSON.",
    "account": "Who may log in.",
    "login": "Logins that hold; of each the hash of its token alone.",
    "known_device": "Devices on which somebody logged in: their attempts count by themselves; of each the hash of its token alone.",
    "audit": "Who did or saw what, and when.",
    "spill_read": "Files of rows that a full disk kept out, and that were read back: each once.",
    "session_search": "Words by which sessions are found, kept up by triggers; its `rowid` is `session.place`.",
    "client_search": "Words by which clients are found, kept up by triggers; its `rowid` is `client.place`.",
}
"""Descriptions by table or view, views first: people read these."""
HIDDEN: Final = ("account", "login", "known_device", "identity", "setting", "session_search", "client_search", "spill_read")
"""Tables that Datasette hides."""


def undescribed(db: Database) -> set[str]:
    """Return tables and views that `TABLES` does not describe."""
    return {name for name, _, _ in _objects(db)} - set(TABLES)


def page(db: Database) -> str:
    """Return the text of docs/database.md."""
    sql = {name: text for name, _, text in _objects(db)}
    parts = []
    for name, words in TABLES.items():
        if name in sql:
            kind = "view" if sql[name].lstrip().upper().startswith("CREATE VIEW") else "table"
            parts.append(f"### {name}\n\n{words} ({kind})\n\n{_as_table(db, name, sql[name])}")
    return "\n\n".join(parts) + "\n"


def metadata(db: Database, queries: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Return Datasette's metadata; `queries`: name to title and SQL."""
    tables: dict[str, dict[str, Any]] = {
        name: {"description": words} | ({"hidden": True} if name in HIDDEN else {}) for name, words in TABLES.items()
    }
    for name, _, sql in _objects(db):
        if told := {column: words for column, _, words in _columns(db, name, sql) if words}:
            tables[name]["columns"] = told
    canned = {name: {"title": title, "sql": sql} for name, (title, sql) in queries.items()}
    about = "Relaxation feedback, no medical device. Pain outranks every figure, and rest alone relaxes people too."
    return {"title": "restbeat", "description": about, "databases": {"restbeat": {"tables": tables, "queries": canned}}}


def _objects(db: Database) -> Iterator[tuple[str, str, str]]:
    query = (
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"
        " AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_search_*' ORDER BY name"
    )
    return ((name, kind, sql) for name, kind, sql in db.execute(query) if not name.startswith("_"))


def _columns(db: Database, table: str, sql: str) -> Iterator[tuple[str, str, str]]:
    """Return name, type and description of each column; what `COLUMNS` says of that very column comes first."""
    said = dict(re.findall(r"^\s*(\w+)[^\n]*?,?\s*--\s*(.+)$", sql, re.MULTILINE))
    for _, name, kind, _, _, _, hidden in db.execute(f"PRAGMA table_xinfo({table})").fetchall():
        if hidden == 1:  # of a search
            continue
        yield name, kind or "", COLUMNS.get(f"{table}.{name}") or said.get(name) or words_of(table, name)


def _as_table(db: Database, table: str, sql: str) -> str:
    keys = {key.column: key.other_table for key in db.table(table).foreign_keys} if table in db.table_names() else {}
    lines = ["| column | type | |", "| --- | --- | --- |"]
    for name, kind, words in _columns(db, table, sql):
        told = [words, f"→ `{keys[name]}`" if name in keys else ""]
        lines.append(f"| `{name}` | {kind} | {' '.join(filter(None, told))} |")
    return "\n".join(lines)

"""The database as docs/database.md describes it, and as Datasette shows it."""

import json
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

from restbeat.service.storage import migrations
from restbeat.service.storage.database import DATABASE, open_database

from .column_words import COLUMNS
from .schema_page import HIDDEN, TABLES, metadata, page, undescribed

DOCS = Path(__file__).parents[3] / "docs"
README = DOCS.parent / "README.md"
PAGE, META = DOCS / "database.md", DOCS / "datasette.json"
MINUTE = Path(__file__).parents[3] / "fixtures" / "polar-h10_simulated_one-minute.jsonl"


def queries(text):
    """Return title and SQL of each query of a page, by a short name."""
    found = re.findall(r"^([^\n]+):\n\n```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return {f"query_{n}": (title, sql.strip()) for n, (title, sql) in enumerate(found, 1)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make a data folder with one session of a client."""
    folder = tmp_path_factory.mktemp("data")
    command = [sys.executable, "-m", "restbeat.web", "replay", str(MINUTE), "--client", "M-014", "--data", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


def test_every_table_is_described_on_its_page(tmp_path):
    db = open_database(tmp_path)
    assert undescribed(db) == set()
    assert set(TABLES) - set(HIDDEN) >= {"session_overview", "phase_hrv", "response"}
    text = PAGE.read_text()
    now = f"<!-- schema -->\n{page(db)}<!-- /schema -->"
    written = re.sub(r"<!-- schema -->.*<!-- /schema -->", lambda _: now, text, flags=re.DOTALL)
    meta = json.dumps(metadata(db, queries(text)), indent=1, ensure_ascii=False) + "\n"
    db.close()
    if os.environ.get("RESTBEAT_UPDATE"):
        PAGE.write_text(written)
        META.write_text(meta)
    assert text == written, "write it anew: see the page"
    assert META.read_text() == meta


def test_every_column_of_a_migration_or_a_view_is_described(tmp_path):
    db = open_database(tmp_path)
    added = re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", Path(migrations.__file__).read_text())
    added += [(table, "press") for table in ("phase", "mark", "pain")]
    told = {table: about.get("columns", {}) for table, about in metadata(db, {})["databases"]["restbeat"]["tables"].items()}
    assert {(table, column) for table, column in added if column not in told[table]} == set()
    for view in ("phase_hrv", "response"):
        assert set(told[view]) == {row[1] for row in db.execute(f"PRAGMA table_info({view})")} - {"session"}
    known = {f"{table}.{row[1]}" for table in TABLES for row in db.execute(f"PRAGMA table_xinfo({table})")}
    assert set(COLUMNS) <= known | {name.partition(".")[2] for name in known}
    db.close()


async def test_datasette_opens_the_database_and_runs_the_pages_queries(folder):
    from datasette.app import Datasette

    shown = Datasette([str(folder / DATABASE)], metadata=json.loads(META.read_text()))
    await shown.invoke_startup()
    home = (await shown.client.get("/restbeat")).text
    for view in ("session_overview", "phase_hrv", "response"):
        assert f'href="/restbeat/{view}"' in home
        assert (await shown.client.get(f"/restbeat/{view}")).status_code == 200
    for hidden in HIDDEN:
        assert f'<h3><a href="/restbeat/{hidden}"' not in home.split("hidden table")[0]
    asked = queries(PAGE.read_text())
    assert len(asked) >= 4
    for name in asked:
        answer = await shown.client.get(f"/restbeat/{name}.json?_shape=objects")
        assert answer.status_code == 200, answer.text
        assert answer.json()["ok"]
    for sql in re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL):
        answer = await shown.client.get("/restbeat.json", params={"sql": sql, "_shape": "array"})
        assert (answer.status_code, len(answer.json())) == (200, 1)
    (row,) = (await shown.client.get("/restbeat/session_overview.json?_shape=array")).json()
    assert (row["session"], row["client"], row["kind"], row["minutes"]) == (1, "M-014", "massage", 1.0)
    phases = (await shown.client.get("/restbeat/query_4.json?_shape=array")).json()
    assert [one["phase"] for one in phases]


def test_the_overview_takes_the_newest_figures(folder, tmp_path):
    db = open_database(folder)
    try:
        (figures,) = db.execute("SELECT figures FROM report").fetchone()
        db.execute("INSERT INTO report VALUES (1, 'restbeat-0', '2020-01-01T00:00:00.000Z', ?)", (figures,))
        db.conn.commit()
        assert db.execute("SELECT count(*) FROM session_overview").fetchone()[0] == 1
        assert db.execute("SELECT algorithm FROM session_overview").fetchone()[0] != "restbeat-0"
    finally:
        db.close()

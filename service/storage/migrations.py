"""The migrations of the database schema. A released migration is never edited; a change is a new one at the end.

Tables are named after their contents, for readers in Datasette too. `seq` numbers packets and events of a session together, so
that the order of arrival is exact. `phase_hrv` and `response` are views into the stored reports: they cannot disagree.
"""

from .sqlite import Database, Migrations

migrations = Migrations("restbeat")

_SESSIONS = """
CREATE TABLE client (
  pseudonym TEXT PRIMARY KEY,
  created_utc TEXT NOT NULL
);
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  client TEXT REFERENCES client(pseudonym) ON UPDATE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('massage', 'rest')),
  started_utc TEXT NOT NULL,
  ended_utc TEXT,
  duration_s REAL,
  room TEXT,
  source TEXT NOT NULL,  -- strap name, or the recording's file name
  speed REAL,            -- session seconds a wall second; NULL: as fast as it could
  arrival_speed REAL NOT NULL DEFAULT 1, -- session seconds a wall second when the packets were stamped
  posture TEXT,
  strap_name TEXT,
  strap_address TEXT,
  strap_manufacturer TEXT,
  strap_model TEXT,
  strap_firmware TEXT,
  strap_battery_pct INTEGER,
  strap_location TEXT,
  provenance TEXT,       -- of a recording: where it came from
  licence TEXT,
  header_extra TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(header_extra)),
  device_extra TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(device_extra))
);
CREATE INDEX session_client ON session(client);
"""

_EVENT_TABLES = {
    "packet": "char TEXT NOT NULL, payload BLOB NOT NULL",
    "link": "state TEXT NOT NULL CHECK (state IN ('up', 'lost'))",
    "phase": "phase TEXT NOT NULL",
    "mark": "technique TEXT, region TEXT, pressure TEXT, note TEXT",
    "pain": "score INTEGER NOT NULL CHECK (score BETWEEN 0 AND 10)",
}

_EVENT_TABLE = """
CREATE TABLE {name} (
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  t_s REAL NOT NULL,
  {columns},
  PRIMARY KEY (session, seq)
) WITHOUT ROWID;
"""

_EVENT_VIEW = """
CREATE VIEW event AS
  SELECT session, seq, t_s, 'link' AS kind, state AS text FROM link
  UNION ALL SELECT session, seq, t_s, 'phase', phase FROM phase
  UNION ALL SELECT session, seq, t_s, 'mark', concat_mark FROM (
    SELECT *, trim(coalesce(technique || ' ', '') || coalesce(region || ' ', '') || coalesce(pressure || ' ', '')
                   || coalesce(note, '')) AS concat_mark FROM mark)
  UNION ALL SELECT session, seq, t_s, 'pain', CAST(score AS TEXT) FROM pain;
"""

_REPORTS = """
CREATE TABLE report (
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  algorithm TEXT NOT NULL,
  made_utc TEXT NOT NULL,
  figures TEXT NOT NULL CHECK (json_valid(figures)),
  PRIMARY KEY (session, algorithm)
);
"""

_PHASE_HRV = (
    "phase", "start_s", "end_s", "beats", "accepted_pct", "mean_hr_bpm", "mean_rr_ms", "rmssd_ms", "ln_rmssd", "sdnn_ms",
    "pnn50_pct", "sd1_ms", "sd2_ms", "lf_ms2", "hf_ms2", "resp_per_min", "clean_segments",
)  # fmt: skip
_RESPONSE = ("phase", "delta_ln_rmssd", "half_width", "percent", "class", "why")


def _figures_view(name: str, path: str, columns: tuple[str, ...]) -> str:
    fields = ", ".join(f"json_extract(row.value, '$.{column}') AS {column}" for column in columns)
    return (
        f"CREATE VIEW {name} AS SELECT report.session, report.algorithm, {fields} "  # noqa: S608 - names of our own
        f"FROM report, json_each(report.figures, '$.figures.{path}') AS row;"
    )


@migrations()
def m001_sessions_and_events(db: Database) -> None:
    """Add clients, sessions and the events received."""
    tables = (_EVENT_TABLE.format(name=name, columns=columns) for name, columns in _EVENT_TABLES.items())
    db.executescript(_SESSIONS + "".join(tables) + _EVENT_VIEW)


@migrations()
def m002_reports(db: Database) -> None:
    """Add reports of sessions, one row for each version of the algorithm."""
    db.executescript(
        _REPORTS + _figures_view("phase_hrv", "phases", _PHASE_HRV) + _figures_view("response", "responses", _RESPONSE)
    )


@migrations()
def m003_faults(db: Database) -> None:
    """Add faults that a tester injected on purpose."""
    db.executescript(_EVENT_TABLE.format(name="fault", columns="kind TEXT NOT NULL, until_s REAL, count INTEGER, detail TEXT"))


_PRACTICE = """
ALTER TABLE client ADD COLUMN strap_address TEXT;  -- the strap worn last
ALTER TABLE client ADD COLUMN strap_name TEXT;
ALTER TABLE client ADD COLUMN posture TEXT;        -- as in the last session
ALTER TABLE session ADD COLUMN therapist TEXT;     -- name of the account that began it
ALTER TABLE session ADD COLUMN technique TEXT;     -- planned
ALTER TABLE session ADD COLUMN pain_before INTEGER CHECK (pain_before BETWEEN 0 AND 10);
ALTER TABLE session ADD COLUMN pain_after INTEGER CHECK (pain_after BETWEEN 0 AND 10);
CREATE TABLE flag (                                -- what to mind at the next visit
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  reason TEXT NOT NULL,
  raised_utc TEXT NOT NULL,
  cleared_utc TEXT,
  cleared_by TEXT,
  UNIQUE (session, reason)
);
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value))
);
CREATE TABLE screening (
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  question TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('yes', 'no')),
  confirmed_utc TEXT,  -- of a yes: when the therapist chose to go on
  PRIMARY KEY (session, question)
);
CREATE TABLE soap (
  session INTEGER PRIMARY KEY REFERENCES session(id) ON DELETE CASCADE,
  subjective TEXT NOT NULL DEFAULT '',
  objective TEXT NOT NULL DEFAULT '',
  assessment TEXT NOT NULL DEFAULT '',
  contraindications TEXT NOT NULL DEFAULT '',
  plan TEXT NOT NULL DEFAULT '',
  therapist TEXT,
  updated_utc TEXT NOT NULL
);
CREATE TABLE correction (
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  made_utc TEXT NOT NULL,
  therapist TEXT,
  was TEXT NOT NULL CHECK (json_valid(was)),  -- the entry as it stood in the session
  became_s REAL                               -- its new time; NULL: it was taken back
);
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  role TEXT NOT NULL CHECK (role IN ('therapist', 'admin')),
  password_hash TEXT NOT NULL,
  created_utc TEXT NOT NULL,
  disabled_utc TEXT
);
CREATE TABLE login (
  token_hash TEXT PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
  created_utc TEXT NOT NULL,
  expires_utc TEXT NOT NULL
);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_utc TEXT NOT NULL,
  actor TEXT NOT NULL,   -- an account's name, "link", or "restbeat" for the program itself
  action TEXT NOT NULL,
  client TEXT,
  session INTEGER,
  detail TEXT
);
CREATE INDEX audit_client ON audit(client);
"""


@migrations()
def m004_practice(db: Database) -> None:
    """Add accounts, screening, notes, flags, settings, corrections and the audit log."""
    db.executescript(_PRACTICE)


_CLIENTS = """
CREATE TABLE identity (                            -- who a client is, encrypted by a key that lies outside the database
  client TEXT PRIMARY KEY REFERENCES client(pseudonym) ON UPDATE CASCADE ON DELETE CASCADE,
  sealed BLOB NOT NULL,
  updated_utc TEXT NOT NULL
);
CREATE TABLE consent (                             -- of a client, or of whoever lay on the table in one session
  id INTEGER PRIMARY KEY,
  client TEXT REFERENCES client(pseudonym) ON UPDATE CASCADE ON DELETE CASCADE,
  session INTEGER REFERENCES session(id) ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('record', 'share', 'trends', 'research')),
  wording TEXT NOT NULL,                           -- version of the text that was agreed to, or "imported"
  given_utc TEXT NOT NULL,
  noted_by TEXT NOT NULL,
  withdrawn_utc TEXT,
  withdrawn_by TEXT,
  CHECK ((client IS NULL) <> (session IS NULL))
);
CREATE UNIQUE INDEX consent_once ON consent(client, purpose) WHERE client IS NOT NULL AND withdrawn_utc IS NULL;
CREATE INDEX consent_session ON consent(session);
ALTER TABLE flag ADD COLUMN rule TEXT;             -- what raised it: "stop", "pain", "note"
"""


@migrations()
def m005_clients(db: Database) -> None:
    """Add identities, consents, and the rule that raised a flag."""
    db.executescript(_CLIENTS)


_COURSE = """
CREATE TABLE complement (                          -- what else was done for a client, noted beside a session
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('heat', 'cold', 'mindfulness', 'tai-chi-yoga', 'medication', 'other')),
  detail TEXT NOT NULL DEFAULT '',
  noted_by TEXT NOT NULL,
  noted_utc TEXT NOT NULL
);
CREATE INDEX complement_session ON complement(session);
CREATE TABLE plan (                                -- how often a client is meant to come; without a row, as the practice has set
  client TEXT PRIMARY KEY REFERENCES client(pseudonym) ON UPDATE CASCADE ON DELETE CASCADE,
  starts_on TEXT NOT NULL,
  per_week INTEGER NOT NULL CHECK (per_week BETWEEN 1 AND 7),
  weeks INTEGER NOT NULL CHECK (weeks BETWEEN 1 AND 52),
  then_every_weeks INTEGER CHECK (then_every_weeks BETWEEN 1 AND 26), -- NULL: then it ends
  over INTEGER NOT NULL DEFAULT 0 CHECK (over IN (0, 1)),             -- the client is not due any more
  updated_utc TEXT NOT NULL,
  updated_by TEXT NOT NULL
);
"""


@migrations()
def m006_course(db: Database) -> None:
    """Add co-interventions and visit plans."""
    db.executescript(_COURSE)


_OVERVIEW = """
CREATE VIEW newest_report AS
  SELECT session, algorithm, figures FROM (
    SELECT session, algorithm, figures, row_number() OVER (PARTITION BY session ORDER BY made_utc DESC, rowid DESC) AS place
    FROM report) WHERE place = 1;
CREATE VIEW session_overview AS
  SELECT
    session.id AS session, client, kind, started_utc, round(duration_s / 60.0, 1) AS minutes, room, therapist, technique, posture,
    pain_before, pain_after,
    round(base.rmssd_ms, 1) AS baseline_rmssd_ms, round(massage.rmssd_ms, 1) AS massage_rmssd_ms,
    round(base.mean_hr_bpm) AS baseline_hr_bpm, round(massage.mean_hr_bpm) AS massage_hr_bpm,
    round(massage.accepted_pct, 1) AS massage_accepted_pct,
    response.class AS response, round(response.percent) AS response_pct,
    (SELECT group_concat(reason, '; ') FROM flag WHERE flag.session = session.id AND cleared_utc IS NULL) AS to_mind,
    coalesce(strap_model, strap_name, source) AS strap, newest.algorithm
  FROM session
  LEFT JOIN newest_report AS newest ON newest.session = session.id
  LEFT JOIN phase_hrv AS base
    ON base.session = session.id AND base.algorithm = newest.algorithm AND base.phase = 'baseline'
  LEFT JOIN phase_hrv AS massage
    ON massage.session = session.id AND massage.algorithm = newest.algorithm AND massage.phase = 'massage'
  LEFT JOIN response
    ON response.session = session.id AND response.algorithm = newest.algorithm AND response.phase = 'massage'
  ORDER BY started_utc DESC;
"""


@migrations()
def m008_overview(db: Database) -> None:
    """Add a view with one row for each session, for people who read the database itself."""
    db.executescript(_OVERVIEW)


_LINKS = """
CREATE TABLE client_link (                         -- opens a client's own page; its address: `handle`, signed by a key elsewhere
  id INTEGER PRIMARY KEY,
  client TEXT NOT NULL REFERENCES client(pseudonym) ON UPDATE CASCADE ON DELETE CASCADE,
  handle TEXT NOT NULL UNIQUE,                     -- random: it names nobody
  language TEXT NOT NULL,
  coming INTEGER NOT NULL CHECK (coming IN (0, 1)),  -- whether it shows sessions to come too
  remind INTEGER NOT NULL CHECK (remind IN (0, 1)),  -- whether mails remind of a follow-up
  made_utc TEXT NOT NULL,
  made_by TEXT NOT NULL,
  expires_utc TEXT NOT NULL,
  revoked_utc TEXT,
  revoked_by TEXT,
  opened_utc TEXT,
  uses INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX client_link_client ON client_link(client);
CREATE TABLE client_link_session (                 -- what was chosen for a link
  link INTEGER NOT NULL REFERENCES client_link(id) ON DELETE CASCADE,
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  shown INTEGER NOT NULL CHECK (shown IN (0, 1)),
  PRIMARY KEY (link, session)
) WITHOUT ROWID;
CREATE VIEW client_link_offer AS                   -- sessions that a link may show, and whether it does
  SELECT client_link.id AS link, session.id AS session, coalesce(chosen.shown, 1) AS shown
  FROM client_link JOIN session ON session.client = client_link.client AND session.ended_utc IS NOT NULL
  LEFT JOIN client_link_session AS chosen ON chosen.link = client_link.id AND chosen.session = session.id
  WHERE chosen.link IS NOT NULL OR (client_link.coming AND session.started_utc >= client_link.made_utc);
CREATE TABLE follow_up (                           -- what a client told a day and two days after a session
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  slot INTEGER NOT NULL CHECK (slot IN (24, 48)),  -- hours after the end
  pain INTEGER NOT NULL CHECK (pain BETWEEN 0 AND 10),
  sleep TEXT CHECK (sleep IN ('worse', 'usual', 'better')),
  relief_h REAL CHECK (relief_h >= 0),             -- how long relief lasted
  relief_lasts INTEGER NOT NULL CHECK (relief_lasts IN (0, 1)),  -- it lasted still: relief_h is the least that it can be
  done TEXT NOT NULL CHECK (json_valid(done)),     -- what else was done, such as ["heat", "mindfulness"]
  note TEXT,
  answered_utc TEXT NOT NULL,
  corrected_utc TEXT,
  PRIMARY KEY (session, slot)
);
CREATE TABLE mail (                                -- what is sent to a client, once
  id INTEGER PRIMARY KEY,
  client TEXT NOT NULL REFERENCES client(pseudonym) ON UPDATE CASCADE ON DELETE CASCADE,
  link INTEGER NOT NULL REFERENCES client_link(id) ON DELETE CASCADE,
  session INTEGER REFERENCES session(id) ON DELETE CASCADE,  -- of a reminder; NULL: the link itself
  slot INTEGER CHECK (slot IN (24, 48)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'unsure', 'failed')),
  tries INTEGER NOT NULL DEFAULT 0,
  next_utc TEXT NOT NULL,                          -- when it is tried
  until_utc TEXT NOT NULL,                         -- when it is given up
  done_utc TEXT,
  trouble TEXT,
  CHECK ((session IS NULL) = (slot IS NULL))
);
CREATE UNIQUE INDEX mail_once ON mail(session, slot) WHERE session IS NOT NULL;
"""


@migrations()
def m007_links(db: Database) -> None:
    """Add clients' links, the sessions they show, follow-up answers and reminder mails."""
    db.executescript(_LINKS)


@migrations()
def m009_presses(db: Database) -> None:
    """Add the key of the request behind an entry, so that one sent again is recognised."""
    db.executescript("".join(f"ALTER TABLE {table} ADD COLUMN press TEXT;" for table in ("phase", "mark", "pain")))


@migrations()
def m010_mark_kind(db: Database) -> None:
    """Add a kind to marks: a stop was known by its note alone."""
    db.executescript(
        "ALTER TABLE mark ADD COLUMN kind TEXT CHECK (kind IN ('stop'));"
        "UPDATE mark SET kind = 'stop' WHERE note = 'Pain increased – stopped';"
    )


@migrations()
def m011_screening_confirmed(db: Database) -> None:
    """Confirm every answer of a screening with a confirmed yes; those left without were sent by a page that nobody had touched.

    From now on `confirmed_utc` is when it was pressed that none applies, or that what applies was considered.
    """
    db.execute(
        "UPDATE screening SET confirmed_utc ="
        " (SELECT max(confirmed_utc) FROM screening AS pressed WHERE pressed.session = screening.session)"
        " WHERE confirmed_utc IS NULL"
    )


_SINCE_1970_MS = "CAST(round((coalesce(julianday({}), 2440587.5) - 2440587.5) * 86400000.0) AS INTEGER)"
_MOMENT_MS = f"max(min({_SINCE_1970_MS}, 4398046511103), -4398046511103)"
"""SQL of a moment in ms since 1970, between 1830 and 2109 so that a place fits into 63 bits; 0 where the text is no moment."""
_DIGITS = "'0123456789'"
_NUMBERED = f"rtrim(pseudonym, {_DIGITS}) <> '' AND length(pseudonym) - length(rtrim(pseudonym, {_DIGITS})) BETWEEN 2 AND 6"
"""Condition of a pseudonym that ends with a number, as those do that are proposed."""
_LIST_COLUMNS = f"""
-- Orders the list of sessions: ms of the start since 1970, then the number. It is the rowid of `session_search` too.
ALTER TABLE session ADD COLUMN place INTEGER
  GENERATED ALWAYS AS ({_MOMENT_MS.format("started_utc")} * 1048576 + id % 1048576) VIRTUAL;
ALTER TABLE session ADD COLUMN response_class TEXT;
ALTER TABLE session ADD COLUMN open_flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN number INTEGER;
ALTER TABLE client ADD COLUMN place INTEGER;
ALTER TABLE client ADD COLUMN sessions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN last_visit_utc TEXT;
ALTER TABLE client ADD COLUMN open_flags INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN flagged INTEGER GENERATED ALWAYS AS (open_flags > 0) VIRTUAL;
ALTER TABLE client ADD COLUMN due_kind TEXT CHECK (due_kind IN ('day', 'none', 'over'));
ALTER TABLE client ADD COLUMN due_on TEXT;
ALTER TABLE client ADD COLUMN first_massage_on TEXT;
ALTER TABLE client ADD COLUMN massages INTEGER;
ALTER TABLE client ADD COLUMN held_periods INTEGER;
ALTER TABLE client ADD COLUMN last_held_period INTEGER;
CREATE VIRTUAL TABLE session_search USING fts5(client, words, marks, tokenize = 'unicode61', prefix = '1 2 3 4 5 6 7');
CREATE VIRTUAL TABLE client_search USING fts5(client, marks, tokenize = 'unicode61', prefix = '1 2 3 4 5 6 7');
"""
_LIST_INDEXES = f"""
DROP INDEX session_client;
CREATE INDEX session_client ON session(client, place);
CREATE UNIQUE INDEX session_place ON session(place);
CREATE INDEX session_ended ON session(ended_utc);
CREATE INDEX session_flagged ON session(place) WHERE open_flags > 0;
CREATE INDEX session_response ON session(response_class, place);
CREATE INDEX consent_client ON consent(client);
CREATE INDEX correction_session ON correction(session);
CREATE INDEX client_link_session_session ON client_link_session(session);
CREATE INDEX mail_client ON mail(client);
CREATE INDEX mail_link ON mail(link);
CREATE INDEX mail_session ON mail(session);
CREATE INDEX mail_next ON mail(state, next_utc);
CREATE INDEX audit_session ON audit(session);
CREATE INDEX login_account ON login(account);
CREATE INDEX client_number ON client(number);
CREATE INDEX client_place ON client(place);
CREATE INDEX client_name ON client(pseudonym);
CREATE INDEX client_flagged_place ON client(place) WHERE open_flags > 0;
CREATE INDEX client_flagged_name ON client(pseudonym) WHERE open_flags > 0;
CREATE INDEX client_any_case ON client(pseudonym COLLATE NOCASE);
CREATE INDEX client_strap ON client(strap_address);
CREATE INDEX client_due ON client(flagged, due_kind, due_on, pseudonym);
CREATE INDEX client_due_unknown ON client(due_kind) WHERE due_kind IS NULL;
CREATE INDEX client_numbered ON client(created_utc) WHERE {_NUMBERED};
CREATE INDEX client_numbers
  ON client(rtrim(pseudonym, {_DIGITS}), CAST(substr(pseudonym, length(rtrim(pseudonym, {_DIGITS})) + 1) AS INTEGER))
  WHERE {_NUMBERED};
"""


def _pseudonym_words(pseudonym: str) -> str:
    """Return the SQL of a pseudonym's words: as it is, and its number without the noughts before it."""
    return f"{pseudonym} || ' ' || ltrim(substr({pseudonym}, length(rtrim({pseudonym}, {_DIGITS})) + 1), '0')"


_SESSION_WORDS = f"""
  INSERT INTO session_search (rowid, client, words, marks)
    SELECT place, coalesce({_pseudonym_words("client")}, ''),
      coalesce(room, '') || ' ' || source || ' ' || coalesce(strap_name, '') || ' ' || coalesce(strap_model, '') || ' '
        || coalesce(strap_address, '') || ' '
        || coalesce((SELECT group_concat(reason, ' ') FROM flag WHERE flag.session = session.id), ''),
      coalesce('response' || response_class, '') || iif(open_flags > 0, ' flagged', '')
    FROM session WHERE {{which}};
"""  # noqa: S608 - names of our own
_CLIENT_WORDS = f"""
  INSERT INTO client_search (rowid, client, marks)
    SELECT place, {_pseudonym_words("pseudonym")}, iif(open_flags > 0, 'flagged', '')
    FROM client WHERE {{which}};
"""  # noqa: S608 - names of our own
_OF_CLIENT = f"""
  UPDATE client SET due_kind = NULL,
    sessions = (SELECT count(*) FROM session WHERE client = pseudonym),
    last_visit_utc = (SELECT max(started_utc) FROM session WHERE client = pseudonym),
    open_flags = (SELECT coalesce(sum(session.open_flags), 0) FROM session WHERE client = pseudonym)
  WHERE {{which}};
  UPDATE client SET place = {_MOMENT_MS.format("coalesce(last_visit_utc, created_utc)")} * 1048576 + number % 1048576
  WHERE {{which}};
"""  # noqa: S608 - names of our own
_FLAGS_OF_SESSION = """
  UPDATE session SET open_flags = (SELECT count(*) FROM flag WHERE flag.session = session.id AND cleared_utc IS NULL)
  WHERE {which};
"""
_RESPONSE_OF_SESSION = """
  UPDATE session SET response_class = (
    SELECT json_extract(row.value, '$.class') FROM report, json_each(report.figures, '$.figures.responses') AS row
    WHERE report.session = session.id AND json_extract(row.value, '$.phase') = 'massage'
    ORDER BY made_utc DESC, report.rowid DESC LIMIT 1)
  WHERE {which};
"""
_FILL_LISTS = (
    "UPDATE client SET number = rowid;"  # noqa: S608 - names of our own
    + _FLAGS_OF_SESSION.format(which="id IN (SELECT session FROM flag)")
    + _RESPONSE_OF_SESSION.format(which="id IN (SELECT session FROM report)")
    + _OF_CLIENT.format(which="true")
    + _SESSION_WORDS.format(which="true")
    + _CLIENT_WORDS.format(which="true")
)


def _trigger(name: str, when: str, *statements: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN {''.join(statements)} END;"


def _on_each_change(name: str, table: str, statements: str) -> str:
    """Return triggers that run `statements` after each change of a row of `table`; `{row}` in them is NEW, or OLD."""
    return "".join(
        _trigger(f"{name}_{change.lower()}", f"{change} ON {table}", statements.format(row=row))
        for change, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


_DUE_UNKNOWN = "UPDATE client SET due_kind = NULL WHERE {which};"
_LIST_TRIGGERS = (
    _trigger(
        "client_added",
        "INSERT ON client",
        "UPDATE client SET number = (SELECT coalesce(max(number), 0) + 1 FROM client) WHERE pseudonym = NEW.pseudonym;",
        _OF_CLIENT.format(which="pseudonym = NEW.pseudonym"),
    )
    + _trigger(
        "client_words",
        "UPDATE OF pseudonym, place, open_flags ON client"
        " WHEN OLD.place IS NOT NEW.place OR OLD.flagged IS NOT NEW.flagged OR OLD.pseudonym <> NEW.pseudonym",
        "DELETE FROM client_search WHERE rowid = OLD.place;",
        _CLIENT_WORDS.format(which="pseudonym = NEW.pseudonym"),
    )
    + _trigger("client_gone", "DELETE ON client", "DELETE FROM client_search WHERE rowid = OLD.place;")
    + _trigger(
        "session_added",
        "INSERT ON session",
        _SESSION_WORDS.format(which="id = NEW.id"),
        _OF_CLIENT.format(which="pseudonym = NEW.client"),
    )
    + _trigger(
        "session_words",
        "UPDATE OF client, started_utc, room, source, strap_name, strap_model, strap_address, response_class, open_flags"
        " ON session",
        "DELETE FROM session_search WHERE rowid = OLD.place;",
        _SESSION_WORDS.format(which="id = NEW.id"),
    )
    + _trigger(
        "session_moved",
        "UPDATE OF client, started_utc, kind ON session",
        _OF_CLIENT.format(which="pseudonym IN (OLD.client, NEW.client)"),
    )
    + _trigger(
        "session_flags",
        "UPDATE OF open_flags ON session",
        "UPDATE client SET open_flags = (SELECT sum(session.open_flags) FROM session WHERE client = pseudonym)"
        " WHERE pseudonym = NEW.client;",
    )
    + _trigger(
        "session_gone",
        "DELETE ON session",
        "DELETE FROM session_search WHERE rowid = OLD.place;",
        _OF_CLIENT.format(which="pseudonym = OLD.client"),
    )
    + _on_each_change("flag_list", "flag", _FLAGS_OF_SESSION.format(which="id = {row}.session"))
    + _on_each_change("report_list", "report", _RESPONSE_OF_SESSION.format(which="id = {row}.session"))
    + _on_each_change("plan_due", "plan", _DUE_UNKNOWN.format(which="pseudonym = {row}.client"))
    + _on_each_change("setting_due", "setting", _DUE_UNKNOWN.format(which="{row}.name = 'practice'"))
)


@migrations()
def m013_lists(db: Database) -> None:
    """Add what lists are ordered, filtered and searched by, kept up by triggers, and indexes for all that is looked up."""
    db.executescript(_LIST_COLUMNS + _FILL_LISTS + _LIST_INDEXES + _LIST_TRIGGERS)


@migrations()
def m015_spill(db: Database) -> None:
    """Add the list of files with rows of an earlier run that were read back, so that each is read once."""
    db.executescript("CREATE TABLE spill_read (file TEXT PRIMARY KEY) WITHOUT ROWID;")


_PACKET_CHUNKS = """
CREATE TABLE packet_chunk (
  session INTEGER NOT NULL REFERENCES session(id) ON DELETE CASCADE,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  last_t_s REAL NOT NULL,  -- the time of its last packet, s of the session's clock
  packets INTEGER NOT NULL,
  data BLOB NOT NULL,      -- compressed: restbeat convert writes a session's packets readably
  PRIMARY KEY (session, first_seq)
);
ALTER TABLE session ADD COLUMN packed_utc TEXT;
CREATE INDEX session_unpacked ON session(ended_utc) WHERE packed_utc IS NULL;
"""


@migrations()
def m016_packet_chunks(db: Database) -> None:
    """Add chunks of packets of ended sessions, and when a session was packed; packing itself goes on beside sessions."""
    db.executescript(_PACKET_CHUNKS)


@migrations()
def m017_rhythm(db: Database) -> None:
    """Add the rhythm to the figures of a phase."""
    db.executescript("DROP VIEW phase_hrv;" + _figures_view("phase_hrv", "phases", (*_PHASE_HRV, "rhythm")))


_REPORTING_ITEMS = """
ALTER TABLE client ADD COLUMN birth_year INTEGER CHECK (birth_year BETWEEN 1900 AND 2100);
ALTER TABLE client ADD COLUMN sex TEXT CHECK (sex IN ('female', 'male', 'other'));
ALTER TABLE session ADD COLUMN medication TEXT;
ALTER TABLE session ADD COLUMN caffeine TEXT;
"""


@migrations()
def m018_reporting_items(db: Database) -> None:
    """Add what studies of heart rate variability report: a client's age and sex, and what was taken before a session."""
    db.executescript(_REPORTING_ITEMS)


_STRAP_COLUMNS = "name TEXT, address TEXT, manufacturer TEXT, model TEXT, firmware TEXT, battery_pct INTEGER, location TEXT"


@migrations()
def m019_straps(db: Database) -> None:
    """Add the straps that a session took after its first, which stays in the session itself."""
    db.executescript(_EVENT_TABLE.format(name="strap", columns=_STRAP_COLUMNS))


@migrations()
def m021_known_devices(db: Database) -> None:
    """Add the devices on which somebody logged in, whose attempts to log in are counted by themselves."""
    db.executescript("""
        CREATE TABLE known_device (
          token_hash TEXT PRIMARY KEY,
          account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
          seen_utc TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX known_device_account ON known_device(account);
    """)


_DATED = """
-- Whether it is known when the session began: of a file of another program that does not say so, and nobody else did, it is not.
ALTER TABLE session ADD COLUMN dated INTEGER GENERATED ALWAYS AS (
  json_extract(header_extra, '$.imported') IS NULL
  OR json_extract(header_extra, '$.imported.began_utc') IS NOT NULL OR json_extract(header_extra, '$.began_utc') IS NOT NULL
) VIRTUAL;
"""
_DATES_TOLD = """
UPDATE session SET header_extra = json_set(header_extra, '$.imported.began_utc', started_utc)
WHERE dated = 0 AND abs((julianday(ended_utc) - julianday(started_utc)) * 86400 - duration_s) < 0.002;
"""
"""Of sessions replayed before, the date that the person who replayed them told: only with one does the end lie as far behind
the beginning as the session is long, to the ms."""
_OF_CLIENT_DATED = _OF_CLIENT.replace(
    "WHERE client = pseudonym),\n    open_flags", "WHERE client = pseudonym AND dated),\n    open_flags"
)
_DATED_TRIGGERS = (
    "DROP TRIGGER client_added; DROP TRIGGER session_added; DROP TRIGGER session_moved; DROP TRIGGER session_gone;"  # noqa: S608
    + _trigger(
        "client_added",
        "INSERT ON client",
        "UPDATE client SET number = (SELECT coalesce(max(number), 0) + 1 FROM client) WHERE pseudonym = NEW.pseudonym;",
        _OF_CLIENT_DATED.format(which="pseudonym = NEW.pseudonym"),
    )
    + _trigger(
        "session_added",
        "INSERT ON session",
        _SESSION_WORDS.format(which="id = NEW.id"),
        _OF_CLIENT_DATED.format(which="pseudonym = NEW.client"),
    )
    + _trigger(
        "session_moved",
        "UPDATE OF client, started_utc, kind, header_extra ON session",
        _OF_CLIENT_DATED.format(which="pseudonym IN (OLD.client, NEW.client)"),
    )
    + _trigger(
        "session_gone",
        "DELETE ON session",
        "DELETE FROM session_search WHERE rowid = OLD.place;",
        _OF_CLIENT_DATED.format(which="pseudonym = OLD.client"),
    )
)


@migrations()
def m022_known_dates(db: Database) -> None:
    """Tell sessions without a known date from others: they are no visits."""
    of_undated = _OF_CLIENT_DATED.format(which="pseudonym IN (SELECT client FROM session WHERE dated = 0)")
    db.executescript(_DATED + _DATES_TOLD + _DATED_TRIGGERS + of_undated)


@migrations()
def m023_twins(db: Database) -> None:
    """Add indexes by which a file finds the sessions that may hold its beats."""
    db.executescript("""
        CREATE INDEX session_imported_beats ON session(json_extract(header_extra, '$.imported.beats'))
          WHERE json_extract(header_extra, '$.imported.beats') IS NOT NULL;
        CREATE INDEX session_length ON session(duration_s) WHERE ended_utc IS NOT NULL;
    """)

"""A practice of some years, written into a database row by row: few packets a session, each with its report."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec

from restbeat.analysis.figures import ALGORITHM
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.service.storage.database import open_database
from restbeat.service.storage.event_rows import stamp

SESSIONS_EACH = 20
"""Sessions of each client."""
YEARS = 5
EVERY = timedelta(days=3.5)
DURATION = timedelta(minutes=10)
ROOMS, STRAPS = 8, 30
PACKETS = 4
CLASSES = ("clear", "slight", "none", "opposite", "insufficient")


def client_name(number):
    """Return the pseudonym of a client, from 0."""
    return f"M-{number + 1:04d}"


def fill(folder, sessions, *, now=None):
    """Make the database of a practice with that many sessions, of a twentieth as many clients; the last one ended yesterday."""
    now = now or datetime.now(UTC)
    clients = -(-sessions // SESSIONS_EACH)
    with closing(open_database(folder)) as db, db.atomic():
        if sessions:
            _clients(db, clients, now)
            _sessions(db, sessions, clients, now)
    return clients


def _clients(db, clients, now):
    made = stamp(now - timedelta(days=365 * YEARS))
    for n in range(clients):
        name = client_name(n)
        db.execute(
            "INSERT INTO client (pseudonym, created_utc, strap_address, strap_name) VALUES (?, ?, ?, ?)",
            (name, made, _address(n) if n < STRAPS else None, "Polar H10" if n < STRAPS else None),
        )
        for purpose in ("record", "trends", "share"):
            row = (name, purpose, made, "Ada")
            db.execute("INSERT INTO consent (client, purpose, wording, given_utc, noted_by) VALUES (?, ?, '1', ?, ?)", row)
        db.execute(
            "INSERT INTO client_link (client, handle, language, coming, remind, made_utc, made_by, expires_utc)"
            " VALUES (?, ?, 'en', 1, 1, ?, 'Ada', ?)",
            (name, f"handle-of-{n}", made, stamp(now + timedelta(days=60))),
        )
        if n % 4 == 0:
            row = (name, made[:10], made)
            db.execute("INSERT INTO plan VALUES (?, ?, 2, 6, 2, 0, ?, 'Ada')", row)


def _sessions(db, sessions, clients, now):
    figures = _figures()
    first = now - timedelta(days=1) - EVERY * SESSIONS_EACH
    years = timedelta(days=365 * YEARS)
    visits = sorted(
        (first - years * (1 - (n + 1) / clients) + EVERY * (visit + n % 7 / 7), n)
        for n in range(clients)
        for visit in range(SESSIONS_EACH)
    )
    for number, (began, n) in enumerate(visits[-sessions:], 1):
        _session(db, number, client_name(n), n, began, figures[number % len(CLASSES)])


def _session(db, session, client, n, began, figures):
    started, ended = stamp(began), stamp(began + DURATION)
    db.execute(
        "INSERT INTO session (id, client, kind, started_utc, ended_utc, duration_s, room, source, speed, therapist, pain_before,"
        " pain_after, strap_name, strap_address, strap_model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 'Ada', 6, 4, ?, ?, 'H10')",
        (
            *(session, client, "rest" if session % 10 == 0 else "massage", started, ended, DURATION.total_seconds()),
            *(f"room-{session % ROOMS + 1}", f"Polar H10 {n % STRAPS:06X}", f"Polar H10 {n % STRAPS:06X}", _address(n % STRAPS)),
        ),
    )
    db.conn.executemany(
        "INSERT INTO packet (session, seq, t_s, char, payload) VALUES (?, ?, ?, '2a37', x'1040ec03')",
        [(session, seq, float(seq)) for seq in range(PACKETS)],
    )
    phases = (("baseline", 0.0), ("massage", 200.0), ("recovery", 400.0), ("ended", 600.0))
    for seq, (phase, t_s) in enumerate(phases, PACKETS):
        db.execute("INSERT INTO phase (session, seq, t_s, phase) VALUES (?, ?, ?, ?)", (session, seq, t_s, phase))
    db.execute("INSERT INTO mark (session, seq, t_s, technique) VALUES (?, 10, 210, 'Kneading')", (session,))
    db.execute("INSERT INTO pain (session, seq, t_s, score) VALUES (?, 11, 300, 5)", (session,))
    db.execute("INSERT INTO report VALUES (?, ?, ?, ?)", (session, ALGORITHM, ended, figures))
    db.execute(
        "INSERT INTO audit (at_utc, actor, action, client, session) VALUES (?, 'Ada', 'summary looked at', ?, ?)",
        (ended, client, session),
    )
    db.execute("INSERT INTO screening (session, question, answer) VALUES (?, 'Fever or infection', 'no')", (session,))
    if session % 3 == 0:
        db.execute("INSERT INTO soap (session, plan, therapist, updated_utc) VALUES (?, 'again', 'Ada', ?)", (session, ended))
    if session % 5 == 0:
        db.execute("INSERT INTO complement (session, kind, noted_by, noted_utc) VALUES (?, 'heat', 'Ada', ?)", (session, ended))
    if session % 7 == 0:
        row = (session, ended)
        db.execute("INSERT INTO correction (session, made_utc, was) VALUES (?, ?, '{}')", row)
    if session % 2 == 0:
        row = (session, stamp(began + timedelta(days=1)))
        db.execute(
            "INSERT INTO follow_up (session, slot, pain, relief_lasts, done, answered_utc) VALUES (?, 24, 3, 0, '[]', ?)", row
        )
    if session % 33 == 0:
        cleared = None if session % 2 else ended
        db.execute(
            "INSERT INTO flag (session, reason, raised_utc, rule, cleared_utc) VALUES (?, 'Pain 8 after it.', ?, 'pain', ?)",
            (session, ended, cleared),
        )


def _figures():
    """Return a short report by class of its response, as JSON."""
    header, events = simulate("clear", seed=1, minutes=(2, 2, 1))
    report = msgspec.json.decode(msgspec.json.encode(summarise("H10", header, events)))
    found = []
    for class_ in CLASSES:
        for response in report["figures"]["responses"]:
            response["class"] = class_
        found.append(msgspec.json.encode(report).decode())
    return found


def _address(n):
    return f"A0:9E:1A:00:{n // 256:02X}:{n % 256:02X}"

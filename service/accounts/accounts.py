"""Accounts and logins: stored in the database, looked up in memory, so that no request waits for the disk."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
import secrets
import time
from typing import Final, Self

import msgspec

from ..errors import RefusedError, UnknownError
from ..storage.audit_log import audit_statement, note
from ..storage.event_rows import moment, stamp
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .models import AccountRow, Login, LoginRefusedError, Person, Role, TooOftenError
from .passwords import MIN_LENGTH, Passwords
from .rate_limits import FailedAttemptLimiter

LOGIN_LIFETIME: Final = timedelta(hours=12)
"""Time after which an unused login expires."""
LONGEST_LOGIN: Final = timedelta(days=7)
"""Time after which a login ends, however much it is used."""
DEVICE_LIFETIME: Final = timedelta(days=400)
"""Time that a device is known after the last login from it; browsers keep no cookie longer."""
_MOST_DEVICES: Final = 20
"""Devices of an account that are known, the newest ones."""
_RENEW_AFTER: Final = timedelta(hours=1)
_ALPHABET: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Characters of the one-time code, without letters that look like a digit."""
_MAX_LENGTH: Final = 200
_PERSON_COLUMNS: Final = "account.id, account.name, account.role"


class Accounts:
    """The practice's accounts and logins; open it with `await Accounts.open(storage)`.

    `peer`: network address of the request, whose failed attempts are counted too. Attempts from a device on which this person
    logged in before are counted by themselves: strangers' attempts do not keep them out.
    """

    def __init__(
        self, storage: Storage, passwords: Passwords, now_utc: Callable[[], datetime], monotonic_s: Callable[[], float]
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._now_utc = now_utc
        self._limiter = FailedAttemptLimiter(monotonic_s)
        self._logins: dict[str, Login] = {}
        """Logins by the hash of their token, as stored; their own token and CSRF token are empty here."""
        self._devices: dict[str, tuple[int, str]] = {}
        """Account and folded name of who logged in on a device, by the hash of its token."""
        self.setup_code: str | None = None
        """One-time code that makes one admin account; None where there is none."""

    @classmethod
    async def open(
        cls,
        storage: Storage,
        *,
        setup: bool = False,
        passwords: Passwords | None = None,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Read the logins that have not expired; without an admin, or with `setup`, draw a one-time code.

        Raises `StorageError` where the database fails.
        """
        accounts = cls(storage, passwords or Passwords(), now_utc, monotonic_s)
        accounts._logins, accounts._devices, admins = await storage.run(
            lambda db: (_logins(db, now_utc()), _devices(db, now_utc()), _admins(db))
        )
        if setup or not admins:
            groups = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3)]
            accounts.setup_code = "-".join(groups)
        return accounts

    @property
    def setup_wanted(self) -> bool:
        """Whether the one-time code has not been used yet."""
        return self.setup_code is not None

    async def set_up(self, code: str, name: str, password: str, *, peer: str) -> Login:
        """Make an admin account by the terminal's one-time code, and log in.

        Raises `LoginRefusedError` where the code is wrong, `TooOftenError` after too many attempts, `RefusedError` where the
        name is taken, or name or password has the wrong length.
        """
        key = f"setup {peer}"
        self._count_attempt(key)
        entered, drawn = code.upper().replace(" ", "").replace("-", ""), self.setup_code
        if drawn is None or not compare_digest(entered.encode(), drawn.replace("-", "").encode()):
            raise LoginRefusedError("This is not the code that the terminal shows. It is drawn anew at every start.")
        self.setup_code = None  # taken before anything is waited for, so that it makes one account
        try:
            person = await self._insert(name, password, "admin", actor="restbeat")
        except BaseException:
            self.setup_code = drawn
            raise
        self._limiter.succeeded(key)
        return await self._begin(person)

    async def log_in(self, name: str, password: str, *, peer: str, device: str = "", replaces: str = "") -> Login:
        """Log in. `device`: token of a device on which somebody logged in before; `replaces`: token of a login that ends by this.

        Raises `LoginRefusedError` where name and password do not match, `TooOftenError` after too many attempts, or while too
        many strangers try.
        """
        known = self._devices.get(_hash(device), (0, ""))[1] == _folded(name)
        keys = (f"device {_hash(device)}",) if known else (f"name {_folded(name)[:_MAX_LENGTH]}", f"peer {peer}")
        self._count_attempt(*keys)
        found = await self._storage.read(lambda db: _account_by_name(db, name)) if len(password) <= _MAX_LENGTH else None
        stored_hash = found[1] if found else None
        if not await self._passwords.verify(stored_hash, password[:_MAX_LENGTH], first=known) or found is None:
            self._storage.put(audit_statement(self._now_utc(), "restbeat", "login refused", detail=peer))
            raise LoginRefusedError("Name and password do not fit together.")
        person, stored = found
        self._limiter.succeeded(*keys)
        if self._passwords.needs_rehash(stored):
            new_hash = await self._passwords.hash(password)
            await self._storage.run(lambda db: db.table("account").update(person.account, {"password_hash": new_hash}))
        if replaces:
            await self.log_out(replaces)
        return await self._begin(person, device if known else "")

    def login_of(self, token: str) -> Login | None:
        """Return the login of a cookie's token; None where it has expired, was ended or never existed."""
        hashed = _hash(token)
        login = self._logins.get(hashed)
        if login is None:
            return None
        if login.expires_utc <= self._now_utc():
            del self._logins[hashed]
            return None
        return msgspec.structs.replace(login, token=token, csrf=_csrf(token))

    def renew(self, login: Login) -> Login | None:
        """Extend a login in use, and return it; None where it has ended, can last no longer, or was renewed in the last hour."""
        expires = min(self._now_utc() + LOGIN_LIFETIME, login.began_utc + LONGEST_LOGIN)
        hashed = _hash(login.token)
        if expires - login.expires_utc < _RENEW_AFTER or hashed not in self._logins:
            return None
        self._logins[hashed] = msgspec.structs.replace(self._logins[hashed], expires_utc=expires)
        self._storage.put(("UPDATE login SET expires_utc = ? WHERE token_hash = ?", (stamp(expires), hashed)))
        return msgspec.structs.replace(login, expires_utc=expires)

    async def log_out(self, token: str) -> None:
        """End the login of a token; nothing where there is none."""
        hashed = _hash(token)
        login = self._logins.pop(hashed, None)
        if login is not None:
            await self._storage.run(lambda db: _end(db, hashed, login.person.name, self._now_utc()))

    async def accounts(self) -> Sequence[AccountRow]:
        """Return every account, by name."""
        return await self._storage.read(_rows)

    async def add(self, name: str, password: str, role: Role, *, by: Person) -> AccountRow:
        """Make an account. Raises `RefusedError` where the name is taken, or name or password has the wrong length."""
        person = await self._insert(name, password, role, actor=by.name)
        return next(row for row in await self.accounts() if row.account == person.account)

    async def set_own_password(self, person: Person, old: str, password: str) -> AccountRow:
        """Change one's own password, and end all of one's logins.

        Raises `LoginRefusedError` where the old password is wrong, `TooOftenError` after too many attempts, `RefusedError`
        where the new one has the wrong length, `UnknownError` where the account is gone.
        """
        key = f"own {person.account}"
        self._count_attempt(key)
        found = await self._storage.read(lambda db: _account_by_name(db, person.name))
        right = found is not None and len(old) <= _MAX_LENGTH and await self._passwords.verify(found[1], old, first=True)
        if not right:
            raise LoginRefusedError("The old password is not right.")
        self._limiter.succeeded(key)
        return await self._change_password(person.account, password, person)

    async def set_password(self, account: int, password: str, *, by: Person) -> AccountRow:
        """Set another account's password, and end its logins.

        Raises `UnknownError` where there is no such account, `RefusedError` for one's own, or where the password has the wrong
        length.
        """
        if account == by.account:
            raise RefusedError("Change your own password with the old one.")
        return await self._change_password(account, password, by)

    async def _change_password(self, account: int, password: str, by: Person) -> AccountRow:
        _require_length(password)
        changes = {"password_hash": await self._passwords.hash(password)}
        row = await self._storage.run(lambda db: _change(db, account, changes, by.name, "password set", self._now_utc()))
        self._drop_logins(account)
        return row

    async def set_disabled(self, account: int, disabled: bool, *, by: Person) -> AccountRow:
        """Disable an account, which ends its logins, or enable it.

        Raises `UnknownError` where there is no such account, `RefusedError` for one's own.
        """
        if account == by.account:
            raise RefusedError("You cannot switch off yourself: another admin can.")
        now = self._now_utc()
        changes = {"disabled_utc": stamp(now) if disabled else None}
        action = "account switched off" if disabled else "account switched on"
        row = await self._storage.run(lambda db: _change(db, account, changes, by.name, action, now))
        if disabled:
            self._drop_logins(account)
            self._devices = {key: known for key, known in self._devices.items() if known[0] != account}
        return row

    async def _insert(self, name: str, password: str, role: Role, *, actor: str) -> Person:
        name = " ".join(name.split())
        if not 1 <= len(name) <= 80:
            raise RefusedError("A name of 1 to 80 characters is wanted.")
        _require_length(password)
        hashed = await self._passwords.hash(password)
        return await self._storage.run(lambda db: _insert(db, name, role, hashed, actor, self._now_utc()))

    async def _begin(self, person: Person, device: str = "") -> Login:
        token, now = secrets.token_urlsafe(32), self._now_utc()
        device = device or secrets.token_urlsafe(32)
        login = Login("", "", "", person, now, now + LOGIN_LIFETIME)
        self._devices = await self._storage.run(lambda db: _begin(db, _hash(token), _hash(device), login, now))
        self._logins[_hash(token)] = login
        return msgspec.structs.replace(login, token=token, csrf=_csrf(token), device=device)

    def _drop_logins(self, account: int) -> None:
        self._logins = {key: login for key, login in self._logins.items() if login.person.account != account}

    def _count_attempt(self, *keys: str) -> None:
        """Count an attempt as failed before anything is waited for, so that many at once are not all tried."""
        wait_s = self._limiter.wait_s(*keys)
        if wait_s > 0:
            raise TooOftenError(f"Too many wrong tries. Wait {wait_s:.0f} s, then try again.", wait_s)
        self._limiter.failed(*keys)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _csrf(token: str) -> str:
    return sha256(b"csrf " + token.encode()).hexdigest()


def _require_length(password: str) -> None:
    if not MIN_LENGTH <= len(password) <= _MAX_LENGTH:
        raise RefusedError(f"A password of {MIN_LENGTH} to {_MAX_LENGTH} characters is wanted; a few words make a good one.")


def _admins(db: Database) -> int:
    found = db.execute("SELECT count(*) FROM account WHERE role = 'admin' AND disabled_utc IS NULL").fetchone()
    return int(found[0])


def _logins(db: Database, now: datetime) -> dict[str, Login]:
    db.execute("DELETE FROM login WHERE expires_utc <= ?", (stamp(now),))
    rows = db.execute(
        f"SELECT token_hash, login.created_utc, expires_utc, {_PERSON_COLUMNS}"  # noqa: S608 - constant column names
        " FROM login JOIN account ON account.id = account WHERE disabled_utc IS NULL"
    )
    return {row[0]: Login("", "", "", Person(*row[3:]), moment(row[1]), moment(row[2])) for row in rows}


def _devices(db: Database, now: datetime) -> dict[str, tuple[int, str]]:
    db.execute("DELETE FROM known_device WHERE seen_utc <= ?", (stamp(now - DEVICE_LIFETIME),))
    rows = db.execute("SELECT token_hash, account, name FROM known_device JOIN account ON account.id = account")
    return {token_hash: (account, _folded(name)) for token_hash, account, name in rows}


def _account_by_name(db: Database, name: str) -> tuple[Person, str] | None:
    row = db.execute(
        f"SELECT {_PERSON_COLUMNS}, password_hash FROM account WHERE name = ? AND disabled_utc IS NULL",  # noqa: S608 - constant column names
        (" ".join(name.split()),),
    ).fetchone()
    return None if row is None else (Person(*row[:3]), row[3])


def _insert(db: Database, name: str, role: Role, password_hash: str, actor: str, now: datetime) -> Person:
    if db.execute("SELECT 1 FROM account WHERE name = ?", (name,)).fetchone():
        raise RefusedError(f"There is an account {name} already. Choose another name.")
    row = (name, role, password_hash, stamp(now))
    with db.atomic():
        cursor = db.execute("INSERT INTO account (name, role, password_hash, created_utc) VALUES (?, ?, ?, ?)", row)
        note(db, now, actor, "account made", detail=f"{name}, {role}")
    return Person(int(cursor.lastrowid or 0), name, role)


def _begin(db: Database, hashed: str, device_hash: str, login: Login, now: datetime) -> dict[str, tuple[int, str]]:
    account = login.person.account
    with db.atomic():
        db.execute("INSERT INTO login VALUES (?, ?, ?, ?)", (hashed, account, stamp(now), stamp(login.expires_utc)))
        db.execute("INSERT OR REPLACE INTO known_device VALUES (?, ?, ?)", (device_hash, account, stamp(now)))
        newest = "SELECT token_hash FROM known_device WHERE account = ? ORDER BY seen_utc DESC LIMIT ?"
        db.execute(
            f"DELETE FROM known_device WHERE account = ? AND token_hash NOT IN ({newest})",  # noqa: S608 - constant
            (account, account, _MOST_DEVICES),
        )
        note(db, now, login.person.name, "logged in")
    return _devices(db, now)


def _end(db: Database, hashed: str, name: str, now: datetime) -> None:
    with db.atomic():
        db.execute("DELETE FROM login WHERE token_hash = ?", (hashed,))
        note(db, now, name, "logged out")


def _change(db: Database, account: int, changes: Mapping[str, str | None], actor: str, action: str, now: datetime) -> AccountRow:
    row = db.execute("SELECT name FROM account WHERE id = ?", (account,)).fetchone()
    if row is None:
        raise UnknownError("There is no such account.")
    with db.atomic():
        db.table("account").update(account, dict(changes))
        if "password_hash" in changes or changes.get("disabled_utc"):
            db.execute("DELETE FROM login WHERE account = ?", (account,))
        if changes.get("disabled_utc"):
            db.execute("DELETE FROM known_device WHERE account = ?", (account,))
        note(db, now, actor, action, detail=row[0])
    return next(row for row in _rows(db) if row.account == account)


def _rows(db: Database) -> list[AccountRow]:
    rows = db.execute("SELECT id, name, role, created_utc, disabled_utc FROM account ORDER BY name")
    return [
        AccountRow(account=number, name=name, role=role, created_utc=created, disabled=disabled is not None)
        for number, name, role, created, disabled in rows
    ]

"""Accounts and logins on a real database: accepted and refused logins, and their audit entries."""

import asyncio
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
import pytest

from restbeat.service.accounts.accounts import LOGIN_LIFETIME, Accounts
from restbeat.service.accounts.models import LoginRefusedError, Person, TooOftenError
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.errors import RefusedError, UnknownError
from restbeat.service.sessions.session_store import SessionStore

PASSWORD = "correct horse battery"
ADMIN = Person(1, "Ada", "admin")


class Time:
    def __init__(self):
        self.now, self.s = datetime(2026, 11, 24, 9, tzinfo=UTC), 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        yield storage


def opened(storage, time, **options):
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Accounts.open(storage, passwords=quick, now_utc=time, monotonic_s=lambda: time.s, **options)


@pytest.fixture
async def accounts(storage, time):
    accounts = await opened(storage, time)
    await accounts.set_up(accounts.setup_code, "Ada", PASSWORD, peer="here")
    return accounts


async def log_of(storage):
    return await storage.run(lambda db: [tuple(row) for row in db.execute("SELECT actor, action, detail FROM audit ORDER BY id")])


async def test_the_terminals_code_makes_one_account(storage, time):
    accounts = await opened(storage, time)
    code = accounts.setup_code
    with pytest.raises(LoginRefusedError, match="not the code"):
        await accounts.set_up("AAAA-AAAA-AAAA", "Ada", PASSWORD, peer="here")
    with pytest.raises(RefusedError, match="10 to 200 characters"):
        await accounts.set_up(code, "Ada", "short", peer="here")
    login = await accounts.set_up(code.lower().replace("-", " "), " Ada ", PASSWORD, peer="here")
    assert (login.person.name, login.person.role, accounts.setup_wanted) == ("Ada", "admin", False)
    with pytest.raises(LoginRefusedError):
        await accounts.set_up(code, "Eve", PASSWORD, peer="here")
    assert not (await opened(storage, time)).setup_wanted
    assert (await opened(storage, time, setup=True)).setup_wanted


async def test_a_login_outlives_a_restart_and_expires_when_unused(storage, accounts, time):
    login = await accounts.log_in("ada", PASSWORD, peer="here")
    again = await opened(storage, time)
    assert again.login_of(login.token).person == login.person
    assert again.login_of(login.token).csrf == login.csrf
    time.now += timedelta(hours=2)
    assert again.renew(again.login_of(login.token)).expires_utc == time.now + LOGIN_LIFETIME
    assert again.renew(again.login_of(login.token)) is None
    time.now += LOGIN_LIFETIME
    assert again.login_of(login.token) is None
    assert (await opened(storage, time)).login_of(login.token) is None


async def test_neither_token_nor_password_is_stored(storage, accounts, tmp_path):
    login = await accounts.log_in("Ada", PASSWORD, peer="here")
    await storage.flush()
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert login.token.encode() not in data
    assert PASSWORD.encode() not in data
    assert b"$argon2id$" in data


async def test_a_wrong_name_and_a_wrong_password_are_refused_alike(accounts):
    for name, password in (("Ada", "wrong password"), ("Eve", PASSWORD), ("", "")):
        with pytest.raises(LoginRefusedError, match="Name and password do not fit together"):
            await accounts.log_in(name, password, peer="here")


async def test_failed_attempts_must_wait_longer_and_a_success_clears_them(accounts, time):
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            await accounts.log_in("Ada", "wrong password", peer="there")
    waits = []
    for _ in range(6):
        with pytest.raises(TooOftenError) as refused:
            await accounts.log_in("Ada", PASSWORD, peer="there")
        waits.append(refused.value.wait_s)
        time.s += refused.value.wait_s
        with pytest.raises(LoginRefusedError):
            await accounts.log_in("Ada", "wrong password", peer="there")
    assert waits == [1, 2, 4, 8, 16, 32]
    with pytest.raises(TooOftenError):
        await accounts.log_in("ADA", PASSWORD, peer="elsewhere")
    time.s += 64
    await accounts.log_in("Ada", PASSWORD, peer="there")
    with pytest.raises(LoginRefusedError):
        await accounts.log_in("Ada", "wrong password", peer="there")


async def test_logging_out_ends_the_login_and_the_audit_log_notes_it(storage, accounts):
    login = await accounts.log_in("Ada", PASSWORD, peer="here")
    await accounts.log_out(login.token)
    assert accounts.login_of(login.token) is None
    assert await log_of(storage) == [
        ("restbeat", "account made", "Ada, admin"),
        ("Ada", "logged in", None),
        ("Ada", "logged in", None),
        ("Ada", "logged out", None),
    ]


async def test_an_admin_makes_accounts_sets_passwords_and_disables_them(accounts):
    row = await accounts.add("Bo", PASSWORD, "therapist", by=ADMIN)
    with pytest.raises(RefusedError, match="an account bo already"):
        await accounts.add("bo", PASSWORD, "therapist", by=ADMIN)
    login = await accounts.log_in("Bo", PASSWORD, peer="here")
    await accounts.set_password(row.account, "another password", by=ADMIN)
    assert accounts.login_of(login.token) is None
    login = await accounts.log_in("Bo", "another password", peer="here")
    assert (await accounts.set_disabled(row.account, True, by=ADMIN)).disabled
    assert accounts.login_of(login.token) is None
    with pytest.raises(LoginRefusedError):
        await accounts.log_in("Bo", "another password", peer="here")
    with pytest.raises(RefusedError, match="cannot switch off yourself"):
        await accounts.set_disabled(1, True, by=ADMIN)
    with pytest.raises(RefusedError, match="with the old one"):
        await accounts.set_password(1, PASSWORD, by=ADMIN)
    with pytest.raises(UnknownError):
        await accounts.set_password(99, PASSWORD, by=ADMIN)


async def test_a_login_ended_by_a_new_password_or_a_disabled_account_stays_ended_after_a_restart(storage, accounts, time):
    row = await accounts.add("Bo", PASSWORD, "therapist", by=ADMIN)
    ended = [await accounts.log_in("Bo", PASSWORD, peer="here")]
    await accounts.set_password(row.account, "another password", by=ADMIN)
    assert (await opened(storage, time)).login_of(ended[0].token) is None
    ended.append(await accounts.log_in("Bo", "another password", peer="here"))
    await accounts.set_disabled(row.account, True, by=ADMIN)
    await accounts.set_disabled(row.account, False, by=ADMIN)
    ended.append(await accounts.log_in("Ada", PASSWORD, peer="here"))
    await accounts.set_own_password(ADMIN, PASSWORD, "a new password")
    again = await opened(storage, time)
    assert [again.login_of(login.token) for login in ended] == [None, None, None]


async def test_ones_own_password_needs_the_old_one(accounts):
    with pytest.raises(LoginRefusedError, match="old password"):
        await accounts.set_own_password(ADMIN, "wrong password", "a new password")
    await accounts.set_own_password(ADMIN, PASSWORD, "a new password")
    await accounts.log_in("Ada", "a new password", peer="here")


async def test_a_weaker_hash_is_renewed_at_the_next_login(storage, accounts, time):
    strong = await Accounts.open(storage, now_utc=time)
    await strong.log_in("Ada", PASSWORD, peer="here")
    (stored,) = await storage.run(lambda db: db.execute("SELECT password_hash FROM account").fetchone())
    assert not Passwords().needs_rehash(stored)


class CountedHasher(PasswordHasher):
    """A quick hasher that counts the passwords it checks."""

    def __init__(self):
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checked = 0

    def verify(self, hash, password):  # noqa: A002 the name is argon2's
        self.checked += 1
        return super().verify(hash, password)


async def test_of_many_wrong_tries_at_once_five_are_tested(storage, accounts, time):
    hasher = CountedHasher()
    accounts = await Accounts.open(storage, passwords=Passwords(hasher), now_utc=time, monotonic_s=lambda: time.s)
    tries = [accounts.log_in("Ada", f"wrong password {n}", peer="there") for n in range(150)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert hasher.checked == 5
    assert [type(error) for error in found].count(TooOftenError) == 145


async def test_strangers_tries_do_not_keep_a_person_out_on_a_device_of_theirs(storage, accounts, time):
    login = await accounts.log_in("Ada", PASSWORD, peer="here")
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            await accounts.log_in("Ada", "wrong password", peer="here")
    with pytest.raises(TooOftenError):
        await accounts.log_in("Ada", PASSWORD, peer="here")
    with pytest.raises(TooOftenError):
        await accounts.log_in("Ada", PASSWORD, peer="here", device="made up")
    again = await opened(storage, time)  # and so after a restart
    for known in (accounts, again):
        assert (await known.log_in("Ada", PASSWORD, peer="here", device=login.device)).device == login.device
    # a device is known for the person who logged in there, and is counted too
    await accounts.add("Bo", PASSWORD, "therapist", by=ADMIN)
    with pytest.raises(TooOftenError):
        await accounts.log_in("Bo", PASSWORD, peer="here", device=login.device)
    for _ in range(5):
        with pytest.raises(LoginRefusedError):
            await accounts.log_in("Ada", "wrong password", peer="here", device=login.device)
    with pytest.raises(TooOftenError):
        await accounts.log_in("Ada", PASSWORD, peer="here", device=login.device)


async def test_who_is_switched_off_has_no_known_device_left(storage, accounts):
    row = await accounts.add("Bo", PASSWORD, "therapist", by=ADMIN)
    await accounts.log_in("Bo", PASSWORD, peer="here")
    await accounts.set_disabled(row.account, True, by=ADMIN)
    assert await storage.run(lambda db: db.execute("SELECT count(*) FROM known_device").fetchone()[0]) == 1  # Ada's


async def test_of_three_who_enter_the_terminals_code_at_once_one_becomes_admin(storage, time):
    accounts = await opened(storage, time)
    code = accounts.setup_code
    found = await asyncio.gather(
        *(accounts.set_up(code, name, PASSWORD, peer="here") for name in ("Ada", "Bo", "Cy")), return_exceptions=True
    )
    assert [type(each) for each in found].count(LoginRefusedError) == 2
    assert [row.name for row in await accounts.accounts()] == ["Ada"]


async def test_a_login_in_use_ends_after_seven_days(storage, accounts, time):
    login = await accounts.log_in("Ada", PASSWORD, peer="here")
    for _ in range(7 * 24 // 11):
        time.now += timedelta(hours=11)
        accounts.renew(accounts.login_of(login.token))
    assert accounts.login_of(login.token) is not None
    time.now += timedelta(hours=4)
    assert accounts.login_of(login.token) is None
    assert (await opened(storage, time)).login_of(login.token) is None


async def test_a_new_login_ends_the_one_it_replaces(accounts):
    former = await accounts.log_in("Ada", PASSWORD, peer="here")
    with pytest.raises(LoginRefusedError):
        await accounts.log_in("Ada", "wrong password", peer="here", replaces=former.token)
    assert accounts.login_of(former.token)
    login = await accounts.log_in("Ada", PASSWORD, peer="here", replaces=former.token)
    assert accounts.login_of(former.token) is None
    assert accounts.login_of(login.token)

"""Who uses the pages: accounts and their logins, as the pages ask for them; `service` answers."""

from collections.abc import Sequence
from typing import Final, Protocol

from aiohttp import web

from ...service.accounts.models import AccountRow, Login, NotAllowedError, Person, Role


class Accounts(Protocol):
    """The accounts of this practice."""

    @property
    def setup_wanted(self) -> bool:
        """Whether a one-time code may still make an account."""
        ...

    async def set_up(self, code: str, name: str, password: str, *, peer: str) -> Login:
        """Make an admin account by the one-time code of the terminal. Raises `LoginRefusedError`, `TooOftenError`."""
        ...

    async def log_in(self, name: str, password: str, *, peer: str) -> Login:
        """Open a login. Raises `LoginRefusedError`, `TooOftenError`."""
        ...

    def whose(self, token: str) -> Login | None:
        """The login that a cookie stands for; None where it has run out, was ended or never was."""
        ...

    async def renew(self, login: Login) -> Login | None:
        """Let a login that is used last longer; None where that is not yet due."""
        ...

    async def log_out(self, token: str) -> None:
        """End a login."""
        ...

    async def accounts(self) -> Sequence[AccountRow]:
        """Every account, by name."""
        ...

    async def add(self, name: str, password: str, role: Role, *, by: Person) -> AccountRow:
        """Make an account. Raises `RefusedError` where the name is taken."""
        ...

    async def set_own_password(self, person: Person, old: str, password: str) -> AccountRow:
        """Give oneself another password; every login of one's own ends. Raises `LoginRefusedError`, `TooOftenError`."""
        ...

    async def set_password(self, account: int, password: str, *, by: Person) -> AccountRow:
        """Give an account another password, and end its logins. Raises `UnknownError`, and `RefusedError` for one's own."""
        ...

    async def set_disabled(self, account: int, disabled: bool, *, by: Person) -> AccountRow:
        """Switch an account off or on. Raises `UnknownError`, and `RefusedError` for one's own."""
        ...


NOBODY: Final = Person(0, "demo", "admin")
"""Who acts where no login is asked for."""
LOGIN: Final = web.RequestKey("restbeat_login", Login)


def person_of(request: web.Request) -> Person:
    """Who sent this request."""
    login = request.get(LOGIN)
    return login.person if login else NOBODY


def demand_admin(person: Person) -> None:
    """Raise `NotAllowedError` unless an admin acts."""
    if person.role != "admin":
        raise NotAllowedError("Only an admin may do that.")


COOKIE: Final = "restbeat"


CSRF_HEADER: Final = "X-CSRF-Token"

"""The API of logins and accounts."""

from typing import Annotated

from aiohttp import web
import msgspec

from ...service.accounts.accounts import Accounts
from ...service.accounts.models import AccountRow, Role
from ..http.endpoint import Call, Endpoint, json_answer
from ..http.person import LOGIN
from .login_required import give_cookie, log_in

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
_Password = Annotated[str, msgspec.Meta(min_length=10, max_length=200)]


class Me(msgspec.Struct, frozen=True):
    """The person who sent the request."""

    name: str
    role: Role
    csrf: Annotated[
        str | None,
        msgspec.Meta(description="Token that every change carries in the header X-CSRF-Token; null where no login is required."),
    ]


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name and password to log in with."""

    name: Annotated[str, msgspec.Meta(max_length=80)]
    password: Annotated[str, msgspec.Meta(max_length=200)]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to create."""

    name: _Name
    password: _Password
    role: Role = "therapist"


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password for an account."""

    password: _Password


class OwnPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new password for one's own account; `old` is the current one."""

    old: str
    password: _Password


class Switch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an account is switched off."""

    disabled: bool


async def me(call: Call) -> Me:
    """Return the person who sent the request, with their token for changes."""
    login = call.request.get(LOGIN)
    return Me(call.person.name, call.person.role, login.csrf if login else None)


ME = Endpoint(method="GET", path="/me", handler=me, summary="Who I am, and my token for changes.", answer=Me, tag="accounts")


class AccountsApi:
    """Endpoints of logins and accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        one = "/accounts/{account}"
        return [
            Endpoint(
                method="POST",
                path="/login",
                handler=self.log_in,
                summary="Log in: gives the cookie that every other request carries.",
                body=LogIn,
                answer=Me,
                refusals=(429,),
                open=True,
                tag="accounts",
            ),
            Endpoint(
                method="PUT",
                path="/me/password",
                handler=self.set_own_password,
                summary="Give myself another password; every login of mine ends.",
                body=OwnPassword,
                answer=AccountRow,
                refusals=(409, 429),
                tag="accounts",
            ),
            Endpoint(
                method="GET",
                path="/accounts",
                handler=self.accounts,
                summary="Every account.",
                answer=list[AccountRow],
                admin=True,
                tag="accounts",
            ),
            Endpoint(
                method="POST",
                path="/accounts",
                handler=self.add,
                summary="Make an account.",
                body=NewAccount,
                answer=AccountRow,
                status=201,
                refusals=(409,),
                admin=True,
                tag="accounts",
            ),
            Endpoint(
                method="PUT",
                path=f"{one}/password",
                handler=self.set_password,
                summary="Give an account another password, and end its logins.",
                body=NewPassword,
                answer=AccountRow,
                refusals=(409,),
                admin=True,
                tag="accounts",
            ),
            Endpoint(
                method="PUT",
                path=f"{one}/disabled",
                handler=self.set_disabled,
                summary="Switch an account off or on.",
                body=Switch,
                answer=AccountRow,
                refusals=(409,),
                admin=True,
                tag="accounts",
            ),
        ]

    async def log_in(self, call: Call) -> web.Response:
        """Log a program in, as the login page does for people. Raises `LoginRefusedError`, `TooOftenError`."""
        login = await log_in(call.request, self._accounts, call.body.name, call.body.password)
        response = json_answer(Me(login.person.name, login.person.role, login.csrf))
        give_cookie(call.request, response, login)
        return response

    async def accounts(self, _: Call) -> list[AccountRow]:
        """Return every account."""
        return list(await self._accounts.accounts())

    async def add(self, call: Call) -> AccountRow:
        """Create an account. Raises `RefusedError` where the name is taken or the password is too short."""
        return await self._accounts.add(call.body.name, call.body.password, call.body.role, by=call.person)

    async def set_own_password(self, call: Call) -> AccountRow:
        """Change one's own password.

        Raises `LoginRefusedError` where the old one is wrong, `TooOftenError`, and `RefusedError` where the new one is too short.
        """
        return await self._accounts.set_own_password(call.person, call.body.old, call.body.password)

    async def set_password(self, call: Call) -> AccountRow:
        """Change an account's password. Raises `UnknownError`, and `RefusedError` for one's own or a password too short."""
        return await self._accounts.set_password(call.number("account"), call.body.password, by=call.person)

    async def set_disabled(self, call: Call) -> AccountRow:
        """Switch an account off or on. Raises `UnknownError`, and `RefusedError` for one's own."""
        return await self._accounts.set_disabled(call.number("account"), call.body.disabled, by=call.person)

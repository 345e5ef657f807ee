"""Accounts, logins and roles, and why a login is refused."""

from datetime import datetime
from typing import Literal

import msgspec

from ..errors import RequestError

Role = Literal["therapist", "admin"]


class LoginRefusedError(RequestError):
    """Name, password or code is not the right one, or the account is switched off."""


class TooOftenError(RequestError):
    """Too many wrong tries; `wait_s` tells how long the next one must wait."""

    def __init__(self, sentence: str, wait_s: float) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class NotAllowedError(RequestError):
    """Another account may do that, not this one."""


class Person(msgspec.Struct, frozen=True):
    """Whoever acts."""

    account: int
    name: str
    role: Role


class Login(msgspec.Struct, frozen=True):
    """A login that holds."""

    token: str
    """The cookie's secret."""
    csrf: str
    """What every change must carry beside the cookie."""
    person: Person
    expires_utc: datetime


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account, as an admin sees it."""

    account: int
    name: str
    role: Role
    created_utc: str
    disabled: bool

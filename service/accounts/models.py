"""Accounts, logins and roles, and the errors of logging in."""

from datetime import datetime
from typing import Literal

import msgspec

from ..errors import RequestError

Role = Literal["therapist", "admin"]


class LoginRefusedError(RequestError):
    """Login with a wrong name, password or code, or of a disabled account."""


class TooOftenError(RequestError):
    """Too many failed attempts; `wait_s`: seconds until the next one is accepted."""

    def __init__(self, sentence: str, wait_s: float) -> None:
        super().__init__(sentence)
        self.wait_s = wait_s


class NotAllowedError(RequestError):
    """Action that this account has no right to."""


class Person(msgspec.Struct, frozen=True):
    """The account that acts."""

    account: int
    name: str
    role: Role


class Login(msgspec.Struct, frozen=True):
    """A login in force."""

    token: str
    """Secret of the cookie."""
    csrf: str
    """Token that every changing request must carry beside the cookie."""
    device: str
    """Secret by which the device is known again at the next login; empty but for a login that has just begun."""
    person: Person
    began_utc: datetime
    expires_utc: datetime


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """One account in the admins' list."""

    account: int
    name: str
    role: Role
    created_utc: str
    disabled: bool

"""The person behind a request: their login, and the cookie and header that carry it."""

from typing import Final

from aiohttp import web

from ...service.accounts.models import Login, NotAllowedError, Person

NO_LOGIN_PERSON: Final = Person(0, "demo", "admin")
"""The person on record for every request where no login is required."""
LOGIN: Final = web.RequestKey("restbeat_login", Login)
"""Key of a request's login; missing where nobody is logged in."""
COOKIE: Final = "restbeat"
"""Name of the login cookie."""
DEVICE_COOKIE: Final = "restbeat_device"
"""Name of the cookie by which a device is known again at the next login."""
CSRF_HEADER: Final = "X-CSRF-Token"


def person_of(request: web.Request) -> Person:
    """Return the person who sent a request; `NO_LOGIN_PERSON` where nobody is logged in."""
    login = request.get(LOGIN)
    return login.person if login else NO_LOGIN_PERSON


def demand_admin(person: Person) -> None:
    """Require an admin. Raises `NotAllowedError` for anybody else."""
    if person.role != "admin":
        raise NotAllowedError("Only an admin may do that.")

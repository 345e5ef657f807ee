"""Who uses the pages: accounts and their logins, as the pages ask for them; `service` answers."""

from typing import Final

from aiohttp import web

from ...service.accounts.models import Login, NotAllowedError, Person

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

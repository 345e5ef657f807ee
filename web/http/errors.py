"""Refusals and failures as sentences: JSON under `/api`, elsewhere a page."""

from collections.abc import Callable
import logging
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
import msgspec

from ...service.accounts.models import LoginRefusedError, NotAllowedError, TooOftenError
from ...service.errors import (
    ConflictError,
    NoSuchClientError,
    NoSuchSessionError,
    RefusedError,
    ServiceError,
    UnconfirmedError,
    UnknownError,
)
from .endpoint import Refusal, json_answer
from .security import route_path

_LOG = logging.getLogger(__name__)

ErrorPage = Callable[[web.Request, int, str], web.Response]
"""Renders an HTTP status and a sentence as a page."""
_KEPT_HEADERS: Final = frozenset({"Allow", "Retry-After"})
_SENTENCES: Final = {
    403: "This request came from another site, and was refused.",
    404: "There is no such page.",
    405: "This address cannot be used that way.",
    413: "The request was too large.",
}


def answer_errors(page: ErrorPage) -> Middleware:
    """Return middleware that turns errors into sentences: JSON under `/api`, elsewhere a page rendered by `page`.

    `UnknownError` and its likes become 404, `NotAllowedError` and `LoginRefusedError` 403, `TooOftenError` 429, any other
    `RefusedError` 409, any other `ServiceError` 503, a request that msgspec cannot read 400, and anything else a logged 500.
    """

    def answer(
        request: web.Request, status: int, sentence: str, room: str | None = None, *, unconfirmed: bool = False
    ) -> web.Response:
        if request.path.startswith("/api/"):
            return json_answer(Refusal(sentence, room, unconfirmed), status)
        return page(request, status, sentence)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (UnknownError, NoSuchSessionError, NoSuchClientError) as error:
            return answer(request, 404, str(error))
        except (NotAllowedError, LoginRefusedError) as error:
            return answer(request, 403, str(error))
        except TooOftenError as error:
            response = answer(request, 429, str(error))
            response.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return response
        except RefusedError as error:
            room = error.room if isinstance(error, ConflictError) else None
            return answer(request, 409, str(error), room, unconfirmed=isinstance(error, UnconfirmedError))
        except ServiceError as error:
            _LOG.error("%s %s could not be met: %s", request.method, route_path(request), error)
            return answer(request, 503, str(error))
        except msgspec.MsgspecError as error:
            return answer(request, 400, f"The request could not be read: {error}.")
        except web.HTTPException as error:
            if error.status < 400:
                raise
            sentence = error.text if error.text and not error.text.startswith(f"{error.status}:") else None  # not aiohttp's own
            response = answer(request, error.status, sentence or _SENTENCES.get(error.status, error.reason))
            response.headers.extend({name: value for name, value in error.headers.items() if name in _KEPT_HEADERS})
            return response
        except Exception:  # noqa: BLE001 the last resort: the log has the traceback, a person reads a sentence
            _LOG.exception("%s %s failed", request.method, route_path(request))  # not the path itself: a link's address is secret
            return answer(request, 500, "Something went wrong in restbeat. What was measured is kept; try again in a moment.")

    return middleware

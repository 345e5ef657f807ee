"""Refusals and failures as sentences: JSON under `/api`, elsewhere a page."""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
import msgspec

from ...service.accounts.models import LoginRefusedError, NotAllowedError, TooOftenError
from ...service.errors import ConflictError, RefusedError, RequestError, UnknownError
from .endpoint import Refusal, json_answer
from .security import _LOG, _path_of

ErrorPage = Callable[[web.Request, int, str], web.Response]


_SENTENCES: Final = {
    403: "This request came from another site, and was refused.",
    404: "There is no such page.",
    405: "This address cannot be used that way.",
    413: "The request was too large.",
}


def answer_errors(page: ErrorPage) -> Middleware:
    """Turn every refusal into a sentence: as JSON under /api, else as a page of the house."""

    def answer(request: web.Request, status: int, sentence: str, room: str | None = None) -> web.Response:
        if request.path.startswith("/api/"):
            return json_answer(Refusal(sentence, room), status)
        return page(request, status, sentence)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownError as error:
            return answer(request, 404, str(error))
        except (NotAllowedError, LoginRefusedError) as error:
            return answer(request, 403, str(error))
        except TooOftenError as error:
            response = answer(request, 429, str(error))
            response.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return response
        except RefusedError as error:
            return answer(request, 409, str(error), error.room if isinstance(error, ConflictError) else None)
        except RequestError as error:
            return answer(request, 503, str(error))
        except msgspec.MsgspecError as error:
            return answer(request, 400, f"The request could not be read: {error}.")
        except web.HTTPException as error:
            if error.status < 400:
                raise
            own = error.text if error.text and not error.text.startswith(f"{error.status}:") else None
            response = answer(request, error.status, own or _SENTENCES.get(error.status, error.reason))
            response.headers.extend({name: value for name, value in error.headers.items() if name == "Allow"})
            return response
        except Exception:  # noqa: BLE001 the last door: logged whole, and a person reads a sentence
            _LOG.exception(
                "%s %s failed", request.method, _path_of(request)
            )  # as its route is written: a link's address is secret
            return answer(request, 500, "Something went wrong in restbeat. What was measured is kept; try again in a moment.")

    return middleware

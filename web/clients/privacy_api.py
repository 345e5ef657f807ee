"""Export and erasure of a client's data, as a client may request."""

from typing import Annotated

from aiohttp import web
import msgspec

from ...service.errors import RefusedError
from ...service.privacy.data_requests import DataRequests, ErasedClient
from ..http.endpoint import Call, Endpoint
from ..http.person import person_of


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Confirmation of an erasure: the client's pseudonym once more, so that a slip of the hand erases nobody."""

    pseudonym: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class PrivacyApi:
    """Endpoint of the erasure, and route of the export."""

    def __init__(self, data_requests: DataRequests) -> None:
        self._data_requests = data_requests

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        return [
            Endpoint(
                method="POST",
                path="/clients/{client}/erase",
                handler=self.erase,
                summary="Erase everything of a client for good; gives the backups that still hold them.",
                body=Erase,
                answer=ErasedClient,
                refusals=(409,),
                admin=True,
                tag="clients",
            )
        ]

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the export."""
        return [web.get("/clients/{client}/export.zip", self.download, allow_head=False)]

    async def erase(self, call: Call) -> ErasedClient:
        """Erase everything of a client for good, and return the backups that still hold them.

        Raises `UnknownClientError`, and `RefusedError` where the pseudonym is not confirmed or a session of theirs is running.
        """
        client = call.text("client")
        if call.body.pseudonym != client:
            raise RefusedError(f"To erase {client}, write {client} once more.")
        return await self._data_requests.erase(client, by=call.person.name)

    async def download(self, request: web.Request) -> web.Response:
        """Send everything of a client as a zip. Raises `UnknownClientError`, and `RequestError` where it cannot be made."""
        file = await self._data_requests.export(request.match_info["client"], by=person_of(request).name)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return web.Response(body=file.content, content_type="application/zip", headers=headers)

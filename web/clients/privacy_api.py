"""What a client may ask: the zip of everything, and that everything be erased."""

import asyncio
from pathlib import Path
from typing import Annotated

from aiohttp import web
import msgspec

from ...service.errors import RefusedError
from ...service.privacy.data_requests import DataRequests, ErasedClient
from ..http.endpoint import Call, Endpoint
from ..http.person import person_of


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Erase a client; the pseudonym once more, so that no slip of the hand does it."""

    pseudonym: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class PrivacyApi:
    """Handlers of export and erasure."""

    def __init__(self, data_requests: DataRequests) -> None:
        self._data_requests = data_requests

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
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
        """Return the address of the download."""
        return [web.get("/clients/{client}/export.zip", self.download, allow_head=False)]

    async def erase(self, call: Call) -> ErasedClient:
        """Erase a client."""
        client = call.text("client")
        if call.body.pseudonym != client:
            raise RefusedError(f"To erase {client}, write {client} once more.")
        return await self._data_requests.erase(client, by=call.person.name)

    async def download(self, request: web.Request) -> web.Response:
        """Send everything of a client as a zip."""
        file = await self._data_requests.export(request.match_info["client"], by=person_of(request).name)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return web.Response(body=await asyncio.to_thread(_taken, file), content_type="application/zip", headers=headers)


def _taken(file: Path) -> bytes:
    content = file.read_bytes()
    file.unlink()
    file.parent.rmdir()
    return content

"""The API of files that are brought to a client's page: each is read, shown, and added as a session or discarded."""

from urllib.parse import unquote

from ...service.uploads.models import Added, Choice, Upload
from ...service.uploads.uploads import Uploads
from ..http.endpoint import FILE_NAME, Call, Done, Endpoint


class UploadsApi:
    """Endpoints of the files that wait on clients' pages."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        all_, one = "/clients/{client}/uploads", "/clients/{client}/uploads/{upload}"
        return [
            Endpoint(
                method="GET",
                path=all_,
                handler=self.waiting,
                summary="The files that wait for a decision, oldest first.",
                answer=list[Upload],
                tag="clients",
            ),
            Endpoint(
                method="POST",
                path=all_,
                handler=self.receive,
                summary="Read a file of another program: it waits an hour for a decision, and nothing is stored before that.",
                answer=Upload,
                status=201,
                takes_file=True,
                refusals=(409,),
                tag="clients",
            ),
            Endpoint(
                method="POST",
                path=f"{one}/add",
                handler=self.add,
                summary="Add a file that waits as a session; asked again, the same one.",
                body=Choice,
                answer=Added,
                status=201,
                refusals=(409,),
                tag="clients",
            ),
            Endpoint(
                method="DELETE",
                path=one,
                handler=self.discard,
                summary="Erase a file that waits.",
                answer=Done,
                tag="clients",
            ),
        ]

    async def waiting(self, call: Call) -> list[Upload]:
        """Return the files that wait on a client's page. Raises `UnknownClientError`."""
        return await self._uploads.of_client(call.text("client"))

    async def receive(self, call: Call) -> Upload:
        """Receive and read a file.

        Raises `UnknownClientError`, `StorageError`, and `RefusedError` where it cannot become a session of this client.
        """
        content, name = call.request.content, unquote(call.request.headers.get(FILE_NAME, ""))
        return await self._uploads.receive(call.text("client"), name, content.iter_any(), size=call.request.content_length)

    async def add(self, call: Call) -> Added:
        """Add a file as a session.

        Raises `UnknownError` where it waits no longer, `UnconfirmedError` where its beats are stored already, `RefusedError`.
        """
        return await self._uploads.add(call.text("client"), call.text("upload"), call.body, by=call.person.name)

    async def discard(self, call: Call) -> None:
        """Erase a file. Raises `UnknownError` where it waits no longer."""
        await self._uploads.discard(call.text("client"), call.text("upload"))

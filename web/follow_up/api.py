"""The API of clients' own pages: links, follow-up answers, and the mail that asks for them."""

from typing import Annotated, Any

import msgspec

from ...service.follow_up.client_pages import ClientPages
from ...service.follow_up.mail_settings import MailSettings, Security
from ...service.follow_up.models import ClientLinks, LinkRequest, LinkRow, OpenFollowUps
from ..clients.api import LanguageCode, demand_language
from ..http.endpoint import Call, Done, Endpoint, Method

_Session = Annotated[int, msgspec.Meta(ge=1, le=10**15 - 1)]
_Sessions = Annotated[list[_Session], msgspec.Meta(max_length=500)]
_Line = Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Mailbox = Annotated[str, msgspec.Meta(min_length=3, max_length=200)]


class MakeLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A link to create."""

    sessions: Annotated[_Sessions, msgspec.Meta(description="The client's ended sessions that it shows.")] = []
    coming: Annotated[bool, msgspec.Meta(description="Whether it also shows future sessions.")] = True
    days: Annotated[int, msgspec.Meta(description="Days for which it is valid.", ge=1, le=365)] = 60
    language: Annotated[
        LanguageCode | None, msgspec.Meta(description="Language of the page; null: the one stored with the client's identity.")
    ] = None
    remind: Annotated[bool, msgspec.Meta(description="Whether reminders of follow-ups are sent, where mail can be sent.")] = True


class ChangeLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The sessions that a link shows, and whether it reminds, chosen for the client."""

    sessions: _Sessions
    coming: bool
    remind: bool


class MailSettingsRead(MailSettings, frozen=True, kw_only=True):
    """The mail settings in force."""

    has_password: Annotated[
        bool, msgspec.Meta(description="Whether there is a password; it is read when restbeat starts, and never shown.")
    ]


class WriteMailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Mail settings to store; fields that are left out return to their defaults."""

    public_address: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(
            description="Where clients reach their pages from outside, such as https://practice.example; null: nowhere."
        ),
    ] = None
    practice: Annotated[_Line | None, msgspec.Meta(description="Signature of the mails.")] = None
    host: Annotated[
        Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[A-Za-z0-9.:-]*$")] | None,
        msgspec.Meta(description="Host of the SMTP server; null: no mail is sent."),
    ] = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Security = "starttls"
    user: _Line | None = None
    sender: Annotated[_Mailbox | None, msgspec.Meta(description="Sender's address.")] = None


class TestMail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recipient of a test mail."""

    to: _Mailbox


class ClientPagesApi:
    """Endpoints of links, follow-ups and mail settings.

    Each that reads or changes a link raises `RequestError` where the key of the links cannot be used.
    """

    def __init__(self, client_pages: ClientPages) -> None:
        self._client_pages = client_pages

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        of_client, one, mail = "/clients/{client}/links", "/links/{link}", "/mail-settings"
        return [
            _on("GET", of_client, self.of_client, "A client's links and follow-ups; the audit log tells.", ClientLinks),
            _on(
                *("POST", of_client, self.make, "Make a link, where the client agrees to get one.", LinkRow),
                body=MakeLink,
                status=201,
                refusals=(409,),
            ),
            _on(
                *("PUT", one, self.choose, "Choose for the client what a link shows.", LinkRow),
                body=ChangeLink,
                refusals=(409,),
            ),
            _on("POST", f"{one}/revoke", self.revoke, "End a link.", LinkRow),
            _on("POST", f"{one}/mail", self.send, "Have a link sent to its client by mail.", LinkRow, refusals=(409,)),
            _on("GET", "/unanswered", self.unanswered, "Clients who were asked and have not answered.", list[OpenFollowUps]),
            _on(
                *("GET", mail, self.mail_settings, "Public address and mail server; the password is not told.", MailSettingsRead),
                admin=True,
                tag="settings",
            ),
            _on(
                *("PUT", mail, self.set_mail_settings, "Set them anew.", MailSettingsRead),
                body=WriteMailSettings,
                refusals=(409,),
                admin=True,
                tag="settings",
            ),
            _on(
                *("POST", f"{mail}/test", self.test_mail, "Send a mail now; a refusal says what the server said.", Done),
                body=TestMail,
                refusals=(409,),
                admin=True,
                tag="settings",
            ),
        ]

    async def of_client(self, call: Call) -> ClientLinks:
        """Return a client's links and follow-ups; the audit log notes it. Raises `UnknownClientError`."""
        return await self._client_pages.of_client(call.text("client"), by=call.person.name)

    async def make(self, call: Call) -> LinkRow:
        """Create a link.

        Raises `UnknownClientError`, and `RefusedError` where the client has not consented to it, has no such session, or has no
        pages in its language.
        """
        request = LinkRequest(**msgspec.structs.asdict(call.body))
        if request.language is not None:
            demand_language(request.language)
        return await self._client_pages.make(call.text("client"), request, by=call.person.name)

    async def choose(self, call: Call) -> LinkRow:
        """Choose for the client what a link shows.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over or would show nothing.
        """
        body: ChangeLink = call.body
        return await self._client_pages.choose(
            call.number("link"), set(body.sessions), coming=body.coming, remind=body.remind, by=call.person.name
        )

    async def revoke(self, call: Call) -> LinkRow:
        """Revoke a link. Raises `UnknownError` where there is no such link."""
        return await self._client_pages.revoke(call.number("link"), by=call.person.name)

    async def send(self, call: Call) -> LinkRow:
        """Queue a mail that sends a link to its client.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over or no mail can be sent.
        """
        return await self._client_pages.send(call.number("link"), by=call.person.name)

    async def unanswered(self, _: Call) -> list[OpenFollowUps]:
        """Return the clients who were asked and have not answered yet."""
        return list(await self._client_pages.unanswered())

    async def mail_settings(self, _: Call) -> MailSettingsRead:
        """Return the mail settings."""
        settings, has_password = await self._client_pages.mail_settings()
        return MailSettingsRead(**msgspec.structs.asdict(settings), has_password=has_password)

    async def set_mail_settings(self, call: Call) -> MailSettingsRead:
        """Store the mail settings. Raises `RefusedError` where the public address or the sender is malformed."""
        fields: dict[str, Any] = {name: value or None for name, value in msgspec.structs.asdict(call.body).items()}
        await self._client_pages.set_mail_settings(MailSettings(**fields), by=call.person.name)
        return await self.mail_settings(call)

    async def test_mail(self, call: Call) -> None:
        """Send a test mail now. Raises `RefusedError` with the server's answer where it does not accept the mail."""
        await self._client_pages.test_mail(call.body.to, by=call.person.name)


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, *, tag: str = "links", **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag=tag, **more)

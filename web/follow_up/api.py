"""The API of clients' own pages: links, what follow-ups have told, mail."""

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
    """A link to make."""

    sessions: Annotated[_Sessions, msgspec.Meta(description="Those of the client that it shows, beside those to come.")] = []
    coming: Annotated[bool, msgspec.Meta(description="Whether it shows sessions to come too.")] = True
    days: Annotated[int, msgspec.Meta(description="How long it opens anything.", ge=1, le=365)] = 60
    language: Annotated[
        LanguageCode | None, msgspec.Meta(description="Null: the client's own, as it is written down with who they are.")
    ] = None
    remind: Annotated[bool, msgspec.Meta(description="Whether mails remind of a follow-up, where mail can be sent.")] = True


class ChangeLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a link shall show, chosen for the client."""

    sessions: _Sessions
    coming: bool
    remind: bool


class MailSettingsRead(MailSettings, frozen=True, kw_only=True):
    """The settings as they are."""

    has_password: Annotated[bool, msgspec.Meta(description="It is read when restbeat starts, and is not shown.")]


class WriteMailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings to keep; what is left out becomes as it was at first."""

    public_address: Annotated[
        Annotated[str, msgspec.Meta(max_length=200)] | None,
        msgspec.Meta(description="Such as https://practice.example: clients' pages are found under it."),
    ] = None
    practice: Annotated[_Line | None, msgspec.Meta(description="How mails are signed.")] = None
    host: Annotated[
        Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[A-Za-z0-9.:-]*$")] | None,
        msgspec.Meta(description="Of the SMTP server; null: no mail is sent."),
    ] = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Security = "starttls"
    user: _Line | None = None
    sender: Annotated[_Mailbox | None, msgspec.Meta(description="The address that mails come from.")] = None


class TestMail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a test mail goes."""

    to: _Mailbox


class ClientPagesApi:
    """Handlers of the links."""

    def __init__(self, client_pages: ClientPages) -> None:
        self._client_pages = client_pages

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
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
        """Give everything about a client's own page."""
        return await self._client_pages.of_client(call.text("client"), by=call.person.name)

    async def make(self, call: Call) -> LinkRow:
        """Make a link."""
        wanted = LinkRequest(**msgspec.structs.asdict(call.body))
        if wanted.language is not None:
            demand_language(wanted.language)
        return await self._client_pages.make(call.text("client"), wanted, by=call.person.name)

    async def choose(self, call: Call) -> LinkRow:
        """Choose what a link shows."""
        body: ChangeLink = call.body
        return await self._client_pages.choose(
            call.number("link"), set(body.sessions), coming=body.coming, remind=body.remind, by=call.person.name
        )

    async def revoke(self, call: Call) -> LinkRow:
        """End a link."""
        return await self._client_pages.revoke(call.number("link"), by=call.person.name)

    async def send(self, call: Call) -> LinkRow:
        """Have a link sent."""
        return await self._client_pages.send(call.number("link"), by=call.person.name)

    async def unanswered(self, _: Call) -> list[OpenFollowUps]:
        """Give those who have not answered."""
        return list(await self._client_pages.unanswered())

    async def mail_settings(self, _: Call) -> MailSettingsRead:
        """Give the settings."""
        settings, has_password = await self._client_pages.mail_settings()
        return MailSettingsRead(**msgspec.structs.asdict(settings), has_password=has_password)

    async def set_mail_settings(self, call: Call) -> MailSettingsRead:
        """Keep the settings."""
        fields: dict[str, Any] = {name: value or None for name, value in msgspec.structs.asdict(call.body).items()}
        await self._client_pages.set_mail_settings(MailSettings(**fields), by=call.person.name)
        return await self.mail_settings(call)

    async def test_mail(self, call: Call) -> None:
        """Send a mail now."""
        await self._client_pages.test_mail(call.body.to, by=call.person.name)


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, *, tag: str = "links", **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag=tag, **more)

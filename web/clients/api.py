"""The API of the clients: pseudonyms, identities, consents and flags."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec

from ...service.clients.client_list import ClientsWanted
from ...service.clients.clients import Clients
from ...service.clients.consent_texts import TEXTS, Consent, Purpose
from ...service.clients.models import AuditRow, ClientRecord, ClientRow, ConsentRow, FlagRow, Identity
from ...service.errors import RefusedError
from ...service.listing import Page
from ...service.rendering.translations import languages
from ...service.sessions.models import SessionRow
from ...service.sessions.report_cache import SessionReports
from ...service.sessions.session_list import SessionsWanted
from ..http.endpoint import ROOT, Call, Endpoint, Method
from ..http.paging import Items, PageQuery, Search

_Pseudonym = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", max_length=40)]
LanguageCode = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$")]
_Line = Annotated[str, msgspec.Meta(max_length=200)]
_SearchText = Annotated[str, msgspec.Meta(min_length=2, max_length=80)]


class ClientsQuery(PageQuery, frozen=True, kw_only=True):
    """Which clients, and which page of them."""

    search: Annotated[Search, msgspec.Meta(description="Beginnings of the pseudonym's words; 14 finds M-014.")] = ""
    flagged: Annotated[bool, msgspec.Meta(description="Only clients with an open flag.")] = False
    worn: Annotated[
        str,
        msgspec.Meta(description="Straps' addresses, between commas: only clients who wore one of them last.", max_length=2000),
    ] = ""
    sort: Annotated[Literal["recent", "name"], msgspec.Meta(description="By last visit, or by pseudonym.")] = "recent"

    def wanted(self) -> ClientsWanted:
        """Return what is wanted of the list."""
        fields = msgspec.structs.asdict(self)
        worn = [address for address in fields.pop("worn").split(",") if address]
        return ClientsWanted(by_name=fields.pop("sort") == "name", worn=worn, **fields)


class NewClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client to create."""

    pseudonym: Annotated[_Pseudonym | None, msgspec.Meta(description="Null: the next free pseudonym.")] = None


class Pseudonym(msgspec.Struct, frozen=True):
    """A pseudonym that is free."""

    pseudonym: str


class Sought(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a name, an e-mail address or a phone number to search for."""

    name: _SearchText


class WriteIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client's identity; it is stored encrypted."""

    name: _Line | None = None
    email: _Line | None = None
    phone: _Line | None = None
    language: LanguageCode = "en"
    note: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    new_key: Annotated[
        bool,
        msgspec.Meta(
            description="True: the key is lost for good, make a new one. What the old key encrypted stays unreadable without it."
        ),
    ] = False


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent that a client gives."""

    purpose: Purpose


class ClientFull(ClientRecord, frozen=True, kw_only=True):
    """A client's whole record except their identity."""

    sessions: Annotated[list[SessionRow], msgspec.Meta(description="The newest ones, newest first.")]
    more_sessions: Annotated[
        str | None, msgspec.Meta(description="Path of the next page of their sessions; null where these are all.")
    ] = None


async def full_client(clients: Clients, reports: SessionReports, client: str, *, by: str) -> ClientFull:
    """Return a client's record with their sessions; the audit log says who viewed it. Raises `UnknownClientError`."""
    record = await clients.client(client, by=by)
    page = await reports.sessions(SessionsWanted(client=client))
    more = f"{ROOT}/sessions?{urlencode({'client': client, 'after': page.next})}" if page.next else None
    return ClientFull(**msgspec.structs.asdict(record), sessions=list(page.rows), more_sessions=more)


class ClientsApi:
    """Endpoints of the clients."""

    def __init__(self, clients: Clients, reports: SessionReports) -> None:
        self._clients = clients
        self._reports = reports

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        one = "/clients/{client}"
        return [
            _on(
                "GET",
                "/clients",
                self.clients,
                "The clients, those of late first, in pages.",
                Items[ClientRow],
                query=ClientsQuery,
            ),
            _on("POST", "/clients", self.add, "Make a client.", ClientRow, body=NewClient, status=201, refusals=(409,)),
            _on("GET", "/next-pseudonym", self.next_pseudonym, "The next free pseudonym.", Pseudonym),
            _on(
                *("POST", "/client-search", self.find, "Clients by a part of their name; the audit log tells whose was opened."),
                list[ClientRow],
                body=Sought,
                refusals=(409,),
            ),
            _on("GET", "/consent-texts", self.texts, "What clients are asked to agree to.", list[Consent]),
            _on("GET", one, self.client, "Everything of a client but who they are; the audit log tells.", ClientFull),
            _on(
                *("GET", f"{one}/identity", self.identity, "Who a client is; the audit log tells.", Identity),
                refusals=(409,),
            ),
            _on(
                *("PUT", f"{one}/identity", self.set_identity, "Keep who a client is, encrypted.", Identity),
                body=WriteIdentity,
                refusals=(409,),
            ),
            _on("POST", f"{one}/flags/{{flag}}/seen", self.seen, "A flag was minded.", FlagRow),
            _on("GET", f"{one}/consents", self.consents, "Every consent of a client, newest first.", list[ConsentRow]),
            _on("POST", f"{one}/consents", self.agree, "Note that a client agrees.", ConsentRow, body=Agreed, status=201),
            _on(
                *("POST", f"{one}/consents/{{consent}}/withdraw", self.withdraw),
                "Note that a client takes a consent back: that to record ends a running session, that to share every link.",
                ConsentRow,
            ),
            _on("GET", f"{one}/audit", self.audit, "Who did or saw what of a client, newest first.", list[AuditRow]),
        ]

    async def clients(self, call: Call) -> Page[ClientRow]:
        """Return a page of the clients that match the filter, most recent first."""
        return await self._clients.clients(call.query.wanted())

    async def add(self, call: Call) -> ClientRow:
        """Create a client. Raises `RefusedError` where the pseudonym is invalid or in use."""
        return await self._clients.add(call.body.pseudonym, by=call.person.name)

    async def next_pseudonym(self, _: Call) -> Pseudonym:
        """Return the next free pseudonym."""
        return Pseudonym(await self._clients.next_pseudonym())

    async def find(self, call: Call) -> list[ClientRow]:
        """Return the clients whose identity matches. Raises `RefusedError` where identities cannot be decrypted."""
        return list(await self._clients.find(call.body.name, by=call.person.name))

    async def texts(self, _: Call) -> list[Consent]:
        """Return the texts of the consents."""
        return list(TEXTS)

    async def client(self, call: Call) -> ClientFull:
        """Return a client's record; the audit log notes it. Raises `UnknownClientError`."""
        return await full_client(self._clients, self._reports, call.text("client"), by=call.person.name)

    async def identity(self, call: Call) -> Identity:
        """Return a client's identity; the audit log notes it.

        Raises `UnknownClientError`, and `RefusedError` where it cannot be decrypted.
        """
        return await self._clients.identity(call.text("client"), by=call.person.name)

    async def set_identity(self, call: Call) -> Identity:
        """Store a client's identity, encrypted, and return it.

        Raises `UnknownClientError`, and `RefusedError` where it cannot be encrypted or clients have no pages in its language.
        """
        body: WriteIdentity = call.body
        demand_language(body.language)
        identity = Identity(
            name=_stripped(body.name),
            email=_stripped(body.email),
            phone=_stripped(body.phone),
            language=body.language,
            note=_stripped(body.note),
        )
        await self._clients.set_identity(call.text("client"), identity, new_key=body.new_key, by=call.person.name)
        return identity

    async def seen(self, call: Call) -> FlagRow:
        """Record that a flag was acted on. Raises `UnknownClientError`, and `UnknownError` where there is no such flag."""
        return await self._clients.seen(call.text("client"), call.number("flag"), by=call.person.name)

    async def consents(self, call: Call) -> list[ConsentRow]:
        """Return a client's consents, newest first. Raises `UnknownClientError`."""
        return (await self._clients.client(call.text("client"), by=call.person.name)).consents

    async def agree(self, call: Call) -> ConsentRow:
        """Record that a client gives a consent. Raises `UnknownClientError`."""
        return await self._clients.agree(call.text("client"), call.body.purpose, by=call.person.name)

    async def withdraw(self, call: Call) -> ConsentRow:
        """Record that a client withdraws a consent.

        Raises `UnknownClientError`, and `UnknownError` where there is no such consent.
        """
        return await self._clients.withdraw(call.text("client"), call.number("consent"), by=call.person.name)

    async def audit(self, call: Call) -> list[AuditRow]:
        """Return a client's entries in the audit log, newest first. Raises `UnknownClientError`."""
        return list(await self._clients.audit(call.text("client"), by=call.person.name))


def _stripped(text: str | None) -> str | None:
    return (text or "").strip() or None


def _on(method: Method, path: str, handler: Any, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Endpoint(method=method, path=path, handler=handler, summary=summary, answer=answer, tag="clients", **more)


def demand_language(language: str) -> None:
    """Require a language in which there are pages for clients. Raises `RefusedError` for any other."""
    if language not in languages():
        raise RefusedError(f"There are no pages in {language}; there are {', '.join(languages())}.")

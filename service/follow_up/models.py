"""A client's own page, its links, follow-ups and mails, as the pages ask for them; `service` answers."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

import msgspec

from ...analysis.course.follow_up_windows import Slot, State
from ..errors import RequestError

Sleep = Literal["worse", "usual", "better"]
Done = Literal["heat", "cold", "exercise", "tai-chi-yoga", "mindfulness", "medication"]
Relief = Literal["none", "hours", "half_day", "day", "lasts"]
"""How long relief lasted, as it is asked."""

DONE: Final[tuple[Done, ...]] = get_args(Done)
RELIEF_H: Final[dict[Relief, float]] = {"none": 0.0, "hours": 3.0, "half_day": 12.0, "day": 24.0}
"""What it is kept as; where it lasts still, as the time from the session to the answer."""


class LinkRefusedError(RequestError):
    """The link opens nothing, or not this; why is told to nobody who only holds the link."""


class LateError(RequestError):
    """A follow-up cannot be answered now: it was answered, is not open yet, or is closed; `state` tells which."""

    def __init__(self, state: State) -> None:
        super().__init__(f"This follow-up is {state}.")
        self.state = state


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a client tells a day or two after a session."""

    pain: Annotated[int, msgspec.Meta(ge=0, le=10)]
    sleep: Sleep | None = None
    relief: Relief | None = None
    done: list[Done] = []
    note: str | None = None


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One slot of a session, and its answers if there are some."""

    session: int
    slot: Annotated[Slot, msgspec.Meta(description="24 or 48 hours after the end.")]
    state: State
    opens_utc: datetime
    due_utc: datetime
    closes_utc: datetime
    answers: Answers | None = None
    relief_h: Annotated[
        float | None, msgspec.Meta(description='How long relief lasted; at least so long, where `answers.relief` is "lasts".')
    ] = None
    answered_utc: str | None = None


class LinkedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that has ended, as a link may show it."""

    session: int
    started_utc: str
    kind: str
    shown: bool
    follow_ups: list[FollowUp]


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to a client."""

    session: Annotated[int | None, msgspec.Meta(description="None: the link itself.")]
    slot: Slot | None
    state: Annotated[
        Literal["waiting", "sending", "sent", "unsure", "failed"],
        msgspec.Meta(
            description=(
                "Unsure: the program was ended, or the server fell silent, while it was being sent; it is not sent twice."
            )
        ),
    ]
    at_utc: Annotated[str, msgspec.Meta(description="When it was sent or given up, else when it is tried next.")]
    tries: int
    trouble: str | None


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One link, as a therapist sees it."""

    link: int
    address: Annotated[
        str,
        msgspec.Meta(
            description=(
                "Whole where the practice has set its public address, else from the first slash on; empty where it is over."
            )
        ),
    ]
    state: Literal["live", "expired", "revoked"]
    made_utc: str
    made_by: str
    expires_utc: str
    revoked_utc: str | None
    revoked_by: str | None
    language: str
    coming: Annotated[bool, msgspec.Meta(description="Whether it shows sessions to come too.")]
    remind: Annotated[bool, msgspec.Meta(description="Whether mails remind of a follow-up that is due.")]
    sessions: Annotated[list[int], msgspec.Meta(description="Those it shows now.")]
    offered: Annotated[list[int], msgspec.Meta(description="Those it may show; the client may hide some.")]
    opened_utc: str | None
    uses: int
    mails: list[MailRow]


class ClientLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a client's own page."""

    client: str
    may_share: Annotated[bool, msgspec.Meta(description="Whether the client agrees to get a link.")]
    mail: Annotated[
        Literal["ready", "no server", "no address"],
        msgspec.Meta(
            description=(
                'Whether mails can be sent to the client; "no address": no e-mail is written down, or it cannot be opened.'
            )
        ),
    ]
    public: Annotated[str | None, msgspec.Meta(description="Where the practice is reached from outside.")]
    links: Annotated[list[LinkRow], msgspec.Meta(description="Those that are live first, then newest first.")]
    sessions: Annotated[list[LinkedSession], msgspec.Meta(description="Every session that has ended, newest first.")]


class OpenFollowUps(msgspec.Struct, frozen=True, kw_only=True):
    """A client who was asked and has not answered."""

    client: str
    open: Annotated[int, msgspec.Meta(description="Follow-ups that can be answered now.")]
    missed: Annotated[int, msgspec.Meta(description="Closed without an answer in the last fourteen days.")]


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a link shall be."""

    sessions: Collection[int]
    coming: bool
    days: int
    language: str | None
    """None: the client's own, as far as it is written down."""
    remind: bool


class OpenedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a link opens."""

    link: int
    path: str
    """Of the page, from the first slash on."""
    address: str
    """Of the page, for other devices; as `path` where no public address is set."""
    language: str
    expires_utc: str
    coming: bool
    remind: bool
    mail: bool
    """Whether mails can be sent at all."""
    sessions: list[LinkedSession]
    """Those it may show, newest first."""


def shown_of(page: OpenedPage) -> list[LinkedSession]:
    """The sessions that a page shows, newest first."""
    return [session for session in page.sessions if session.shown]


def session_on(page: OpenedPage, session: int) -> LinkedSession:
    """A session that a page may show. Raises `LinkRefusedError` where it is not on it."""
    for shown in page.sessions:
        if shown.session == session:
            return shown
    raise LinkRefusedError


def current_on(page: OpenedPage, session: int | None) -> LinkedSession | None:
    """What a page shows first: the session that is wanted, else that about which something is asked now, else the newest.

    Raises `LinkRefusedError` where what is wanted is not on it.
    """
    asked, shown = asked_now(page), shown_of(page)
    wanted = session or (asked.session if asked else None)
    return session_on(page, wanted) if wanted else shown[0] if shown else None


def asked_now(page: OpenedPage) -> FollowUp | None:
    """The follow-up that waits for an answer, the newest where there are several."""
    return next((slot for session in shown_of(page) for slot in reversed(session.follow_ups) if slot.state == "open"), None)

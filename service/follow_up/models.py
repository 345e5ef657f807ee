"""Models of a client's own page: its links, follow-ups and mails."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Final, Literal, get_args

import msgspec

from ...analysis.course.follow_up_windows import Slot, State
from ..errors import RequestError

Sleep = Literal["worse", "usual", "better"]
Done = Literal["heat", "cold", "exercise", "tai-chi-yoga", "mindfulness", "medication"]
Relief = Literal["none", "hours", "half_day", "day", "lasts"]
"""How long relief lasted, as the client answers."""

DONE: Final[tuple[Done, ...]] = get_args(Done)
RELIEF_H: Final[dict[Relief, float]] = {"none": 0.0, "hours": 3.0, "half_day": 12.0, "day": 24.0}
"""Stored length of relief in h; where it still lasts, the time from the session to the answer is stored."""


class LinkRefusedError(RequestError):
    """The link opens nothing, or not this; the reason is not revealed to the holder of the link."""


class LateError(RequestError):
    """A follow-up cannot be answered now; `state` says whether it was answered, is not open yet, or is closed."""

    def __init__(self, state: State) -> None:
        super().__init__(f"This follow-up is {state}.")
        self.state = state


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """A client's answers one or two days after a session."""

    pain: Annotated[int, msgspec.Meta(ge=0, le=10)]
    sleep: Sleep | None = None
    relief: Relief | None = None
    done: list[Done] = []
    note: str | None = None


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """One follow-up of a session, with its answers where there are any."""

    session: int
    slot: Annotated[Slot, msgspec.Meta(description="24 or 48: hours after the session's end.")]
    state: State
    opens_utc: datetime
    due_utc: datetime
    closes_utc: datetime
    answers: Answers | None = None
    relief_h: Annotated[
        float | None, msgspec.Meta(description='How long relief lasted in h; a lower bound where `answers.relief` is "lasts".')
    ] = None
    answered_utc: str | None = None


class LinkedSession(msgspec.Struct, frozen=True, kw_only=True):
    """An ended session, as a link may show it."""

    session: int
    started_utc: str
    kind: str
    shown: bool
    follow_ups: list[FollowUp]


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to a client."""

    session: Annotated[int | None, msgspec.Meta(description="None where the mail holds the link itself.")]
    slot: Slot | None
    state: Annotated[
        Literal["waiting", "sending", "sent", "unsure", "failed"],
        msgspec.Meta(
            description=(
                "Unsure: the program ended, or the server stopped answering, while the mail was being sent; it is not sent again."
            )
        ),
    ]
    at_utc: Annotated[str, msgspec.Meta(description="When it was sent or given up, else when the next try is.")]
    tries: int
    trouble: str | None


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A link, as a therapist sees it."""

    link: int
    address: Annotated[
        str,
        msgspec.Meta(
            description=("Full URL where the practice has set its public address, else the path; empty where the link is over.")
        ),
    ]
    state: Literal["live", "expired", "revoked"]
    made_utc: str
    made_by: str
    expires_utc: str
    revoked_utc: str | None
    revoked_by: str | None
    language: str
    coming: Annotated[bool, msgspec.Meta(description="Whether it shows later sessions too.")]
    remind: Annotated[bool, msgspec.Meta(description="Whether mail reminders of due follow-ups are sent.")]
    sessions: Annotated[list[int], msgspec.Meta(description="Sessions that it shows.")]
    offered: Annotated[list[int], msgspec.Meta(description="Sessions that it may show; the client may hide some.")]
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
            description=('Whether mails can be sent to the client; "no address": no e-mail is stored, or it cannot be decrypted.')
        ),
    ]
    public: Annotated[str | None, msgspec.Meta(description="Public address of the practice; None where none is set.")]
    links: Annotated[list[LinkRow], msgspec.Meta(description="Live links first, then newest first.")]
    sessions: Annotated[list[LinkedSession], msgspec.Meta(description="Every ended session, newest first.")]


class OpenFollowUps(msgspec.Struct, frozen=True, kw_only=True):
    """A client with follow-ups that are not answered."""

    client: str
    open: Annotated[int, msgspec.Meta(description="Follow-ups that can be answered now.")]
    missed: Annotated[int, msgspec.Meta(description="Follow-ups closed without an answer in the last 14 days.")]


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Request for a new link."""

    sessions: Collection[int]
    coming: bool
    days: int
    language: str | None
    """None for the client's own, where it is stored."""
    remind: bool


class OpenedPage(msgspec.Struct, frozen=True, kw_only=True):
    """The page that a link opens."""

    link: int
    path: str
    """Path of the page, from the first slash on."""
    address: str
    """URL of the page; as `path` where no public address is set."""
    language: str
    expires_utc: str
    coming: bool
    remind: bool
    mail: bool
    """Whether the practice can send mails."""
    sessions: list[LinkedSession]
    """Sessions that it may show, newest first."""


def visible_sessions(page: OpenedPage) -> list[LinkedSession]:
    """Return the sessions that a page shows, newest first."""
    return [session for session in page.sessions if session.shown]


def session_of_page(page: OpenedPage, session: int) -> LinkedSession:
    """Return a session that a page may show. Raises `LinkRefusedError` where it may not."""
    for candidate in page.sessions:
        if candidate.session == session:
            return candidate
    raise LinkRefusedError


def initial_session(page: OpenedPage, session: int | None) -> LinkedSession | None:
    """Return the session that a page shows first; None where it shows none.

    That is `session` where given, else the one with an open follow-up, else the newest.
    Raises `LinkRefusedError` where the page may not show `session`.
    """
    follow_up, visible = open_follow_up(page), visible_sessions(page)
    number = session or (follow_up.session if follow_up else None)
    return session_of_page(page, number) if number else visible[0] if visible else None


def open_follow_up(page: OpenedPage) -> FollowUp | None:
    """Return the newest follow-up that can be answered now; None where there is none."""
    return next(
        (slot for session in visible_sessions(page) for slot in reversed(session.follow_ups) if slot.state == "open"), None
    )

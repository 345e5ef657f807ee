"""Filters of live messages: a therapist sees all, a grid that hides clients no names, a client's screen no name and no figure."""

from collections.abc import Callable
from math import log2
from typing import Final

from aiohttp import web
import msgspec

from ...service.rooms.messages import ClientFrame, Heartbeat, RoomState, ServerMessage, Snapshot, Update

MessageFilter = Callable[[ServerMessage], ServerMessage | None]
"""Returns the message to send in place of another; None to send nothing."""

HIDE_COOKIE: Final = "restbeat-hide"
"""Cookie of a browser that hides clients' names."""
HIDE_COOKIE_SET: Final = "yes"
"""Value of that cookie while names are hidden."""
_STEPS_PER_DOUBLING: Final = 20
_RESPONSE_PHASES: Final = frozenset({"massage", "recovery"})


def hides_clients(request: web.Request) -> bool:
    """Return whether the browser that sent a request hides clients' names."""
    return request.cookies.get(HIDE_COOKIE) == HIDE_COOKIE_SET


def filter_for(room: str | None, view: str | None, *, hides: bool) -> MessageFilter:
    """Return the filter for a browser that watches `room` (None: all rooms).

    `view` comes from its address ("client" for the client's screen), `hides` from its cookie. A room's own page always names
    its client.
    """
    if view == "client":
        return for_client_screen
    return without_client_names if room is None and hides else unfiltered


def unfiltered(message: ServerMessage) -> ServerMessage:
    """Return a message as it is, for a therapist."""
    return message


def without_client_names(message: ServerMessage) -> ServerMessage:
    """Return a message without the client's name, for a grid that hides clients."""
    if isinstance(message, Snapshot | Update):
        return msgspec.structs.replace(message, state=msgspec.structs.replace(message.state, client=None))
    return message


def for_client_screen(message: ServerMessage) -> ServerMessage | None:
    """Return the message for the client's own screen; None for one that it does not need."""
    match message:
        case Snapshot() | Update():
            return client_frame(message.state)
        case Heartbeat():
            return Heartbeat(None)
        case _:
            return None


def client_frame(state: RoomState) -> ClientFrame:
    """Return what the client's own screen shows. A notice about pain silences all of it."""
    view, in_pain = state.client_view, state.notice is not None
    paced = view.pacer and state.phase == "recovery" and not in_pain
    return ClientFrame(
        field=view.field,
        tone=view.tone,
        level=None if in_pain else relaxation_level(state),
        pace_per_min=view.pace_per_min if paced else None,
        pacer_sound=view.pacer_sound,
    )


def relaxation_level(state: RoomState) -> float | None:
    """Return RMSSD against the baseline in doublings, from -1 (half) to 1 (double), in steps of 0.05; None where unknown."""
    if state.signal != "good" or state.phase not in _RESPONSE_PHASES or state.change_pct is None:
        return None
    ratio = min(max(1 + state.change_pct / 100, 0.5), 2.0)
    return round(_STEPS_PER_DOUBLING * log2(ratio)) / _STEPS_PER_DOUBLING

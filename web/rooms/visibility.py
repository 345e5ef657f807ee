"""What of a room is told to whom: all of it, all but names to a grid that hides clients, neither name nor figure to a client."""

from collections.abc import Callable
from math import log2
from typing import Final

from aiohttp import web
import msgspec

from ...service.rooms.messages import ClientFrame, Heartbeat, RoomState, ServerMessage, Snapshot, Update

MessageFilter = Callable[[ServerMessage], ServerMessage | None]
"""Gives what is sent in a message's place; None: nothing."""

HIDE_COOKIE: Final = "restbeat-hide"
"""Cookie of a browser that hides clients' names,"""
HIDE_COOKIE_SET: Final = "yes"
"""with this in it while it does."""
_STEPS: Final = 20
_FOLLOWED: Final = frozenset({"massage", "recovery"})


def hides_clients(request: web.Request) -> bool:
    """Whether this browser is one that hides clients' names."""
    return request.cookies.get(HIDE_COOKIE) == HIDE_COOKIE_SET


def filter_for(room: str | None, view: str | None, *, hides: bool) -> MessageFilter:
    """How to tell a browser that watches `room`, as its address and its cookie ask for; a room's own page names its client."""
    if view == "client":
        return for_client_screen
    return without_client_names if room is None and hides else unfiltered


def unfiltered(message: ServerMessage) -> ServerMessage:
    """For a therapist."""
    return message


def without_client_names(message: ServerMessage) -> ServerMessage:
    """For a grid that hides whose sessions these are."""
    if isinstance(message, Snapshot | Update):
        return msgspec.structs.replace(message, state=msgspec.structs.replace(message.state, client=None))
    return message


def for_client_screen(message: ServerMessage) -> ServerMessage | None:
    """For the client's own screen."""
    match message:
        case Snapshot() | Update():
            return client_frame(message.state)
        case Heartbeat():
            return Heartbeat(None)
        case _:
            return None


def client_frame(state: RoomState) -> ClientFrame:
    """What the client's own screen is to show. Pain silences all of it."""
    view, pained = state.client_view, state.notice is not None
    paced = view.pacer and state.phase == "recovery" and not pained
    return ClientFrame(
        field=view.field,
        tone=view.tone,
        level=None if pained else relaxation_level(state),
        pace_per_min=view.pace_per_min if paced else None,
        pacer_sound=view.pacer_sound,
    )


def relaxation_level(state: RoomState) -> float | None:
    """Where RMSSD stands: -1 at half the baseline, 0 at it, 1 at its double, in steps of 0.05; None where that is unknown."""
    if state.signal != "good" or state.phase not in _FOLLOWED or state.change_pct is None:
        return None
    ratio = min(max(1 + state.change_pct / 100, 0.5), 2.0)
    return round(_STEPS * log2(ratio)) / _STEPS

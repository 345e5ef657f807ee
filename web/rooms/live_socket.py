"""The live socket. Each browser has a sender task of its own, so that a stalled one does not delay the others."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
import logging
from typing import Final

from aiohttp import WSMsgType, web
import msgspec

from ...service.rooms.live_feed import LiveFeed, Subscriber
from ...service.rooms.messages import Ask, Heartbeat, ServerMessage
from .socket_limits import SocketLimits
from .visibility import MessageFilter, filter_for, hides_clients

_LOG = logging.getLogger(__name__)
_MAX_REQUEST_BYTES: Final = 4096
"""Limit of a message from a browser, which sends nothing but `Ask`."""
_CLOSE_S: Final = 1.0
_CLOCK_TOLERANCE_S: Final = 1e-3
"""A timer may fire a tick of the loop's clock too early; a loop that then waited again would miss it."""
_MAX_PENDING_BYTES: Final = 1 << 14
"""Bytes pending for a browser up to which a frame is written without a timeout; asyncio and aiohttp pause at 64 KiB."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often messages are sent to a browser, and how long it may stall."""

    frame_s: float = 0.1
    """Least time between two frames of one room, s; the first is sent at once, news within this time is merged."""
    heartbeat_s: float = 10.0
    """Time between two heartbeats, s."""
    send_s: float = 10.0
    """Time after which a browser that accepts no data is disconnected, s."""


class LiveSocket:
    """Handler of `/live`, with `?room=` for one room alone and `&view=client` for the screen of its client."""

    def __init__(
        self,
        live_feed: LiveFeed,
        adapter_problem: Callable[[], str | None],
        pace: Pace,
        is_allowed: Callable[[web.Request], bool],
        limits: SocketLimits | None = None,
    ) -> None:
        """Take the live feed to send, what each socket checks, and how many there may be (None: the default).

        `adapter_problem` returns the sentence about the Bluetooth adapter for the heartbeat, None where all is well.
        `is_allowed` returns whether the login of a socket's request is still valid; it is called before each message.
        """
        self._live_feed = live_feed
        self._is_allowed = is_allowed
        self._adapter_problem = adapter_problem
        self._pace = pace
        self._limits = limits or SocketLimits()
        self._open: set[web.WebSocketResponse] = set()
        self._encoder = msgspec.json.Encoder()
        self._last: tuple[ServerMessage, bytes] | None = None

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one browser until it disconnects, unless too many are served."""
        with self._limits.held(request):
            return await self._serve(request)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=_MAX_REQUEST_BYTES, timeout=_CLOSE_S, heartbeat=2 * self._pace.heartbeat_s
        )
        await socket.prepare(request)
        room = request.query.get("room")
        subscriber = self._live_feed.subscribe(room, self._pace.frame_s)
        filtered = filter_for(room, request.query.get("view"), hides=hides_clients(request))
        sender = asyncio.create_task(self._send(request, socket, subscriber, filtered), name="live socket")
        self._open.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    with suppress(msgspec.MsgspecError):
                        subscriber.request_snapshot(msgspec.json.decode(message.data, type=Ask).room)
        finally:
            self._open.discard(socket)
            self._live_feed.unsubscribe(subscriber)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Close the sockets of all browsers (1001, going away)."""
        await asyncio.gather(*(socket.close(code=1001) for socket in list(self._open)), return_exceptions=True)

    async def _send(
        self, request: web.Request, socket: web.WebSocketResponse, subscriber: Subscriber, filtered: MessageFilter
    ) -> None:
        loop = asyncio.get_running_loop()

        async def send(message: ServerMessage) -> None:
            permitted = filtered(message)
            if permitted is None:
                return
            if not self._is_allowed(request):
                raise _LoggedOutError
            frame = self._encoded(permitted)
            if _can_write_at_once(request, len(frame)):
                await socket.send_frame(frame, WSMsgType.TEXT)
                return
            async with asyncio.timeout(self._pace.send_s):
                await socket.send_frame(frame, WSMsgType.TEXT)

        try:
            for message in subscriber.take(loop.time()):
                await send(message)
            while True:
                await send(Heartbeat(self._adapter_problem()))
                until = loop.time() + self._pace.heartbeat_s
                with _waking(subscriber, until):
                    while until - loop.time() > _CLOCK_TOLERANCE_S:
                        if (due := subscriber.due_s()) < until:
                            with _waking(subscriber, due):
                                await subscriber.wait()
                        else:
                            await subscriber.wait()
                        for message in subscriber.take(loop.time()):
                            await send(message)
        except TimeoutError:
            _LOG.info("A browser accepted no data for %g s; its socket was closed.", self._pace.send_s)
            _abort(request)
        except (ConnectionError, _LoggedOutError):
            _abort(request)

    def _encoded(self, message: ServerMessage) -> bytes:
        """Return a message as JSON; many browsers in a row are sent the same one, so the last is kept."""
        if self._last is None or self._last[0] is not message:
            self._last = message, self._encoder.encode(message)
        return self._last[1]


@contextmanager
def _waking(subscriber: Subscriber, at_s: float) -> Iterator[None]:
    """Wake the task that waits for the subscriber at a time of the loop's clock."""
    handle = asyncio.get_running_loop().call_at(at_s, subscriber.wake)
    try:
        yield
    finally:
        handle.cancel()


def _can_write_at_once(request: web.Request, size: int) -> bool:
    """Return whether that many bytes can be written without waiting: a timeout around each frame cost a third of its time."""
    return request.transport is not None and request.transport.get_write_buffer_size() + size <= _MAX_PENDING_BYTES


class _LoggedOutError(Exception):
    """The login that opened the socket is no longer valid."""


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()

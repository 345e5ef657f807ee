"""The live socket: one sender task a browser, so that a stalled reader holds up nobody."""

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
from .visibility import Telling, hides_clients, telling_of

_LOG = logging.getLogger(__name__)
_LARGEST_REQUEST: Final = 4096
"""Bytes; a browser sends nothing but `Ask`."""
_CLOSE_S: Final = 1.0
_CLOCK_S: Final = 1e-3
"""A timer may ring a tick of the loop's clock too early: what waits again then would miss it."""
_AT_ONCE: Final = 1 << 14
"""Bytes that wait for a browser up to which the next may be written: asyncio and aiohttp pause a writer at 64 KiB."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a browser is told, and how long it may stall."""

    frame_s: float = 0.1
    """Least time between two frames of one room: the first news goes at once, what follows within this time is conflated."""
    heartbeat_s: float = 10.0
    send_s: float = 10.0
    """A browser that takes no byte for so long is dropped."""


class LiveSocket:
    """Serves `/live`, with `?room=` for one room alone, and `&view=client` for what its client may see."""

    def __init__(self, hub: LiveFeed, adapter: Callable[[], str | None], pace: Pace, may: Callable[[web.Request], bool]) -> None:
        """`adapter` gives the sentence for the heartbeat, None where all is well; `may`: whether a login still holds."""
        self._hub = hub
        self._may = may
        self._adapter = adapter
        self._pace = pace
        self._open: set[web.WebSocketResponse] = set()
        self._encoder = msgspec.json.Encoder()
        self._last: tuple[ServerMessage, bytes] | None = None

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one browser until it leaves."""
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=_LARGEST_REQUEST, timeout=_CLOSE_S, heartbeat=2 * self._pace.heartbeat_s
        )
        await socket.prepare(request)
        room = request.query.get("room")
        slot = self._hub.subscribe(room, self._pace.frame_s)
        telling = telling_of(room, request.query.get("view"), hides=hides_clients(request))
        sender = asyncio.create_task(self._send(request, socket, slot, telling), name="live socket")
        self._open.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    with suppress(msgspec.MsgspecError):
                        slot.request_snapshot(msgspec.json.decode(message.data, type=Ask).room)
        finally:
            self._open.discard(socket)
            self._hub.unsubscribe(slot)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Tell every browser that the server goes."""
        await asyncio.gather(*(socket.close(code=1001) for socket in list(self._open)), return_exceptions=True)

    async def _send(self, request: web.Request, socket: web.WebSocketResponse, slot: Subscriber, telling: Telling) -> None:
        loop = asyncio.get_running_loop()

        async def send(message: ServerMessage) -> None:
            told = telling(message)
            if told is None:
                return
            if not self._may(request):
                raise _LoggedOutError
            frame = self._encoded(told)
            if _takes_at_once(request, len(frame)):
                await socket.send_frame(frame, WSMsgType.TEXT)
                return
            async with asyncio.timeout(self._pace.send_s):
                await socket.send_frame(frame, WSMsgType.TEXT)

        try:
            for message in slot.take(loop.time()):
                await send(message)
            while True:
                await send(Heartbeat(self._adapter()))
                until = loop.time() + self._pace.heartbeat_s
                with _alarm(until, slot):
                    while until - loop.time() > _CLOCK_S:
                        if (due := slot.due_s()) < until:
                            with _alarm(due, slot):
                                await slot.wait()
                        else:
                            await slot.wait()
                        for message in slot.take(loop.time()):
                            await send(message)
        except TimeoutError:
            _LOG.info("A browser took nothing for %g s; its socket is dropped.", self._pace.send_s)
            _abort(request)
        except (ConnectionError, _LoggedOutError):
            _abort(request)

    def _encoded(self, message: ServerMessage) -> bytes:
        """The message as JSON; twenty browsers in a row are told the same one."""
        if self._last is None or self._last[0] is not message:
            self._last = message, self._encoder.encode(message)
        return self._last[1]


@contextmanager
def _alarm(at_s: float, slot: Subscriber) -> Iterator[None]:
    """Wake who waits for the slot at a moment of the loop's clock."""
    handle = asyncio.get_running_loop().call_at(at_s, slot.wake)
    try:
        yield
    finally:
        handle.cancel()


def _takes_at_once(request: web.Request, size: int) -> bool:
    """Whether the connection takes so many bytes without waiting: a timer around each frame cost a third of it."""
    return request.transport is not None and request.transport.get_write_buffer_size() + size <= _AT_ONCE


class _LoggedOutError(Exception):
    """The login with which the socket was opened is over."""


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()

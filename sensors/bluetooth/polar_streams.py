"""The streams that a Polar strap offers beside the heart rate, started and stopped over Bleak; used through `scanner`.

None of them may cost the heart rate: whatever the strap refuses or leaves unanswered, the connection goes on without it.
"""

import asyncio
from collections.abc import Callable
import logging

from bleak import BleakClient

from ..errors import PayloadError
from ..protocols.polar_control import (
    ALREADY_IN_STATE,
    OK,
    ControlReply,
    Settings,
    parse_features,
    parse_reply,
    parse_settings,
    settings_command,
    start_command,
    stop_command,
)
from ..protocols.polar_frames import Stream
from ..recordings.recording import PMD_CONTROL, PMD_DATA

_LOG = logging.getLogger(__name__)
_START_S, _STOP_S = 5.0, 0.7
"""Time limits in s: for starting all streams, and for stopping each."""
_ACC_HZ = 25


class PolarStreams:
    """The streams of one connection to a strap that may be a Polar."""

    def __init__(self, client: BleakClient, on_data: Callable[[bytes], None], *, acquire_notify: bool = False) -> None:
        self._client = client
        self._on_data = on_data
        self._acquire_notify = acquire_notify
        self._indications: asyncio.Queue[bytes] = asyncio.Queue()
        self._start_requested: list[Stream] = []
        """Streams that were commanded to start, whether or not the strap has confirmed it."""

    @property
    def offered(self) -> bool:
        """Whether the strap has Polar's measurement service."""
        return all(self._client.services.get_characteristic(uuid) for uuid in (PMD_CONTROL, PMD_DATA))

    async def start(self) -> None:
        """Start ECG (or pulse intervals where there is no ECG) and acceleration; takes at most 5 s and never raises."""
        try:
            if self.offered:
                async with asyncio.timeout(_START_S):
                    await self._start_all()
        except Exception:  # noqa: BLE001 the heart rate must not suffer from any error here
            _LOG.debug("%s: not all Polar streams were started", self._client.address, exc_info=True)

    async def stop(self) -> None:
        """Stop the started streams, since the strap would stay on; takes at most 0.7 s per stream and never raises."""
        while self._start_requested:
            stream = self._start_requested.pop()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._command(stop_command(stream))
            except Exception:  # noqa: BLE001 the connection ends anyway
                _LOG.debug("%s: the stream %s was not confirmed as stopped", self._client.address, stream.name, exc_info=True)

    async def _start_all(self) -> None:
        # read before subscribing: BlueZ reports the value read as a notification too
        offered_streams = parse_features(bytes(await self._client.read_gatt_char(PMD_CONTROL))).streams
        pulse_stream = Stream.ECG if Stream.ECG in offered_streams else Stream.PPI
        wanted = [stream for stream in (pulse_stream, Stream.ACC) if stream in offered_streams]
        if not wanted:
            return
        await self._client.start_notify(
            PMD_CONTROL, lambda _, value: self._indications.put_nowait(bytes(value)), bluez={"use_start_notify": True}
        )
        await self._client.start_notify(
            PMD_DATA, lambda _, value: self._on_data(bytes(value)), bluez={"use_start_notify": not self._acquire_notify}
        )
        for stream in wanted:
            await self._start_one(stream)

    async def _start_one(self, stream: Stream) -> None:
        settings = Settings()
        if stream is not Stream.PPI:
            offered = await self._command(settings_command(stream))
            if offered.status != OK:
                _LOG.info("%s: no settings for the stream %s: %s", self._client.address, stream.name, offered.text)
                return
            settings = parse_settings(offered.parameters).chosen(_ACC_HZ if stream is Stream.ACC else 0)
        command = start_command(stream, settings)
        self._start_requested.append(stream)
        reply = await self._command(command)
        if reply.status == ALREADY_IN_STATE:
            # left on by a program that crashed, with settings of its own
            await self._command(stop_command(stream))
            reply = await self._command(command)
        if reply.status != OK:
            self._start_requested.remove(stream)
            _LOG.info("%s: the stream %s does not start: %s", self._client.address, stream.name, reply.text)

    async def _command(self, command: bytes) -> ControlReply:
        """Write a command and wait for its answer; other indications are ignored."""
        await self._client.write_gatt_char(PMD_CONTROL, command, response=True)
        while True:
            value = await self._indications.get()
            try:
                reply = parse_reply(value)
            except PayloadError:
                _LOG.debug("%s sent an indication that is no reply: %s", self._client.address, value.hex())
                continue
            if (reply.operation, reply.stream) == tuple(command[:2]):
                return reply

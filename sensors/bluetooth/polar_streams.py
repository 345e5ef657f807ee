"""Starts what a Polar strap streams beside the heart rate, and stops it: behind the door that is `ble`.

Nothing here is worth a heart rate: whatever the strap refuses or leaves unanswered, the connection goes on without it.
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
"""For all that is to be started, and for each stream that is to be stopped."""
_ACC_HZ = 25


class PolarStreams:
    """The streams of one connection to a strap that may be a Polar."""

    def __init__(self, client: BleakClient, on_data: Callable[[bytes], None], *, acquire_notify: bool = False) -> None:
        self._client = client
        self._on_data = on_data
        self._acquire_notify = acquire_notify
        self._indications: asyncio.Queue[bytes] = asyncio.Queue()
        self._asked: list[Stream] = []
        """Streams that were told to start; whether they did need not be known."""

    @property
    def offered(self) -> bool:
        """Whether the strap has the service at all."""
        return all(self._client.services.get_characteristic(uuid) for uuid in (PMD_CONTROL, PMD_DATA))

    async def start(self) -> None:
        """Start ECG, or pulse intervals where there is none, and acceleration; takes 5 s at most, and never raises."""
        try:
            if self.offered:
                async with asyncio.timeout(_START_S):
                    await self._start_all()
        except Exception:  # noqa: BLE001 whatever is wrong here, the heart rate comes
            _LOG.debug("%s: its Polar streams did not all start", self._client.address, exc_info=True)

    async def stop(self) -> None:
        """Stop what was started, or the strap stays on; takes 0.7 s a stream at most, and never raises."""
        while self._asked:
            stream = self._asked.pop()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._ask(stop_command(stream))
            except Exception:  # noqa: BLE001 the connection ends anyway
                _LOG.debug("%s: %s was not stopped in order", self._client.address, stream.name, exc_info=True)

    async def _start_all(self) -> None:
        # read before it is subscribed to: BlueZ tells what is read as a notification too
        has = parse_features(bytes(await self._client.read_gatt_char(PMD_CONTROL))).streams
        heart = Stream.ECG if Stream.ECG in has else Stream.PPI
        wanted = [stream for stream in (heart, Stream.ACC) if stream in has]
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
            offered = await self._ask(settings_command(stream))
            if offered.status != OK:
                _LOG.info("%s: no settings for %s: %s", self._client.address, stream.name, offered.text)
                return
            settings = parse_settings(offered.parameters).chosen(_ACC_HZ if stream is Stream.ACC else 0)
        command = start_command(stream, settings)
        self._asked.append(stream)
        reply = await self._ask(command)
        if reply.status == ALREADY_IN_STATE:
            # a program that crashed has left it on, with settings of its own
            await self._ask(stop_command(stream))
            reply = await self._ask(command)
        if reply.status != OK:
            self._asked.remove(stream)
            _LOG.info("%s: %s does not start: %s", self._client.address, stream.name, reply.text)

    async def _ask(self, command: bytes) -> ControlReply:
        """Give a command and wait for its answer; other indications are passed over."""
        await self._client.write_gatt_char(PMD_CONTROL, command, response=True)
        while True:
            value = await self._indications.get()
            try:
                reply = parse_reply(value)
            except PayloadError:
                _LOG.debug("%s tells %s", self._client.address, value.hex())
                continue
            if (reply.operation, reply.stream) == tuple(command[:2]):
                return reply

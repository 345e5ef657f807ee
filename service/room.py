"""One room: the session that runs in it, and its state in words."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
import logging
from math import isfinite
import time

from ..analysis.integrity import integrity_of
from ..analysis.live import LiveFigures
from ..analysis.live_check import LiveWindow
from ..analysis.parity import Parity
from ..analysis.stream import JudgedBeat
from ..sensors.devices import known
from ..sensors.model import Contact, Device, Phase
from ..sensors.source import LinkState
from ..web.live import Hub
from ..web.messages import BeatRow, RoomState, Signal
from .errors import ServiceError
from .session import Session

_LOG = logging.getLogger(__name__)
_TICK_S = 0.7
"""After which a room is published without news; half a second would meet the next packet of a strap at 1 Hz."""
_CHECK_EVERY_S = 30.0
_POOR_PCT = 90.0
_BATTERY_LOW_PCT = 15

_OF_LINK: dict[LinkState, tuple[Signal, str]] = {
    LinkState.IDLE: ("connecting", "Waiting for the strap"),
    LinkState.SCANNING: ("connecting", "Looking for the strap"),
    LinkState.CONNECTING: ("connecting", "Connecting to the strap"),
    LinkState.SILENT: ("silent", "Strap connected but silent"),
    LinkState.LOST: ("lost", "Strap lost"),
    LinkState.GIVING_UP: ("no-strap", "Strap not found"),
}


@dataclass(slots=True, eq=False)
class Room:
    """Publishes its session's state with every packet, and for the clock where none has come for a while."""

    identifier: str
    name: str
    address: str | None
    client: str | None
    kind: str
    session: Session
    hub: Hub
    bench: bool = False
    """Whether a tester plays a recording in it: nothing is stored, and phases are the recording's own."""
    check: Callable[[LiveWindow], Awaitable[Parity]] | None = None
    """Compares the live figures with NeuroKit2's."""
    _checked: Parity | None = None
    _checked_at_s: float = 0.0
    _signal: tuple[Signal, str] = ("connecting", "")
    _signal_since_s: float = 0.0
    _published: float = 0.0
    """By the monotonic clock, in s."""

    def __post_init__(self) -> None:
        self.session.observe = self._publish

    async def run(self) -> None:
        """Run the session to its end."""
        ticking = asyncio.create_task(self._tick(), name=f"tick of {self.identifier}")
        checking = asyncio.create_task(self._check(), name=f"check of {self.identifier}")
        try:
            await self.session.run()
        finally:
            ticking.cancel()
            checking.cancel()
        self._publish(())

    @property
    def state(self) -> RoomState:
        """The room at this moment."""
        now_s = self._now_s()
        figures = self.session.live.figures(now_s)
        signal, text, hint = self._signal_of(figures)
        if (signal, text) != self._signal:
            self._signal, self._signal_since_s = (signal, text), now_s
        shown = figures.phase is not Phase.ENDED and self.session.link.state is LinkState.STREAMING
        return RoomState(
            room=self.identifier,
            name=self.name,
            session=None if self.bench else self.session.number,
            client=self.client,
            kind=self.kind,
            strap=self.session.device.name or self.address,
            phase=figures.phase.value,
            phase_s=figures.phase_s,
            now_s=now_s,
            hr_bpm=figures.hr_bpm if shown else None,
            rmssd_ms=figures.rmssd_ms if shown else None,
            rmssd_why=figures.rmssd_why if shown else text.lower(),
            baseline_rmssd_ms=figures.baseline_rmssd_ms,
            change_pct=figures.change_pct if shown else None,
            accepted_pct=figures.accepted_pct if shown else None,
            resp_per_min=figures.resp_per_min if shown else None,
            signal=signal,
            signal_text=text,
            signal_s=now_s - self._signal_since_s,
            age_s=figures.age_s,
            hint=hint,
            battery_pct=self._battery_pct(figures),
            bench=self.bench,
            paused=self.session.clock.speed == 0,
            stream=integrity_of(self.session.live.stream),
            checked=self._checked,
            checked_s=now_s - self._checked_at_s,
            speed=self.session.clock.speed if isfinite(self.session.clock.speed) else 0.0,
        )

    def _now_s(self) -> float:
        return self.session.end_s if self.session.live.phase is Phase.ENDED else self.session.clock.now()

    def _signal_of(self, figures: LiveFigures) -> tuple[Signal, str, str | None]:
        link = self.session.link
        if figures.phase is Phase.ENDED:
            return "ended", "Session ended", None
        if link.state is not LinkState.STREAMING:
            signal, text = _OF_LINK[link.state]
            return signal, text, link.hint
        if figures.age_s is None:
            return "connecting", "Waiting for the first heartbeat", "Moisten the strap and check that it is worn."
        if figures.age_s > self.session.live.fresh_s:
            return "silent", "No data from the strap", link.hint or "Moisten the strap; is it still on the skin?"
        if figures.contact is Contact.NO:
            return "poor", "No skin contact", "Moisten the strap and check that it is worn."
        if figures.heart_rate_only:
            return "hr-only", "Heart rate only – no HRV", _why_no_hrv(self.session.device)
        if self.session.live.stream.clock.crowded:
            return "poor", "Two straps on one signal", "More heartbeats come than time has room for. Take the second strap away."
        if figures.accepted_pct is not None and figures.accepted_pct < _POOR_PCT:
            return "poor", "Signal poor", "Moisten the strap and pull it a little tighter."
        if figures.beats_missing:
            return "poor", "Heart rate comes, beats do not", "Moisten the strap; if it stays so, take it off and on again."
        battery_pct = self._battery_pct(figures)
        if battery_pct is not None and battery_pct <= _BATTERY_LOW_PCT:
            return "good", "Signal good", f"The strap’s battery is at {battery_pct} %. Change it before the next session."
        return "good", "Signal good", None

    def _battery_pct(self, figures: LiveFigures) -> int | None:
        return figures.battery_pct if figures.battery_pct is not None else self.session.device.battery_pct

    async def _tick(self) -> None:
        self._publish(())
        while True:
            await asyncio.sleep(max(self._published + _TICK_S - time.monotonic(), 0.0))
            if time.monotonic() - self._published >= _TICK_S:
                self._publish(())

    async def _check(self) -> None:
        while self.check is not None:
            await asyncio.sleep(_CHECK_EVERY_S)
            now_s, window = self._now_s(), self.session.live.window
            if self.session.live.figures(now_s).rmssd_ms is None:
                continue
            try:
                self._checked, self._checked_at_s = await self.check(window), now_s
            except ServiceError as error:
                _LOG.warning("%s: the figures could not be checked: %s", self.identifier, error)
                continue
            for difference in self._checked.differences:
                _LOG.error("%s: the live engine and NeuroKit2 differ: %s", self.identifier, difference)

    def _publish(self, beats: Sequence[JudgedBeat]) -> None:
        self._published = time.monotonic()
        self.hub.publish(self.state, rows_of(beats))


def rows_of(beats: Sequence[JudgedBeat]) -> list[BeatRow]:
    """Beats as they travel to the pages."""
    return [BeatRow(round(beat.end_s, 3), round(beat.rr_ms, 1), beat.accepted, beat.gap_before) for beat in beats]


def _why_no_hrv(device: Device) -> str:
    row = known(device)
    if row is None or row.quirk is None:
        return "This sensor sends no RR intervals; a chest strap does."
    return f"{row.quirk} A chest strap sends them."

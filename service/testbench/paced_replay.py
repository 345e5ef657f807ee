"""A paced replay in a terminal: the part of a recording to play, and the keys that control it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ...analysis.beats.beat_stream import JudgedBeat
from ...sensors.clock import TransportClock
from ...sensors.recordings.recording import Recording
from ...sensors.source import ReplaySource
from ...sensors.task_cancellation import cancel_and_wait
from ..errors import CutError
from ..rooms.session_runner import Log, Session
from ..terminal.keys import keys
from .recording_player import OnceLog, Player

SKIP_S = 10.0
_SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a recording to play, in s of its clock."""

    from_s: float = 0.0
    until_s: float | None = None
    loop: bool = False

    def of(self, recording: Recording) -> Recording:
        """Return the recording up to the end of the cut. Raises `CutError` where nothing would be left."""
        if self.until_s is not None and self.until_s <= self.from_s:
            raise CutError(f"--until {self.until_s:g} does not come after --from {self.from_s:g}.")
        if self.from_s >= recording.events[-1].t:
            raise CutError(f"The recording ends at {recording.events[-1].t:.0f} s, before --from {self.from_s:g}.")
        if self.until_s is None:
            return recording
        kept = tuple(event for event in recording.events if event.t <= self.until_s)
        if not kept:
            raise CutError(f"The recording holds nothing up to --until {self.until_s:g}.")
        return replace(recording, events=kept)


async def play_paced(console: Console, recording: Recording, number: int, log: Log, speed: float, cut: Cut) -> Session:
    """Play a recording until its end, q or Ctrl-C, controlled by keys where there is a terminal.

    Returns the session that got furthest, as seeking back begins a new one.
    """
    furthest = Session(number, ReplaySource(recording), TransportClock(speed), log)

    async def play(session: Session, _: Sequence[JudgedBeat]) -> None:
        def keep_furthest(_: Sequence[JudgedBeat]) -> None:
            nonlocal furthest
            furthest = session if session.end_s >= furthest.end_s else furthest

        session.observe = keep_furthest
        await session.run()

    clock = TransportClock(speed)
    player = Player(recording, clock, play, number=number, log=OnceLog(log), from_s=cut.from_s, loop=cut.loop)
    with keys(sys.stdin, lambda key: _steer(player, key)) as steered, progress(console) as bars:
        if steered:
            console.print("Space pauses · ← → seek 10 s · + − change the speed · q ends", highlight=False)
        bar = bars.add_task("", total=player.duration_s)

        async def show() -> None:
            while True:
                how = "paused" if clock.paused else f"× {clock.full_speed:g}"
                bars.update(bar, completed=player.at_s, description=f"{how}{f' · round {player.rounds + 1}' if cut.loop else ''}")
                await asyncio.sleep(0.1)

        async def end() -> None:
            from ..terminal.signals import no_stop_signal, stop_signal  # noqa: PLC0415 a replay that is not paced needs no server

            stop = stop_signal()
            try:
                await stop.wait()
                player.stop()
            finally:
                no_stop_signal()

        helpers = [asyncio.create_task(show(), name="progress"), asyncio.create_task(end(), name="Ctrl-C")]
        try:
            await player.run()
        finally:
            await cancel_and_wait(*helpers)
            bars.update(bar, completed=furthest.end_s)
    return furthest


def progress(console: Console) -> Progress:
    """Return a progress bar in seconds of the recording."""
    words = TextColumn("{task.description}"), TextColumn("{task.completed:.0f} of {task.total:.0f} s")
    return Progress(BarColumn(), *words, TimeElapsedColumn(), console=console)


def _steer(player: Player, key: str) -> None:
    speed = player.clock.full_speed
    match key:
        case " ":
            player.steer(paused=not player.clock.paused)
        case "left" | "right":
            player.seek(player.at_s + (SKIP_S if key == "right" else -SKIP_S))
        case "+" | "=":
            player.steer(speed=next((faster for faster in _SPEEDS if faster > speed), speed))
        case "-":
            player.steer(speed=next((slower for slower in reversed(_SPEEDS) if slower < speed), speed))
        case "q":
            player.stop()

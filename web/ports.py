"""What the pages ask of the rest of restbeat; `service` answers."""

from collections.abc import Sequence
from typing import Protocol

from ..analysis.figures import SessionReport
from ..service.rooms.messages import Action, ClientView, Story
from ..service.rooms.models import AdapterState, Note, Opening, Press, StrapSeen
from ..service.sessions.models import SessionRow
from ..service.settings import Settings
from ..service.testbench.bench import Played


class Bench(Protocol):
    """The test bench: recordings under transport control, each in a room of its own."""

    async def recordings(self) -> Sequence[str]:
        """Names of what can be played."""
        ...

    def rooms(self) -> Sequence[Played]:
        """Every bench room."""
        ...

    async def open(self, recording: str, *, faults: Sequence[str], seed: int, speed: float, loop: bool) -> Played:
        """Play a recording in a new room. Raises `RefusedError`."""
        ...

    def steer(self, room: str, *, paused: bool | None, speed: float | None, loop: bool | None, at_s: float | None) -> Played:
        """Change what is named. Raises `UnknownRoomError`."""
        ...

    async def close(self, room: str) -> None:
        """Close a bench room."""
        ...


class House(Protocol):
    """The rooms of this practice, the straps on the air, and the sessions on record.

    `by` names who acts; what is entered with a `press` is on the disk when it is answered.
    A change that does not fit the state of things raises `RefusedError`, an unknown room `UnknownRoomError`.
    """

    def adapter(self) -> AdapterState:
        """Whether there is a radio."""
        ...

    def straps(self) -> Sequence[StrapSeen]:
        """Straps heard lately, strongest first."""
        ...

    async def open_room(self, opening: Opening, *, by: str) -> str:
        """Start a session on a strap; gives the room. Raises `StrapTakenError` where it is claimed already."""
        ...

    async def advance(self, room: str, leaving: str, *, ago_s: float, by: str, press: Press | None = None) -> str:
        """End the phase `leaving` and begin the next, `ago_s` ago; gives the new phase. Refused if `leaving` is over already."""
        ...

    async def mark(self, room: str, note: Note, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Note what is done."""
        ...

    async def pain(self, room: str, score: int, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Note a pain score."""
        ...

    async def stop(self, room: str, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Pain increased: end what is done, `ago_s` ago; keep all, flag the next visit."""
        ...

    async def undo(self, room: str, action: int, *, by: str) -> None:
        """Take an entry back."""
        ...

    async def redate(self, room: str, action: int, *, ago_s: float, by: str) -> None:
        """Let an entry count from `ago_s` ago."""
        ...

    async def reassign(self, room: str, client: str | None, *, consent: bool, elsewhere_confirmed: bool, by: str) -> None:
        """Put the running session of a room under another client, who agrees to be recorded; the audit log tells.

        Raises `ConflictError` where that client has another running session, unless that is confirmed.
        """
        ...

    def show_client(self, room: str, view: ClientView) -> None:
        """Let the client's own screen of a room show this."""
        ...

    async def settings(self) -> Settings:
        """What the practice has set."""
        ...

    async def set_settings(self, settings: Settings, *, by: str) -> None:
        """Set it anew."""
        ...

    def story(self, room: str) -> Story:
        """The session of a room from its beginning."""
        ...

    async def sessions(self) -> Sequence[SessionRow]:
        """Every session, newest first."""
        ...

    async def report(self, session: int) -> tuple[SessionRow, SessionReport]:
        """The summary of one session, as far as it has come."""
        ...

    async def picture(self, session: int) -> str:
        """The summary picture as SVG text."""
        ...

    async def resume(self, session: int) -> str:
        """Take up an interrupted session on its strap; gives the room."""
        ...

    async def close(self, session: int) -> None:
        """End an interrupted session where it was cut off."""
        ...

"""What people enter into a running session: phases, marks, pain. For a while each entry can be taken back or dated back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
import time
from typing import Final, Literal, Protocol

import msgspec

from ...sensors.model import Phase
from ...sensors.recordings.recording import STOP_NOTE, Event, Mark, Pain, PhaseStart
from ..errors import RefusedError
from ..storage.event_rows import ENTRY_TABLES, EVENT_COLUMNS, EVENT_OF
from ..storage.sqlite import Database
from .messages import EntryView
from .session_runner import Session

UNDO_S: Final = 30.0
"""Of wall time, in which an entry can be taken back."""
_KEPT: Final = 12
"""Entries that the pages are told of; only those that can still be changed matter to them."""

Kind = Literal["phase", "mark", "pain", "stop"]
_BEGAN: Final = {
    Phase.BASELINE: "Baseline began",
    Phase.MASSAGE: "Massage began",
    Phase.RECOVERY: "Recovery began",
    Phase.ENDED: "Session ended",
}


class RequestKey(msgspec.Struct, frozen=True, kw_only=True):
    """One press of a button on a page: told twice it counts once, and it counts in its own session alone."""

    key: str
    """Made by the page."""
    session: int | None = None


class Corrections(Protocol):
    """Where changed entries are stored."""

    def correct(self, session: int, seq: int, event: Event, became_s: float | None, therapist: str) -> None:
        """Give an event another time, or with None take it back."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One press of a button: all that it did."""

    number: int
    kind: Kind
    text: str
    seqs: tuple[int, ...]
    """Numbers of its events in the session."""
    made_s: float
    """By the monotonic clock."""
    by: str


class SessionEntries:
    """The entries of one session. Every change is checked here, so that two tablets cannot disagree."""

    def __init__(
        self,
        session: Session,
        book: Corrections,
        *,
        rest: bool = False,
        taken: Mapping[str, EntryView] | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`taken`: by their keys, presses that the session had taken before this journal began."""
        self._session = session
        self._book = book
        self._rest = rest
        self._taken = dict(taken or {})
        self._monotonic_s = monotonic_s
        self._numbers = count(1)
        self._entries: list[Entry] = []

    def advance(self, leaving: Phase, ago_s: float, by: str, key: str | None = None) -> Phase:
        """Begin the phase after `leaving`, `ago_s` ago. Raises `RefusedError` where `leaving` is over already."""
        phase = self._session.live.phase
        if self._taken_already(key):
            return phase
        if phase is not leaving:
            raise RefusedError(f"The phase {leaving.value} is over already: this is {phase.value}.")
        following = leaving.following
        t = self._then(0.0 if following is Phase.ENDED else ago_s, after_s=self._session.live.phase_start_s)
        start = PhaseStart(t, following)
        self._enter("phase", text_of(start, rest=self._rest), [start], by, key)
        return following

    def mark(self, mark: Mark, ago_s: float, by: str, key: str | None = None) -> EntryView:
        """Note what is done, `ago_s` ago; the mark's own time is of no account."""
        if taken := self._taken_already(key):
            return taken
        self._demand_running()
        mark = msgspec.structs.replace(mark, t=self._then(ago_s))
        return self._enter("mark", words_of(mark), [mark], by, key)

    def pain(self, score: int, ago_s: float, by: str, key: str | None = None) -> EntryView:
        """Note a pain score from 0 to 10, `ago_s` ago."""
        if taken := self._taken_already(key):
            return taken
        self._demand_running()
        pain = Pain(self._then(ago_s), score)
        return self._enter("pain", text_of(pain), [pain], by, key)

    def stop(self, by: str, ago_s: float = 0.0, key: str | None = None) -> EntryView:
        """Pain increased: what is done ended `ago_s` ago, and recovery began where it had not yet; never refused for its time."""
        if taken := self._taken_already(key):
            return taken
        self._demand_running()
        live = self._session.live
        t = max(self._session.clock.now() - ago_s, live.phase_start_s)
        # the mark last: only with it is the press known as taken, should a crash fall between the two
        recovery: list[Event] = [PhaseStart(t, Phase.RECOVERY)] if live.phase is Phase.MASSAGE else []
        return self._enter("stop", STOP_NOTE, [*recovery, Mark(t, note=STOP_NOTE, kind="stop")], by, key)

    def close(self, why: str, by: str) -> EntryView:
        """The session ends now, whatever its phase."""
        self._demand_running()
        now_s = self._session.clock.now()
        return self._enter("phase", f"Session ended: {why}", [Mark(now_s, note=why), PhaseStart(now_s, Phase.ENDED)], by)

    def undo(self, number: int, by: str) -> Entry:
        """Take an entry back. Raises `RefusedError` where it is too late, or where a later phase stands on it."""
        entry = self._entry(number)
        told = self._session.told
        if (start := self._start_of(entry)) is not None and start is not self._session.live.starts[-1]:
            raise RefusedError("A later phase has begun since. Take that one back first.")
        for seq in entry.seqs:
            self._book.correct(self._session.number, seq, told.pop(seq), None, by)
        self._entries.remove(entry)
        self._session.rephase()
        return entry

    def redate(self, number: int, ago_s: float, by: str) -> Entry:
        """Let an entry count from `ago_s` ago. Raises `RefusedError` where it would come before the phase before it."""
        entry = self._entry(number)
        start, starts = self._start_of(entry), self._session.live.starts
        after_s = before_s = None
        if start is not None:
            if start.phase is Phase.ENDED:
                raise RefusedError("The end of a session cannot be dated back. Take it back instead.")
            at = starts.index(start)
            after_s = starts[at - 1].t if at else 0.0
            before_s = starts[at + 1].t if at + 1 < len(starts) else None
        t = self._then(ago_s, after_s=after_s, before_s=before_s)
        for seq in entry.seqs:
            event = self._session.told[seq]
            self._book.correct(self._session.number, seq, event, t, by)
            self._session.told[seq] = msgspec.structs.replace(event, t=t)
        self._session.rephase()
        self._entries[self._entries.index(entry)] = changed = replace(entry, made_s=self._monotonic_s())
        return changed

    def actions(self) -> list[EntryView]:
        """The entries that can still be changed, newest first."""
        actions = [self._action(entry) for entry in reversed(self._entries[-_KEPT:])]
        return [action for action in actions if action.left_s > 0]

    def ends(self, number: int) -> bool:
        """Whether an entry, that can still be changed, ended the session."""
        start = self._start_of(self._entry(number))
        return start is not None and start.phase is Phase.ENDED

    def _enter(self, kind: Kind, text: str, events: Sequence[Event], by: str, key: str | None = None) -> EntryView:
        seqs = tuple(self._session.enter(event, key if event is events[-1] else None) for event in events)
        entry = Entry(next(self._numbers), kind, text, seqs, self._monotonic_s(), by)
        self._entries.append(entry)
        self._session.observe(())
        action = self._action(entry)
        if key is not None:
            self._taken[key] = action
        return action

    def _taken_already(self, key: str | None) -> EntryView | None:
        """What a press entered when it came before. Raises `RefusedError` where that was taken back since."""
        action = None if key is None else self._taken.get(key)
        if action is None or not action.number:
            return action
        entry = next((entry for entry in self._entries if entry.number == action.number), None)
        if entry is None:
            raise RefusedError(f"“{action.text}” was entered, and taken back since.")
        return self._action(entry)

    def _action(self, entry: Entry) -> EntryView:
        at_s, left_s = self._session.told[entry.seqs[0]].t, UNDO_S - (self._monotonic_s() - entry.made_s)
        return EntryView(entry.number, entry.kind, entry.text, at_s, entry.by, max(left_s, 0.0))

    def _entry(self, number: int) -> Entry:
        entry = next((entry for entry in self._entries if entry.number == number), None)
        if entry is None:
            raise RefusedError("There is no such entry any more.")
        if self._monotonic_s() - entry.made_s >= UNDO_S:
            raise RefusedError(f"“{entry.text}” is more than {UNDO_S:.0f} s old, and stays.")
        return entry

    def _start_of(self, entry: Entry) -> PhaseStart | None:
        starts = (event for seq in entry.seqs if isinstance(event := self._session.told[seq], PhaseStart))
        return next(starts, None)

    def _then(self, ago_s: float, *, after_s: float | None = None, before_s: float | None = None) -> float:
        """The session time `ago_s` ago, within the session and its phases."""
        t = self._session.clock.now() - ago_s
        if t < 0 or (after_s is not None and t <= after_s and ago_s > 0):
            raise RefusedError("That was before the phase before it began. Choose a later time.")
        if before_s is not None and t >= before_s:
            raise RefusedError("That is after the next phase began. Choose an earlier time.")
        return t

    def _demand_running(self) -> None:
        if self._session.live.phase is Phase.ENDED:
            raise RefusedError("This session has ended.")


def text_of(event: PhaseStart | Mark | Pain, *, rest: bool = False) -> str:
    """What was told, as people read it; `rest`: nobody was massaged."""
    match event:
        case PhaseStart(phase=Phase.MASSAGE) if rest:
            return "Rest began"
        case PhaseStart(phase=phase):
            return _BEGAN[phase]
        case Mark():
            return words_of(event)
        case Pain(score=score):
            return f"Pain {score}"


def words_of(mark: Mark) -> str:
    """Return a mark as people read it, as a sentence of its own."""
    return mark.text[:1].upper() + mark.text[1:]


def presses_of(db: Database, session: int, *, rest: bool) -> dict[str, EntryView]:
    """What each press told, by its key; none of it can be changed any more."""
    taken: dict[str, EntryView] = {}
    for table in ENTRY_TABLES:
        names = ", ".join(EVENT_COLUMNS[table])
        query = f"SELECT press, t_s, {names} FROM {table} WHERE session = ? AND press IS NOT NULL"  # noqa: S608
        for press, t_s, *own in db.execute(query, (session,)):
            event = EVENT_OF[table](t_s, *own)
            if isinstance(event, PhaseStart | Mark | Pain):
                kind: Kind = "stop" if isinstance(event, Mark) and event.kind == "stop" else table  # type: ignore[assignment]
                taken[press] = EntryView(0, kind, text_of(event, rest=rest), t_s, "", 0.0)
    return taken

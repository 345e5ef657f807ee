"""Entries of a running session: phases, marks and pain scores. For a while each can be undone or given another time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final, Literal

import msgspec

from ...sensors.clock import elapsed_s
from ...sensors.model import Phase
from ...sensors.recordings.recording import STOP_NOTE, Event, Mark, Pain, PhaseStart
from ..errors import RefusedError
from ..sessions.session_store import SessionStore
from ..storage.event_rows import ENTRY_TABLES, EVENT_COLUMNS, EVENT_OF
from ..storage.sqlite import Database
from .messages import EntryView
from .session_runner import Session

UNDO_S: Final = 30.0
"""How long an entry can be undone or given another time, in s of wall time."""
REDATE_MASSAGE_S: Final = 600.0
"""How long the beginning of a massage can be given another time, in s of wall time: the baseline before it depends on it."""
_MAX_LISTED: Final = 12
"""Newest entries that the pages get, and a massage's beginning beside them; they need only those that can still be changed."""

Kind = Literal["phase", "mark", "pain", "stop"]
_BEGAN: Final = {
    Phase.BASELINE: "Baseline began",
    Phase.MASSAGE: "Massage began",
    Phase.RECOVERY: "Recovery began",
    Phase.ENDED: "Session ended",
}


_REST_BEGAN: Final = "Rest began"
BEGAN_MASSAGE: Final = frozenset({_BEGAN[Phase.MASSAGE], _REST_BEGAN})
"""Texts of an entry that begins a massage, or the rest in its place."""


class RequestKey(msgspec.Struct, frozen=True, kw_only=True):
    """Key of one request from a page: sent twice it counts once, and only in the session it was meant for."""

    key: str
    """Random text made by the page."""
    session: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything that one request entered."""

    number: int
    kind: Kind
    text: str
    seqs: tuple[int, ...]
    """Event numbers in the session."""
    made_s: float
    """When it was entered or last changed, in s of the monotonic clock."""
    entered_s: float
    """When it was entered."""
    by: str


class SessionEntries:
    """Entries of one session. Every change is checked here, so that two tablets cannot disagree.

    In every method `ago_s` is how long ago the entry counts from, in s of session time, `by` who enters it, and `key` the
    request it comes from: a request that is sent again returns its first result.
    """

    def __init__(
        self,
        session: Session,
        corrections: SessionStore,
        *,
        rest: bool = False,
        earlier: Mapping[str, EntryView] | None = None,
        monotonic_s: Callable[[], float] = elapsed_s,
    ) -> None:
        """`earlier`: entries made before the session was resumed, by their request keys; `rest`: nobody is massaged."""
        self._session = session
        self._corrections = corrections
        self._rest = rest
        self._by_key = dict(earlier or {})
        self._monotonic_s = monotonic_s
        self._numbers = count(1)
        self._entries: list[Entry] = []
        self._undone: dict[int, Entry] = {}

    def advance(self, leaving: Phase, ago_s: float, by: str, key: str | None = None) -> Phase:
        """Begin the phase after `leaving` and return the session's phase.

        Raises `RefusedError` where `leaving` is over already, or the new phase would begin before `leaving` did.
        """
        phase = self._session.live.phase
        if self._entered_before(key):
            return phase
        if phase is not leaving:
            raise RefusedError(f"The phase {leaving.value} is over already: this is {phase.value}.")
        following = leaving.following
        t = self._session_time_ago(0.0 if following is Phase.ENDED else ago_s, after_s=self._session.live.phase_start_s)
        start = PhaseStart(t, following)
        self._enter("phase", entry_text(start, rest=self._rest), [start], by, key)
        return following

    def mark(self, mark: Mark, ago_s: float, by: str, key: str | None = None) -> EntryView:
        """Enter a mark; its own time `t` is ignored.

        Raises `RefusedError` where the session has ended, had not begun `ago_s` ago, or the entry was undone since.
        """
        if entered := self._entered_before(key):
            return entered
        self._require_running()
        mark = msgspec.structs.replace(mark, t=self._session_time_ago(ago_s))
        return self._enter("mark", mark_text(mark), [mark], by, key)

    def pain(self, score: int, ago_s: float, by: str, key: str | None = None) -> EntryView:
        """Enter a pain score from 0 to 10.

        Raises `RefusedError` where the session has ended, had not begun `ago_s` ago, or the entry was undone since.
        """
        if entered := self._entered_before(key):
            return entered
        self._require_running()
        pain = Pain(self._session_time_ago(ago_s), score)
        return self._enter("pain", entry_text(pain), [pain], by, key)

    def stop(self, by: str, ago_s: float = 0.0, key: str | None = None) -> EntryView:
        """Stop because pain increased: a running massage ends `ago_s` ago and recovery begins.

        A time before the phase began counts as the phase's beginning.
        Raises `RefusedError` where the session has ended or the entry was undone since.
        """
        if entered := self._entered_before(key):
            return entered
        self._require_running()
        live = self._session.live
        t = max(self._session.clock.now() - ago_s, live.phase_start_s)
        # the mark comes last as it carries the key: after a crash between the two, the request sent again is not a duplicate
        recovery: list[Event] = [PhaseStart(t, Phase.RECOVERY)] if live.phase is Phase.MASSAGE else []
        return self._enter("stop", STOP_NOTE, [*recovery, Mark(t, note=STOP_NOTE, kind="stop")], by, key)

    def close(self, why: str, by: str, *, ago_s: float = 0.0) -> EntryView:
        """End the session `ago_s` ago, whatever its phase, with `why` as a mark.

        A time before the phase began counts as the phase's beginning. Raises `RefusedError` where it has ended already.
        """
        self._require_running()
        t = max(self._session.clock.now() - ago_s, self._session.live.phase_start_s)
        return self._enter("phase", f"Session ended: {why}", [Mark(t, note=why), PhaseStart(t, Phase.ENDED)], by)

    def undo(self, number: int, by: str) -> Entry:
        """Undo an entry and return it; one that is undone already is returned as it was.

        Raises `RefusedError` where there is no such entry, it is too old, or a later phase has begun since.
        """
        if number in self._undone:
            return self._undone[number]
        entry = self._entry(number)
        entered = self._session.entered
        if (start := self._start_of(entry)) is not None and start is not self._session.live.starts[-1]:
            raise RefusedError("A later phase has begun since. Take that one back first.")
        for seq in entry.seqs:
            self._corrections.correct(self._session.number, seq, entered.pop(seq), None, by)
        self._entries.remove(entry)
        self._undone[number] = entry
        self._session.rephase()
        return entry

    def redate(self, number: int, ago_s: float, by: str) -> Entry:
        """Let an entry count from `ago_s` ago, earlier or later than it did, and return the changed one.

        Raises `RefusedError` where there is no such entry, it is too old, it ended the session, or the phases would change
        their order.
        """
        entry = self._entry(number, redate=True)
        start, starts = self._start_of(entry), self._session.live.starts
        after_s = before_s = None
        if start is not None:
            if start.phase is Phase.ENDED:
                raise RefusedError("The end of a session cannot be dated back. Take it back instead.")
            at = starts.index(start)
            after_s = starts[at - 1].t if at else 0.0
            before_s = starts[at + 1].t if at + 1 < len(starts) else None
        t = self._session_time_ago(ago_s, after_s=after_s, before_s=before_s)
        for seq in entry.seqs:
            event = self._session.entered[seq]
            self._corrections.correct(self._session.number, seq, event, t, by)
            self._session.entered[seq] = msgspec.structs.replace(event, t=t)
        self._session.rephase()
        self._entries[self._entries.index(entry)] = changed = replace(entry, made_s=self._monotonic_s())
        return changed

    def changeable(self) -> list[EntryView]:
        """Return the entries that can still be changed, newest first."""
        older, newest = self._entries[:-_MAX_LISTED], self._entries[-_MAX_LISTED:]
        listed = [*(entry for entry in older if self._redate_left_s(entry) > self._left_s(entry)), *newest]
        return [self._view(entry) for entry in reversed(listed) if self._redate_left_s(entry) > 0]

    def ends(self, number: int) -> bool:
        """Return whether an entry ended the session; False for one that is undone already.

        Raises `RefusedError` where it cannot be changed any more.
        """
        if number in self._undone:
            return False
        start = self._start_of(self._entry(number))
        return start is not None and start.phase is Phase.ENDED

    def _enter(self, kind: Kind, text: str, events: Sequence[Event], by: str, key: str | None = None) -> EntryView:
        now_s = self._monotonic_s()
        seqs = tuple(self._session.enter(event, key if event is events[-1] else None) for event in events)
        entry = Entry(next(self._numbers), kind, text, seqs, now_s, now_s, by)
        self._entries.append(entry)
        self._session.observe(())
        view = self._view(entry)
        if key is not None:
            self._by_key[key] = view
        return view

    def _entered_before(self, key: str | None) -> EntryView | None:
        """Return what a request entered when it was sent before, None where it is new.

        Raises `RefusedError` where that was undone since.
        """
        view = None if key is None else self._by_key.get(key)
        if view is None or not view.number:
            return view
        entry = next((entry for entry in self._entries if entry.number == view.number), None)
        if entry is None:
            raise RefusedError(f"“{view.text}” was entered, and taken back since.")
        return self._view(entry)

    def _view(self, entry: Entry) -> EntryView:
        at_s, left_s, redate_left_s = self._session.entered[entry.seqs[0]].t, self._left_s(entry), self._redate_left_s(entry)
        return EntryView(entry.number, entry.kind, entry.text, at_s, entry.by, left_s, redate_left_s)

    def _left_s(self, entry: Entry) -> float:
        return max(UNDO_S - (self._monotonic_s() - entry.made_s), 0.0)

    def _redate_left_s(self, entry: Entry) -> float:
        start, running = self._start_of(entry), self._session.live.phase is not Phase.ENDED
        if start is None or start.phase is not Phase.MASSAGE or not running:
            return self._left_s(entry)
        return max(REDATE_MASSAGE_S - (self._monotonic_s() - entry.entered_s), self._left_s(entry))

    def _entry(self, number: int, *, redate: bool = False) -> Entry:
        entry = next((entry for entry in self._entries if entry.number == number), None)
        if entry is None:
            raise RefusedError("There is no such entry any more.")
        if (self._redate_left_s(entry) if redate else self._left_s(entry)) <= 0:
            start = self._start_of(entry)
            massage = redate and start is not None and start.phase is Phase.MASSAGE
            limit = f"{REDATE_MASSAGE_S / 60:.0f} min" if massage else f"{UNDO_S:.0f} s"
            raise RefusedError(f"“{entry.text}” is more than {limit} old, and stays.")
        return entry

    def _start_of(self, entry: Entry) -> PhaseStart | None:
        starts = (event for seq in entry.seqs if isinstance(event := self._session.entered[seq], PhaseStart))
        return next(starts, None)

    def _session_time_ago(self, ago_s: float, *, after_s: float | None = None, before_s: float | None = None) -> float:
        """Return the session time `ago_s` ago.

        Raises `RefusedError` where it is before the session began, or not between `after_s` and `before_s`.
        """
        t = self._session.clock.now() - ago_s
        if t < 0 or (after_s is not None and t <= after_s and ago_s > 0):
            raise RefusedError("That was before the phase before it began. Choose a later time.")
        if before_s is not None and t >= before_s:
            raise RefusedError("That is after the next phase began. Choose an earlier time.")
        return t

    def _require_running(self) -> None:
        if self._session.live.phase is Phase.ENDED:
            raise RefusedError("This session has ended.")


def entry_text(event: PhaseStart | Mark | Pain, *, rest: bool = False) -> str:
    """Return an entry as people read it; `rest`: nobody is massaged."""
    match event:
        case PhaseStart(phase=Phase.MASSAGE) if rest:
            return _REST_BEGAN
        case PhaseStart(phase=phase):
            return _BEGAN[phase]
        case Mark():
            return mark_text(event)
        case Pain(score=score):
            return f"Pain {score}"


def mark_text(mark: Mark) -> str:
    """Return a mark as people read it, as a sentence of its own."""
    return mark.text[:1].upper() + mark.text[1:]


def entries_by_key(db: Database, session: int, *, rest: bool) -> dict[str, EntryView]:
    """Return a stored session's entries by their request keys; none can be changed any more."""
    entries: dict[str, EntryView] = {}
    for table in ENTRY_TABLES:
        names = ", ".join(EVENT_COLUMNS[table])
        query = f"SELECT press, t_s, {names} FROM {table} WHERE session = ? AND press IS NOT NULL"  # noqa: S608
        for key, t_s, *columns in db.execute(query, (session,)):
            event = EVENT_OF[table](t_s, *columns)
            if isinstance(event, PhaseStart | Mark | Pain):
                kind: Kind = "stop" if isinstance(event, Mark) and event.kind == "stop" else table  # type: ignore[assignment]
                entries[key] = EntryView(0, kind, entry_text(event, rest=rest), t_s, "", 0.0)
    return entries

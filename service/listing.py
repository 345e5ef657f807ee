"""Lists in pages: by keyset, so that each page costs the same however far down it is, and by words."""

from collections.abc import Callable, Sequence
import re
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

PAGE: Final = 50
"""Number of rows of a page."""
LAST: Final = (1 << 63) - 1
"""Greatest place in a list."""
_MOST_WORDS: Final = 8
_LETTERS: Final = 7
"""Letters of a word's beginning that the indexes of words know: more of them would have every row that fits read for a page."""
_WORD: Final = re.compile(r"[^\W_]")
_LONG: Final = re.compile(rf"([^\W_]{{{_LETTERS}}})[^\W_]*$")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list, and where those beside it begin."""

    rows: Sequence[T]
    next: str | None = None
    """Key after which the next page begins; None on the last one."""
    previous: str | None = None
    """Key before which the page before ends; None on the first one."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list: at most `limit` rows after a key, or before one."""

    after: str | None = None
    before: str | None = None
    limit: int = PAGE

    @property
    def backwards(self) -> bool:
        """Whether rows are read up from a key, rather than down."""
        return self.before is not None and self.after is None

    @property
    def key(self) -> str | None:
        """The key that rows are read from; None from the beginning."""
        return self.before if self.backwards else self.after


def page_of(found: Sequence[T], wanted: Wanted, key: Callable[[T], str]) -> Page[T]:
    """Return the page made of up to `limit + 1` rows in the order in which they were read: one more tells of another page."""
    more, rows = len(found) > wanted.limit, list(found[: wanted.limit])
    if wanted.backwards:
        rows.reverse()
    further, back = (True, more) if wanted.backwards else (more, wanted.after is not None)
    return Page(rows, key(rows[-1]) if rows and further else None, key(rows[0]) if rows and back else None)


def words_of(text: str) -> list[str]:
    """Return the words of a search that hold a letter or a digit."""
    return [word for word in text.split() if _WORD.search(word)][:_MOST_WORDS]


def begins(word: str, *columns: str) -> str:
    """Return the FTS5 query for a word that begins with the first letters of `word`, in one of the columns."""
    beginning = _LONG.sub(r"\1", word)
    return f"{{{' '.join(columns)}}} : {_phrase(beginning)} *"


def holds(phrase: str, column: str) -> str:
    """Return the FTS5 query for a whole phrase in a column."""
    return f"{{{column}}} : {_phrase(phrase)}"


def _phrase(text: str) -> str:
    doubled = text.replace('"', '""').replace("\x00", " ")
    return f'"{doubled}"'

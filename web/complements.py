"""What else is done for a client beside the massage: its kinds and their words."""

from collections.abc import Iterable
from typing import Final, get_args

from ..service.rendering.translations import Speech, marked
from ..service.sessions.client_session import Complement, ComplementKind

KINDS: Final[tuple[ComplementKind, ...]] = get_args(ComplementKind)
NAMES: Final[dict[ComplementKind, str]] = {
    "heat": marked("Heat"),
    "cold": marked("Cold"),
    "mindfulness": marked("Mindfulness"),
    "tai-chi-yoga": marked("Tai chi or yoga"),
    "medication": marked("Medication changed"),
    "other": marked("Something else"),
}


def complement_word(speech: Speech, kind: ComplementKind) -> str:
    """What a kind is called."""
    return speech.say(NAMES[kind])


def complements_of(complements: Iterable[Complement]) -> list[ComplementKind]:
    """The kinds there are, each once, in the usual order."""
    there = {complement.kind for complement in complements}
    return [kind for kind in KINDS if kind in there]

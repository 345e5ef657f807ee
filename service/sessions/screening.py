"""What is asked before a session. A yes is recorded and confirmed by the therapist; it is never a diagnosis."""

from typing import Annotated, Final

import msgspec


class ScreeningQuestion(msgspec.Struct, frozen=True):
    """One question."""

    question: str
    reminder: Annotated[str | None, msgspec.Meta(description="What to bear in mind after a yes.")] = None


QUESTIONS: Final = (
    ScreeningQuestion("Acute flare or inflamed joint"),
    ScreeningQuestion("Trapped nerve, numbness or tingling"),
    ScreeningQuestion("Recent injury or surgery"),
    ScreeningQuestion("Fever or infection"),
    ScreeningQuestion("Blood clot, known or suspected"),
    ScreeningQuestion("Fracture"),
    ScreeningQuestion("Blood thinners"),
    ScreeningQuestion("Open skin"),
    ScreeningQuestion("Fibromyalgia", "Graded, light to moderate pressure; no tender points."),
)

POSTURES: Final = ("Prone", "Supine", "On the side", "Seated")


class Screening(msgspec.Struct, frozen=True):
    """One question before a session, and its answer; a "yes" that was confirmed is recorded, never diagnosed."""

    question: str
    yes: bool

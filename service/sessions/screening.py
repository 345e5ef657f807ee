"""Screening questions before a session. A yes is recorded and confirmed by the therapist; it is never a diagnosis."""

from typing import Annotated, Final

import msgspec


class ScreeningQuestion(msgspec.Struct, frozen=True):
    """One screening question."""

    question: str
    reminder: Annotated[str | None, msgspec.Meta(description="Advice after a yes; null where there is none.")] = None


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
    """One screening question and its answer; a yes is recorded once confirmed, and never a diagnosis."""

    question: str
    yes: bool

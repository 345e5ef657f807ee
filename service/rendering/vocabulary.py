"""Words that a practice uses every day, marked for the catalogues; what a practice adds of its own is said as it is written."""

from typing import Final

from .translations import marked

TOLD_NOTES: Final = frozenset({"turned over", "talking", "heat", "cold"})
"""Notes that a client's page tells; free notes are for the therapist."""

WORDS: Final = (
    marked("Long strokes"),
    marked("Kneading"),
    marked("Friction"),
    marked("Trigger point"),
    marked("Myofascial release"),
    marked("Stretching"),
    marked("Holding"),
    marked("Vibration"),
    marked("Tapping"),
    marked("Neck"),
    marked("Shoulders"),
    marked("Upper back"),
    marked("Lower back"),
    marked("Hips"),
    marked("Legs"),
    marked("Feet"),
    marked("Arms"),
    marked("Head"),
    marked("Belly"),
    marked("Light"),
    marked("Moderate"),
    marked("Deep"),
    marked("Prone"),
    marked("Supine"),
    marked("On the side"),
    marked("Seated"),
    marked("Turned over"),
    marked("Talking"),
    marked("Heat"),
    marked("Cold"),
)

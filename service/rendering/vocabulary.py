"""Common words of a practice, marked for translation; words that a practice adds stay as they are written."""

from typing import Final

from .translations import marked

CLIENT_NOTES: Final = frozenset({"turned over", "talking", "heat", "cold"})
"""Notes shown on a client's page, in lower case; free notes are for the therapist only."""

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

"""What a verdict on a response needs; pages name the same limits."""

from typing import Final

FEWEST_SEGMENTS: Final = 24
"""Clean segments of 10 s in each phase: four minutes."""
GREATEST_REJECTED: Final = 0.05
"""Share of rejected beats in a phase."""
LEAST_USED_PCT: Final = round(100 * (1 - GREATEST_REJECTED), 9)
"""The same as a share of used beats, in percent."""
FEWEST_RESTS: Final = 3
"""Earlier rests of a client from which their usual response to rest is known."""

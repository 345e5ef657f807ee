"""Requirements for a verdict on a response; pages quote the same limits."""

from typing import Final

from ..figures import LEAST_COMPARED_S

FEWEST_SEGMENTS: Final = round(LEAST_COMPARED_S / 10)
"""Clean 10 s segments that each phase needs: four minutes."""
GREATEST_REJECTED: Final = 0.05
"""Largest share of rejected beats in each phase."""
LEAST_USED_PCT: Final = round(100 * (1 - GREATEST_REJECTED), 9)
"""Least percentage of accepted beats in each phase; the complement of `GREATEST_REJECTED`."""
AS_ASLEEP: Final = 1.05
"""Ratio of mean RR from which the heart has slowed as it does in falling asleep: the sentences then say that this does it too."""
FEWEST_RESTS: Final = 3
"""Rest-only sessions needed to know the client's usual change at rest."""
PULSE_ONLY: Final = (
    "The beats come from the pulse, by light: its RMSSD is seldom that of the heartbeat, so there are figures and no comparison."
)
"""Reason why pulse intervals of an optical sensor get no verdict."""

"""LF, HF and breathing of a running session over the last 5 min, updated every 5 s of beats."""

from dataclasses import dataclass, field
from math import floor
from typing import Final

import numpy as np

from ..beats.beat_runs import runs_of
from ..figures import too_few_accepted
from ..hrv.rolling_window import RollingHrv, WindowBeats
from ..hrv.spectrum import Bands, Breathing, spectra

WINDOW_S: Final = 300.0
EVERY_S: Final = 5.0


@dataclass(slots=True)
class LiveSpectrum:
    """The spectrum of a 5 min window; it depends on the beats alone, not on when it is read."""

    window: RollingHrv = field(default_factory=lambda: RollingHrv(WINDOW_S, EVERY_S))
    _until_s: float | None = None
    _found: tuple[Bands, Breathing] = field(default_factory=lambda: spectra([]))

    def at(self, last_beat_s: float) -> tuple[Bands, Breathing]:
        """Return the spectrum of the 5 min before the last whole 5 s that the newest beat has passed."""
        until_s = EVERY_S * floor(last_beat_s / EVERY_S)
        if until_s != self._until_s:
            self._until_s, self._found = until_s, _spectra_of(self.window.beats_between(until_s - WINDOW_S, until_s))
        return self._found


def _spectra_of(beats: WindowBeats) -> tuple[Bands, Breathing]:
    count = beats.accepted.size
    if count and (why := too_few_accepted(100 * int(np.count_nonzero(beats.accepted)) / count)):
        return Bands(None, None, (why,)), Breathing(None, 0.0, why)
    return spectra(runs_of(*beats))

"""LF, HF and breathing of a running session: over the last 5 min, anew every 5 s of beats."""

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
    """The spectrum of what a window of 5 min holds; the same beats give the same, whenever it is asked for."""

    window: RollingHrv = field(default_factory=lambda: RollingHrv(WINDOW_S, EVERY_S))
    _until_s: float | None = None
    _found: tuple[Bands, Breathing] = field(default_factory=lambda: spectra([]))

    def at(self, last_beat_s: float) -> tuple[Bands, Breathing]:
        """The spectrum as of the newest beat: of the 5 min before the last whole 5 s that it left behind."""
        until_s = EVERY_S * floor(last_beat_s / EVERY_S)
        if until_s != self._until_s:
            self._until_s, self._found = until_s, _told(self.window.beats_between(until_s - WINDOW_S, until_s))
        return self._found


def _told(held: WindowBeats) -> tuple[Bands, Breathing]:
    beats = held.accepted.size
    if beats and (why := too_few_accepted(100 * int(np.count_nonzero(held.accepted)) / beats)):
        return Bands(None, None, (why,)), Breathing(None, 0.0, why)
    return spectra(runs_of(*held))

"""Speed of this computer relative to that for which the bounds were set, by the time that NeuroKit2 takes on both."""

import time
import warnings

import numpy as np

THERE_MS = 8.5
"""NeuroKit2 0.2.13 there: `hrv_time` of 60 s and of 5 min 1.49 and 2.15 ms, `hrv_frequency` 2.36 and 2.51 ms."""
WINDOWS_S = (60.0, 300.0)


class Speed:
    """Ratio of NeuroKit2's time here to its time there; on a virtual computer it changes by the second."""

    def __init__(self, windows):
        self.windows, self.seen = windows, []

    def around(self, measure, *given):
        """Run a measurement; return its result, and this computer's ratio just before and after."""
        before = self.slowness()
        value = measure(*given)
        return value, (before + self.slowness()) / 2

    def slowness(self):
        self.seen.append(sum(map(sum, neurokit2_ms(self.windows))) / THERE_MS)
        return self.seen[-1]


def neurokit2_ms(windows):
    """Return the processor milliseconds of time and frequency domain, for each length of window."""
    import neurokit2

    def time_domain(rr_ms):
        neurokit2.hrv_time({"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1000})

    def frequency(rr_ms):
        neurokit2.hrv_frequency({"RRI": rr_ms, "RRI_Time": np.cumsum(rr_ms) / 1000}, normalize=False, interpolation_rate=4)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [[median_ms(function, windows, n) for function in (time_domain, frequency)] for n in range(len(WINDOWS_S))]


def median_ms(function, windows, length, times=5):
    """Return the processor milliseconds of a function of intervals, for one length of window."""
    took = []
    for _ in range(times):
        for one in windows:
            rr_ms = np.array(one[length])
            start = time.process_time()
            function(rr_ms)
            took.append(1000 * (time.process_time() - start))
    return float(np.median(took))

"""Process in the environment of pyHRV and hrv-analysis: reads windows as a line of JSON, then measures once per further line."""

from importlib.metadata import version
import json
import os
import sys

sys.stdout, answers = open(os.devnull, "w"), sys.stdout  # noqa: PTH123, SIM115 - they print as they compute

from hrvanalysis import (  # noqa: E402
    get_frequency_domain_features,
    get_poincare_plot_features,
    get_time_domain_features,
)
from pyhrv import frequency_domain, nonlinear, time_domain  # noqa: E402
from speed import median_ms  # noqa: E402 beside this file: restbeat is not in this environment


def pyhrv_time(rr_ms):
    time_domain.nni_parameters(rr_ms)
    time_domain.sdnn(rr_ms)
    time_domain.rmssd(rr_ms)
    time_domain.nn50(rr_ms)
    nonlinear.poincare(rr_ms, show=False, mode="dev")


def hrvanalysis_time(rr_ms):
    get_time_domain_features(rr_ms)
    get_poincare_plot_features(rr_ms)


CASES = {
    "pyhrv": (pyhrv_time, lambda rr_ms: frequency_domain.welch_psd(rr_ms, show=False, mode="dev")),
    "hrv-analysis": (hrvanalysis_time, lambda rr_ms: get_frequency_domain_features(rr_ms, sampling_frequency=4)),
}


windows = json.loads(sys.stdin.readline())
print(json.dumps({name: version(name) for name in CASES}), file=answers, flush=True)
for _ in sys.stdin:
    lengths = range(len(windows[0]))
    told = {name: [[median_ms(function, windows, n) for function in pair] for n in lengths] for name, pair in CASES.items()}
    print(json.dumps(told), file=answers, flush=True)

"""Student's t, the normal distribution and mixtures of them: what SciPy knows and the standard library does not."""

from collections.abc import Callable
from math import sqrt

from scipy.optimize import brentq
from scipy.special import ndtr, stdtr, stdtrit

from ..beats.beat_runs import Array


def t_cdf(df: float, x: Array) -> Array:
    """Share of Student's t with `df` degrees of freedom that lies below x."""
    below: Array = stdtr(df, x)
    return below


def normal_cdf(x: Array) -> Array:
    """Share of the standard normal distribution that lies below x."""
    below: Array = ndtr(x)
    return below


def t_half_width(df: float) -> float:
    """Standard errors from the estimate to the ends of a 95 % interval by Student's t."""
    return float(stdtrit(df, 0.975))


def quantile(below: Callable[[float], float], q: float, mean: float, sd: float) -> float:
    """The x below which a share q lies, 0 < q < 1; `below` is the cumulative function of a distribution with this mean and SD."""
    low, high = mean - sd * sqrt((1 - q) / q), mean + sd * sqrt(q / (1 - q))  # by Cantelli's inequality
    return float(brentq(lambda x: below(x) - q, low, high, xtol=1e-9))


def mean_with_interval(values: Array) -> tuple[float, float, float]:
    """Mean of a few values and its 95 % interval by Student's t; two values at least."""
    mean = float(values.mean())
    reach = t_half_width(values.size - 1) * float(values.std(ddof=1)) / sqrt(values.size)
    return mean, mean - reach, mean + reach

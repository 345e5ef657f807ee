"""Student's t, the normal distribution and mixtures of them: the functions that need SciPy."""

from collections.abc import Callable
from math import sqrt

from scipy.optimize import brentq
from scipy.special import ndtr, stdtr, stdtrit

from ..beats.beat_runs import Array


def t_cdf(df: float, x: Array) -> Array:
    """Return the cumulative distribution of Student's t with `df` degrees of freedom at x."""
    below: Array = stdtr(df, x)
    return below


def normal_cdf(x: Array) -> Array:
    """Return the cumulative standard normal distribution at x."""
    below: Array = ndtr(x)
    return below


def t_half_width(df: float) -> float:
    """Return half the width of a 95 % interval by Student's t, in standard errors."""
    return float(stdtrit(df, 0.975))


def quantile(below: Callable[[float], float], q: float, mean: float, sd: float) -> float:
    """Return the quantile q, 0 < q < 1, of a distribution with cumulative function `below`, `mean` and `sd`."""
    low, high = mean - sd * sqrt((1 - q) / q), mean + sd * sqrt(q / (1 - q))  # by Cantelli's inequality
    return float(brentq(lambda x: below(x) - q, low, high, xtol=1e-9))


def mean_with_interval(values: Array) -> tuple[float, float, float]:
    """Return the mean of at least two values and the ends of its 95 % interval by Student's t."""
    mean = float(values.mean())
    half_width = t_half_width(values.size - 1) * float(values.std(ddof=1)) / sqrt(values.size)
    return mean, mean - half_width, mean + half_width

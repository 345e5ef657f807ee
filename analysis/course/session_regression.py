"""A linear model over a client's sessions whose results are uncertain, each by itself and by how the client wanders.

y = X·β + e, e ~ N(0, SE² + w²): w is the slow wander that no single session shows, half-normal beforehand, integrated out on
a grid. A column with a prior SD is drawn towards no difference (ridge); one without is free. Gelman et al., Bayesian Data
Analysis, chapters 5 and 15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..response.distributions import normal_cdf, quantile

_WANDER: Final = np.array(
    [0.0, 0.01, 0.02, 0.035, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6]
)
_WANDER_SD: Final = 0.15
"""Of ln RMSSD; the real quiet hour at hand wanders by .1 to .2."""
_LOG_PRIOR: Final = np.log(np.gradient(_WANDER)) - 0.5 * (_WANDER / _WANDER_SD) ** 2


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of coefficients: median and 95 % interval."""

    median: float
    low: float
    high: float
    variance_reduction: float
    """Share of the prior variance that the data took away; 1 where a free column is in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Posterior of the coefficients: a mixture of normals over the grid of w."""

    weight: Array
    mean: Array
    covariance: Array
    prior_variance: Array

    def contrast(self, of: Sequence[float]) -> Contrast:
        """Median and interval of Σ of·β."""
        part = np.asarray(of, dtype=np.float64)
        location = self.mean @ part
        variance = np.einsum("i,wij,j->w", part, self.covariance, part)
        scale = np.sqrt(variance)
        centre = float(self.weight @ location)
        total = float(self.weight @ (variance + (location - centre) ** 2))

        def below(x: float) -> float:
            return float(self.weight @ normal_cdf((x - location) / scale))

        low, median, high = (quantile(below, q, centre, sqrt(total)) for q in (0.025, 0.5, 0.975))
        beforehand = float(np.sum(part[part != 0] ** 2 * self.prior_variance[part != 0]))
        return Contrast(median, low, high, 1 - total / beforehand if beforehand < inf else 1.0)


def fit(x: Array, y: Array, standard_error: Array, prior_sd: Sequence[float]) -> Fit:
    """Fit sessions (rows of `x`, shape (sessions, columns)); `prior_sd` of each column, infinite where it is free.

    There must be a session at least for every free column, and they must be told apart by them; raises `ValueError` else.
    """
    prior_variance = np.asarray(prior_sd, dtype=np.float64) ** 2
    free = np.isinf(prior_variance)
    if np.linalg.matrix_rank(x[:, free]) < free.sum():
        raise ValueError("the sessions do not tell the free columns apart")
    variance = standard_error**2 + _WANDER[:, None] ** 2
    weighted = x.T / variance[:, None, :]
    precision = weighted @ x + np.diag(np.where(free, 0.0, 1 / np.where(free, 1.0, prior_variance)))
    covariance = np.linalg.inv(precision)
    mean = np.einsum("wij,wj->wi", covariance, weighted @ y)
    misfit = (y**2 / variance).sum(axis=1) - np.einsum("wi,wij,wj->w", mean, precision, mean)
    log_weight = _LOG_PRIOR - 0.5 * (np.log(variance).sum(axis=1) + np.linalg.slogdet(precision)[1] + misfit)
    weight = np.exp(log_weight - log_weight.max())
    return Fit(weight / weight.sum(), mean, covariance, prior_variance)

"""Linear regression over a client's sessions, whose results have standard errors and a common session-to-session SD.

y = X·β + e, e ~ N(0, SE² + w²): w is the session-to-session SD, which no single session shows, with a half-normal prior and
integrated out on a grid. A column with a prior SD is shrunk towards no difference (ridge); a column without one is free. Gelman
et al., Bayesian Data Analysis, chapters 5 and 15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..response.distributions import normal_cdf, quantile

_SESSION_SD: Final = np.array(
    [0.0, 0.01, 0.02, 0.035, 0.05, 0.07, 0.09, 0.11, 0.13, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6]
)
_SESSION_SD_PRIOR: Final = 0.15
"""Scale of the half-normal prior of w, in ln RMSSD; w was .1 to .2 in the real hour at rest that is at hand."""
_LOG_PRIOR: Final = np.log(np.gradient(_SESSION_SD)) - 0.5 * (_SESSION_SD / _SESSION_SD_PRIOR) ** 2


@dataclass(frozen=True, slots=True)
class Contrast:
    """Posterior of a weighted sum of coefficients: median and 95 % interval."""

    median: float
    low: float
    high: float
    variance_reduction: float
    """Share of the prior variance that the data removed; 1 where the sum contains a free column."""


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Posterior of the coefficients: a mixture of normal distributions over the grid of w."""

    weight: Array
    mean: Array
    covariance: Array
    prior_variance: Array

    def contrast(self, weights: Sequence[float]) -> Contrast:
        """Return median and 95 % interval of Σ weights·β."""
        factors = np.asarray(weights, dtype=np.float64)
        location = self.mean @ factors
        variance = np.einsum("i,wij,j->w", factors, self.covariance, factors)
        scale = np.sqrt(variance)
        centre = float(self.weight @ location)
        total = float(self.weight @ (variance + (location - centre) ** 2))

        def below(x: float) -> float:
            return float(self.weight @ normal_cdf((x - location) / scale))

        low, median, high = (quantile(below, q, centre, sqrt(total)) for q in (0.025, 0.5, 0.975))
        prior = float(np.sum(factors[factors != 0] ** 2 * self.prior_variance[factors != 0]))
        return Contrast(median, low, high, 1 - total / prior if prior < inf else 1.0)


def fit(x: Array, y: Array, standard_error: Array, prior_sd: Sequence[float]) -> Fit:
    """Fit the model to sessions (rows of `x`, shape (sessions, columns)).

    `prior_sd`: of each column, infinite where the column is free. Raises `ValueError` where the sessions do not identify the free
    columns, that is where these are linearly dependent or more than the sessions.
    """
    prior_variance = np.asarray(prior_sd, dtype=np.float64) ** 2
    free = np.isinf(prior_variance)
    if np.linalg.matrix_rank(x[:, free]) < free.sum():
        raise ValueError("the sessions do not tell the free columns apart")
    variance = standard_error**2 + _SESSION_SD[:, None] ** 2
    weighted = x.T / variance[:, None, :]
    precision = weighted @ x + np.diag(np.where(free, 0.0, 1 / np.where(free, 1.0, prior_variance)))
    covariance = np.linalg.inv(precision)
    mean = np.einsum("wij,wj->wi", covariance, weighted @ y)
    misfit = (y**2 / variance).sum(axis=1) - np.einsum("wi,wij,wj->w", mean, precision, mean)
    log_weight = _LOG_PRIOR - 0.5 * (np.log(variance).sum(axis=1) + np.linalg.slogdet(precision)[1] + misfit)
    weight = np.exp(log_weight - log_weight.max())
    return Fit(weight / weight.sum(), mean, covariance, prior_variance)

"""The change in level of a drifting series between two phases, as a posterior distribution.

Model: y = μ + Δ·[later phase] + γ·ramp + u, cov(uᵢ, uⱼ) = s²·((1−r)·e^(−|tᵢ−tⱼ|/τ) + r·[i=j]), an AR(1) drift plus noise. μ, Δ, γ
and s² are integrated out in closed form for each point of a grid over τ and r (Gelman et al., Bayesian Data Analysis, chapter
14); Δ is then a mixture of Student t. The inverse Q of the drift's covariance is tridiagonal: C⁻¹ = Q·((1−r) + r·Q)⁻¹ of all
points of the grid comes from one tridiagonal solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np
from scipy.linalg.lapack import dpttrf, dpttrs

from ..beats.beat_runs import Array, Bools
from ..figures import DriftEvidence
from .distributions import quantile, t_cdf

_TAU_S: Final = np.array([3, 6, 10, 15, 22, 32, 45, 65, 90, 130, 190], dtype=np.float64)
_WHITE: Final = np.array([0, 0.15, 0.3, 0.5, 0.7, 0.85])
_TAU, _R = (axis.ravel() for axis in np.meshgrid(_TAU_S, _WHITE, indexing="ij"))
_LOG_PRIOR: Final = -0.5 * (np.log(_TAU / 25) / 0.9) ** 2
"""τ is lognormal: median 25 s, ln-SD 0.9."""
_EARLIER_WEIGHT: Final = 0.5
"""Weight of an earlier session's evidence on τ and r: a person's drift is similar from day to day, not identical."""
_BORROWED_DF: Final = 8
"""Degrees of freedom for s² that all earlier sessions together contribute."""
_RAMP_S: Final = 150.0
"""Time constant with which a long phase approaches its level."""
_LONG_S: Final = 580.0
"""Span of the points from which a phase is long (ten minutes less two segments) and the ramp is added to the model."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """A mixture of Student t distributions with common degrees of freedom."""

    weight: Array
    location: Array
    scale: Array
    df: int

    def above(self, x: float) -> float:
        """Return P(Δ > x)."""
        return float(self.weight @ t_cdf(self.df, (self.location - x) / self.scale))

    def quantile(self, q: float) -> float:
        """Return the quantile q of Δ, 0 < q < 1."""
        return quantile(lambda x: 1 - self.above(x), q, self.mean, self.sd)

    @property
    def mean(self) -> float:
        """Mean of Δ."""
        return float(self.weight @ self.location)

    @property
    def sd(self) -> float:
        """Standard deviation of Δ."""
        spread = self.scale**2 * self.df / (self.df - 2) + (self.location - self.mean) ** 2
        return sqrt(float(self.weight @ spread))

    def widened(self, sd: float) -> "Posterior":
        """Return the posterior with a further SD of Δ added in quadrature."""
        return replace(self, scale=np.sqrt(self.scale**2 + sd**2))


def change_posterior(
    t_s: Array, y: Array, later: Bools, earlier: Sequence[DriftEvidence] = ()
) -> tuple[Posterior, DriftEvidence]:
    """Return the posterior of Δ for values `y` at ascending times in s, and the evidence on the drift.

    `later` marks the values of the second phase. `earlier`: drift evidence of the same person's rest-only sessions.
    """
    since = np.clip(t_s - t_s[later][0], 0, None)
    columns = [y - y.mean(), np.ones(y.size), later.astype(np.float64)]
    if since[-1] >= _LONG_S:
        ramp = np.where(later, np.exp(-since / _RAMP_S), 0.0)
        columns.append(ramp - later * ramp[later].mean())
    products, log_det = _products(t_s, np.column_stack(columns))
    covariance = np.linalg.inv(products[:, 1:, 1:])
    beta = (covariance @ products[:, 1:, :1])[..., 0]
    rss = np.maximum(products[:, 0, 0] - np.sum(beta * products[:, 1:, 0], axis=1), 0.0) + 1e-9
    df = y.size - beta.shape[1]
    log_marginal = 0.5 * (np.linalg.slogdet(covariance)[1] - log_det)
    evidence = log_marginal - df / 2 * np.log(rss)
    seen = DriftEvidence(log_likelihood=evidence.round(3).tolist(), rss=np.maximum(rss, 1e-6).round(6).tolist(), df=df)
    log_weight, total, freedom = _LOG_PRIOR + log_marginal, rss, df
    if earlier:
        known, variance = _pooled(earlier)
        log_weight = log_weight + known + _BORROWED_DF / 2 * np.log(variance)
        total, freedom = rss + _BORROWED_DF * variance, df + _BORROWED_DF
    log_weight = log_weight - freedom / 2 * np.log(total)
    weight = np.exp(log_weight - log_weight.max())
    scale = np.sqrt(total / freedom * covariance[:, 1, 1])
    return Posterior(weight / weight.sum(), beta[:, 1], scale, freedom), seen


def _pooled(earlier: Sequence[DriftEvidence]) -> tuple[Array, Array]:
    """Return log evidence, at half weight, and drift variance from earlier sessions, for each point of the grid."""
    log_likelihood = _EARLIER_WEIGHT * np.sum([seen.log_likelihood for seen in earlier], axis=0)
    variance = np.sum([seen.rss for seen in earlier], axis=0) / sum(seen.df for seen in earlier)
    return log_likelihood, variance


def _products(t_s: Array, columns: Array) -> tuple[Array, Array]:
    """Return the inner products of the columns under C⁻¹, shape (grid, columns, columns), and the log determinants of C."""
    n, width = columns.shape
    products = np.empty((_TAU_S.size, _WHITE.size, width, width))
    log_det = np.empty((_TAU_S.size, _WHITE.size))
    gap_s, white = np.diff(t_s), _WHITE[:, None]
    diagonal, beside = np.empty(n), np.zeros(n)  # of Q
    right = np.tile(columns.T, _WHITE.size)  # one row per column, the memory order of LAPACK
    for k, tau_s in enumerate(_TAU_S):  # one at a time, so that its arrays stay in the processor's cache
        decay = np.exp(-gap_s / tau_s)
        renewed = 1 / (1 - decay**2)
        beside[:-1] = -decay * renewed
        diagonal.fill(1.0)
        diagonal[:-1] += decay**2 * renewed
        diagonal[1:] += decay**2 * renewed
        matrix = (1 - white + white * diagonal).ravel(), (white * beside).ravel()[:-1]
        pivots, factors, _ = dpttrf(*matrix, overwrite_d=1, overwrite_e=1)
        solved, _ = dpttrs(pivots, factors, right.T)
        rows = solved.T.reshape(width, _WHITE.size, n)
        weighted = diagonal * rows
        weighted[..., :-1] += beside[:-1] * rows[..., 1:]
        weighted[..., 1:] += beside[:-1] * rows[..., :-1]
        products[k] = (weighted.reshape(-1, n) @ columns).reshape(width, _WHITE.size, width).swapaxes(0, 1)
        log_det[k] = np.log(pivots).reshape(_WHITE.size, n).sum(axis=1) - np.log(renewed).sum()
    return products.reshape(_TAU.size, width, width), log_det.ravel()

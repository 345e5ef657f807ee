"""How far the level of a drifting series moved between two phases: the posterior of that change.

Model: y = μ + Δ·[later phase] + γ·ramp + u, cov(uᵢ, uⱼ) = s²·((1−r)·e^(−|tᵢ−tⱼ|/τ) + r·[i=j]), an AR(1) drift plus noise. μ, Δ, γ
and s² are integrated out in closed form for each point of a grid over τ and r; Δ is then a mixture of Student t. The inverse Q of
the drift's covariance is tridiagonal: C⁻¹ = Q·((1−r) + r·Q)⁻¹ of all points of the grid comes from one tridiagonal solution.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np
from scipy.linalg.lapack import dpttrf, dpttrs
from scipy.optimize import brentq
from scipy.special import stdtr

from .runs import Array, Bools

_TAU_S: Final = np.array([3, 6, 10, 15, 22, 32, 45, 65, 90, 130, 190], dtype=np.float64)
_WHITE: Final = np.array([0, 0.15, 0.3, 0.5, 0.7, 0.85])
_TAU, _R = (axis.ravel() for axis in np.meshgrid(_TAU_S, _WHITE, indexing="ij"))
_LOG_PRIOR: Final = -0.5 * (np.log(_TAU / 25) / 0.9) ** 2
"""τ is lognormal: median 25 s, ln-SD 0.9."""
_RAMP_S: Final = 150.0
_LONG_S: Final = 580.0
"""A phase whose points span this long (ten minutes, less two segments) may approach its level slowly."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """A mixture of Student t distributions with common degrees of freedom."""

    weight: Array
    location: Array
    scale: Array
    df: int

    def above(self, x: float) -> float:
        """P(Δ > x)."""
        return float(self.weight @ stdtr(self.df, (self.location - x) / self.scale))

    def quantile(self, q: float) -> float:
        """The Δ below which a share q of the probability lies, 0 < q < 1."""
        low, high = self.mean - self.sd * sqrt((1 - q) / q), self.mean + self.sd * sqrt(q / (1 - q))  # by Cantelli's inequality
        return float(brentq(lambda x: 1 - self.above(x) - q, low, high, xtol=1e-9))

    @property
    def mean(self) -> float:
        """Mean of Δ."""
        return float(self.weight @ self.location)

    @property
    def sd(self) -> float:
        """Standard deviation of Δ."""
        spread = self.scale**2 * self.df / (self.df - 2) + (self.location - self.mean) ** 2
        return sqrt(float(self.weight @ spread))

    def wandering(self, wander_sd: float) -> "Posterior":
        """The same, of a Δ that wanders by `wander_sd` between quiet phases beyond what one session can show."""
        return replace(self, scale=np.sqrt(self.scale**2 + wander_sd**2))


def change(t_s: Array, y: Array, later: Bools, wander_sd: float = 0.0) -> Posterior:
    """Posterior of Δ for values `y` at ascending times; `later` marks the second phase. For `wander_sd` see `Posterior`."""
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
    log_weight = _LOG_PRIOR - 0.5 * log_det + 0.5 * np.linalg.slogdet(covariance)[1] - df / 2 * np.log(rss)
    weight = np.exp(log_weight - log_weight.max())
    scale = np.sqrt(rss / df * covariance[:, 1, 1])
    return Posterior(weight / weight.sum(), beta[:, 1], scale, df).wandering(wander_sd)


def _products(t_s: Array, columns: Array) -> tuple[Array, Array]:
    """Inner products of the columns under C⁻¹, shape (grid, columns, columns), and the log determinants of C."""
    n, width = columns.shape
    decay = np.exp(-np.diff(t_s) / _TAU_S[:, None])
    kept = decay**2 / (1 - decay**2)
    diagonal = np.ones((_TAU_S.size, n))
    diagonal[:, :-1] += kept
    diagonal[:, 1:] += kept
    beside = np.zeros((_TAU_S.size, n))
    beside[:, :-1] = -decay / (1 - decay**2)
    white = _WHITE[:, None]
    pivots, factors, _ = dpttrf(
        (1 - white + white * diagonal[:, None]).ravel(), (white * beside[:, None]).ravel()[:-1], overwrite_d=1, overwrite_e=1
    )
    right = np.tile(columns.T, _TAU.size)  # a row each column, as LAPACK's columns lie in memory
    solved, _ = dpttrs(pivots, factors, right.T, overwrite_b=1)
    rows = solved.T.reshape(width, _TAU_S.size, _WHITE.size, n)
    weighted = diagonal[:, None] * rows
    weighted[..., :-1] += beside[:, None, :-1] * rows[..., 1:]
    weighted[..., 1:] += beside[:, None, :-1] * rows[..., :-1]
    log_det = np.log1p(-(decay**2)).sum(axis=1)[:, None] + np.log(pivots).reshape(_TAU_S.size, _WHITE.size, n).sum(axis=2)
    products: Array = (weighted.reshape(width * _TAU.size, n) @ columns).reshape(width, _TAU.size, width).swapaxes(0, 1)
    return products, log_det.ravel()

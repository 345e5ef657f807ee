"""How far the level of a drifting series moved between two phases: the posterior of that change.

Model: y = μ + Δ·[later phase] + γ·ramp + u, cov(uᵢ, uⱼ) = s²·((1−r)·e^(−|tᵢ−tⱼ|/τ) + r·[i=j]), an AR(1) drift plus noise. μ, Δ, γ
and s² are integrated out in closed form for each point of a grid over τ and r; Δ is then a mixture of Student t. A Kalman filter
whitens all points of the grid at once in time proportional to the length of the series.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
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
        reach = 50 * float(self.scale.max())
        low, high = float(self.location.min()) - reach, float(self.location.max()) + reach
        return float(brentq(lambda x: 1 - self.above(x) - q, low, high, xtol=1e-9))


def change(t_s: Array, y: Array, later: Bools, wander_sd: float) -> Posterior:
    """Posterior of Δ for values `y` at ascending times; `later` marks the second phase.

    `wander_sd`: SD of Δ between quiet phases beyond what one session can show.
    """
    since = np.clip(t_s - t_s[later][0], 0, None)
    columns = [y, np.ones(y.size), later.astype(np.float64)]
    if since[-1] >= _LONG_S:
        ramp = np.where(later, np.exp(-since / _RAMP_S), 0.0)
        columns.append(ramp - later * ramp[later].mean())
    white, log_det = _whiten(t_s, np.column_stack(columns))
    yw, xw = white[..., 0], white[..., 1:]
    across = xw.swapaxes(1, 2)
    covariance = np.linalg.inv(across @ xw)
    beta = covariance @ (across @ yw[..., None])
    rss = np.sum((yw - (xw @ beta)[..., 0]) ** 2, axis=1) + 1e-9
    df = y.size - xw.shape[2]
    log_weight = _LOG_PRIOR - 0.5 * log_det + 0.5 * np.linalg.slogdet(covariance)[1] - df / 2 * np.log(rss)
    weight = np.exp(log_weight - log_weight.max())
    scale = np.sqrt(rss / df * covariance[:, 1, 1] + wander_sd**2)
    return Posterior(weight / weight.sum(), beta[:, 1, 0], scale, df)


def _whiten(t_s: Array, columns: Array) -> tuple[Array, Array]:
    """Innovations of every column over their SD, shape (grid, times, columns), and log determinants of the covariance."""
    n, width = columns.shape
    white = np.empty((n, _TAU.size, width))
    deviation = np.empty((n, _TAU.size))
    drift = 1 - _R
    variance, state = drift.copy(), np.zeros((_TAU.size, width))
    decay = np.exp(-np.diff(t_s, append=t_s[-1])[:, None] / _TAU)
    renewed = drift * (1 - decay**2)
    for k in range(n):
        total = variance + _R
        residual = columns[k] - state
        gain = variance / total
        white[k], deviation[k] = residual, total
        state = (state + gain[:, None] * residual) * decay[k][:, None]
        variance = decay[k] ** 2 * (variance * (1 - gain)) + renewed[k]
    white /= np.sqrt(deviation)[..., None]
    log_det: Array = np.log(deviation).sum(axis=0)
    return white.swapaxes(0, 1), log_det

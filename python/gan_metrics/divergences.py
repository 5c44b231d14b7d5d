"""Divergences between distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Optional

import numpy as np

from . import _native
from .errors import InputError
from .statistics import Statistics

__all__ = ["DivergenceValue", "divergence"]


class DivergenceValue(float):
    """A divergence: a float that knows how it was computed."""

    #: ``exact``, ``closed-form``, ``quadrature``, ``monte-carlo``, ``sliced``, ``plug-in`` or ``nearest-neighbours``.
    method: str
    #: Bound on the error of a quadrature.
    error_bound: Optional[float]
    #: 95 % interval of what is drawn at random.
    interval: Optional[tuple[float, float]]

    def __new__(
        cls, value: float, method: str, error_bound: Optional[float] = None, interval: Optional[tuple[float, float]] = None
    ) -> DivergenceValue:
        self = super().__new__(cls, value)
        self.method, self.error_bound, self.interval = method, error_bound, interval
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (float(self), self.method, self.error_bound, self.interval)


def divergence(
    name: str,
    p: Any,
    q: Any,
    *,
    normalize: bool = False,
    base: Optional[float] = None,
    estimator: Optional[Literal["histogram", "knn"]] = None,
    bins: Optional[int] = None,
    pseudocount: float = 0.0,
    neighbours: int = 5,
    slices: Optional[int] = None,
    points: Optional[Sequence[float]] = None,
    samples: int = 100_000,
    seed: int = 2020,
) -> DivergenceValue:
    """The divergence of P from Q by its name: ``kl``, ``js``, ``tv``, ``alpha(0.5)``, ``renyi(2)``, ``w1``, ``w2`` …

    P and Q are both probabilities (sequences of numbers; ``normalize`` divides by their sum), densities (``"normal(0,1)"``), Gaussians
    (pairs of mean and covariance, or :class:`Statistics`), or samples (arrays with one sample a row, with ``estimator`` where the
    divergence is not a transport distance).

    >>> import gan_metrics
    >>> round(gan_metrics.divergence("kl", [0.5, 0.5], [0.25, 0.75], base=2), 12)
    0.207518749639
    >>> gan_metrics.divergence("kl", "normal(0,1)", "normal(1,1)").method
    'closed-form'
    >>> gan_metrics.divergence("w1", [[0.0], [1.0]], [[2.0], [3.0]])
    2.0
    """
    if estimator not in (None, "histogram", "knn"):
        raise InputError(f"estimator is {estimator!r}: it must be 'histogram' or 'knn'")
    options = {
        "normalize": bool(normalize),
        "base": base,
        "estimator": estimator,
        "bins": bins,
        "pseudocount": float(pseudocount),
        "neighbours": neighbours,
        "slices": slices,
        "samples": samples,
        "seed": seed,
        "points": None if points is None else [float(point) for point in points],
    }
    return DivergenceValue(*_native.divergence(name, _distribution(p, "p"), _distribution(q, "q"), options))


def _distribution(given: Any, argument: str) -> Any:
    if isinstance(given, str):
        return given
    if isinstance(given, Statistics):
        return (given.mean, given.covariance)
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[1]) == 2:
        return (np.asarray(given[0], np.float64), np.asarray(given[1], np.float64))
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{argument} is not made of numbers: {error}") from None
    if array.ndim not in (1, 2) or array.size == 0:
        raise InputError(f"{argument} has the shape {array.shape}: probabilities are a list, samples an array with one a row")
    return array

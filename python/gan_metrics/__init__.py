"""How good are the samples of an image generator?

FID, Inception Score, KID, precision and recall and their family, with the numbers that the reference implementations publish.

>>> import gan_metrics, numpy as np
>>> real, fake = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 16, 3), dtype=np.uint8)
>>> report = gan_metrics.score(real, fake, metrics=["fid", "prdc"], extractor="efficientnet-lite0")
>>> report["fid"] > 0
True

:func:`score` compares two sets in one call, :class:`Evaluator` batch by batch; :class:`Extractor` turns images into features,
:class:`Statistics`, :class:`Moments` and :class:`Partial` are what is kept of a set; :func:`divergence` is a calculator.
``gan_metrics.torch``, ``gan_metrics.fidelity`` and ``gan_metrics.cleanfid`` speak the languages of torchmetrics, torch-fidelity and
clean-fid, ``gan_metrics.ray`` runs on Ray Data.
"""

from ._native import __version__
from .divergences import DivergenceValue, divergence
from .errors import Error, InputError, InternalError, MachineError, MissingScore, ModelError
from .evaluator import Evaluator
from .extractor import Extracted, Extractor
from .report import Interval, Report
from .scoring import score, score_features
from .statistics import FrechetDistance, Moments, Partial, Statistics

__all__ = [
    "DivergenceValue",
    "Error",
    "Evaluator",
    "Extracted",
    "Extractor",
    "FrechetDistance",
    "InputError",
    "InternalError",
    "Interval",
    "MachineError",
    "MissingScore",
    "ModelError",
    "Moments",
    "Partial",
    "Report",
    "Statistics",
    "__version__",
    "divergence",
    "score",
    "score_features",
]

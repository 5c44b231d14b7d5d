"""The metrics of torchmetrics, in its signatures and with its numbers.

``FrechetInceptionDistance``, ``KernelInceptionDistance``, ``InceptionScore`` and ``MemorizationInformedFrechetInceptionDistance`` take the
place of those in ``torchmetrics.image``; where torchmetrics is installed they are its ``Metric`` and go into a ``MetricCollection``, and
metrics with the same network share one pass over a batch. ``Scores`` computes any score of this package in one pass,
``GeneratorScores`` those of the images that a generator makes in the middle of its training.

What several processes saw is merged over ``torch.distributed`` when a score is computed. Subsets and permutations are drawn from
PyTorch's generator as torchmetrics draws them: after the same ``torch.manual_seed`` the numbers are the same.

Weights are those of ``gan-metrics model install inception-v3``, or of ``feature_extractor_weights_path``.
"""

from ._base import HAS_TORCHMETRICS
from ._metrics import (
    FrechetInceptionDistance,
    InceptionScore,
    KernelInceptionDistance,
    MemorizationInformedFrechetInceptionDistance,
)
from ._sampling import GeneratorScores
from ._scores import Scores

__all__ = [
    "HAS_TORCHMETRICS",
    "FrechetInceptionDistance",
    "GeneratorScores",
    "InceptionScore",
    "KernelInceptionDistance",
    "MemorizationInformedFrechetInceptionDistance",
    "Scores",
]

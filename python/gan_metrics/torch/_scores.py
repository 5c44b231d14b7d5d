"""Any score of this package, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Union

import torch
from torch import Tensor

from ..evaluator import Evaluator, Parameters, SetName
from ..report import Report
from ..statistics import Partial
from ._base import NETWORK, ImageMetric, levels


class Scores(ImageMetric):
    """Several scores of one pass: ``compute`` gives a dictionary of tensors, ``report`` everything else.

    ``reference`` is a real set that is known whole: :class:`gan_metrics.Statistics`, a part, or a file of either. In a group of processes
    each sees the images that PyTorch's ``DistributedSampler`` deals to it; scores of features are then, to the bit, those of one process.
    """

    def __init__(
        self,
        metrics: Union[str, Sequence[str]] = ("fid",),
        reset_real_features: bool = True,
        normalize: bool = False,
        reference: Any = None,
        preset: str = "torch-fidelity",
        parameters: Optional[Parameters] = None,
        **kwargs: Any,
    ) -> None:
        of_network = {name: kwargs.pop(name) for name in (*NETWORK, "layer") if name in kwargs}
        super().__init__(**kwargs)
        self.normalize, self.reset_real_features = normalize, reset_real_features
        self._arguments = {"metrics": metrics, "preset": preset, "parameters": parameters, "reference": reference, **of_network}
        self._run = self._evaluator()

    def _evaluator(self) -> Evaluator:
        shard = None
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            shard = f"{torch.distributed.get_rank() + 1}/{torch.distributed.get_world_size()}"
        return Evaluator(shard=shard, **self._arguments)

    def update(self, imgs: Tensor, real: bool = False) -> None:
        """Adds images to the real or to the fake set."""
        self._run.update(levels(imgs, self.normalize), "real" if real else "fake", layout="NCHW")

    def report(self) -> Report:
        """The scores of all processes' images, with their warnings and what else a report holds."""
        with_reference = self._arguments["reference"] is not None
        names: tuple[SetName, ...] = ("fake",) if with_reference else ("real", "fake")
        everybody = self._shared({name: self._run.to_bytes(name) for name in names})
        if len(everybody) == 1:
            return self._run.compute()
        whole = Evaluator(**self._arguments)
        for name in names:
            whole.merge(Partial.join(Partial.from_bytes(part[name]) for part in everybody), name)
        return whole.compute()

    def compute(self) -> dict[str, Tensor]:
        """The scores of all processes' images; raises where one of them could not be computed."""
        found = self.report().check()
        return {name: torch.tensor(value, dtype=torch.float64, device=self.device) for name, value in found.items()}

    def reset(self) -> None:
        """Forgets the images; real ones stay with ``reset_real_features=False``, and a reference stays in any case."""
        self._forget()
        self._run.reset("fake")
        if self.reset_real_features and self._arguments["reference"] is None:
            self._run.reset("real")

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Adds a batch, and gives the scores of all images of this process so far, as far as they can be computed."""
        self.update(*args, **kwargs)
        return dict(self._run.compute())

"""Scores of a generator in the middle of its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional, Union

import torch

from .._images import Layout, Range
from ..errors import InputError
from ..evaluator import Evaluator, Parameters, Reference
from ..report import Report
from ..statistics import Partial
from ._base import gathered


class GeneratorScores:
    """Scores of the images that a generator makes now, for a training loop: of one process or of many.

    ``generate`` is given a number, and returns that many images: a tensor, with the ``range`` of its floats. In a group of processes
    (torchrun, Accelerate, Lightning) each makes its share of ``images``, and every one of them gets the report of all.

    >>> import torch
    >>> from gan_metrics.torch import GeneratorScores
    >>> generator = torch.nn.Sequential(torch.nn.Linear(8, 3 * 16 * 16), torch.nn.Unflatten(1, (3, 16, 16)), torch.nn.Tanh())
    >>> scores = GeneratorScores(
    ...     lambda n: generator(torch.randn(n, 8)), "vendi", images=10, batch_size=4, range=(-1, 1), extractor="efficientnet-lite0"
    ... )
    >>> report = scores()
    >>> report["vendi"] > 1, report.to_dict()["sets"][0]["images"]
    (True, 10)

    ``reference`` is the real set: statistics, a part, or a file of either. Other keywords are those of :class:`gan_metrics.Evaluator`.
    """

    def __init__(
        self,
        generate: Callable[[int], Any],
        metrics: Union[str, Sequence[str]] = ("fid",),
        *,
        reference: Optional[Reference] = None,
        images: int = 10_000,
        batch_size: int = 64,
        range: Optional[Range] = None,
        layout: Layout = "NCHW",
        preset: str = "torch-fidelity",
        parameters: Optional[Parameters] = None,
        ci: Optional[float] = None,
        **network: Any,
    ) -> None:
        for name, value in (("images", images), ("batch_size", batch_size)):
            if not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}: it must be a whole number from 1")
        self._generate, self._images, self._batch, self._range, self._layout = generate, images, batch_size, range, layout
        self._options = {
            "metrics": metrics, "reference": reference, "preset": preset, "parameters": parameters, "ci": ci, **network,
        }  # fmt: skip
        self._shard, self._run = "1/1", Evaluator(**self._options)

    def __call__(self) -> Report:
        """Makes the images, and scores them. Gradients are not recorded."""
        rank, world = 0, 1
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
        shard = f"{rank + 1}/{world}"
        if shard != self._shard:
            # The group was not there when this was made.
            self._shard, self._run = shard, Evaluator(shard=shard, **self._options)
        run = self._run
        run.reset("fake")
        left = len(range(rank, self._images, world))
        while left > 0:
            count = min(self._batch, left)
            with torch.no_grad():
                made = self._generate(count)
            if len(made) != count:
                raise InputError(f"generate was asked for {count} images and returned {len(made)}")
            run.update(made, layout=self._layout, range=self._range)
            left -= count
        for other, part in enumerate(gathered(run.to_bytes() if world > 1 else b"")):
            if other != rank:
                run.merge(Partial.from_bytes(part))
        return run.compute()

"""Scores of a generator while Lightning trains it.

>>> trainer = lightning.Trainer(callbacks=[
...     gan_metrics.lightning.GeneratorScores(lambda module, n: module(torch.randn(n, 128, device=module.device)), ["fid", "prdc"],
...                                           reference="cifar10.npz", images=10_000, range=(-1, 1))
... ])  # doctest: +SKIP

Numbers are logged as those of the module (``fid``, ``precision``), so that every logger gets them, and ``ModelCheckpoint(monitor="fid")``
and ``EarlyStopping`` can follow them.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:
    from pytorch_lightning import Callback, LightningModule, Trainer

from . import torch as of_torch
from .errors import InputError
from .report import Report

__all__ = ["GeneratorScores"]


class GeneratorScores(Callback):  # type: ignore[misc]
    """Scores what ``generate(module, n)`` makes, at the end of every ``every_n_epochs``-th training epoch.

    Other arguments are those of :class:`gan_metrics.torch.GeneratorScores`; of several devices each makes its share. The module generates
    in its evaluation mode and goes back to that in which it was. A score that fails stops the training, with its reason; warnings are in
    ``report``.
    """

    def __init__(
        self, generate: Callable[[LightningModule, int], Any], *args: Any, every_n_epochs: int = 1, prefix: str = "", **kwargs: Any
    ) -> None:
        if not isinstance(every_n_epochs, int) or every_n_epochs < 1:
            raise InputError(f"every_n_epochs is {every_n_epochs!r}: it must be a whole number from 1")
        self.every_n_epochs, self.prefix = every_n_epochs, prefix
        #: What was found last.
        self.report: Optional[Report] = None
        self._module: Optional[LightningModule] = None
        self._scores = of_torch.GeneratorScores(lambda count: generate(self._module, count), *args, **kwargs)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scores the generator, and logs the numbers."""
        if (trainer.current_epoch + 1) % self.every_n_epochs != 0:
            return
        before = pl_module.training
        self._module = pl_module.eval()
        try:
            self.report = self._scores().check()
        finally:
            self._module = None
            pl_module.train(before)
        # Every process has the numbers of all.
        pl_module.log_dict({f"{self.prefix}{name}": value for name, value in self.report.items()}, rank_zero_only=False)

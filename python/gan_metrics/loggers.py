"""Reports in the logs of training runs: TensorBoard, Weights & Biases, MLflow, Lightning's loggers and Accelerate's trackers.

>>> from gan_metrics.loggers import log
>>> class Writer:
...     def add_scalar(self, tag, value, global_step=None):
...         print(tag, value, global_step)
>>> log({"fid": 12.5}, Writer(), step=3, prefix="samples/")
samples/fid 12.5 3

Loggers are told apart by what they can do, so that none has to be installed for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from .errors import InputError
from .report import Report

__all__ = ["log"]


def _to_tensorboard(writer: Any, numbers: dict[str, float], step: Optional[int]) -> None:
    for name, value in numbers.items():
        writer.add_scalar(name, value, global_step=step)


#: The method that tells a logger, who has it, and how numbers are written.
_LOGGERS: tuple[tuple[str, str, Callable[[Any, dict[str, float], Optional[int]], None]], ...] = (
    ("add_scalar", "TensorBoard's SummaryWriter", _to_tensorboard),
    ("log_metrics", "mlflow, a logger of Lightning", lambda logger, numbers, step: logger.log_metrics(numbers, step=step)),
    ("log", "wandb, one of its runs, an Accelerator", lambda logger, numbers, step: logger.log(numbers, step=step)),
)


def log(report: Mapping[str, float], to: Any, *, step: Optional[int] = None, prefix: str = "") -> None:
    """Writes every number of a report to a logger, as ``prefix`` and its name; the ends of intervals as ``fid-lower``, ``fid-upper``.

    ``to`` is TensorBoard's ``SummaryWriter``, the module ``mlflow``, the module ``wandb`` or one of its runs, a logger of Lightning, an
    ``Accelerator``, or anything else with ``add_scalar``, ``log_metrics`` or ``log`` in their signatures. Scores that failed are not
    written: they have no number, and ``report.failed`` says why.
    """
    numbers = {f"{prefix}{name}": float(value) for name, value in report.items()}
    for name, interval in (report.intervals if isinstance(report, Report) else {}).items():
        numbers |= {f"{prefix}{name}-lower": interval.lower, f"{prefix}{name}-upper": interval.upper}
    for method, _, write in _LOGGERS:
        if callable(getattr(to, method, None)):
            return write(to, numbers, step)
    known = "; ".join(f"{method} ({owners})" for method, owners, _ in _LOGGERS)
    raise InputError(f"to is of type {type(to).__name__}, which has none of the methods of a logger: {known}")

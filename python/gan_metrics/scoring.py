"""Scores of two sets in one call."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Union

from . import _native
from ._images import Images, Layout, Range, batches, is_path, of_path, reading
from ._network import spec
from .errors import InputError
from .evaluator import Evaluator, Parameters, arrays_in, asked, holds_rows
from .report import Report, registry
from .statistics import Partial, Statistics, rows_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._network import NetworkKeywords

__all__ = ["score", "score_features"]


def score(
    real: Union[Images, Statistics, Partial, None],
    fake: Images,
    metrics: Union[str, Sequence[str], None] = None,
    *,
    preset: str = "torch-fidelity",
    parameters: Optional[Parameters] = None,
    ci: Optional[float] = None,
    layout: Optional[Layout] = None,
    range: Optional[Range] = None,
    num: Optional[int] = None,
    seed: int = 0,
    array: Optional[str] = None,
    cache: Literal["off", "use", "refresh"] = "off",
    pictures: bool = False,
    progress: Optional[Callable[[str, int, int], object]] = None,
    **network: Unpack[NetworkKeywords],
) -> Report:
    """Scores generated images against real ones, or by themselves (``real=None``).

    Each set is a path (whatever ``gan-metrics score`` reads: a folder, an archive, an array file, Parquet, shards, features,
    statistics), an array or a tensor, PIL images, encoded bytes, or an iterable of batches of these; ``real`` may also be
    :class:`Statistics` or a :class:`Partial`.

    ``metrics`` are names of scores, or ``"all"``; left out, they are those of the tool that ``preset`` names. ``parameters`` change
    definitions (``{"kid": {"subset_size": 500}}``), ``ci=95`` adds confidence intervals. ``layout`` and ``range`` are those of arrays,
    ``num`` and ``seed`` choose images of paths, ``cache`` keeps features of paths, ``pictures`` draws them (``Report.svg``,
    ``Report.to_html``), and ``progress`` is called with the set, the images done and their number.

    >>> import gan_metrics, numpy as np
    >>> real = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)
    >>> fake = (batch for batch in np.random.default_rng(1).random((5, 2, 3, 16, 16)))
    >>> report = gan_metrics.score(real, fake, metrics="fid", range=None, extractor="efficientnet-lite0")
    Traceback (most recent call last):
    ...
    gan_metrics.errors.InputError: batch 0 of fake is of float64, and nothing tells 0…1 from −1…1: say range=(0, 1), the values of black and white
    >>> fake = (batch for batch in np.random.default_rng(1).random((5, 2, 3, 16, 16)))
    >>> report = gan_metrics.score(real, fake, metrics="fid", range=(0, 1), extractor="efficientnet-lite0")
    >>> report["fid"] > 0
    True
    """
    wanted = asked(metrics, preset, parameters, ci)
    if cache not in ("off", "use", "refresh"):
        raise InputError(f"cache is {cache!r}: it must be 'off', 'use' or 'refresh'")
    if is_path(fake) and (real is None or is_path(real)):
        if layout is not None:
            raise InputError("layout would have no effect: the sets are paths, whose files tell")
        found, drawn = _native.score_paths(
            None if real is None else os.fspath(real),
            os.fspath(fake),
            spec({**network}),
            wanted,
            reading(range=range, num=num, seed=seed, array=array),
            None if cache == "off" else cache == "refresh",
            pictures,
            progress,
        )
        svg, page = drawn or (None, None)
        return Report(json.loads(found), svg=svg, page=page)
    for name, given in (("cache", cache != "off"), ("pictures", pictures)):
        if given:
            raise InputError(f"{name} would have no effect: it works with two paths only")
    for name, given in (("num", num is not None), ("array", array is not None)):
        if given and not is_path(real) and not is_path(fake):
            raise InputError(f"{name} would have no effect: neither set is a path")
    if range is not None and all(images is None or _is_bytes(images) for images in (real, fake)):
        raise InputError("range would have no effect: both sets are of uint8, whose levels are from 0 to 255")
    names = metrics if metrics is not None else _of_preset(preset, real is not None)
    reference: Any = real if isinstance(real, (Statistics, Partial)) or _is_measured(real) else None
    run = Evaluator(names, reference=reference, preset=preset, parameters=parameters, ci=ci, **network)
    for images, name in ((None if reference is not None else real, "real"), (fake, "fake")):
        if images is not None:
            _take(run, images, name, layout, range, num, seed, array, progress)
    return run.compute()


def _take(
    run: Evaluator,
    images: Any,
    name: Any,
    layout: Optional[Layout],
    range: Optional[Range],
    num: Optional[int],
    seed: int,
    array: Optional[str],
    progress: Optional[Callable[[str, int, int], object]],
) -> None:
    """Adds a set to an evaluator; what describes arrays is not applied to paths, nor the other way round."""
    if is_path(images):
        pieces = iter([of_path(images, range=None, num=num, seed=seed, array=array)])
    else:
        # A range that is meant for the other set does not apply to bytes.
        pieces = batches(images, layout=layout, range=range, argument=name, of_floats_alone=True)
    for piece in pieces:
        run._native.update(name == "real", piece)
        if progress is not None:
            done = run.images(name) or 0
            progress(name, done, done)


def _is_bytes(images: Any) -> bool:
    """Whether it is an array of bytes, on which a range has no effect."""
    return str(getattr(images, "dtype", "")).rpartition(".")[2] == "uint8"


def _is_measured(real: Any) -> bool:
    """Whether a path holds statistics or features, not images."""
    if not is_path(real):
        return False
    path = os.fspath(real)
    if path.endswith(".pkl"):
        return True
    names = arrays_in(path)
    return holds_rows(names) or ({"mu", "sigma"} <= names and "arr_0" not in names)


def _of_preset(preset: str, compares: bool) -> list[str]:
    """The scores of a tool that the sets allow."""
    return [score["name"] for score in registry() if preset in score["presets"] and (compares or not score["compares"])]


def score_features(
    real: Any,
    fake: Any,
    metrics: Union[str, Sequence[str]] = ("fid",),
    *,
    preset: str = "torch-fidelity",
    parameters: Optional[Parameters] = None,
    ci: Optional[float] = None,
    real_logits: Any = None,
    fake_logits: Any = None,
) -> dict[str, Any]:
    """Scores of features at hand, one row an image: the part ``metrics`` of a report.

    >>> import gan_metrics, numpy as np
    >>> real, fake = np.random.default_rng(0).normal(size=(2, 50, 4)).astype(np.float32)
    >>> found = gan_metrics.score_features(real, fake, ["fid", "prdc"])
    >>> sorted(found), round(found["fid"]["value"], 2)
    (['fid', 'prdc'], 0.21)
    """
    pair: list[Any] = []
    for features, logits, name in ((real, real_logits, "real"), (fake, fake_logits, "fake")):
        if features is None:
            pair.append(None)
            continue
        pair.append((rows_of(features, name), None if logits is None else rows_of(logits, f"{name}_logits")))
    if pair[1] is None:
        raise InputError("fake is None: there is nothing to score")
    found, failed = _native.score_features(pair[0], pair[1], asked(metrics, preset, parameters, ci))
    for name, reason in failed:
        raise InputError(f"{name}: {reason}")
    metrics_found: dict[str, Any] = json.loads(found)
    return metrics_found

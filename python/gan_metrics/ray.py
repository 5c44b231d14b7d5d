"""Statistics, features and scores of Ray data sets.

A column holds encoded images (PNG, JPEG, …: ``read_webdataset``, ``read_parquet``, ``read_binary_files``) or decoded ones
(``read_images``). Encoded ones travel as they are and are decoded in the actors, ten times smaller on the way. Actors hold a network
each, with as many threads as Ray counts CPUs for them; one CPU at least is left for reading, so that nothing waits for a slot that never
comes.

What the actors find is folded where the driver is: one block of moments at a time, 16.8 MB for 2048 dimensions, whatever the number of
images. Rows come in no certain order, and floating-point sums depend on theirs in the last digits: statistics equal those of one process to
1e-12 of the variance. Scores of features (:func:`score`) put the rows in an order of their own first, and are the same on every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
import ray
import ray.data
from ray.data import ActorPoolStrategy, Dataset
from ray.data.aggregate import AggregateFnV2

from .errors import InputError
from .evaluator import Parameters
from .extractor import Extractor
from .report import registry
from .scoring import score_features
from .statistics import Moments as RunningMoments
from .statistics import Statistics

__all__ = ["Extract", "Moments", "features", "score", "statistics"]

#: Columns that hold images, by the names that readers give them.
_USUAL = ("bytes", "image", "png", "jpg", "jpeg", "webp", "img")
#: Images of a batch that an actor is given.
_BATCH = 256
#: Images behind a block of moments: 16.8 MB for 128 MB of features.
_BLOCK = 16_384


class Extract:
    """An actor: a network that turns batches of images into features.

    >>> ds.map_batches(Extract, fn_constructor_kwargs={"column": "bytes"}, batch_size=256, num_cpus=4,
    ...                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=8))  # doctest: +SKIP
    """

    def __init__(self, column: str, keep: Sequence[str] = ("features",), **network: Any) -> None:
        self.column, self.keep = column, tuple(keep)
        network.setdefault("threads", _own_cpus())
        # Ray hides its GPUs from others, so that the one of this actor is the first.
        self.extractor = Extractor(**network)

    def __call__(self, batch: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        images = _images(batch.pop(self.column))
        part = self.extractor.partial(images, keep=("features", "logits"))
        if part.skipped:
            # What was left out must not shift the rows of what was not.
            kept = np.asarray(part.indices)
            batch = {name: values[kept] for name, values in batch.items()}
        found = {"features": part.features, "logits": part.logits}
        return {**batch, **{name: rows for name, rows in found.items() if name in self.keep and rows is not None}}


def _own_cpus() -> int:
    """As many threads as Ray counts CPUs for this actor: it sees all of the machine's."""
    counted = ray.get_runtime_context().get_assigned_resources().get("CPU", 1.0)
    return max(1, int(counted))


def _images(column: npt.NDArray[Any]) -> Any:
    """Images of a column, as the extractor takes them."""
    if column.dtype != object:
        return column
    if isinstance(column[0], dict):
        # Hugging Face's column of images: {"bytes": …, "path": …}
        return [image["bytes"] for image in column]
    if isinstance(column[0], np.ndarray) and column[0].ndim == 1 and column[0].dtype == np.uint8:
        return [image.tobytes() for image in column]
    return list(column)


def _column_of(ds: Dataset, column: Optional[str]) -> str:
    names = ds.columns() or []
    if column is not None:
        if column not in names:
            raise InputError(f"there is no column `{column}`; the data set has {', '.join(names)}")
        return column
    found = next((name for name in _USUAL if name in names), None)
    if found is None:
        raise InputError(f"no column is known to hold images; say column=, which is one of {', '.join(names)}")
    return found


def _extracted(
    ds: Dataset,
    column: Optional[str],
    keep: Sequence[str],
    actors: Union[int, tuple[int, int], None],
    num_cpus: Optional[float],
    num_gpus: Optional[float],
    batch_size: int,
    carried: Sequence[str],
    network: dict[str, Any],
) -> Dataset:
    column = _column_of(ds, column)
    if not ray.is_initialized():
        ray.init()
    least, most = _pool(actors, num_cpus, num_gpus)
    resources = {"num_cpus": num_cpus if num_cpus is not None else 1}
    if num_gpus is not None:
        resources["num_gpus"] = num_gpus
    # Readers put small files into one block, which a single actor would work through while the others wait.
    batches = ds.select_columns([column, *carried]).repartition(target_num_rows_per_block=batch_size)
    return batches.map_batches(
        Extract,
        fn_constructor_kwargs={"column": column, "keep": tuple(keep), **network},
        batch_size=batch_size,
        batch_format="numpy",
        compute=ActorPoolStrategy(min_size=least, max_size=most),
        **resources,
    )


def _pool(
    actors: Union[int, tuple[int, int], None], num_cpus: Optional[float], num_gpus: Optional[float]
) -> tuple[int, int]:
    """Fewest and most actors: never so many that no CPU is left to read with."""
    of_cluster = ray.cluster_resources()
    each = num_cpus if num_cpus is not None else 1
    fitting = int((of_cluster.get("CPU", 1.0) - 1) // each) if each else 1 << 16
    if num_gpus:
        fitting = min(fitting, int(of_cluster.get("GPU", 0.0) // num_gpus))
    least, most = (1, max(1, fitting)) if actors is None else ((actors, actors) if isinstance(actors, int) else actors)
    if not 1 <= least <= most:
        raise InputError(f"actors is {actors!r}: it must be a number from 1, or the fewest and the most")
    if least > max(fitting, 0):
        raise InputError(
            f"{least} actors of {each:g} CPUs" + (f" and {num_gpus:g} GPUs" if num_gpus else "") + " leave no CPU of "
            f"{of_cluster.get('CPU', 0):g} to read with, and would wait for ever: use fewer, or say num_cpus"
        )
    return least, min(most, max(fitting, 1))


def features(
    ds: Dataset,
    column: Optional[str] = None,
    *,
    logits: bool = False,
    keep: Sequence[str] = (),
    actors: Union[int, tuple[int, int], None] = None,
    num_cpus: Optional[float] = None,
    num_gpus: Optional[float] = None,
    batch_size: int = _BATCH,
    **network: Any,
) -> Dataset:
    """The features of every image, as a lazy data set with a column ``features``, with ``logits`` one of class scores, and the columns to
    ``keep``: 8 KB an image for 2048 dimensions."""
    wanted = ("features", "logits") if logits else ("features",)
    return _extracted(ds, column, wanted, actors, num_cpus, num_gpus, batch_size, keep, network)


def statistics(
    ds: Dataset,
    column: Optional[str] = None,
    *,
    actors: Union[int, tuple[int, int], None] = None,
    num_cpus: Optional[float] = None,
    num_gpus: Optional[float] = None,
    batch_size: int = _BATCH,
    **network: Any,
) -> Statistics:
    """Mean and covariance of the features of all images. What crosses the network are moments; what the driver holds is one block of them.

    ``actors`` is the number of actors, or the fewest and the most; left out, there are as many as the cluster has room for beside its
    readers. Keywords of the network are those of :class:`gan_metrics.Extractor`.
    """
    rows = _extracted(ds, column, ("features",), actors, num_cpus, num_gpus, batch_size, (), network)
    blocks = rows.map_batches(_moments, batch_size=_BLOCK, batch_format="numpy")
    return RunningMoments.merged(row["moments"] for row in blocks.iter_rows()).statistics()


def _moments(batch: dict[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """One row: the moments of a block of features."""
    rows = _matrix(batch["features"])
    moments = RunningMoments(rows.shape[1])
    moments.push(rows)
    return {"moments": np.array([moments.to_bytes()], dtype=object)}


def _matrix(column: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(np.stack(list(column)) if column.dtype == object else column, dtype=np.float32)


def score(
    real: Union[Dataset, Statistics],
    fake: Dataset,
    metrics: Union[str, Sequence[str]] = ("fid",),
    column: Optional[str] = None,
    *,
    preset: str = "torch-fidelity",
    parameters: Optional[Parameters] = None,
    actors: Union[int, tuple[int, int], None] = None,
    num_cpus: Optional[float] = None,
    num_gpus: Optional[float] = None,
    batch_size: int = _BATCH,
    **network: Any,
) -> dict[str, float]:
    """Scores of one data set against another.

    The FID alone takes moments, and any number of images. Other scores take the features of all images to the driver (8 KB an image): choose
    a sample of millions of images first. ``real`` may be :class:`gan_metrics.Statistics`, for the FID.
    """
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    options: dict[str, Any] = dict(actors=actors, num_cpus=num_cpus, num_gpus=num_gpus, batch_size=batch_size)
    network.setdefault("preset", preset)
    if names == ["fid"]:
        reference = real if isinstance(real, Statistics) else statistics(real, column, **options, **network)
        return {"fid": float(statistics(fake, column, **options, **network).frechet_distance(reference))}
    if isinstance(real, Statistics):
        raise InputError("statistics of the real set give a FID alone: give the data set for other scores")
    logits = any(name in ("is", "is-infinity") for name in names)
    rows = {}
    for name, ds in (("real", real), ("fake", fake)):
        found = features(ds, column, logits=logits, **options, **network)
        rows[name] = _collected(found.iter_batches(batch_format="numpy"))
    found_scores = score_features(
        rows["real"]["features"],
        rows["fake"]["features"],
        names,
        preset=preset,
        parameters=parameters,
        real_logits=rows["real"].get("logits"),
        fake_logits=rows["fake"].get("logits"),
    )
    return {
        number["name"]: float(found_scores[score["key"]][number["field"]])
        for score in registry()
        if score["key"] in found_scores
        for number in score["numbers"]
    }


def _collected(batches: Iterator[dict[str, npt.NDArray[Any]]]) -> dict[str, npt.NDArray[np.float32]]:
    """The rows of all batches, in an order that does not depend on that in which they came."""
    parts: dict[str, list[npt.NDArray[np.float32]]] = {}
    for batch in batches:
        for name, column in batch.items():
            parts.setdefault(name, []).append(_matrix(column))
    if not parts:
        raise InputError("the data set is empty: there is nothing to score")
    rows = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    order = np.argsort([hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows["features"]], kind="stable")
    return {name: np.ascontiguousarray(values[order]) for name, values in rows.items()}


class Moments(AggregateFnV2):  # type: ignore[misc]
    """Moments of a column of features as an aggregation: for classes, ``features(ds, keep=["label"]).groupby("label").aggregate(Moments())``.

    The result of each group is bytes, which ``gan_metrics.Moments.from_bytes`` reads. Without a key, Ray has one task concatenate the
    accumulators of all blocks: :func:`statistics` folds them instead.
    """

    def __init__(self, on: str = "features", name: str = "moments") -> None:
        super().__init__(name, zero_factory=bytes, on=on, ignore_nulls=False)

    def aggregate_block(self, block: Any) -> bytes:
        """The moments of a block."""
        from ray.data.block import BlockAccessor

        column = BlockAccessor.for_block(block).to_numpy([self._target_col_name])
        column = column[self._target_col_name] if isinstance(column, dict) else column
        if len(column) == 0:
            return b""
        rows = _matrix(column)
        moments = RunningMoments(rows.shape[1])
        moments.push(rows)
        return moments.to_bytes()

    def combine(self, current_accumulator: bytes, new: bytes) -> bytes:
        """The moments of two."""
        if not current_accumulator or not new:
            return current_accumulator or new
        moments = RunningMoments.from_bytes(current_accumulator)
        moments.merge(RunningMoments.from_bytes(new))
        return moments.to_bytes()

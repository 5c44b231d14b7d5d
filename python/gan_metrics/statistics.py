"""What is kept of a set: mean and covariance, running moments, and parts that merge."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Optional, Union

import numpy as np
import numpy.typing as npt

from . import _native as native
from ._images import as_numpy
from .errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["FrechetDistance", "Moments", "Partial", "Statistics"]

Path = Union[str, "os.PathLike[str]"]

#: Rows that are folded at a time, between which Ctrl-C is heard: 9 GFLOP of 2048 dimensions.
_ROWS = 1024


def rows_of(features: Any, argument: str = "features") -> npt.NDArray[np.float32]:
    """Features, one row an image, as the native module takes them."""
    array = as_numpy(features)
    if array.ndim != 2 or array.dtype.kind != "f":
        raise InputError(f"{argument} has the shape {array.shape} of {array.dtype}: features are floats, one row an image")
    return array.astype(np.float32, copy=False)


def _json(provenance: Optional[dict[str, Any]]) -> Optional[str]:
    return None if provenance is None else json.dumps(provenance)


class FrechetDistance(float):
    """A Fréchet distance: a float that knows its terms."""

    #: ‖μ₁ − μ₂‖²: how far apart the sets are.
    mean_term: float
    #: tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂)): how differently they spread.
    trace_term: float

    def __new__(cls, value: float, mean_term: float, trace_term: float) -> FrechetDistance:
        self = super().__new__(cls, value)
        self.mean_term, self.trace_term = mean_term, trace_term
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (float(self), self.mean_term, self.trace_term)


class _Wrapped:
    """An object of the native module, with the documentation and the conversions of its class."""

    _native: Any

    @classmethod
    def _of(cls, native: Any) -> Self:
        self = cls.__new__(cls)
        self._native = native
        return self


class _InBytes(_Wrapped):
    """One that goes to bytes and back, and is pickled as these."""

    _Native: ClassVar[Any]

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Reads what :meth:`to_bytes` wrote, here or elsewhere."""
        return cls._of(cls._Native.from_bytes(data))

    def to_bytes(self) -> bytes:
        """All of it: the same bytes on every machine."""
        written: bytes = self._native.to_bytes()
        return written

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))


class Statistics(_Wrapped):
    """Mean and covariance of the features of a set, as a statistics file holds them.

    >>> import gan_metrics, numpy as np
    >>> a = gan_metrics.Statistics([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], n=100)
    >>> b = gan_metrics.Statistics([3.0, 4.0], [[1.0, 0.0], [0.0, 1.0]], n=100)
    >>> distance = a.frechet_distance(b)
    >>> round(distance, 9), distance.mean_term
    (25.0, 25.0)

    Both share their factorisation with every other distance that is taken of them: a reference is factorised once.
    """

    _native: native.Statistics

    def __init__(
        self,
        mean: Any,
        covariance: Any,
        n: Optional[int] = None,
        *,
        spatial: Optional[Statistics] = None,
        provenance: Optional[dict[str, Any]] = None,
    ) -> None:
        mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
        if mean.ndim != 1 or covariance.ndim != 2:
            raise InputError(
                f"mean has the shape {mean.shape} and covariance {covariance.shape}: of features of d dimensions they are d and d×d"
            )
        of_spatial = None if spatial is None else spatial._native
        self._native = native.Statistics(mean, covariance, n, _json(provenance), of_spatial)

    @classmethod
    def of_features(cls, features: Any, *, provenance: Optional[dict[str, Any]] = None) -> Statistics:
        """Those of features, one row an image.

        >>> import gan_metrics, numpy as np
        >>> gan_metrics.Statistics.of_features(np.float32([[0, 1], [2, 1]])).covariance.tolist()
        [[2.0, 0.0], [0.0, 0.0]]
        """
        return cls._of(native.Statistics.of_features(rows_of(features), _json(provenance)))

    @classmethod
    def read(cls, path: Path, name: Optional[str] = None) -> Statistics:
        """Reads a file of any tool: `.npz` with `mu` and `sigma`, or a pickle of such arrays, of which `name` chooses one of several."""
        return cls._of(native.Statistics.read(os.fspath(path), name))

    def save(self, path: Path) -> None:
        """Writes an `.npz` file that pytorch-fid and its relatives read. It appears complete, or not at all."""
        self._native.write(os.fspath(path))

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean μ (d)."""
        return self._native.mean

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """Unbiased covariance Σ (d×d)."""
        return self._native.covariance

    @property
    def n(self) -> Optional[int]:
        """Number of images, where known."""
        return self._native.n

    @property
    def dim(self) -> int:
        """Dimension d of the features."""
        return self._native.dim

    @property
    def spatial(self) -> Optional[Statistics]:
        """Those of the spatial features, which sFID compares, where they are known."""
        found = self._native.spatial
        return None if found is None else Statistics._of(found)

    @property
    def provenance(self) -> Optional[dict[str, Any]]:
        """How the features came about, where known."""
        known = self._native.provenance
        return None if known is None else json.loads(known)

    def frechet_distance(self, other: Statistics) -> FrechetDistance:
        """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂)): the FID, of features of Inception-v3."""
        return FrechetDistance(*native.frechet_distance(self._native, other._native))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_statistics, (self.mean, self.covariance, self.n, self.spatial, self.provenance))

    def __repr__(self) -> str:
        images = "an unknown number of" if self.n is None else self.n
        return f"<Statistics of {images} images, {self.dim} dimensions>"


def _statistics(
    mean: Any, covariance: Any, n: Optional[int], spatial: Optional[Statistics], provenance: Optional[dict[str, Any]]
) -> Statistics:
    return Statistics(mean, covariance, n, spatial=spatial, provenance=provenance)


class Moments(_InBytes):
    """Running mean and covariance of features: what Ray, Spark or an all-reduce fold.

    Merging any split of the images in any order gives the moments of all, up to rounding (1e-12 of the variance). The state is
    ``8·(d + d·(d+1)/2)`` bytes, 16.8 MB for 2048 dimensions, whatever the number of images.

    >>> import gan_metrics, numpy as np
    >>> features = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    >>> a, b = gan_metrics.Moments(3), gan_metrics.Moments(3)
    >>> a.push(features[:4]); b.push(features[4:])
    >>> a.merge(gan_metrics.Moments.from_bytes(b.to_bytes()))
    >>> a.n, np.allclose(a.covariance, np.cov(features, rowvar=False))
    (10, True)
    """

    _native: native.Moments
    _Native = native.Moments

    def __init__(self, dim: int, *, provenance: Optional[dict[str, Any]] = None) -> None:
        if not isinstance(dim, int) or dim < 1:
            raise InputError(f"dim is {dim!r}: it must be a whole number from 1")
        self._native = native.Moments(dim, _json(provenance))

    @classmethod
    def merged(cls, parts: Iterable[Union[Moments, bytes]]) -> Moments:
        """The moments of all parts, one in memory at a time."""
        whole: Optional[Moments] = None
        for part in parts:
            part = cls.from_bytes(part) if isinstance(part, bytes) else part
            if whole is None:
                whole = cls.from_bytes(part.to_bytes())
            else:
                whole.merge(part)
        if whole is None:
            raise InputError("parts is empty: merging needs at least one")
        return whole

    def push(self, features: Any) -> None:
        """Adds features, one row an image: all, or none where a row cannot be used or Ctrl-C comes."""
        rows = rows_of(features)
        if len(rows) <= _ROWS:
            self._native.push(rows)
            return
        added = Moments(self.dim)
        for start in range(0, len(rows), _ROWS):
            piece = rows[start : start + _ROWS]
            if not np.isfinite(piece).all():
                # Refused, by the number that the row has among all.
                self._native.push(rows)
            added._native.push(piece)
        self.merge(added)

    def merge(self, other: Moments) -> None:
        """Joins the images of others, which must have been computed in the same way."""
        self._native.merge(other._native)

    @property
    def n(self) -> int:
        """Number of images."""
        return self._native.n

    @property
    def dim(self) -> int:
        """Dimension d of the features."""
        return self._native.dim

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Mean μ (d)."""
        return self._native.mean

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """Unbiased covariance (d×d), of two images and more."""
        return self._native.covariance

    def statistics(self) -> Statistics:
        """What scores and statistics files take."""
        return Statistics._of(self._native.statistics())

    def __repr__(self) -> str:
        return f"<Moments of {self.n} images, {self.dim} dimensions>"


class Partial(_InBytes):
    """What one batch, shard, process or host knows of a set. Parts merge to the whole: those that keep features to the bit.

    :class:`~gan_metrics.Extractor` and :class:`~gan_metrics.Evaluator` make them, and so do ``gan-metrics features --shard`` and
    ``stats --shard``, whose files :meth:`read` reads.

    >>> import gan_metrics, numpy as np
    >>> extractor = gan_metrics.Extractor("efficientnet-lite0")
    >>> images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    >>> whole = extractor.partial(images)
    >>> parts = [extractor.partial(images[2:], first=2), extractor.partial(images[:2])]
    >>> joined = gan_metrics.Partial.join(gan_metrics.Partial.from_bytes(part.to_bytes()) for part in parts)
    >>> bool((joined.features == whole.features).all())
    True
    """

    _native: native.Partial
    _Native = native.Partial

    def __init__(self) -> None:
        raise TypeError("parts are made by an Extractor or an Evaluator, or read: Partial.read, Partial.from_bytes")

    @classmethod
    def read(cls, path: Path) -> Partial:
        """Reads a file of ``features --shard`` or ``stats --shard``."""
        return cls._of(native.Partial.read(os.fspath(path)))

    @classmethod
    def join(cls, parts: Iterable[Partial]) -> Partial:
        """Merges parts in the order of their first images; one that holds an image twice, or was computed differently, is refused."""
        return cls._of(native.Partial.join([part._native for part in parts]))

    @property
    def images(self) -> int:
        """Number of images, skipped ones not counted."""
        return self._native.images

    @property
    def skipped(self) -> list[tuple[int, str, str]]:
        """Index, name and reason of every image that was left out."""
        return self._native.skipped

    @property
    def indices(self) -> list[int]:
        """The images behind the rows, by their index in the set."""
        return self._native.indices

    @property
    def names(self) -> Optional[list[str]]:
        """The names of the images, where they are kept."""
        return self._native.names

    @property
    def missing(self) -> int:
        """Number of images of the set that it knows nothing of, where the size of the set is known."""
        return self._native.missing

    @property
    def features(self) -> Optional[npt.NDArray[np.float32]]:
        """Features, one row an image, where they are kept."""
        return self._native.features

    @property
    def logits(self) -> Optional[npt.NDArray[np.float32]]:
        """Class scores, one row an image, where they are kept."""
        return self._native.logits

    @property
    def spatial(self) -> Optional[npt.NDArray[np.float32]]:
        """Spatial features, one row an image, where they are kept."""
        return self._native.spatial

    @property
    def provenance(self) -> Optional[dict[str, Any]]:
        """How the features came about, and what the images were."""
        known = self._native.provenance
        return None if known is None else json.loads(known)

    def statistics(self) -> Statistics:
        """Mean and covariance of the features, of two images and more."""
        return Statistics._of(self._native.statistics())

    def __repr__(self) -> str:
        return f"<Partial of {self.images} images>"

"""From images to features."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from . import _native
from ._images import Images, Layout, Range, batches
from ._network import spec
from .errors import InputError
from .statistics import Moments, Partial, Statistics

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._network import PreparedKeywords

__all__ = ["Extracted", "Extractor"]

#: Batches that are kept apart at most.
_PARTS = 32
_KEPT = ("features", "logits", "spatial", "statistics", "spatial-statistics")


class Extracted(NamedTuple):
    """What a network says of images, one row each."""

    #: Features.
    features: npt.NDArray[np.float32]
    #: Class scores, where the network has them.
    logits: Optional[npt.NDArray[np.float32]]


class Extractor:
    """A network that runs: images in, features out.

    ``extractor`` is ``inception-v3`` (the scores of the literature; ``gan-metrics model install inception-v3`` fetches its weights),
    ``efficientnet-lite0`` (built in, its own scores), an ONNX file, or a PyTorch checkpoint (``.pth``) of the FID Inception-v3.
    Features of an image do not depend on its batch, to the bit.

    >>> import gan_metrics, numpy as np
    >>> extractor = gan_metrics.Extractor("efficientnet-lite0")
    >>> images = np.zeros((2, 3, 32, 32), dtype=np.float32)
    >>> extractor(images, range=(-1, 1)).shape
    (2, 1280)
    >>> extractor.info["engine"]["name"] in ("onnxruntime", "tract")
    True
    """

    def __init__(self, extractor: Any = None, *, preset: str = "torch-fidelity", **network: Unpack[PreparedKeywords]) -> None:
        self._keywords: dict[str, Any] = {"extractor": extractor, **network}
        self._preset = preset
        self._native = _native.Network(spec(self._keywords), preset, False)
        self._about: dict[str, Any] = json.loads(self._native.about())

    @property
    def info(self) -> dict[str, Any]:
        """What runs: the network, its digest and outputs, the engine and the device."""
        return dict(self._about["extractor"])

    @property
    def preparation(self) -> dict[str, Any]:
        """How images are prepared for the network."""
        return dict(self._about["preparation"])

    @property
    def provenance(self) -> dict[str, Any]:
        """How its features come about: what two sets must share to be comparable."""
        return dict(self._about["provenance"])

    def __call__(self, images: Images, *, layout: Optional[Layout] = None, range: Optional[Range] = None) -> npt.NDArray[np.float32]:
        """The features of images, one row each."""
        return self.extract(images, layout=layout, range=range).features

    def extract(self, images: Images, *, layout: Optional[Layout] = None, range: Optional[Range] = None) -> Extracted:
        """Features and class scores of images, one row each."""
        part = self.partial(images, keep=("features", "logits"), layout=layout, range=range)
        features = part.features
        assert features is not None, "they were asked for"
        return Extracted(features, part.logits)

    def statistics(
        self,
        images: Images,
        *,
        layout: Optional[Layout] = None,
        range: Optional[Range] = None,
        num: Optional[int] = None,
        seed: int = 0,
    ) -> Statistics:
        """Mean and covariance of the features of a set; the features themselves are not kept.

        >>> import gan_metrics, numpy as np
        >>> images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        >>> gan_metrics.Extractor("efficientnet-lite0").statistics(images)
        <Statistics of 4 images, 1280 dimensions>
        """
        return self.partial(images, keep=("statistics",), layout=layout, range=range, num=num, seed=seed).statistics()

    def moments(self, images: Images, *, layout: Optional[Layout] = None, range: Optional[Range] = None) -> Moments:
        """Moments of the features of images, to be merged with those of others."""
        features = self(images, layout=layout, range=range)
        moments = Moments(features.shape[1], provenance=self.provenance)
        moments.push(features)
        return moments

    def partial(
        self,
        images: Images,
        *,
        keep: tuple[str, ...] = ("features", "logits"),
        names: bool = False,
        shard: Optional[str] = None,
        first: int = 0,
        step: int = 1,
        layout: Optional[Layout] = None,
        range: Optional[Range] = None,
        num: Optional[int] = None,
        seed: int = 0,
        array: Optional[str] = None,
    ) -> Partial:
        """What is known of some images of a set, to be merged with its other parts.

        ``keep`` is any of ``features``, ``logits``, ``spatial``, ``statistics``, ``spatial-statistics``. Of a path, ``shard="2/8"`` is
        the second of eight parts; images in memory are the images ``first``, ``first + step``, … of the set.
        """
        for kept in keep:
            if kept not in _KEPT:
                raise InputError(f"keep has {kept!r}: it is any of {', '.join(_KEPT)}")
        network = self._spatial() if {"spatial", "spatial-statistics"} & set(keep) else self._native
        parts = []
        prepared = batches(images, layout=layout, range=range, num=num, seed=seed, array=array)
        for piece in prepared:
            if shard is not None and piece[0] != "path":
                raise InputError("shard would have no effect: it is of the images of a path; say first and step of images in memory")
            part = network.partial(piece, list(keep), names, shard, first, step)
            first += step * (part.images + len(part.skipped))
            parts.append(part)
            if len(parts) == _PARTS:
                parts = [_native.Partial.join(parts)]
        return Partial._of(parts[0] if len(parts) == 1 else _native.Partial.join(parts))

    def _spatial(self) -> _native.Network:
        """The network with one more output."""
        return _native.Network(spec(self._keywords), self._preset, True)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_extractor, (self._keywords, self._preset))

    def __repr__(self) -> str:
        engine = self.info["engine"]
        return f"<Extractor {self.info['name']} on {engine['name']} {engine['version']}, {engine['provider']}>"


def _extractor(keywords: dict[str, Any], preset: str) -> Extractor:
    return Extractor(preset=preset, **keywords)

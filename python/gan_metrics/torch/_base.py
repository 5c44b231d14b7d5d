"""What the metrics have in common: the network, the state of several processes, and torchmetrics where it is there."""

from __future__ import annotations

import functools
import weakref
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import Module

from .._images import of_array
from ..errors import InputError
from ..extractor import Extracted, Extractor

HAS_TORCHMETRICS: bool
try:
    from torchmetrics import Metric

    HAS_TORCHMETRICS = True
except ImportError:
    HAS_TORCHMETRICS = False

Rows = npt.NDArray[np.float32]

#: What of the keywords says how images become features.
NETWORK = ("extractor", "resize", "device", "engine", "batch_size", "threads", "library")


class Network:
    """A network that several metrics share: of a batch that each of them is given it runs once."""

    def __init__(self, keywords: tuple[tuple[str, Any], ...]) -> None:
        self.extractor = Extractor(**dict(keywords))
        self._seen: Optional[tuple[weakref.ref[Tensor], int, bool]] = None
        self._found: Optional[Extracted] = None

    def __call__(self, imgs: Tensor, normalize: bool) -> Extracted:
        """Features of images: levels of uint8 or, with ``normalize``, floats from 0 to 1 that become levels as in torchmetrics."""
        version = _version(imgs)
        if self._found is not None and self._seen is not None and version is not None:
            reference, of_version, normalized = self._seen
            if reference() is imgs and (of_version, normalized) == (version, normalize):
                return self._found
        self._found = self.extractor.extract(levels(imgs, normalize), layout="NCHW")
        self._seen = None if version is None else (weakref.ref(imgs), version, normalize)
        return self._found


def _version(imgs: Tensor) -> Optional[int]:
    """How often a tensor was changed in place; None where PyTorch does not count."""
    try:
        return int(imgs._version)
    except (AttributeError, RuntimeError):
        return None


def levels(imgs: Tensor, normalize: bool) -> npt.NDArray[Any]:
    """The levels of images, as torchmetrics makes them."""
    if not isinstance(imgs, Tensor):
        raise InputError(f"imgs is of type {type(imgs).__name__}: it must be a tensor N×3×height×width")
    if normalize:
        if not imgs.is_floating_point():
            raise InputError(f"imgs is of {imgs.dtype}: with normalize=True it must be of floats from 0 to 1")
        low, high = (float(value) for value in torch.aminmax(imgs.detach()))
        if not (low >= 0.0 and high <= 1.0):
            raise InputError(f"imgs has values from {low:g} to {high:g}: with normalize=True they must be from 0 to 1")
        imgs = (imgs * 255).byte()
    elif imgs.dtype != torch.uint8:
        raise InputError(f"imgs is of {imgs.dtype}: give torch.uint8, or normalize=True for floats from 0 to 1")
    array: npt.NDArray[Any] = of_array(imgs, layout="NCHW", range=None, argument="imgs")[1]
    return array


@functools.lru_cache(maxsize=8)
def network(keywords: tuple[tuple[str, Any], ...]) -> Network:
    """The network of some keywords, which all metrics with the same share."""
    return Network(keywords)


def keywords_of(
    feature: Union[int, str], weights: Optional[str], antialias: bool, given: dict[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """What says which network gives a feature, taken out of the keywords that were given."""
    found = {name: given.pop(name) for name in NETWORK if name in given}
    if weights is not None:
        if "extractor" in found:
            raise InputError("extractor and feature_extractor_weights_path name two networks: give one")
        found["extractor"] = str(weights)
    found.setdefault("resize", "torch-antialias" if antialias else "tf1")
    if isinstance(feature, int) and str(found.get("extractor")) != "efficientnet-lite0":
        found["layer"] = feature
    return tuple(sorted(found.items()))


def gathered(own: Any, process_group: Any = None) -> list[Any]:
    """What every process has of something, in the order of their ranks."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [own]
    world = torch.distributed.get_world_size(process_group)
    if world == 1:
        return [own]
    everybody: list[Any] = [None] * world
    torch.distributed.all_gather_object(everybody, own, group=process_group)
    return everybody


def rows_of_module(module: Module, imgs: Tensor) -> Rows:
    """The features that a network of the user's own gives."""
    with torch.no_grad():
        features = module(imgs)
    if features.dim() == 1:
        features = features.unsqueeze(0)
    rows: Rows = features.detach().float().cpu().numpy()
    return rows


if HAS_TORCHMETRICS:
    _Base: Any = Metric
else:

    class _Base(Module):  # type: ignore[no-redef,misc]
        """As much of torchmetrics' ``Metric`` as these metrics need."""

        def __init__(self, **unexpected: Any) -> None:
            if unexpected:
                raise ValueError(f"Unexpected keyword arguments: {', '.join(unexpected)}")
            super().__init__()

        @property
        def device(self) -> torch.device:
            return torch.device("cpu")

        def reset(self) -> None:
            pass


class ImageMetric(_Base):  # type: ignore[misc]
    """A metric of images, whose state is its own to merge."""

    is_differentiable = False
    full_state_update = False

    def _shared(self, own: Any) -> list[Any]:
        """What every process has, unless the user wants this one's alone."""
        if not getattr(self, "sync_on_compute", True):
            return [own]
        return gathered(own, getattr(self, "process_group", None))

    def _forget(self) -> None:
        """Has torchmetrics forget what it keeps of a metric besides its state."""
        super().reset()

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draws values, with torchmetrics' function; needs torchmetrics."""
        if not HAS_TORCHMETRICS:
            raise ModuleNotFoundError("plot needs torchmetrics: pip install torchmetrics")
        return self._plot(val, ax)


class BatchMetric(ImageMetric):
    """One of which a batch has a score too: ``forward`` gives it."""

    def _state(self) -> Any:
        raise NotImplementedError

    def _empty(self) -> None:
        raise NotImplementedError

    def _join(self, before: Any) -> None:
        """Puts what was there before the images of now."""
        raise NotImplementedError

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch, and gives the score of that batch alone."""
        before = self._state()
        self._empty()
        try:
            self.update(*args, **kwargs)
            share, self.sync_on_compute = getattr(self, "sync_on_compute", True), False
            try:
                return self.compute()
            finally:
                self.sync_on_compute = share
        finally:
            self._join(before)
            # What is computed of all must not be what was computed of this batch.
            self._computed = None

    def reset(self) -> None:
        """Forgets the images."""
        self._forget()
        self._empty()

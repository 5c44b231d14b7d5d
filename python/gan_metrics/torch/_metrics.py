"""The metrics, by their names in torchmetrics."""

from __future__ import annotations

from typing import Any, Optional, Union

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module

from .. import _native
from ..errors import InputError
from ..scoring import score_features
from ..statistics import Moments
from ._base import BatchMetric, Rows, keywords_of, network, rows_of_module

_LAYERS = (64, 192, 768, 2048)


class _OfFeatures(BatchMetric):
    """A metric of features: of a layer, of the class scores, or of a network of the user's own."""

    def __init__(
        self,
        feature: Union[str, int, Module],
        valid: tuple[Union[str, int], ...],
        normalize: bool,
        weights: Optional[str],
        antialias: bool,
        kwargs: dict[str, Any],
    ) -> None:
        of_network = None
        if isinstance(feature, (str, int)):
            if feature not in valid:
                raise ValueError(f"Integer input to argument `feature` must be one of {valid}, but got {feature}.")
            of_network = keywords_of(feature, weights, antialias, kwargs)
        elif not isinstance(feature, Module):
            raise TypeError("Got unknown input to argument `feature`")
        super().__init__(**kwargs)
        if not isinstance(normalize, bool):
            raise ValueError("Argument `normalize` expected to be a bool")
        self.normalize = normalize
        self.used_custom_model = of_network is None
        self._keywords = of_network
        self._of_logits = feature == "logits_unbiased"
        if of_network is None:
            self.inception = feature
        else:
            # Whether it is installed is found out now.
            network(of_network)

    def _rows(self, imgs: Tensor) -> Rows:
        if self._keywords is None:
            return rows_of_module(self.inception, imgs)
        found = network(self._keywords)(imgs, self.normalize)
        if not self._of_logits:
            return found.features
        if found.logits is None:
            raise InputError("the network has no class scores, which `logits_unbiased` names")
        return found.logits


class _Pair(_OfFeatures):
    """A metric of real and fake features."""

    higher_is_better = False

    def __init__(self, *args: Any, reset_real_features: bool) -> None:
        super().__init__(*args)
        if not isinstance(reset_real_features, bool):
            raise ValueError("Argument `reset_real_features` expected to be a bool")
        self.reset_real_features = reset_real_features
        self._sets: dict[bool, Any] = {}

    def reset(self) -> None:
        """Forgets the images; real ones stay with ``reset_real_features=False``."""
        real = self._sets.get(True)
        super().reset()
        if not self.reset_real_features and real is not None:
            self._sets[True] = real

    def _state(self) -> dict[bool, Any]:
        return self._sets

    def _empty(self) -> None:
        self._sets = {}


class FrechetInceptionDistance(_Pair):
    """The Fréchet Inception Distance, as ``torchmetrics.image.FrechetInceptionDistance``.

    ``update`` takes tensors N×3×height×width of uint8, or of floats from 0 to 1 with ``normalize=True``. ``antialias=True`` resizes as
    torchmetrics does since 1.8, ``False`` as TensorFlow did and torch-fidelity does. ``feature`` is a layer, or a module that maps images
    to features. Mean and covariance are accumulated without the cancellation of raw sums.
    """

    plot_lower_bound = 0.0

    def __init__(
        self,
        feature: Union[int, Module] = 2048,
        reset_real_features: bool = True,
        normalize: bool = False,
        input_img_size: tuple[int, int, int] = (3, 299, 299),
        feature_extractor_weights_path: Optional[str] = None,
        antialias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            feature, _LAYERS, normalize, feature_extractor_weights_path, antialias, kwargs, reset_real_features=reset_real_features
        )

    def update(self, imgs: Tensor, real: bool) -> None:
        """Adds images to the real or to the fake set."""
        rows = self._rows(imgs)
        if bool(real) not in self._sets:
            self._sets[bool(real)] = Moments(rows.shape[1])
        self._sets[bool(real)].push(rows)

    def compute(self) -> Tensor:
        """The distance, of all processes' images."""
        everybody = self._shared({real: moments.to_bytes() for real, moments in self._sets.items()})
        sets = []
        for real in (True, False):
            # This process' own rows are better than their sums while there are few.
            own = self._sets.get(real) if len(everybody) == 1 else None
            parts = [part[real] for part in everybody if real in part]
            moments = own or (Moments.merged(parts) if parts else None)
            if moments is None or moments.n < 2:
                raise RuntimeError("More than one sample is required for both the real and fake distributed to compute FID")
            sets.append(moments.statistics())
        return torch.tensor(float(sets[0].frechet_distance(sets[1])), dtype=torch.float32, device=self.device)

    def _join(self, before: dict[bool, Any]) -> None:
        for real, moments in before.items():
            if real in self._sets:
                moments.merge(self._sets[real])
            self._sets[real] = moments


class _OfRows(_Pair):
    """A metric that compares the features of every image."""

    def update(self, imgs: Tensor, real: bool) -> None:
        """Adds images to the real or to the fake set."""
        self._sets.setdefault(bool(real), []).append(self._rows(imgs))

    def _both(self) -> tuple[Rows, Rows]:
        everybody = self._shared({real: np.concatenate(rows) for real, rows in self._sets.items()})
        sets = []
        for real in (True, False):
            parts = [part[real] for part in everybody if real in part]
            if not parts:
                raise RuntimeError(f"no {'real' if real else 'fake'} images were added: update(imgs, real={real})")
            sets.append(np.concatenate(parts))
        return sets[0], sets[1]

    def _join(self, before: dict[bool, Any]) -> None:
        for real, rows in before.items():
            self._sets[real] = rows + self._sets.get(real, [])


class KernelInceptionDistance(_OfRows):
    """The Kernel Inception Distance, as ``torchmetrics.image.KernelInceptionDistance``: mean and standard deviation over subsets, which are
    drawn from PyTorch's generator."""

    plot_lower_bound = 0.0

    def __init__(
        self,
        feature: Union[str, int, Module] = 2048,
        subsets: int = 100,
        subset_size: int = 1000,
        degree: int = 3,
        gamma: Optional[float] = None,
        coef: float = 1.0,
        reset_real_features: bool = True,
        normalize: bool = False,
        feature_extractor_weights_path: Optional[str] = None,
        antialias: bool = True,
        **kwargs: Any,
    ) -> None:
        valid = ("logits_unbiased", *_LAYERS)
        super().__init__(
            feature, valid, normalize, feature_extractor_weights_path, antialias, kwargs, reset_real_features=reset_real_features
        )
        for name, count in (("subsets", subsets), ("subset_size", subset_size), ("degree", degree)):
            if not (isinstance(count, int) and count > 0):
                raise ValueError(f"Argument `{name}` expected to be integer larger than 0")
        if gamma is not None and not (isinstance(gamma, float) and gamma > 0):
            raise ValueError("Argument `gamma` expected to be `None` or float larger than 0")
        if not (isinstance(coef, float) and coef > 0):
            raise ValueError("Argument `coef` expected to be float larger than 0")
        self.subsets, self.subset_size, self.degree, self.gamma, self.coef = subsets, subset_size, degree, gamma, coef

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over subsets, of all processes' images."""
        real, fake = self._both()
        if min(len(real), len(fake)) < self.subset_size:
            raise ValueError("Argument `subset_size` should be smaller than the number of samples")

        def draw(rows: Rows) -> list[int]:
            drawn: list[int] = torch.randperm(len(rows))[: self.subset_size].tolist()
            return drawn

        subsets = [(draw(real), draw(fake)) for _ in range(self.subsets)]
        found = np.array(_native.kernel_distances(real, fake, subsets, (self.degree, self.gamma, self.coef)))
        mean, std = (torch.tensor(float(value), dtype=torch.float32, device=self.device) for value in (found.mean(), found.std()))
        return mean, std


class MemorizationInformedFrechetInceptionDistance(_OfRows):
    """The Memorization-Informed Fréchet Inception Distance, as in ``torchmetrics.image.mifid``."""

    plot_lower_bound = 0.0

    def __init__(
        self,
        feature: Union[int, Module] = 2048,
        reset_real_features: bool = True,
        normalize: bool = False,
        cosine_distance_eps: float = 0.1,
        feature_extractor_weights_path: Optional[str] = None,
        antialias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            feature, _LAYERS, normalize, feature_extractor_weights_path, antialias, kwargs, reset_real_features=reset_real_features
        )
        if not (isinstance(cosine_distance_eps, float) and 1 >= cosine_distance_eps > 0):
            raise ValueError("Argument `cosine_distance_eps` expected to be a float greater than 0 and less than 1")
        self.cosine_distance_eps = cosine_distance_eps

    def compute(self) -> Tensor:
        """The distance, of all processes' images."""
        real, fake = self._both()
        parameters = {"mifid": {"threshold": self.cosine_distance_eps}}
        found = score_features(real, fake, ["mifid"], parameters=parameters)
        return torch.tensor(found["mifid"]["value"], dtype=torch.float32, device=self.device)


class InceptionScore(_OfFeatures):
    """The Inception Score, as ``torchmetrics.image.InceptionScore``: mean and standard deviation (ddof 1) over splits of the images in an
    order that is drawn from PyTorch's generator."""

    higher_is_better = True
    plot_lower_bound = 0.0

    def __init__(
        self,
        feature: Union[str, int, Module] = "logits_unbiased",
        splits: int = 10,
        normalize: bool = False,
        feature_extractor_weights_path: Optional[str] = None,
        antialias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(feature, ("logits_unbiased", *_LAYERS), normalize, feature_extractor_weights_path, antialias, kwargs)
        if not (isinstance(splits, int) and splits > 0):
            raise ValueError("Argument `splits` expected to be integer larger than 0")
        self.splits = splits
        self._kept: list[Rows] = []

    def update(self, imgs: Tensor) -> None:
        """Adds images."""
        self._kept.append(self._rows(imgs))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation over splits, of all processes' images."""
        own = np.concatenate(self._kept) if self._kept else None
        everybody = [rows for rows in self._shared(own) if rows is not None]
        if not everybody:
            raise RuntimeError("no images were added: update(imgs)")
        rows = np.concatenate(everybody)
        rows = rows[torch.randperm(len(rows)).numpy()]
        # `torch.chunk` makes as many splits of that size as it takes.
        size = -(-len(rows) // self.splits)
        several = size < len(rows)
        mean, std = _native.inception_score(np.ascontiguousarray(rows), size, several)
        found = (mean, std if several else float("nan"))
        first, second = (torch.tensor(value, dtype=torch.float32, device=self.device) for value in found)
        return first, second

    def _state(self) -> list[Rows]:
        return self._kept

    def _empty(self) -> None:
        self._kept = []

    def _join(self, before: list[Rows]) -> None:
        self._kept = before + self._kept

"""clean-fid's functions: its arguments and its numbers.

>>> import gan_metrics.cleanfid as fid
>>> fid.compute_fid("fake/", "real/")  # doctest: +SKIP
12.345678
>>> fid.make_custom_stats("mine", "real/")  # doctest: +SKIP
>>> fid.compute_fid("fake/", dataset_name="mine", dataset_split="custom")  # doctest: +SKIP
12.345678

Modes are ``clean``, ``legacy_pytorch`` and ``legacy_tensorflow``. Statistics under a name lie in ``stats`` of the folder that
``GAN_METRICS_HOME`` names (else ``gan-metrics`` in the user's cache folder), by the names that clean-fid gives its files: those that it
offers for download are found when they are put there, or where clean-fid has put them. Weights are those of ``gan-metrics model install
inception-v3``, or of ``feature_extractor_weights_path``.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from . import _native
from ._folders import encoded, files_of
from .errors import InputError
from .extractor import Extractor
from .statistics import Partial, Statistics

__all__ = ["compute_fid", "compute_kid", "make_custom_stats", "remove_custom_stats", "test_stats_exists"]

#: What clean-fid takes for an image.
_EXTENSIONS = ("bmp", "jpg", "jpeg", "pgm", "png", "ppm", "tif", "tiff", "webp")
_MODES = {"clean": "clean", "legacy_pytorch": "torch", "legacy_tensorflow": "tf1"}
_SUBSETS, _MOST_IN_SUBSET = 100, 1000


def _rows(part: Partial) -> npt.NDArray[np.float32]:
    features = part.features
    assert features is not None, "they were asked for"
    return features


def _rows_in(path: Path) -> npt.NDArray[np.float32]:
    rows: npt.NDArray[np.float32] = np.load(path)["feats"].astype(np.float32)
    return rows


class _Kept(NamedTuple):
    """What a score needs of a set, from its images or from a file."""

    keep: tuple[str, ...]
    of_part: Callable[[Partial], Any]
    of_file: Callable[[Path], Any]
    #: What the names of such files end in.
    suffix: str


_STATISTICS = _Kept(("statistics",), Partial.statistics, Statistics.read, "")
_FEATURES = _Kept(("features",), _rows, _rows_in, "_kid")


class _Named(NamedTuple):
    """Statistics under a name."""

    name: str
    mode: str
    split: str
    res: Any = "na"

    def path(self, kept: _Kept) -> Path:
        res = "na" if self.split == "custom" else self.res
        file = f"{self.name}_{self.mode}_{self.split}_{res}{kept.suffix}.npz".lower()
        return Path(_native.home_folder()) / "stats" / file

    def found(self, kept: _Kept) -> Path:
        """The file, here or where clean-fid has put it."""
        path = self.path(kept)
        places = [path]
        installed = importlib.util.find_spec("cleanfid")
        for folder in (installed.submodule_search_locations or ()) if installed else ():
            places.append(Path(folder) / "stats" / path.name)
        for place in places:
            if place.exists():
                return place
        custom = self.split == "custom"
        remedy = "make_custom_stats makes them" if custom else f"put clean-fid's file {path.name} into {path.parent}"
        raise InputError(f"no statistics of {self.name}, split {self.split}, are in {path.parent}: {remedy}")


def compute_fid(
    fdir1: Optional[str] = None,
    fdir2: Optional[str] = None,
    gen: Optional[Callable[[Any], Any]] = None,
    mode: str = "clean",
    model_name: str = "inception_v3",
    num_workers: int = 12,
    batch_size: int = 32,
    device: Any = None,
    dataset_name: str = "FFHQ",
    dataset_res: Any = 1024,
    dataset_split: str = "train",
    num_gen: int = 50_000,
    z_dim: int = 512,
    verbose: bool = True,
    use_dataparallel: bool = True,
    feature_extractor_weights_path: Optional[str] = None,
) -> float:
    """The FID of a folder or of a generator, against another folder or statistics under a name.

    ``gen`` maps a tensor of ``batch_size`` latents of ``z_dim`` normal numbers to images with values from 0 to 255; what is not a whole
    number is rounded. ``num_workers``, ``verbose`` and ``use_dataparallel`` change no number, and have no effect here.
    """
    extractor = _extractor(mode, model_name, device, feature_extractor_weights_path)
    named = _Named(dataset_name, mode, dataset_split, dataset_res)
    reference, judged = _sets(_STATISTICS, extractor, fdir1, fdir2, gen, named, num_gen, z_dim, batch_size)
    return float(judged.frechet_distance(reference))


def compute_kid(
    fdir1: Optional[str] = None,
    fdir2: Optional[str] = None,
    gen: Optional[Callable[[Any], Any]] = None,
    mode: str = "clean",
    num_workers: int = 12,
    batch_size: int = 32,
    device: Any = None,
    dataset_name: str = "FFHQ",
    dataset_res: Any = 1024,
    dataset_split: str = "train",
    num_gen: int = 50_000,
    z_dim: int = 512,
    verbose: bool = True,
    use_dataparallel: bool = True,
    feature_extractor_weights_path: Optional[str] = None,
) -> float:
    """The KID, likewise: the mean of 100 subsets that are drawn from NumPy's global generator, as clean-fid draws them."""
    extractor = _extractor(mode, "inception_v3", device, feature_extractor_weights_path)
    named = _Named(dataset_name, mode, dataset_split, dataset_res)
    reference, fake = _sets(_FEATURES, extractor, fdir1, fdir2, gen, named, num_gen, z_dim, batch_size)
    # clean-fid's first features are those of fdir1 where there are two folders, and the reference where there is one.
    first, second = (fake, reference) if gen is None and fdir2 is not None else (reference, fake)
    size = min(len(first), len(second), _MOST_IN_SUBSET)
    if size < 2:
        raise InputError(f"the smaller set has {size} images: a kernel distance needs at least 2")
    subsets = []
    for _ in range(_SUBSETS):
        of_second = np.random.choice(len(second), size, replace=False).tolist()
        subsets.append((np.random.choice(len(first), size, replace=False).tolist(), of_second))
    return float(np.mean(_native.kernel_distances(first, second, subsets, (3, None, 1.0))))


def make_custom_stats(
    name: str,
    fdir: str,
    num: Optional[int] = None,
    mode: str = "clean",
    model_name: str = "inception_v3",
    num_workers: int = 0,
    batch_size: int = 64,
    device: Any = None,
    verbose: bool = True,
    feature_extractor_weights_path: Optional[str] = None,
) -> None:
    """Keeps statistics and features of a folder, of its first ``num`` images where that is given, under a name."""
    paths = [_Named(name, mode, "custom").path(kept) for kept in (_STATISTICS, _FEATURES)]
    if any(path.exists() for path in paths):
        raise InputError(f"The statistics file {name} already exists. Use remove_custom_stats function to delete it first.")
    extractor = _extractor(mode, model_name, device, feature_extractor_weights_path)
    part = extractor.partial(encoded(files_of(fdir, _EXTENSIONS, True)[:num]), keep=("features",))
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    part.statistics().save(paths[0])
    np.savez_compressed(paths[1], feats=_rows(part))


def remove_custom_stats(name: str, mode: str = "clean", model_name: str = "inception_v3") -> None:
    """Removes what :func:`make_custom_stats` has kept."""
    if not test_stats_exists(name, mode, model_name):
        raise InputError(f"The stats file {name} does not exist.")
    for kept in (_STATISTICS, _FEATURES):
        _Named(name, mode, "custom").path(kept).unlink(missing_ok=True)


def test_stats_exists(name: str, mode: str, model_name: str = "inception_v3", metric: str = "FID") -> bool:
    """Whether :func:`make_custom_stats` has kept something under a name."""
    _checked(mode, model_name)
    return _Named(name, mode, "custom").path({"FID": _STATISTICS, "KID": _FEATURES}[metric]).exists()


# The name is clean-fid's; this is not a test.
test_stats_exists.__test__ = False  # type: ignore[attr-defined]


def _checked(mode: str, model_name: str) -> None:
    if mode not in _MODES:
        raise InputError(f"Invalid mode {mode} specified: it must be one of {', '.join(_MODES)}")
    if model_name != "inception_v3":
        raise InputError(f"The entered model name - {model_name} was not recognized: inception_v3 is the only one here")


def _extractor(mode: str, model_name: str, device: Any, weights: Optional[str]) -> Extractor:
    _checked(mode, model_name)
    kind = "auto" if device is None else str(device)
    return Extractor(weights, resize=_MODES[mode], device=kind)


def _folder(extractor: Extractor, folder: str, keep: tuple[str, ...]) -> Partial:
    if os.path.isdir(folder):
        return extractor.partial(encoded(files_of(folder, _EXTENSIONS, True)), keep=keep)
    return extractor.partial(folder, keep=keep)


def _sets(
    kept: _Kept,
    extractor: Extractor,
    fdir1: Optional[str],
    fdir2: Optional[str],
    gen: Any,
    named: _Named,
    num_gen: int,
    z_dim: int,
    batch_size: int,
) -> tuple[Any, Any]:
    """What a score needs of the reference, and of the images to judge."""
    if (fdir1 is None) == (gen is None):
        raise InputError("invalid combination of directories and models entered: give fdir1, or gen, and not both")
    if fdir2 is None:
        reference = kept.of_file(named.found(kept))
    else:
        if gen is not None:
            import torch

            # PyTorch's loader, by which clean-fid reads the folder, draws a seed before the latents are drawn.
            torch.empty((), dtype=torch.int64).random_()
        reference = kept.of_part(_folder(extractor, fdir2, kept.keep))
    if fdir1 is not None:
        return reference, kept.of_part(_folder(extractor, fdir1, kept.keep))
    return reference, kept.of_part(extractor.partial(_generated(gen, num_gen, z_dim, batch_size), keep=kept.keep))


def _generated(gen: Any, num_gen: int, z_dim: int, batch_size: int) -> Iterator[npt.NDArray[np.uint8]]:
    """What a generator makes of PyTorch's normal numbers, batch by batch."""
    import torch

    device = next((parameter.device for parameter in getattr(gen, "parameters", list)()), torch.device("cpu"))
    for start in range(0, num_gen, batch_size):
        with torch.no_grad():
            images = gen(torch.randn((batch_size, z_dim)).to(device)).detach().cpu()
        # The last batch is drawn whole, as clean-fid draws it, and cut.
        levels = images[: num_gen - start].numpy()
        yield levels if levels.dtype == np.uint8 else np.rint(levels).clip(0, 255).astype(np.uint8)

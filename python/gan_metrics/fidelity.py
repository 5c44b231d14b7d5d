"""torch-fidelity's ``calculate_metrics``: its keywords, the names of its results, and its numbers.

>>> import gan_metrics.fidelity
>>> gan_metrics.fidelity.calculate_metrics(input1="fake/", input2="real/", fid=True, isc=True)  # doctest: +SKIP
{'inception_score_mean': 8.61, 'inception_score_std': 0.11, 'frechet_inception_distance': 12.4}

``input1`` is the generated set and ``input2`` the real one: folders, whatever else :func:`gan_metrics.score` reads, or data sets of PyTorch
that give images (or tuples that begin with one) as uint8 tensors. Weights are those of ``gan-metrics model install inception-v3``, or of
``feature_extractor_weights_path``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._folders import encoded, files_of
from ._images import as_numpy, is_path
from .errors import InputError
from .evaluator import Evaluator

__all__ = [
    "KEY_METRIC_FID",
    "KEY_METRIC_F_SCORE",
    "KEY_METRIC_ISC_MEAN",
    "KEY_METRIC_ISC_STD",
    "KEY_METRIC_KID_MEAN",
    "KEY_METRIC_KID_STD",
    "KEY_METRIC_PRECISION",
    "KEY_METRIC_RECALL",
    "calculate_metrics",
]

KEY_METRIC_ISC_MEAN = "inception_score_mean"
KEY_METRIC_ISC_STD = "inception_score_std"
KEY_METRIC_FID = "frechet_inception_distance"
KEY_METRIC_KID_MEAN = "kernel_inception_distance_mean"
KEY_METRIC_KID_STD = "kernel_inception_distance_std"
KEY_METRIC_PRECISION = "precision"
KEY_METRIC_RECALL = "recall"
KEY_METRIC_F_SCORE = "f_score"

_DEFAULTS: dict[str, Any] = {
    "input1": None,
    "input2": None,
    "cuda": True,
    "batch_size": 64,
    "isc": False,
    "fid": False,
    "kid": False,
    "prc": False,
    "feature_extractor": None,
    "feature_layer_isc": None,
    "feature_layer_fid": None,
    "feature_layer_kid": None,
    "feature_layer_prc": None,
    "feature_extractor_weights_path": None,
    "isc_splits": 10,
    "kid_subsets": 100,
    "kid_subset_size": 1000,
    "kid_kernel": "poly",
    "kid_kernel_rbf_sigma": 10,
    "prc_neighborhood": 3,
    "samples_shuffle": True,
    "samples_find_deep": False,
    "samples_find_ext": "png,jpg,jpeg",
    "rng_seed": 2020,
}

#: What changes no number, and has no effect here: how torch-fidelity goes about it.
_WITHOUT_EFFECT = {
    "prc_batch_size", "samples_ext_lossy", "save_cpu_ram", "verbose", "cache", "cache_root", "input1_cache_name", "input2_cache_name",
    "datasets_root", "datasets_download", "feature_extractor_compile",
}  # fmt: skip

#: What would change a number, with the only value that is understood.
_FIXED: dict[str, Any] = {
    "ppl": False,
    "mind": False,
    "feature_extractor_internal_dtype": None,
    "kid_kernel_poly_degree": 3,
    "kid_kernel_poly_gamma": None,
    "kid_kernel_poly_coef0": 1,
    "samples_resize_and_crop": 0,
}

_EXTRACTOR = "inception-v3-compat"


def calculate_metrics(**keywords: Any) -> dict[str, float]:
    """The metrics of torch-fidelity, by its keywords. One that would change a number and is not understood is refused.

    Precision and recall are of Inception's features, as ``feature_extractor="inception-v3-compat"`` says, which has to be said: left to
    itself, torch-fidelity takes them of VGG-16.
    """
    given = {**_DEFAULTS}
    for name, value in keywords.items():
        if name in _FIXED and value != _FIXED[name]:
            raise InputError(f"{name} is {value!r}: {_FIXED[name]!r} is the only value that is understood here")
        if name in _DEFAULTS:
            given[name] = value
        elif name not in _FIXED and name not in _WITHOUT_EFFECT:
            raise InputError(f"there is no keyword `{name}`; there are {', '.join(_DEFAULTS)}")
    wanted = [name for name in ("isc", "fid", "kid", "prc") if given[name]]
    if not wanted:
        raise InputError("At least one metric must be specified: isc, fid, kid or prc")
    if given["feature_extractor"] not in (None, _EXTRACTOR):
        raise InputError(f"feature_extractor is {given['feature_extractor']!r}: {_EXTRACTOR} is the only one here")
    if "prc" in wanted and given["feature_extractor"] is None:
        raise InputError(f"prc is of VGG-16 in torch-fidelity unless it is told otherwise: say feature_extractor={_EXTRACTOR!r}")
    if given["feature_layer_isc"] not in (None, "logits_unbiased"):
        raise InputError(f"feature_layer_isc is {given['feature_layer_isc']!r}: logits_unbiased is the only one here")
    if given["input1"] is None:
        raise InputError("input1 is None: it is the set that all metrics are of")
    if set(wanted) - {"isc"} and given["input2"] is None:
        raise InputError("input2 is None: fid, kid and prc compare input1 with it")
    results: dict[str, float] = {}
    for layer, names in _by_layer(wanted, given).items():
        results.update(_of_layer(layer, names, given))
    order = [KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, KEY_METRIC_FID, KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD]
    order += [KEY_METRIC_PRECISION, KEY_METRIC_RECALL, KEY_METRIC_F_SCORE]
    return {key: results[key] for key in order if key in results}


def _by_layer(wanted: list[str], given: dict[str, Any]) -> dict[str, list[str]]:
    """Which metrics are of which layer: a pass for each."""
    layers: dict[str, list[str]] = {}
    for name in wanted:
        if name != "isc":
            layer = str(given[f"feature_layer_{name}"] or 2048)
            if layer not in ("64", "192", "768", "2048"):
                raise InputError(f"feature_layer_{name} is {layer!r}: it must be 64, 192, 768 or 2048")
            layers.setdefault(layer, []).append(name)
    if "isc" in wanted:
        layers.setdefault(next(iter(layers), "2048"), []).append("isc")
    return layers


def _of_layer(layer: str, names: list[str], given: dict[str, Any]) -> dict[str, float]:
    scores = {"isc": "is", "fid": "fid", "kid": "kid", "prc": "prdc"}
    parameters: dict[str, dict[str, Any]] = {}
    if "isc" in names:
        parameters["is"] = {"splits": given["isc_splits"]}
        if given["samples_shuffle"]:
            parameters["is"]["seed"] = given["rng_seed"]
        else:
            parameters["is"]["order"] = "as-given"
    if "kid" in names:
        parameters["kid"] = {"subsets": given["kid_subsets"], "subset_size": given["kid_subset_size"], "seed": given["rng_seed"]}
        if given["kid_kernel"] == "rbf":
            parameters["kid"].update(kernel="rbf", sigma=float(given["kid_kernel_rbf_sigma"]))
        elif given["kid_kernel"] != "poly":
            raise InputError(f"kid_kernel is {given['kid_kernel']!r}: it must be 'poly' or 'rbf'")
    if "prc" in names:
        parameters["prdc"] = {"k": given["prc_neighborhood"]}
    # Whether the sets are there is found out before the network is read.
    sets = [
        (_images(given[argument], argument, given), set)
        for argument, set in (("input2", "real"), ("input1", "fake"))
        if given[argument] is not None and (set == "fake" or names != ["isc"])
    ]
    run = Evaluator(
        [scores[name] for name in names],
        parameters=parameters,
        extractor=given["feature_extractor_weights_path"],
        layer=int(layer),
        device="auto" if given["cuda"] else "cpu",
    )
    for images, set in sets:
        run.update(images, set)  # type: ignore[arg-type]
    found = run.compute().check()
    keys = {
        "is": {KEY_METRIC_ISC_MEAN: "mean", KEY_METRIC_ISC_STD: "std"},
        "fid": {KEY_METRIC_FID: "value"},
        "kid": {KEY_METRIC_KID_MEAN: "mean", KEY_METRIC_KID_STD: "std"},
        "prdc": {KEY_METRIC_PRECISION: "precision", KEY_METRIC_RECALL: "recall", KEY_METRIC_F_SCORE: "f_score"},
    }
    metrics = found.to_dict()["metrics"]
    in_json = {"is": "inception_score", "fid": "fid", "kid": "kid", "prdc": "prdc"}
    return {
        key: float(metrics[in_json[scores[name]]][field]) for name in names for key, field in keys[scores[name]].items()
    }


def _images(given: Any, argument: str, keywords: dict[str, Any]) -> Any:
    """A set as torch-fidelity sees it."""
    if is_path(given):
        if os.path.isdir(given):
            return encoded(files_of(given, str(keywords["samples_find_ext"]).split(","), bool(keywords["samples_find_deep"])))
        if not os.path.exists(given):
            raise InputError(f"{argument} is {os.fspath(given)!r}, which is not there; sets that torch-fidelity knows by name are not here")
        return given
    if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        return _of_dataset(given, argument)
    return given


def _of_dataset(dataset: Any, argument: str, batch: int = 64) -> Iterator[Any]:
    """The images of a data set of PyTorch, one after the other as it gives them."""
    images: list[Any] = []
    for index in range(len(dataset)):
        item = dataset[index]
        image = as_numpy(item[0] if isinstance(item, (tuple, list)) else item)
        if image.ndim != 3 or image.dtype != np.uint8:
            raise InputError(f"{argument}[{index}] has the shape {image.shape} of {image.dtype}: images are 3×height×width of uint8")
        images.append(image)
        if len(images) == batch:
            yield images
            images = []
    if images:
        yield images

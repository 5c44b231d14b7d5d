"""Which network sees the images, and what runs it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from . import _native
from .errors import InputError

if TYPE_CHECKING:
    from typing import TypedDict

    class PreparedKeywords(TypedDict, total=False):
        """How images become features by a network that is named otherwise."""

        layer: Optional[int]
        resize: Optional[str]
        device: str
        engine: str
        batch_size: Optional[int]
        threads: Optional[int]
        library: Optional[str]
        on_bad_image: str
        size: Optional[tuple[int, int]]
        mean: Union[float, tuple[float, float, float], None]
        std: Union[float, tuple[float, float, float], None]
        input_layout: Optional[str]
        input: Optional[str]
        features: Optional[str]
        logits: Optional[str]
        pooling: Optional[str]

    class NetworkKeywords(PreparedKeywords, total=False):
        """How images become features: the same keywords wherever images are taken."""

        extractor: Union[str, "os.PathLike[str]", None]


NAMED = ("inception-v3", "efficientnet-lite0")
_OF_FILES = ("size", "mean", "std", "input_layout", "input", "features", "logits", "pooling")
_KEYWORDS = ("extractor", "layer", "resize", "device", "engine", "batch_size", "threads", "library", "on_bad_image")
_CHOICES = {
    "engine": ("auto", "onnxruntime", "tract"),
    "on_bad_image": ("stop", "skip"),
    "input_layout": ("NCHW", "NHWC"),
}


def spec(keywords: dict[str, Any]) -> dict[str, Any]:
    """What the native module takes, of the keywords that say how images become features."""
    for name, value in keywords.items():
        if name not in _KEYWORDS and name not in _OF_FILES:
            raise TypeError(f"there is no keyword `{name}`; there are {', '.join(_KEYWORDS + _OF_FILES)}")
        if value is not None and name in _CHOICES and value not in _CHOICES[name]:
            raise InputError(f"{name} is {value!r}: it must be one of {', '.join(_CHOICES[name])}")
    found = {name: value for name, value in keywords.items() if value is not None}
    given = found.pop("extractor", None)
    if given is not None and str(given) not in NAMED:
        if not isinstance(given, (str, os.PathLike)):
            raise InputError(f"extractor is of type {type(given).__name__}: give a name or a file")
        path = Path(given)
        if not path.suffix:
            raise InputError(f"extractor is {given!r}: give {' or '.join(NAMED)}, an ONNX file, or a checkpoint (.pth) of Inception-v3")
        # PyTorch's checkpoints are converted once, and found again by their content.
        found["model"] = _native.converted(os.fspath(path)) if path.suffix in (".pth", ".pt") else os.fspath(path)
    else:
        for name in _OF_FILES:
            if name in found:
                raise InputError(f"{name} would have no effect: it describes a network in a file")
        if given is not None:
            found["extractor"] = str(given)
    for name in ("mean", "std"):
        if isinstance(found.get(name), (int, float)):
            found[name] = (found[name],) * 3
    if "layer" in found:
        found["layer"] = str(found["layer"])
    if "input_layout" in found:
        found["layout"] = found.pop("input_layout")
    if found.get("engine") != "tract" and "library" not in found:
        library = onnxruntime_of_this_environment()
        if library is not None:
            found["library"] = library
    prepare_process()
    return found


def prepare_process() -> None:
    """Says what ONNX Runtime looks at before it starts: that it is not to send telemetry."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def onnxruntime_of_this_environment() -> Optional[str]:
    """The folder of the library that the package `onnxruntime` of this Python brings, unless `ORT_DYLIB_PATH` names another."""
    if os.environ.get("ORT_DYLIB_PATH"):
        return None
    try:
        found = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    for folder in (found.submodule_search_locations or ()) if found else ():
        libraries = Path(folder) / "capi"
        names = ("libonnxruntime.so*", "libonnxruntime*.dylib", "onnxruntime.dll")
        if any(any(libraries.glob(name)) for name in names):
            return str(libraries)
    return None

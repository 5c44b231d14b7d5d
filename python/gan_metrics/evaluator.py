"""Scores batch by batch."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

from . import _native
from ._images import Images, Layout, Range, batches, is_path
from ._network import spec
from .errors import InputError
from .report import Report
from .statistics import Partial, Statistics

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._network import NetworkKeywords

__all__ = ["Evaluator"]

SetName = Literal["real", "fake"]
Parameters = Mapping[str, Mapping[str, Any]]
#: A real set that is known whole: statistics, a part that holds a whole set, or the path of a file of either.
Reference = Union[Statistics, Partial, str, "os.PathLike[str]"]


def asked(
    metrics: Union[str, Sequence[str], None], preset: str, parameters: Optional[Parameters], ci: Optional[float]
) -> dict[str, Any]:
    """Which scores, as the native module takes them."""
    if isinstance(metrics, str):
        metrics = [metrics]
    if metrics is not None and not list(metrics):
        raise InputError("metrics is empty: name a score, such as 'fid', or leave it out for those of the preset")
    if ci is not None and not 0 < ci < 100:
        raise InputError(f"ci is {ci!r}: the level of an interval is in percent, such as 95")
    changed = [
        (score, [(name.replace("_", "-"), _text(value)) for name, value in given.items()])
        for score, given in (parameters or {}).items()
    ]
    return {
        "metrics": None if metrics is None else [str(name) for name in metrics],
        "preset": preset,
        "parameters": changed,
        "level": None if ci is None else ci / 100,
    }


def _text(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)


class Evaluator:
    """Scores of images that come little by little, as those of a training loop do: ``update``, ``compute``, ``reset``, ``merge``.

    Looking changes nothing: ``compute`` may be called at any time. How images are cut into batches changes no bit of a score.
    State pickles, and goes to bytes and back. Several evaluators that see parts of one stream each have a ``shard`` (``"2/8"``),
    and merge into one.

    >>> import gan_metrics, numpy as np
    >>> real = np.random.default_rng(0).integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
    >>> run = gan_metrics.Evaluator(["fid", "prdc"], extractor="efficientnet-lite0")
    >>> run.update(real, "real")
    >>> for epoch in range(2):
    ...     run.reset("fake")
    ...     for batch in np.random.default_rng(epoch).normal(size=(3, 4, 3, 16, 16)).clip(-1, 1):
    ...         run.update(batch, range=(-1, 1))
    ...     scores = run.compute()
    >>> run.images("fake"), scores["fid"] > 0
    (12, True)

    ``reference`` gives the real set whole: statistics, a part, or a file of either; its covariance is factorised once.
    """

    def __init__(
        self,
        metrics: Union[str, Sequence[str]] = ("fid",),
        *,
        reference: Optional[Reference] = None,
        preset: str = "torch-fidelity",
        parameters: Optional[Parameters] = None,
        ci: Optional[float] = None,
        shard: Optional[str] = None,
        **network: Unpack[NetworkKeywords],
    ) -> None:
        self._keywords: dict[str, Any] = {**network}
        self._asked = asked(metrics, preset, parameters, ci)
        self._shard = shard
        self._native = _native.Evaluator(spec(self._keywords), self._asked, shard)
        self._reference: Optional[Reference] = None
        if reference is not None:
            self._refer(reference)

    def _refer(self, reference: Reference) -> None:
        if isinstance(reference, Statistics):
            self._native.refer_to_statistics(reference._native)
        elif isinstance(reference, Partial):
            self._native.refer_to_part(reference._native)
        elif not is_path(reference):
            raise InputError(
                f"reference is of type {type(reference).__name__}: give Statistics, a Partial or a file; real images are added by "
                'update(images, "real")'
            )
        else:
            path = os.fspath(reference)
            if path.endswith((".npz", ".pkl")) and not holds_rows(arrays_in(path)):
                self._native.refer_to_statistics(Statistics.read(path)._native)
            else:
                self._native.refer_to_features(path)
        self._reference = reference

    def update(
        self,
        images: Images,
        set: SetName = "fake",
        *,
        layout: Optional[Layout] = None,
        range: Optional[Range] = None,
        num: Optional[int] = None,
        seed: int = 0,
        array: Optional[str] = None,
    ) -> None:
        """Adds images to a set. Floats have a stated range, the values of black and white: ``(0, 1)``, ``(-1, 1)``.

        A batch of which an image cannot be used adds nothing.
        """
        for piece in batches(images, layout=layout, range=range, num=num, seed=seed, array=array):
            self._native.update(_is_real(set), piece)

    def compute(self) -> Report:
        """The scores of all images so far; a score that fails costs no other, and is among ``failed``."""
        return Report(json.loads(self._native.compute()))

    def reset(self, set: Optional[SetName] = None) -> None:
        """Forgets the images of a set, or of both; a reference stays."""
        if set is None or not _is_real(set):
            self._native.reset(False)
        if set is not None and _is_real(set) and self._reference is not None:
            raise InputError("the real set is a reference, which stays: make another Evaluator for another one")
        if (set is None or _is_real(set)) and self._reference is None:
            self._native.reset(True)

    def images(self, set: SetName = "fake") -> Optional[int]:
        """Number of images that were added to a set; None for a reference."""
        part = self._native.partial(_is_real(set))
        return None if part is None else part.images

    def partial(self, set: SetName = "fake") -> Partial:
        """What is known of the images that were added to a set, to be merged elsewhere."""
        part = self._native.partial(_is_real(set))
        if part is None:
            raise InputError("the real set is a reference, of which there is no part")
        return Partial._of(part)

    def merge(self, other: Union[Evaluator, Partial, Iterable[Union[Evaluator, Partial]]], set: Optional[SetName] = None) -> None:
        """Joins images that were added elsewhere: those of evaluators, or of parts of one set."""
        others = [other] if isinstance(other, (Evaluator, Partial)) else list(other)
        for one in others:
            if isinstance(one, Partial):
                self._native.merge(_is_real(set or "fake"), one._native)
                continue
            for name in ("real", "fake") if set is None else (set,):
                part = one._native.partial(_is_real(name))
                # A reference is the same everywhere.
                if part is not None and part.images + len(part.skipped) > 0:
                    self._native.merge(_is_real(name), part)

    def to_bytes(self, set: SetName = "fake") -> bytes:
        """What is known of the images of a set, as bytes: ``merge(Partial.from_bytes(data))`` elsewhere."""
        return self.partial(set).to_bytes()

    def __getstate__(self) -> dict[str, Any]:
        parts = {name: self._native.partial(name == "real") for name in ("real", "fake")}
        return {
            "keywords": self._keywords,
            "asked": self._asked,
            "shard": self._shard,
            "reference": self._reference,
            "parts": {name: part.to_bytes() for name, part in parts.items() if part is not None and part.images > 0},
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._keywords, self._asked, self._shard = state["keywords"], state["asked"], state["shard"]
        self._native = _native.Evaluator(spec(self._keywords), self._asked, self._shard)
        self._reference = None
        if state["reference"] is not None:
            self._refer(state["reference"])
        for name, data in state["parts"].items():
            self._native.merge(name == "real", _native.Partial.from_bytes(data))

    def __repr__(self) -> str:
        return f"<Evaluator of {', '.join(self._asked['metrics'])}: {self.images('real')} real, {self.images('fake')} fake images>"


def _is_real(set: str) -> bool:
    if set not in ("real", "fake"):
        raise InputError(f"set is {set!r}: it must be 'real' or 'fake'")
    return set == "real"


def arrays_in(path: str) -> set[str]:
    """The names of the arrays of an `.npz` file; none of anything else."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def holds_rows(names: set[str]) -> bool:
    """Whether an archive of arrays of these names holds features or a part, not statistics."""
    return not {"mu", "sigma"} <= names and bool(names & {"features", "part"})

"""Tests that fail when a generator got worse.

>>> report = gan_metrics.score("tests/real.npz", samples, ["fid", "prdc"], ci=95)  # doctest: +SKIP
>>> gan_metrics.testing.assert_no_worse(report, "tests/baseline.json", tolerance="2%,recall=0.01")  # doctest: +SKIP

>>> gan_metrics.testing.assert_fid("tests/real.npz", samples, below=20, keep="worse/")  # doctest: +SKIP

With ``GAN_METRICS_BLESS=1`` in the environment the baseline is written instead, to be looked at and committed. Tests of pytest have the
fixture ``no_worse``, which keeps the baseline of each test beside it, and the option ``--gan-metrics-bless``.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt

from ._images import Images, Layout, Prepared, Range, batches, is_path, prepared
from .errors import InputError
from .report import Report
from .scoring import score
from .statistics import Partial, Statistics

__all__ = ["assert_fid", "assert_no_worse"]

BLESS = "GAN_METRICS_BLESS"
#: Images that are kept of a set: a page of eight by eight.
MOST_KEPT = 64
_OF_KEPT = re.compile(r"\d{5}\.png")
#: The exit code of `gan-metrics check` for a number that is worse.
_WORSE = 1


def assert_no_worse(
    report: Report,
    baseline: Union[str, "os.PathLike[str]"],
    tolerance: Optional[str] = None,
    *,
    bless: Optional[bool] = None,
) -> None:
    """Raises :class:`AssertionError`, with a table, where a number is worse than the baseline's by more than its tolerance.

    Judges as ``gan-metrics check`` does (docs/regression-tests.md): ``tolerance`` is ``"2%"``, ``"0.01"``, ``"3sigma"``, or by name,
    ``"fid=2%,kid=0.001"``; left out, it is three standard errors, for which both reports need ``ci=95``. Reports that cannot be compared
    raise :class:`~gan_metrics.InputError`. ``bless`` writes the baseline instead; left out, ``GAN_METRICS_BLESS=1`` does.
    """
    path = Path(baseline)
    if os.environ.get(BLESS) == "1" if bless is None else bless:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report.to_json(), encoding="utf-8")
        return
    if not path.exists():
        raise AssertionError(f"there is no baseline at {path}: run once with {BLESS}=1, look at it, and commit it")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.json"
        run.write_text(report.to_json(), encoding="utf-8")
        # The program writes to the streams of its process.
        command = [sys.executable, "-m", "gan_metrics", "check", str(run), "--baseline", str(path)]
        command += [] if tolerance is None else ["--tolerance", tolerance]
        judged = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if judged.returncode == _WORSE:
        raise AssertionError(f"worse than {path}\n{judged.stdout}{judged.stderr}")
    if judged.returncode != 0:
        raise InputError((judged.stderr or judged.stdout).strip())


def assert_fid(
    real: Union[Images, Statistics, Partial],
    fake: Images,
    *,
    below: Optional[float] = None,
    baseline: Union[str, "os.PathLike[str]", None] = None,
    tolerance: Optional[str] = None,
    keep: Union[str, "os.PathLike[str]", None] = None,
    bless: Optional[bool] = None,
    layout: Optional[Layout] = None,
    range: Optional[Range] = None,
    ci: Optional[float] = None,
    **options: Any,
) -> Report:
    """Raises :class:`AssertionError` where the FID of generated images is not ``below`` a value, or worse than in ``baseline``.

    The sets and ``options`` are those of :func:`gan_metrics.score`; the baseline, ``tolerance`` and ``bless`` those of
    :func:`assert_no_worse`; without a tolerance, ``ci`` defaults to 95. If it fails, the first 64 generated images are written to the
    folder ``keep`` as PNG files, replacing those of an earlier test, which needs pillow. Nothing is written if ``fake`` is a path. Returns
    the report.

    >>> import gan_metrics, numpy as np
    >>> images = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)
    >>> report = gan_metrics.testing.assert_fid(images, images, below=1, extractor="efficientnet-lite0")
    >>> report = gan_metrics.testing.assert_fid(images, 255 - images, below=1, extractor="efficientnet-lite0")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    AssertionError: the FID is ..., which is not below 1
    """
    if below is None and baseline is None:
        raise InputError("nothing is asserted: say below=, baseline=, or both")
    if baseline is None and (tolerance is not None or bless is not None):
        raise InputError("tolerance and bless would have no effect: there is no baseline")
    if baseline is not None and tolerance is None and ci is None:
        ci = 95
    kept = _Kept(keep, fake, layout, range)
    report = score(real, kept.images(), "fid", layout=layout, range=range, ci=ci, **options)
    try:
        # Not a number is not below anything.
        if below is not None and not report["fid"] < below:
            raise AssertionError(f"the FID is {report['fid']:.6f}, which is not below {below:g}")
        if baseline is not None:
            assert_no_worse(report, baseline, tolerance, bless=bless)
    except AssertionError as error:
        where = kept.write()
        raise error if where is None else AssertionError(f"{error}\n{where}") from None
    return report


class _Kept:
    """The first images of a set that passes by, which go to a folder where a test fails."""

    def __init__(
        self, folder: Union[str, "os.PathLike[str]", None], images: Images, layout: Optional[Layout], range: Optional[Range]
    ) -> None:
        self._folder = None if folder is None or is_path(images) else Path(folder)
        self._images, self._layout, self._range = images, layout, range
        self._first: list[npt.NDArray[np.uint8]] = []
        if self._folder is None:
            return
        try:
            import PIL.Image  # noqa: F401
        except ImportError:
            raise InputError("keep writes PNG files with pillow, which is not installed: pip install pillow") from None
        for left in self._folder.glob("*.png"):
            if _OF_KEPT.fullmatch(left.name):
                left.unlink()

    def images(self) -> Images:
        """The set, of which batches that come once are remembered as they come."""
        if self._folder is None or not isinstance(self._images, Iterator):
            return self._images
        return self._remembered(self._images)

    def _remembered(self, images: Iterator[Any]) -> Iterator[Any]:
        for batch in images:
            piece = prepared(batch, self._layout, self._range) if len(self._first) < MOST_KEPT else None
            if piece is not None:
                # Copies: what gives batches may fill the same memory again.
                self._first += [np.array(image) for image in islice(_bytes_of(piece), MOST_KEPT - len(self._first))]
            yield batch

    def write(self) -> Optional[str]:
        """Writes them, and says so."""
        if self._folder is None:
            return None
        from PIL import Image

        # What can be gone through twice has not been remembered.
        pieces = batches(self._images, layout=self._layout, range=self._range)
        first = self._first or list(islice(chain.from_iterable(map(_bytes_of, pieces)), MOST_KEPT))
        self._folder.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(first):
            Image.fromarray(image).save(self._folder / f"{number:05}.png")
        return f"{len(first)} of the images are kept in {self._folder}"


def _bytes_of(piece: Prepared) -> Iterator[npt.NDArray[np.uint8]]:
    """Images that have been made ready for the network, as bytes: height×width, or with three channels last."""
    from PIL import Image

    kind, images, *rest = piece
    for image in images:
        if kind == "encoded":
            yield np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
            continue
        if kind == "floats":
            black, white = rest[1]
            image = np.rint(np.clip((image - black) / (white - black), 0, 1) * 255).astype(np.uint8)
        if kind != "pixels" and rest[0] == "NCHW":
            image = np.moveaxis(image, 0, -1)
        yield image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image

"""Images to score: two sets of noise with colours of their own, in memory and in folders."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gan_metrics

#: What needs no weights.
NETWORK = {"extractor": "efficientnet-lite0"}


def images(seed: int, count: int = 24, size: int = 24) -> np.ndarray:
    """Images of bytes, N×height×width×3: stripes with noise, so that they differ in more than rounding."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size]
    phase = rng.uniform(0, 6, (count, 1, 1, 3))
    waves = 128 + 90 * np.sin(phase + (x / 3 + y / (2 + seed))[None, :, :, None])
    return np.clip(waves + rng.normal(0, 20, waves.shape), 0, 255).astype(np.uint8)


def folder_of(path: Path, array: np.ndarray) -> Path:
    """The images as PNG files."""
    path.mkdir(parents=True)
    for index, image in enumerate(array):
        Image.fromarray(image).save(path / f"{index:04}.png")
    return path


@pytest.fixture(scope="session")
def real() -> np.ndarray:
    return images(1)


@pytest.fixture(scope="session")
def fake() -> np.ndarray:
    return images(2)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory, real: np.ndarray, fake: np.ndarray) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sets")
    return folder_of(root / "real", real), folder_of(root / "fake", fake)


@pytest.fixture(scope="session")
def extractor() -> gan_metrics.Extractor:
    return gan_metrics.Extractor(**NETWORK)


@pytest.fixture(autouse=True, scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is kept, of these tests' own."""
    folder = tmp_path_factory.mktemp("home")
    os.environ["GAN_METRICS_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "gan_metrics"]

"""Sets of images for the tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

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


def png(image: np.ndarray) -> bytes:
    """An image as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()

"""Images to score: two sets of noise with colours of their own, in memory and in folders."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from sets import NETWORK, folder_of, images

import gan_metrics


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


@pytest.fixture(scope="session")
def program_folder(tmp_path_factory: pytest.TempPathFactory, program: list[str]) -> Path:
    """A folder for the search path of a shell, which has the command line as `gan-metrics`."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gan-metrics").write_text(f"#!/bin/sh\nexec {shlex.join(program)} \"$@\"\n")
    (folder / "gan-metrics").chmod(0o755)
    return folder

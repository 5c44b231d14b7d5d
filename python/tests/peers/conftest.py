"""One checkpoint for everybody: the generated FID Inception-v3 of python_ref/make_seeded_inception.py."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not in this environment: `make test-peers` brings it")

from sets import images  # noqa: E402

@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    import torch
    from make_seeded_inception import state_dict

    path = tmp_path_factory.mktemp("weights") / "seeded.pth"
    torch.save(state_dict(0), path)
    return str(path)


@pytest.fixture(scope="session")
def real() -> np.ndarray:
    return images(1, count=16, size=64)


@pytest.fixture(scope="session")
def fake() -> np.ndarray:
    return images(2, count=12, size=64)

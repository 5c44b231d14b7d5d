"""gan_metrics.fidelity beside torch-fidelity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gan_metrics import InputError, fidelity
from peers_tolerances import FID_TOLERANCE, IS_TOLERANCE, KID_TOLERANCE
from sets import folder_of


@pytest.fixture(scope="session")
def peer():
    return pytest.importorskip("torch_fidelity", reason="torch-fidelity is not in this environment: `make test-peers` brings it")


@pytest.fixture(scope="session")
def folders(tmp_path_factory, real, fake):
    root = tmp_path_factory.mktemp("fidelity")
    folder_of(root / "real", real)
    folder_of(root / "fake", fake)
    # torch-fidelity does not look into folders of folders unless it is told to.
    folder_of(root / "fake" / "deeper", real[:3])
    return str(root / "real"), str(root / "fake")


class Tensors(torch.utils.data.Dataset):
    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.array[index].transpose(2, 0, 1)))


def both(peer, checkpoint, **keywords):
    keywords = dict(
        cuda=False, feature_extractor="inception-v3-compat", feature_extractor_weights_path=checkpoint, verbose=False,
        cache=False, batch_size=8, **keywords,
    )  # fmt: skip
    return fidelity.calculate_metrics(**keywords), peer.calculate_metrics(**keywords)


def compare(ours, theirs):
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        tolerance = {"rel": FID_TOLERANCE} if "frechet" in key else {"abs": KID_TOLERANCE if "kernel" in key else IS_TOLERANCE}
        assert ours[key] == pytest.approx(value, **tolerance), key


def test_all_metrics_of_folders(peer, checkpoint, folders):
    options = {"isc": True, "fid": True, "kid": True, "prc": True, "isc_splits": 3, "kid_subsets": 5, "kid_subset_size": 10}
    compare(*both(peer, checkpoint, input1=folders[1], input2=folders[0], **options))


def test_data_sets_layers_and_seeds(peer, checkpoint, real, fake):
    options = {"fid": True, "kid": True, "kid_subsets": 4, "kid_subset_size": 9, "rng_seed": 7, "feature_layer_fid": "64", "feature_layer_kid": "192"}
    compare(*both(peer, checkpoint, input1=Tensors(fake), input2=Tensors(real), **options))


def test_scores_of_one_set(peer, checkpoint, folders):
    options = {"isc": True, "isc_splits": 2, "samples_shuffle": False, "samples_find_deep": True}
    compare(*both(peer, checkpoint, input1=folders[1], **options))


def test_what_is_not_understood_is_refused(folders):
    for keywords, message in (
        ({}, "At least one metric"),
        ({"fid": True}, "input1 is None"),
        ({"fid": True, "input1": folders[1]}, "input2 is None"),
        ({"prc": True, "input1": folders[1], "input2": folders[0]}, "VGG-16"),
        ({"ppl": True}, "ppl is True"),
        ({"isc": True, "input1": folders[1], "samples_resize_and_crop": 32}, "samples_resize_and_crop is 32"),
        ({"isc": True, "input1": folders[1], "feature_extractor": "clip-vit-b-32"}, "clip-vit-b-32"),
        ({"isc": True, "input1": "cifar10-train"}, "not here"),
        ({"isc": True, "inputs": 1}, "no keyword `inputs`"),
    ):
        with pytest.raises(InputError) as raised:
            fidelity.calculate_metrics(**keywords)
        assert message in str(raised.value), (message, str(raised.value))

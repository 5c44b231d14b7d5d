"""gan_metrics.cleanfid beside clean-fid, whose network is handed the same checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gan_metrics import InputError, cleanfid
from peers_tolerances import FID_TOLERANCE, KID_TOLERANCE
from sets import folder_of


@pytest.fixture(scope="session")
def peer():
    pytest.importorskip("cleanfid", reason="clean-fid is not in this environment: `make test-peers` brings it")
    from cleanfid import fid

    return fid


@pytest.fixture(scope="session")
def folders(tmp_path_factory, real, fake):
    root = tmp_path_factory.mktemp("clean")
    return str(folder_of(root / "real", real)), str(folder_of(root / "fake", fake))


@pytest.fixture(scope="session")
def network(checkpoint):
    from inception_v3 import InceptionV3

    network = InceptionV3().eval()
    network.load_state_dict(torch.load(checkpoint))
    return lambda batch: network((batch - 128) / 128)["pool3"]


def test_fid_of_folders(peer, checkpoint, network, folders):
    ours = cleanfid.compute_fid(folders[1], folders[0], feature_extractor_weights_path=checkpoint)
    theirs = peer.compute_fid(
        folders[1], folders[0], num_workers=0, device=torch.device("cpu"), use_dataparallel=False, custom_feat_extractor=network,
        verbose=False,
    )  # fmt: skip
    assert ours == pytest.approx(theirs, rel=FID_TOLERANCE)


def test_kid_draws_the_subsets_of_clean_fid(peer, checkpoint, network, folders, monkeypatch):
    monkeypatch.setattr(peer, "build_feature_extractor", lambda *_, **__: network)
    # Half of the images, so that subsets differ.
    monkeypatch.setattr(cleanfid, "_MOST_IN_SUBSET", 10)
    distance = peer.kernel_distance
    monkeypatch.setattr(peer, "kernel_distance", lambda a, b: distance(a, b, max_subset_size=10))
    np.random.seed(5)
    theirs = peer.compute_kid(folders[1], folders[0], num_workers=0, device=torch.device("cpu"), verbose=False)
    np.random.seed(5)
    ours = cleanfid.compute_kid(folders[1], folders[0], feature_extractor_weights_path=checkpoint)
    assert ours == pytest.approx(theirs, abs=KID_TOLERANCE) and abs(ours) > 10 * KID_TOLERANCE


def test_generators_draw_as_clean_fid_does(peer, checkpoint, network, folders):
    def gen(z: torch.Tensor) -> torch.Tensor:
        waves = torch.sin(torch.linspace(0, 9, 16)[None, None, None, :] * z[:, :3, None, None])
        return (waves * 127.5 + 127.5).expand(-1, -1, 16, -1).round().to(torch.uint8)

    found = []
    for compute, options in (
        (cleanfid.compute_fid, {"feature_extractor_weights_path": checkpoint}),
        (peer.compute_fid, {"device": torch.device("cpu"), "num_workers": 0, "custom_feat_extractor": network, "verbose": False}),
    ):
        torch.manual_seed(1)
        found.append(compute(gen=gen, fdir2=folders[0], z_dim=8, num_gen=14, batch_size=6, **options))
    assert found[0] == pytest.approx(found[1], rel=FID_TOLERANCE)


def test_statistics_under_a_name(checkpoint, folders):
    weights = {"feature_extractor_weights_path": checkpoint}
    assert not cleanfid.test_stats_exists("mine", "clean")
    cleanfid.make_custom_stats("mine", folders[0], **weights)
    assert cleanfid.test_stats_exists("mine", "clean") and cleanfid.test_stats_exists("mine", "clean", metric="KID")
    with pytest.raises(InputError, match="already exists"):
        cleanfid.make_custom_stats("mine", folders[0], **weights)
    custom = {"dataset_name": "mine", "dataset_split": "custom", **weights}
    assert cleanfid.compute_fid(folders[1], **custom) == pytest.approx(cleanfid.compute_fid(*folders[::-1], **weights), rel=1e-6)
    assert np.isfinite(cleanfid.compute_kid(folders[1], **custom))
    cleanfid.remove_custom_stats("mine")
    with pytest.raises(InputError, match="does not exist"):
        cleanfid.remove_custom_stats("mine")
    with pytest.raises(InputError, match="make_custom_stats makes them"):
        cleanfid.compute_fid(folders[1], **custom)
    with pytest.raises(InputError, match="put clean-fid's file ffhq_clean_train_1024.npz into"):
        cleanfid.compute_fid(folders[1], **weights)


def test_what_is_not_understood_is_refused(folders):
    for arguments, message in (
        ({"fdir1": folders[0], "fdir2": folders[1], "mode": "dirty"}, "Invalid mode dirty"),
        ({"fdir1": folders[0], "fdir2": folders[1], "model_name": "clip_vit_b_32"}, "clip_vit_b_32"),
    ):
        with pytest.raises(InputError) as raised:
            cleanfid.compute_fid(**arguments)
        assert message in str(raised.value)

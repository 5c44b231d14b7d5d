"""gan_metrics.torch beside torchmetrics, and in two processes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from gan_metrics import InputError
from gan_metrics.torch import (
    FrechetInceptionDistance,
    InceptionScore,
    KernelInceptionDistance,
    MemorizationInformedFrechetInceptionDistance,
    Scores,
)
from peers_tolerances import FID_TOLERANCE, IS_TOLERANCE, KID_TOLERANCE


#: What is computed in a moment: what is tested with it does not depend on the layer.
LAYER = 64


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


@pytest.fixture(scope="session")
def sets(real, fake):
    return tensor(real), tensor(fake)


@pytest.fixture(scope="session")
def peers():
    return pytest.importorskip("torchmetrics", reason="torchmetrics is not in this environment: `make test-peers` brings it")


def fed(metric, sets, cut=9):
    for images, real in zip(sets, (True, False)):
        for batch in images.split(cut):
            metric.update(batch, real=real)
    return metric


@pytest.mark.parametrize(("feature", "antialias"), [(2048, True), (192, True), (192, False)])
def test_fid_is_that_of_torchmetrics(peers, checkpoint, sets, feature, antialias):
    from torchmetrics.image.fid import FrechetInceptionDistance as Peer

    options = {"feature": feature, "feature_extractor_weights_path": checkpoint, "antialias": antialias}
    ours, theirs = fed(FrechetInceptionDistance(**options), sets), fed(Peer(**options), sets)
    assert ours.compute().item() == pytest.approx(theirs.compute().item(), rel=FID_TOLERANCE)


def test_floats_become_levels_as_in_torchmetrics(peers, checkpoint, sets):
    from torchmetrics.image.fid import FrechetInceptionDistance as Peer

    options = {"feature": LAYER, "normalize": True, "feature_extractor_weights_path": checkpoint}
    floats = [images.float() / 255 * 0.999 for images in sets]
    ours, theirs = fed(FrechetInceptionDistance(**options), floats), fed(Peer(**options), floats)
    assert ours.compute().item() == pytest.approx(theirs.compute().item(), rel=FID_TOLERANCE, abs=1e-6)


def of_peer(kind, checkpoint, feature, **options):
    """torchmetrics' other metrics take no path: their network is handed over."""
    from torchmetrics.image.fid import NoTrainInceptionV3

    class First(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = NoTrainInceptionV3("inception-v3-compat", [str(feature)], checkpoint)

        def forward(self, imgs):
            return self.network(imgs)

    return kind(feature=First(), **options)


def test_kid_draws_the_subsets_of_torchmetrics(peers, checkpoint, sets):
    from torchmetrics.image.kid import KernelInceptionDistance as Peer

    options = {"subsets": 7, "subset_size": 9}
    ours = fed(KernelInceptionDistance(192, feature_extractor_weights_path=checkpoint, **options), sets)
    theirs = fed(of_peer(Peer, checkpoint, 192, **options), sets)
    found = []
    for metric in (ours, theirs):
        torch.manual_seed(3)
        found.append([value.item() for value in metric.compute()])
    assert found[0] == pytest.approx(found[1], abs=KID_TOLERANCE) and abs(found[0][0]) > 10 * KID_TOLERANCE
    with pytest.raises(ValueError, match="subset_size"):
        fed(KernelInceptionDistance(192, feature_extractor_weights_path=checkpoint), sets).compute()


@pytest.mark.parametrize("splits", [3, 1])
def test_inception_score_is_that_of_torchmetrics(peers, checkpoint, sets, splits):
    from torchmetrics.image.inception import InceptionScore as Peer

    ours = InceptionScore(splits=splits, feature_extractor_weights_path=checkpoint)
    theirs = of_peer(Peer, checkpoint, "logits_unbiased", splits=splits)
    found = []
    for metric in (ours, theirs):
        metric.update(sets[0])
        torch.manual_seed(3)
        found.append([value.item() for value in metric.compute()])
    assert found[0] == pytest.approx(found[1], abs=IS_TOLERANCE, nan_ok=True) and found[0][0] > 1.001


def test_mifid_is_that_of_torchmetrics(peers, checkpoint, sets):
    from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance as Peer

    ours = fed(MemorizationInformedFrechetInceptionDistance(192, feature_extractor_weights_path=checkpoint), sets)
    theirs = fed(of_peer(Peer, checkpoint, 192), sets)
    assert ours.compute().item() == pytest.approx(theirs.compute().item(), rel=FID_TOLERANCE)


def test_a_module_of_ones_own(peers, sets):
    from torchmetrics.image.fid import FrechetInceptionDistance as Peer

    class Means(torch.nn.Module):
        num_features = 6

        def forward(self, imgs):
            return torch.cat([imgs.float().mean((2, 3)), imgs.float().std((2, 3))], 1)

    ours, theirs = fed(FrechetInceptionDistance(Means()), sets), fed(Peer(Means()), sets)
    assert ours.compute().item() == pytest.approx(theirs.compute().item(), rel=1e-5)


def test_a_collection_shares_one_pass(peers, checkpoint, sets):
    from torchmetrics import MetricCollection

    from gan_metrics.torch import _base

    options = {"feature": LAYER, "feature_extractor_weights_path": checkpoint}
    collection = MetricCollection({
        "fid": FrechetInceptionDistance(**options),
        "kid": KernelInceptionDistance(subsets=2, subset_size=5, **options),
    })
    runs = []
    network = _base.network(collection["fid"]._keywords)
    extract = network.extractor.extract
    network.extractor.extract = lambda *args, **kwargs: runs.append(1) or extract(*args, **kwargs)
    try:
        fed(collection, sets, cut=8)
    finally:
        network.extractor.extract = extract
    assert len(runs) == 4, "batches, not batches times metrics"
    found = collection.compute()
    assert found["fid"].item() == fed(FrechetInceptionDistance(**options), sets, cut=8).compute().item()
    assert {"fid", "kid"} <= {name.partition("_")[0] for name in found}


def test_in_place_changes_are_seen(checkpoint, sets):
    options = {"feature": LAYER, "feature_extractor_weights_path": checkpoint}
    metric, batch = InceptionScore(splits=1, **options), sets[0][:4].clone()
    metric.update(batch)
    batch.copy_(sets[1][:4])
    metric.update(batch)
    other = InceptionScore(splits=1, **options)
    other.update(torch.cat([sets[0][:4], sets[1][:4]]))
    assert metric.compute()[0].item() == pytest.approx(other.compute()[0].item(), rel=1e-6)


def test_reset_copies_and_forward(checkpoint, sets):
    options = {"feature": LAYER, "feature_extractor_weights_path": checkpoint}
    metric = fed(FrechetInceptionDistance(reset_real_features=False, **options), sets)
    value = metric.compute().item()
    for again in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert again.compute().item() == pytest.approx(value, rel=1e-6)
    metric.reset()
    with pytest.raises(RuntimeError, match="More than one sample"):
        metric.compute()
    metric.update(sets[1], real=False)
    assert metric.compute().item() == pytest.approx(value, rel=1e-6)
    scores = InceptionScore(splits=1, **options)
    scores.update(sets[0])
    of_batch = scores(sets[1])
    alone = InceptionScore(splits=1, **options)
    alone.update(sets[1])
    assert of_batch[0].item() == pytest.approx(alone.compute()[0].item(), rel=1e-6)
    both = InceptionScore(splits=1, **options)
    both.update(torch.cat(sets))
    assert scores.compute()[0].item() == pytest.approx(both.compute()[0].item(), rel=1e-6)


def test_scores_of_one_pass(checkpoint, sets, real, fake):
    import gan_metrics

    metric = fed(Scores(["fid", "prdc"], extractor=checkpoint, layer=LAYER), sets)
    expected = gan_metrics.score(real, fake, ["fid", "prdc"], extractor=checkpoint, layer=LAYER)
    assert {name: value.item() for name, value in metric.compute().items()} == dict(expected)
    metric.reset()
    assert "fid" in metric.report().failed


def test_bad_input_is_refused(checkpoint, sets):
    metric = FrechetInceptionDistance(feature_extractor_weights_path=checkpoint)
    for images, message in (
        (sets[0].float(), "is of torch.float32"),
        (sets[0][:, :2], "2 channels"),
        (sets[0][:0], "it holds no images"),
        (sets[0].numpy(), "of type ndarray"),
    ):
        with pytest.raises(InputError, match=message):
            metric.update(images, real=True)
    floats = FrechetInceptionDistance(normalize=True, feature_extractor_weights_path=checkpoint)
    for images, message in ((sets[0], "torch.uint8"), (sets[0].float(), "from 0 to 1")):
        with pytest.raises(InputError, match=message):
            floats.update(images, real=True)
    with pytest.raises(ValueError, match="must be one of"):
        FrechetInceptionDistance(feature=100)
    with pytest.raises(TypeError):
        FrechetInceptionDistance(feature=None)


def rank(rank: int, world: int, port: int, checkpoint: str, sets, results) -> None:
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    torch.manual_seed(0)
    options = {"feature": LAYER, "feature_extractor_weights_path": checkpoint, "threads": 1}
    metrics = {
        "fid": FrechetInceptionDistance(**options),
        "kid": KernelInceptionDistance(subsets=3, subset_size=12, **options),
        "scores": Scores(["prdc"], extractor=checkpoint, layer=LAYER, threads=1),
    }
    for images, real in zip(sets, (True, False)):
        # As DistributedSampler deals; the last image makes the numbers unequal.
        for metric in metrics.values():
            metric.update(images[rank::world], real=real)
    found = {"fid": metrics["fid"].compute().item(), "kid": metrics["kid"].compute()[0].item()}
    found.update({name: value.item() for name, value in metrics["scores"].compute().items()})
    results.put((rank, found))
    dist.destroy_process_group()


def test_two_processes_are_one(checkpoint, sets):
    import socket

    import torch.multiprocessing as mp

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = mp.get_context("spawn")
    results = context.Queue()
    mp.spawn(rank, (2, port, checkpoint, sets, results), nprocs=2)
    found = dict(results.get(timeout=10) for _ in range(2))
    assert found[0] == found[1]
    options = {"feature": LAYER, "feature_extractor_weights_path": checkpoint}
    alone = fed(FrechetInceptionDistance(**options), sets).compute().item()
    assert found[0]["fid"] == pytest.approx(alone, rel=1e-5)
    # All of both sets is one subset, whatever its order.
    kid = fed(KernelInceptionDistance(subsets=1, subset_size=12, **options), sets)
    assert np.isfinite(kid.compute()[0].item())
    scores = fed(Scores(["prdc"], extractor=checkpoint, layer=LAYER), sets).compute()
    assert {name: found[0][name] for name in scores} == {name: value.item() for name, value in scores.items()}

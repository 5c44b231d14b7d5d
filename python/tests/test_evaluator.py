"""Scores batch by batch, in processes, and from bytes."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import gan_metrics
from sets import NETWORK
from gan_metrics import Evaluator, InputError, Partial, Statistics

SCORES = ["fid", "is", "prdc", "vendi"]


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """By the definition, of few images in many dimensions: the trace of √(Σ₁Σ₂) is the sum of singular values of F₁F₂ᵀ/(n−1)."""
    first, second = np.float64(first), np.float64(second)
    centred = [rows - rows.mean(0) for rows in (first, second)]
    n, m = len(first) - 1, len(second) - 1
    cross = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum() / np.sqrt(n * m)
    spread = (centred[0] ** 2).sum() / n + (centred[1] ** 2).sum() / m
    return float(((first.mean(0) - second.mean(0)) ** 2).sum() + spread - 2 * cross)


def test_the_distance_is_that_of_the_definition(extractor, real, fake):
    run = Evaluator("fid", **NETWORK)
    run.update(real, "real")
    run.update(fake)
    assert run.compute()["fid"] == pytest.approx(frechet(extractor(real), extractor(fake)), rel=1e-9)


def test_batches_change_no_bit(real, fake):
    def scores(cut: int) -> dict:
        run = Evaluator(SCORES, **NETWORK)
        for name, images in (("real", real), ("fake", fake)):
            for start in range(0, len(images), cut):
                run.update(images[start : start + cut], name)
                if start == 0:
                    run.compute()
        return dict(run.compute())

    whole = scores(24)
    assert {"fid", "is", "precision", "vendi"} <= whole.keys()
    assert scores(7) == whole and scores(1) == whole


def test_shards_merge_to_the_whole(real, fake):
    whole, parts = Evaluator(SCORES, **NETWORK), [Evaluator(SCORES, shard=f"{rank}/3", **NETWORK) for rank in (1, 2, 3)]
    whole.update(real, "real")
    whole.update(fake)
    for rank, part in enumerate(parts):
        for name, images in (("real", real), ("fake", fake)):
            part.update(images[rank::3], name)
    joined = Evaluator(SCORES, **NETWORK)
    joined.merge([pickle.loads(pickle.dumps(part)) for part in reversed(parts)])
    assert dict(joined.compute()) == dict(whole.compute())
    # By bytes, into another one.
    other = Evaluator(SCORES, **NETWORK)
    other.update(real, "real")
    for part in parts:
        other.merge(Partial.from_bytes(part.to_bytes()))
    assert dict(other.compute()) == dict(whole.compute())
    with pytest.raises(InputError, match="image 0 is in both"):
        joined.merge(parts[0])


def test_state_survives_pickling_and_goes_on(real, fake):
    run = Evaluator(SCORES, parameters={"prdc": {"k": 5}}, **NETWORK)
    run.update(real, "real")
    run.update(fake[:10])
    again = pickle.loads(pickle.dumps(run))
    assert (again.images("real"), again.images("fake")) == (24, 10)
    for one in (run, again):
        one.update(fake[10:])
    assert dict(again.compute()) == dict(run.compute())


def test_references(tmp_path, extractor, real, fake):
    by_images = Evaluator("fid", **NETWORK)
    by_images.update(real, "real")
    by_images.update(fake)
    expected = by_images.compute()["fid"]
    statistics = extractor.statistics(real)
    statistics.save(tmp_path / "real.npz")
    part = extractor.partial(real)
    (tmp_path / "part.npz").write_bytes(part.to_bytes())
    for reference in (statistics, tmp_path / "real.npz", part, tmp_path / "part.npz"):
        run = Evaluator("fid", reference=reference, **NETWORK)
        run.update(fake)
        assert run.compute()["fid"] == pytest.approx(expected, rel=1e-9)
        again = pickle.loads(pickle.dumps(run))
        assert again.compute()["fid"] == pytest.approx(expected, rel=1e-9)
        with pytest.raises(InputError, match="reference"):
            run.update(real, "real")
        run.reset()
        assert run.images() == 0 and run.images("real") is None
    with pytest.raises(InputError, match="the features of every image"):
        Evaluator("kid", reference=statistics, **NETWORK)
    with pytest.raises(InputError, match="computed differently.*resize"):
        Evaluator("fid", reference=statistics, resize="clean", **NETWORK)
    with pytest.raises(InputError, match="reference is of type ndarray"):
        Evaluator("fid", reference=real, **NETWORK)


def test_parts_that_do_not_belong_together(extractor, real):
    run = Evaluator("vendi", **NETWORK)
    with pytest.raises(InputError, match="computed differently"):
        run.merge(gan_metrics.Extractor(resize="clean", **NETWORK).partial(real, keep=("features",)))
    with pytest.raises(InputError, match="one holds features, the other does not"):
        run.merge(extractor.partial(real, keep=("statistics",)))
    with pytest.raises(InputError, match="not a part"):
        Partial.from_bytes(b"nothing")


def test_what_cannot_be_computed_costs_no_other_score(real, fake):
    run = Evaluator(["fid", "kid"], **NETWORK)
    run.update(fake)
    report = run.compute()
    assert not report and "fid" in report.failed
    with pytest.raises(gan_metrics.MissingScore, match="fid: "):
        report["fid"]
    run.update(real, "real")
    report = run.compute()
    assert list(report) == ["fid"] and "1000" in report.failed["kid"]
    with pytest.raises(gan_metrics.MissingScore, match="kid: .*1000"):
        report.check()


def test_arguments_are_checked():
    for arguments, message in (
        ({"metrics": "fd"}, "no score is called `fd`"),
        ({"metrics": []}, "metrics is empty"),
        ({"preset": "mine"}, "no preset is called `mine`"),
        ({"parameters": {"kid": {"seed": 1}}}, "KID would have no effect"),
        ({"parameters": {"fid": {"k": 1}}}, "k"),
        ({"metrics": "prdc", "parameters": {"prdc": {"k": 0}}}, "k is `0`"),
        ({"ci": 200}, "in percent"),
        ({"shard": "3/2"}, "`3/2` is not a shard"),
    ):
        with pytest.raises(InputError) as raised:
            Evaluator(**{"metrics": "fid", **arguments}, **NETWORK)
        assert message in str(raised.value), (message, str(raised.value))
    run = Evaluator(**NETWORK)
    with pytest.raises(InputError, match="set is 'train'"):
        run.update(np.zeros((1, 8, 8, 3), np.uint8), "train")


def test_a_failed_batch_adds_nothing(real):
    run = Evaluator("vendi", **NETWORK)
    run.update(real[:4])
    with pytest.raises(InputError):
        run.update([b"nothing"])
    assert run.images() == 4


def test_threads_share_one(real):
    run = Evaluator("vendi", **NETWORK)
    threads = [threading.Thread(target=run.update, args=(real[start : start + 6],)) for start in range(0, 24, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.images() == 24


def test_statistics_and_moments(tmp_path, extractor, real):
    rows = extractor(real)
    statistics = extractor.statistics(real)
    assert np.allclose(statistics.mean, np.float64(rows).mean(0), rtol=1e-12, atol=1e-12)
    assert np.allclose(statistics.covariance, np.cov(np.float64(rows), rowvar=False), rtol=1e-9, atol=1e-12)
    assert (statistics.n, statistics.dim, statistics.provenance["extractor"]) == (24, 1280, "efficientnet-lite0")
    statistics.save(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz") as file:
        assert np.array_equal(file["mu"], statistics.mean) and np.array_equal(file["sigma"], statistics.covariance)
    again = pickle.loads(pickle.dumps(Statistics.read(tmp_path / "s.npz")))
    assert again.frechet_distance(statistics) < 1e-9 and again.provenance == statistics.provenance

    moments = [extractor.moments(real[start : start + 8]) for start in (0, 8, 16)]
    merged = gan_metrics.Moments.merged(moment.to_bytes() for moment in moments)
    assert merged.n == 24 and np.allclose(merged.covariance, statistics.covariance, rtol=0, atol=1e-12 * statistics.covariance.max())
    assert len(merged.to_bytes()) - 32 - 8 * (1280 + 1280 * 1281 // 2) == len(moments[0].to_bytes()) - 32 - 8 * (1280 + 1280 * 1281 // 2)
    for data in (b"", b"GMMOMNT1", merged.to_bytes()[:-1], merged.to_bytes() + b"x"):
        with pytest.raises(InputError, match="not the bytes of moments"):
            gan_metrics.Moments.from_bytes(data)
    with pytest.raises(InputError, match="computed differently"):
        merged.merge(gan_metrics.Extractor(resize="clean", **NETWORK).moments(real))
    with pytest.raises(InputError, match="3 dimensions cannot join"):
        gan_metrics.Moments(4).push(np.zeros((2, 3), np.float32))


def test_many_rows_are_added_all_or_none():
    rows = np.random.default_rng(0).normal(size=(10_000, 3)).astype(np.float32)
    moments = gan_metrics.Moments(3)
    moments.push(rows)
    assert moments.n == 10_000
    assert np.allclose(moments.covariance, np.cov(np.float64(rows), rowvar=False), rtol=1e-12, atol=1e-12)
    rows[9_000, 1] = np.nan
    with pytest.raises(InputError, match="9000"):
        moments.push(rows)
    assert moments.n == 10_000


def test_spatial_statistics_need_a_network_that_has_them(extractor, real):
    part = extractor.partial(real, keep=("features", "spatial"))
    assert part.spatial is None

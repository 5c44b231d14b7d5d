"""Divergences, by their formulas."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from gan_metrics import InputError, Statistics, divergence

P, Q = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.4, 0.2])


def test_probabilities():
    kl = float((P * np.log(P / Q)).sum())
    assert divergence("kl", P, Q) == pytest.approx(kl, rel=1e-14)
    assert divergence("kl", P, Q, base=2) == pytest.approx(kl / math.log(2), rel=1e-14)
    assert divergence("tv", [2, 3, 5], [4, 4, 2], normalize=True) == pytest.approx(0.3, rel=1e-14)
    assert divergence("renyi(2)", P, Q) == pytest.approx(math.log((P**2 / Q).sum()), rel=1e-14)
    assert divergence("w1", P, Q, points=[0, 1, 3]) == pytest.approx(0.2 * 1 + 0.3 * 2, rel=1e-14)


def test_densities_and_gaussians():
    assert divergence("kl", "normal(0,1)", "normal(1,2)") == pytest.approx(math.log(2) + 2 / 8 - 0.5, rel=1e-14)
    found = divergence("js", "normal(0,1)", "laplace(0,1)")
    assert found.method == "quadrature" and 0 < found.error_bound < 1e-9
    p, q = ([0.0, 0.0], np.eye(2)), ([1.0, 0.0], 4 * np.eye(2))
    kl = 0.5 * (2 / 4 + 1 / 4 - 2 + 2 * math.log(4))
    assert divergence("kl", p, q) == pytest.approx(kl, rel=1e-14)
    assert divergence("kl", Statistics(*p), Statistics(*q)) == pytest.approx(kl, rel=1e-14)
    assert divergence("w2", p, q) == pytest.approx(math.sqrt(1 + 2), rel=1e-14)
    sampled = divergence("tv", p, q, samples=2000, seed=1)
    assert sampled.method == "monte-carlo" and sampled.interval[0] < sampled < sampled.interval[1]
    assert pickle.loads(pickle.dumps(sampled)).interval == sampled.interval


def test_samples():
    rng = np.random.default_rng(0)
    p, q = rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (2000, 1))
    assert divergence("kl", p, q, estimator="knn") == pytest.approx(0.5, abs=0.15)
    assert divergence("kl", p, q, estimator="histogram", bins=20, pseudocount=1) == pytest.approx(0.5, abs=0.15)
    assert divergence("w1", p[:200], q[:200]) == pytest.approx(np.abs(np.sort(p[:200, 0]) - np.sort(q[:200, 0])).mean(), rel=1e-12)
    assert divergence("w2", p[:, [0, 0]], q[:, [0, 0]], slices=100).method == "sliced"


def test_what_has_no_value_is_refused():
    for arguments, options, message in (
        (("kl", P, "normal(0,1)"), {}, "different kinds"),
        (("entropy", P, Q), {}, "entropy"),
        (("kl", [0.5, 0.6], [0.5, 0.5]), {}, "1.1"),
        (("tv", P, Q), {"base": 2}, "drop the base"),
        (("kl", np.zeros((3, 1)), np.ones((3, 1))), {}, "need an estimator"),
        (("kl", np.zeros((3, 1)), np.ones((3, 1))), {"estimator": "magic"}, "'histogram' or 'knn'"),
        (("js", np.zeros((9, 1)), np.ones((9, 1))), {"estimator": "knn"}, "kl and reverse-kl only"),
        (("kl", "a", "b"), {}, "a"),
        (("kl", ["a"], ["b"]), {}, "p is not made of numbers"),
        (("w3", ([0.0], [[1.0]]), ([0.0], [[1.0]])), {}, "only w2"),
        (("w0.5", P, Q), {}, "0.5"),
    ):
        with pytest.raises(InputError) as raised:
            divergence(*arguments, **options)
        assert message in str(raised.value), (message, str(raised.value))

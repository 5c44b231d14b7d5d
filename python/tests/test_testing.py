"""Tests of a project that fail when its generator got worse."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import gan_metrics
from gan_metrics.testing import assert_fid, assert_no_worse
from sets import NETWORK, images


def scored(real, fake):
    """Of as many images as intervals need."""
    many = [np.concatenate([images, 255 - images]) for images in (real, fake)]
    return gan_metrics.score(*many, ["fid", "prdc"], ci=95, **NETWORK)


@pytest.fixture(scope="module")
def good(real, fake):
    return scored(real, fake)


@pytest.fixture(scope="module")
def bad(real):
    return scored(real, images(7))


def test_a_worse_number_fails_with_the_table(tmp_path, good, bad):
    baseline = tmp_path / "kept" / "baseline.json"
    with pytest.raises(AssertionError, match="there is no baseline at .*GAN_METRICS_BLESS=1"):
        assert_no_worse(good, baseline)
    assert_no_worse(good, baseline, bless=True)
    assert json.loads(baseline.read_text())["metrics"] == good.to_dict()["metrics"]
    assert_no_worse(good, baseline)
    assert_no_worse(good, baseline, "1%")
    assert bad["fid"] > 1.01 * good["fid"]
    with pytest.raises(AssertionError, match="(?s)worse than .*baseline.json.*fid .*WORSE"):
        assert_no_worse(bad, baseline, "1%")
    assert_no_worse(bad, baseline, "100000%,precision=1,recall=1,density=9,coverage=1,f-score=1")


def test_what_cannot_be_compared_is_no_verdict(tmp_path, good, real, fake):
    baseline = tmp_path / "baseline.json"
    assert_no_worse(gan_metrics.score(real, fake[:20], ["fid", "prdc"], **NETWORK), baseline, bless=True)
    with pytest.raises(gan_metrics.InputError, match="48"):
        assert_no_worse(good, baseline, "1%")
    with pytest.raises(gan_metrics.InputError, match="much"):
        assert_no_worse(good, baseline, "much")


def kept_in(folder) -> list:
    from PIL import Image

    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]


def test_a_fid_that_is_too_large_keeps_the_images(tmp_path, real, fake):
    fid = gan_metrics.score(real, fake, "fid", **NETWORK)["fid"]
    assert assert_fid(real, fake, below=fid + 1e-6, keep=tmp_path / "none", **NETWORK)["fid"] == fid
    assert not (tmp_path / "none").exists()
    ways = {
        "array": (fake, {}),
        "batches": (iter(np.array_split(fake, 5)), {}),
        "a list of batches": (np.array_split(fake, 5), {}),
        "floats": (np.moveaxis(fake, -1, 1) / np.float32(255), {"range": (0, 1)}),
    }
    for name, (images_of, options) in ways.items():
        with pytest.raises(AssertionError, match="(?s)the FID is .* not below .* of the images are kept in"):
            assert_fid(real, images_of, below=fid / 2, keep=tmp_path / name, **options, **NETWORK)
        kept = kept_in(tmp_path / name)
        assert len(kept) == min(len(fake), 64), name
        assert all(np.array_equal(one, other) for one, other in zip(kept, fake)), name
    # What an earlier test left goes, and nothing else.
    (tmp_path / "array" / "mine.png").touch()
    assert_fid(real, fake, below=fid + 1e-6, keep=tmp_path / "array", **NETWORK)
    assert [path.name for path in (tmp_path / "array").iterdir()] == ["mine.png"]

    def refilled():
        memory = np.empty_like(fake[:8])
        for batch in np.split(fake, 3):
            memory[:] = batch
            yield memory

    with pytest.raises(AssertionError):
        assert_fid(real, refilled(), below=fid / 2, keep=tmp_path / "refilled", **NETWORK)
    assert all(np.array_equal(one, other) for one, other in zip(kept_in(tmp_path / "refilled"), fake))


def test_a_fid_is_held_against_a_baseline(tmp_path, real, fake):
    baseline = tmp_path / "fid.json"
    with pytest.raises(AssertionError, match="there is no baseline"):
        assert_fid(real, fake, baseline=baseline, tolerance="1%", **NETWORK)
    assert_fid(real, fake, baseline=baseline, tolerance="1%", bless=True, **NETWORK)
    assert_fid(real, fake, baseline=baseline, tolerance="1%", **NETWORK)
    with pytest.raises(AssertionError, match="(?s)worse than .*fid.json.*kept in"):
        assert_fid(real, images(7, count=len(fake)), baseline=baseline, tolerance="1%", keep=tmp_path / "kept", **NETWORK)
    assert len(kept_in(tmp_path / "kept")) == min(len(fake), 64)
    for wrong, said in [({}, "nothing is asserted"), ({"below": 1, "tolerance": "1%"}, "no effect")]:
        with pytest.raises(gan_metrics.InputError, match=said):
            assert_fid(real, fake, **wrong, **NETWORK)


TESTS = """
import numpy as np, gan_metrics, pytest
real, fake = np.random.default_rng(0).integers(0, 256, (2, 12, 8, 8, 3), dtype=np.uint8)
@pytest.mark.parametrize("seed", [1])
def test_samples(no_worse, seed):
    judged = np.load("fake.npy") if seed else fake
    no_worse(gan_metrics.score(real, judged, "fid", extractor="efficientnet-lite0"), tolerance="1%")
"""


def test_the_fixture_of_pytest(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    environment = {name: value for name, value in os.environ.items() if name != "GAN_METRICS_BLESS"}

    def run(low: int, high: int, *flags: str) -> tuple[int, str]:
        np.save(tmp_path / "fake.npy", np.random.default_rng(1).integers(low, high, (12, 8, 8, 3), dtype=np.uint8))
        # Where the package is installed, pytest finds the plugin by itself.
        command = [sys.executable, "-m", "pytest", "-q", "-p", "gan_metrics.pytest_plugin", "-p", "no:cacheprovider", *flags]
        found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        return found.returncode, found.stdout

    code, said = run(0, 256)
    assert code == 1 and "there is no baseline" in said
    assert run(0, 256, "--gan-metrics-bless")[0] == 0
    assert (tmp_path / "baselines" / "test_it.test_samples-1.json").exists()
    assert run(0, 256)[0] == 0
    code, said = run(200, 210)
    assert code == 1 and "WORSE" in said

"""The code of the documentation runs as it is written, with stand-ins for the schedulers."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

import gan_metrics
from recipes import blocks, changed
from sets import NETWORK, folder_of, png

#: What the order of sums may change, beside the largest variance.
MERGE_TOLERANCE = 1e-12

#: The published network's weights are not installed here.
BUILT_IN = ("gan_metrics.Extractor()", 'gan_metrics.Extractor("efficientnet-lite0")')


def is_whole(found: gan_metrics.Statistics, expected: gan_metrics.Statistics) -> bool:
    scale = np.abs(expected.covariance).max()
    return found.n == expected.n and np.abs(found.covariance - expected.covariance).max() <= MERGE_TOLERANCE * scale


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash")
def test_slurm_arrays(program_folder, extractor, real, fake, tmp_path):
    """Three tasks in the place of 64, in an order that is not theirs."""
    folder_of(tmp_path / "images", fake)
    extractor.statistics(real).save(tmp_path / "real.npz")
    task, merge = blocks("Slurm arrays", "bash")
    task = changed(task, ("--array=1-64", "--array=1-3"), ("/64", "/3"), ("stats ", "stats --extractor efficientnet-lite0 "))

    def run(code: str, **environment: str) -> str:
        path = f"{program_folder}{os.pathsep}{os.environ['PATH']}"
        command = ["bash", "-euo", "pipefail", "-c", code]
        found = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PATH": path, **environment}
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    for number in (3, 1, 2):
        run(task, SLURM_ARRAY_TASK_ID=str(number))
    printed = run(merge)
    whole = extractor.statistics(fake)
    assert is_whole(gan_metrics.Statistics.read(tmp_path / "all.npz"), whole)
    expected = whole.frechet_distance(extractor.statistics(real))
    assert f"{expected:.6f}" in printed, printed
    # In Python, what a task does, and what is done with the parts of all.
    parts = [extractor.partial(tmp_path / "images", keep=("statistics",), shard=f"{number}/3") for number in (1, 2, 3)]
    for number, part in enumerate(parts):
        (tmp_path / f"python-{number}.npz").write_bytes(part.to_bytes())
    paths = sorted(tmp_path.glob("python-*.npz"))
    assert is_whole(gan_metrics.Partial.join(map(gan_metrics.Partial.read, paths)).statistics(), whole)


class Frame:
    """As much of a Spark data frame as the recipe uses: a function sees an iterator of pandas frames, elsewhere."""

    def __init__(self, partitions, work=None) -> None:
        self.partitions, self.work = partitions, work

    def select(self, column):
        assert column == "bytes"
        return self

    def mapInPandas(self, work, schema):
        assert schema == "moments binary"
        return Frame(self.partitions, work)

    def toLocalIterator(self):
        for batches in self.partitions:
            for frame in self.work(iter(batches)):
                for moments in frame["moments"]:
                    # Spark's rows hold bytearrays.
                    yield SimpleNamespace(moments=bytearray(moments))


def test_spark(extractor, fake):
    pandas = pytest.importorskip("pandas")
    files = [png(image) for image in fake]
    first, second, third = (pandas.DataFrame({"bytes": files[rows]}) for rows in (slice(5), slice(5, 9), slice(9, None)))
    partitions = [[first, second], [], [third]]
    names = {"df": Frame(partitions), "gan_metrics": gan_metrics, "pandas": pandas}
    exec(changed(blocks("Spark, Daft, Dask, a queue", "python")[0], BUILT_IN), names)
    assert is_whole(names["statistics"], extractor.statistics(fake))


def test_the_code_of_the_readme(folders, extractor, real, fake, tmp_path, monkeypatch, capsys):
    """With another network, and subsets that a small set has."""
    (code,) = blocks("In other programs", "python", "README.md")
    code = changed(
        code,
        ('metrics=["fid", "kid", "prdc"]', f'metrics=["fid", "kid", "prdc"], parameters={{"kid": {{"subset_size": 20}}}}, **{NETWORK}'),
        ('reference="cifar10.npz"', f'reference="cifar10.npz", **{NETWORK}'),
    )
    (tmp_path / "real").symlink_to(folders[0])
    (tmp_path / "fake").symlink_to(folders[1])
    extractor.statistics(real).save(tmp_path / "cifar10.npz")
    monkeypatch.chdir(tmp_path)
    exec(code, {"generated": fake.transpose(0, 3, 1, 2) / np.float32(127.5) - 1})
    report, fid = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert all(name in report for name in ("fid", "kid", "precision"))
    assert float(fid) == pytest.approx(gan_metrics.score(*folders, "fid", **NETWORK)["fid"], rel=1e-4)

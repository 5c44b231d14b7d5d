"""Ray Data, on a local cluster."""

from __future__ import annotations

import io
import os
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

import gan_metrics
from sets import NETWORK, images, png

# A machine that builds something else as well takes longer to start a cluster than Ray waits by itself: 30 seconds.
os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
os.environ.setdefault("RAY_agent_register_timeout_ms", "300000")
ray = pytest.importorskip("ray", reason="Ray is not in this environment")
pytest.importorskip("pyarrow")

import gan_metrics.ray as on_ray  # noqa: E402

#: What the order of sums may change of statistics, beside the largest variance.
MERGE_TOLERANCE = 1e-12


@pytest.fixture(scope="module", autouse=True)
def cluster(home):
    # Workers import what this file defines.
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {"env_vars": {"GAN_METRICS_HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, paths))}}
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, runtime_env=environment, object_store_memory=200 << 20)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # By itself it cuts sixty images into two hundred parts.
    context.default_hash_shuffle_parallelism = 2
    context.read_op_min_num_blocks = 3
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    return images(3, count=60, size=16)


@pytest.fixture(scope="module")
def data_sets(tmp_path_factory, many):
    """The same images as Parquet of two kinds, as WebDataset shards, and as a folder."""
    import pyarrow
    import pyarrow.parquet

    root = tmp_path_factory.mktemp("ray")
    files = [png(image) for image in many]
    labels = ["even" if index % 2 == 0 else "odd" for index in range(len(files))]
    for part in range(3):
        rows = slice(20 * part, 20 * part + 20)
        plain = pyarrow.table({"bytes": files[rows], "label": labels[rows]})
        nested = pyarrow.table({"image": [{"bytes": file, "path": None} for file in files[rows]]})
        for name, table in (("plain", plain), ("nested", nested)):
            (root / name).mkdir(exist_ok=True)
            pyarrow.parquet.write_table(table, root / name / f"{part}.parquet")
        with tarfile.open(root / f"{part:05}.tar", "w") as shard:
            for index in range(20 * part, 20 * part + 20):
                info = tarfile.TarInfo(f"{index:05}.png")
                info.size = len(files[index])
                shard.addfile(info, io.BytesIO(files[index]))
    (root / "folder").mkdir()
    for index, file in enumerate(files):
        (root / "folder" / f"{index:05}.png").write_bytes(file)
    return {
        "parquet": (ray.data.read_parquet(str(root / "plain")), None),
        "Hugging Face's parquet": (ray.data.read_parquet(str(root / "nested")), None),
        "WebDataset": (ray.data.read_webdataset([str(root / f"{part:05}.tar") for part in range(3)], decoder=None), "png"),
        "a folder of images": (ray.data.read_images(str(root / "folder")), None),
    }


def test_statistics_are_those_of_one_process(data_sets, extractor, many):
    expected = extractor.statistics(many)
    for name, (ds, column) in data_sets.items():
        found = on_ray.statistics(ds, column, batch_size=16, **NETWORK)
        assert found.n == 60, name
        scale = np.abs(expected.covariance).max()
        assert np.abs(found.covariance - expected.covariance).max() <= MERGE_TOLERANCE * scale, name
        assert np.abs(found.mean - expected.mean).max() <= MERGE_TOLERANCE * np.sqrt(scale), name


def test_a_block_of_many_batches_is_shared_by_the_actors(data_sets):
    one = data_sets["parquet"][0].repartition(1).materialize()
    assert one.num_blocks() == 1
    assert on_ray.features(one, batch_size=16, actors=2, **NETWORK).materialize().num_blocks() == 4


def test_features_and_classes(data_sets, extractor, many):
    ds, _ = data_sets["parquet"]
    rows = on_ray.features(ds, keep=["label"], logits=True, batch_size=16, **NETWORK)
    assert set(rows.columns()) == {"features", "logits", "label"}
    classes = rows.groupby("label").aggregate(on_ray.Moments()).take_all()
    assert {row["label"] for row in classes} == {"even", "odd"}
    for row in classes:
        moments = gan_metrics.Moments.from_bytes(row["moments"])
        own = extractor(many[0 if row["label"] == "even" else 1 :: 2])
        assert moments.n == 30 and np.allclose(moments.mean, np.float64(own).mean(0), rtol=0, atol=1e-9)


def test_scores(data_sets, many):
    real, fake = data_sets["parquet"][0], data_sets["a folder of images"][0].limit(40)
    names = ["fid", "prdc", "is"]
    expected = gan_metrics.score(many, many[:40], names, **NETWORK)
    found = on_ray.score(real, fake, names, batch_size=16, **NETWORK)
    assert found["fid"] == pytest.approx(expected["fid"], rel=1e-7, abs=1e-7)
    assert {name: found[name] for name in ("precision", "recall")} == {name: expected[name] for name in ("precision", "recall")}
    again = on_ray.score(real, fake, names, batch_size=7, actors=2, **NETWORK)
    assert again == found, "the rows have an order of their own"
    alone = on_ray.score(on_ray.statistics(real, **NETWORK), fake, "fid", batch_size=16, **NETWORK)
    assert alone["fid"] == pytest.approx(expected["fid"], rel=1e-6, abs=1e-7)


class DiesOnce(on_ray.Extract):
    """An actor that is killed in the middle of its work."""

    def __init__(self, mark: str, **options) -> None:
        super().__init__(**options)
        self.mark = mark

    def __call__(self, batch):
        if not os.path.exists(self.mark):
            open(self.mark, "w").close()
            os._exit(1)
        return super().__call__(batch)


def test_the_death_of_an_actor_costs_nothing(data_sets, extractor, many, tmp_path):
    mark = str(tmp_path / "died")
    rows = data_sets["parquet"][0].select_columns(["bytes"]).map_batches(
        DiesOnce, fn_constructor_kwargs={"mark": mark, "column": "bytes", **NETWORK}, batch_size=16,
        compute=ray.data.ActorPoolStrategy(size=1), num_cpus=1,
    )  # fmt: skip
    blocks = rows.map_batches(on_ray._moments, batch_size=64, batch_format="numpy")
    merged = gan_metrics.Moments.merged(row["moments"] for row in blocks.iter_rows())
    assert os.path.exists(mark) and merged.n == 60
    assert np.allclose(merged.mean, extractor.statistics(many).mean, rtol=0, atol=1e-9)


def test_what_would_wait_for_ever_is_refused(data_sets):
    ds, _ = data_sets["parquet"]
    started = time.monotonic()
    for options, message in (
        ({"actors": 3}, "leave no CPU of 3 to read with"),
        ({"actors": 0}, "from 1"),
        ({"num_gpus": 1, "actors": 1}, "1 GPUs leave no CPU"),
        ({"column": "picture"}, "there is no column `picture`; the data set has bytes, label"),
    ):
        with pytest.raises(gan_metrics.InputError) as raised:
            on_ray.statistics(ds, **options, **NETWORK)
        assert message in str(raised.value), (message, str(raised.value))
    with pytest.raises(gan_metrics.InputError, match="say column="):
        on_ray.statistics(ds.select_columns(["label"]), **NETWORK)
    assert time.monotonic() - started < 30

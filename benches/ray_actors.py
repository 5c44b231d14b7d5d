"""Images per second on Ray Data with one actor and with two, beside one process.

    python benches/ray_actors.py tests/data/digits/first.idx.gz [--images 2048] [--actors 1,2] [--extractor efficientnet-lite0]
    python benches/ray_actors.py train-10k.zip --images 10000

Images of an IDX file, or the image files of a zip archive or a folder, are written to Parquet as encoded bytes, in as many files as
there are actors times four. A local cluster has a CPU for each actor and one to read with; each actor runs one thread. Every number of
actors is timed --repeat times, after a run that starts Ray's workers and is not counted; what is printed is the median, and the
range. Starting actors and their networks is inside the time, as it is in a job. Needs gan_metrics, ray[data], pillow.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import statistics
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

import gan_metrics


def encoded(path: Path, count: int) -> list[bytes]:
    """Image files of a set."""
    if path.name.endswith((".idx", ".idx.gz", "ubyte", "ubyte.gz")):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = np.frombuffer(data, ">u4", 3, 4)
        return [png(image) for image in np.frombuffer(data, np.uint8, offset=16).reshape(shape)[:count]]
    if path.is_dir():
        return [file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()][:count]
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if not name.endswith("/")][:count]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def written(folder: Path, files: list[bytes], parts: int) -> None:
    import pyarrow
    import pyarrow.parquet

    for part in range(parts):
        table = pyarrow.table({"bytes": files[part::parts]})
        pyarrow.parquet.write_table(table, folder / f"{part:03}.parquet")


def seconds(work, expected: int, repeat: int) -> list[float]:
    found = []
    for _ in range(repeat):
        started = time.perf_counter()
        statistics_found = work()
        found.append(time.perf_counter() - started)
        assert statistics_found.n == expected, (statistics_found.n, expected)
    return found


def row(name: str, images: int, took: list[float]) -> None:
    rates = sorted(images / one for one in took)
    print(f"| {name} | {statistics.median(rates):.1f} | {rates[0]:.1f} to {rates[-1]:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="an IDX file, a zip archive or a folder of images")
    parser.add_argument("--images", type=int, default=2048, dest="count", help="how many of them")
    parser.add_argument("--actors", default="1,2", help="numbers of actors")
    parser.add_argument("--batch-size", type=int, default=256, help="images of a batch that an actor is given")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--extractor", default="efficientnet-lite0")
    options = parser.parse_args()

    import ray

    import gan_metrics.ray

    files = encoded(options.images, options.count)
    counts = [int(count) for count in options.actors.split(",")]
    network = {"extractor": options.extractor}
    print(f"{len(files)} images, {os.cpu_count()} CPUs, {gan_metrics.Extractor(threads=1, **network)!r}, Ray {ray.__version__}")
    print("| | images/s | of runs |\n|---|---|---|")
    alone = gan_metrics.Extractor(threads=1, **network)
    row("one process, one thread", len(files), seconds(lambda: alone.statistics(files), len(files), options.repeat))
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), files, 4 * max(counts))
        ray.init(num_cpus=max(counts) + 1, include_dashboard=False, log_to_driver=False)
        ray.data.DataContext.get_current().enable_progress_bars = False
        for actors in counts:

            def work(actors: int = actors) -> gan_metrics.Statistics:
                ds = ray.data.read_parquet(folder)
                return gan_metrics.ray.statistics(ds, "bytes", actors=actors, batch_size=options.batch_size, **network)

            work()
            row(f"{actors} actor{'s' if actors > 1 else ''}", len(files), seconds(work, len(files), options.repeat))
        ray.shutdown()


if __name__ == "__main__":
    main()

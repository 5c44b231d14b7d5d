"""What each score makes of the ways in which a generated set can be wrong: the pictures of docs/choosing.md.

    cargo build
    python benches/failures.py run results.jsonl [--program target/debug/gan-metrics] [--jobs 1]
    python benches/failures.py draw results.jsonl docs/pictures/failures.svg

`run` spoils the first of the two shipped sets of digits in eight ways, each at several strengths, and scores it against the second.
Needs numpy and pillow; `draw` needs matplotlib.
"""

import argparse
import concurrent.futures
import gzip
import io
import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image, ImageFilter

DIGITS = pathlib.Path("tests/data/digits")
REAL = DIGITS / "second.idx.gz"
SCORES = "fid,kid,is,prdc,vendi,authpct,mind,mmd,realism"
SEED = 0


def idx(path):
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def each(images, change):
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])


def blurred(images, labels, sigma):
    return each(images, lambda image: image.filter(ImageFilter.GaussianBlur(sigma)))


def noisy(images, labels, deviation):
    noise = np.random.RandomState(SEED).normal(0, deviation, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def jpeg(images, labels, quality):
    def change(image):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return each(images, change)


def without_classes(images, labels, missing):
    """As many images as before, of the classes that are left, repeated."""
    kept = images[labels >= missing]
    return kept[np.arange(len(images)) % len(kept)]


def one_image_a_class(images, labels, share):
    """A share of each class is one and the same image of it."""
    changed, random = images.copy(), np.random.RandomState(SEED)
    for label in range(10):
        places = np.flatnonzero(labels == label)
        changed[places[random.rand(len(places)) < share]] = images[places[0]]
    return changed


def copied(images, labels, share):
    """A share of the images are those of the real set."""
    changed, count = images.copy(), round(share * len(images))
    changed[:count] = idx(REAL)[:count]
    return changed


def broken(images, labels, share):
    """A share of the images are noise."""
    changed, count = images.copy(), round(share * len(images))
    changed[:count] = np.random.RandomState(SEED).randint(256, size=changed[:count].shape)
    return changed


def fewer(images, labels, count):
    return images[: int(count)]


# What is wrong, its strength in words, how to do it, and the strengths; the first of each changes nothing.
FAULTS = [
    ("blur", "σ in pixels", blurred, [0, 0.3, 0.6, 1, 1.5]),
    ("noise", "standard deviation, of 255", noisy, [0, 4, 8, 16, 32]),
    ("JPEG", "quality", jpeg, [100, 95, 75, 50, 25]),
    ("missing classes", "of 10", without_classes, [0, 1, 3, 5, 9]),
    ("one image a class", "share of the set", one_image_a_class, [0, 0.25, 0.5, 0.75, 1]),
    ("copies of the real set", "share of the set", copied, [0, 0.25, 0.5, 0.75, 1]),
    ("broken images", "share of the set", broken, [0, 0.01, 0.05, 0.1, 0.25]),
    ("fewer images", "number", fewer, [2048, 1024, 512, 256, 128]),
]
# The numbers that are drawn: title, and where a report has them.
NUMBERS = [
    ("FID", ("fid", "value")),
    ("KID", ("kid", "mean")),
    ("Inception Score", ("inception_score", "mean")),
    ("precision", ("prdc", "precision")),
    ("recall", ("prdc", "recall")),
    ("coverage", ("prdc", "coverage")),
    ("Vendi", ("vendi", "value")),
    ("AuthPct", ("authpct", "value")),
    ("MIND", ("mind", "value")),
    ("realism", ("realism", "mean")),
]


def one_run(program, reference, fault, strength):
    name, _, change, _ = fault
    images, labels = idx(DIGITS / "first.idx.gz"), idx(DIGITS / "first-labels.idx.gz")
    with tempfile.TemporaryDirectory() as folder:
        spoiled, report = pathlib.Path(folder) / "fake.npy", pathlib.Path(folder) / "scores.json"
        made = change(images, labels, strength)
        np.save(spoiled, np.ascontiguousarray(made)[..., None])
        command = [program, "score", reference, spoiled, "--metrics", SCORES, "--extractor", "efficientnet-lite0", "--json"]
        command += ["-o", report, "--quiet", "--threads", "1", "--kid-subset-size", str(min(1000, len(made) // 2))]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if not report.exists():
            return {"fault": name, "strength": strength, "failed": done.stdout[-2000:]}
        metrics = json.loads(report.read_text())["metrics"]
        found = {title: metrics[score][field] for title, (score, field) in NUMBERS if score in metrics}
        return {"fault": name, "strength": strength, "numbers": found}


def run(arguments):
    with tempfile.TemporaryDirectory() as folder:
        reference = pathlib.Path(folder) / "real.npz"
        features = [arguments.program, "features", REAL, "--extractor", "efficientnet-lite0", "-o", reference, "--quiet"]
        subprocess.run([str(part) for part in features], check=True)
        asked = [(fault, strength) for fault in FAULTS for strength in fault[3]]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool, open(arguments.results, "w") as out:
            for found in pool.map(lambda run: one_run(arguments.program, reference, *run), asked):
                print(json.dumps(found), file=out, flush=True)


def draw(results, picture):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "font.size": 7, "svg.hashsalt": "gan-metrics"})
    lines = [json.loads(line) for line in pathlib.Path(results).read_text().splitlines()]
    found = {(line["fault"], line["strength"]): line.get("numbers", {}) for line in lines}
    figure, axes = plt.subplots(len(NUMBERS), len(FAULTS), figsize=(13, 13), sharex="col", squeeze=False)
    for column, (fault, unit, _, strengths) in enumerate(FAULTS):
        for row, (title, _) in enumerate(NUMBERS):
            axis = axes[row][column]
            values = [found.get((fault, strength), {}).get(title, np.nan) for strength in strengths]
            axis.plot(range(len(strengths)), values, marker="o", markersize=3, linewidth=1)
            # One scale for a score over all faults, so that columns compare.
            every = [numbers[title] for numbers in found.values() if title in numbers]
            margin = 0.05 * (max(every) - min(every))
            axis.set_ylim(min(every) - margin, max(every) + margin)
            axis.spines[["top", "right"]].set_visible(False)
            axis.set_xticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
            if row == 0:
                axis.set_title(fault)
            if row == len(NUMBERS) - 1:
                axis.set_xlabel(unit)
            if column == 0:
                axis.set_ylabel(title)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "draw"])
    parser.add_argument("results")
    parser.add_argument("picture", nargs="?")
    parser.add_argument("--program", default="target/debug/gan-metrics")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "run":
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        run(arguments)
    else:
        draw(arguments.results, arguments.picture)


if __name__ == "__main__":
    main()

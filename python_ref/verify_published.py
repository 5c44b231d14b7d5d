"""Reproduces published figures with the published weights, and says which hold.

    gan-metrics model install inception-v3        (once; needs the network)
    python python_ref/verify_published.py [--program target/release/gan-metrics] [--full]

Needs torchvision, which fetches CIFAR-10. The images are those of torch-fidelity's own smoke test: 256 of the training and 256
of the test set, drawn by RandomState(2020), as PNG; with --full also the whole sets (50,000 and 10,000 images: an hour or
more on a CPU). Figures: torch-fidelity's smoke test, and the table of its documentation. Each set goes through the network
once: its features are kept in the user's cache.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torchvision

# name, command, sets, keys into the report, published value, tolerance: the peers' own tests allow as much between machines
SUBSETS = [
    ("IS of 256", ["is"], ["train-256"], ("inception_score", "mean"), 6.675409920681458, 1e-3),
    ("IS of 256, deviation", ["is"], ["train-256"], ("inception_score", "std"), 0.9399683668381174, 1e-3),
    ("FID of 256", ["fid"], ["train-256", "test-256"], ("fid", "value"), 110.28082617202443, 1e-2),
    # torch-fidelity's first input, the training set, is the one that is judged.
    ("KID of 256, subsets of 64", ["kid", "--subset-size", "64"], ["test-256", "train-256"], ("kid", "mean"), -0.0006792521855, 1e-5),
    ("precision of 256", ["prdc"], ["test-256", "train-256"], ("prdc", "precision"), 0.71484375, 0.5 / 256),
    ("recall of 256", ["prdc"], ["test-256", "train-256"], ("prdc", "recall"), 0.7109375, 0.5 / 256),
    ("MIND of 256", ["mind"], ["test-256", "train-256"], ("mind", "value"), 12.450314998626709, 1e-3),
]
FULL = [
    ("IS of the training set", ["is"], ["train"], ("inception_score", "mean"), 11.23678, 1e-3),
    ("IS of the test set", ["is"], ["test"], ("inception_score", "mean"), 10.9686, 1e-3),
    ("FID", ["fid"], ["train", "test"], ("fid", "value"), 3.1508, 1e-3),
    ("FID as pytorch-fid has it", ["fid", "--resize", "torch"], ["train", "test"], ("fid", "value"), 3.15253, 1e-3),
]


def dump(folder, limits):
    """The sets as folders of PNG files, named by their index as torch-fidelity's script does."""
    for name, train in (("train", True), ("test", False)):
        dataset = torchvision.datasets.CIFAR10(folder / "cifar10", train=train, download=True)
        digits = len(str(len(dataset)))
        for limit in limits:
            target = folder / (name if limit is None else f"{name}-{limit}")
            if target.is_dir():
                continue
            unfinished = target.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            rng = np.random.RandomState(2020)
            indices = range(len(dataset)) if limit is None else rng.choice(len(dataset), limit, replace=False)
            for index in indices:
                dataset[index][0].save(unfinished / f"{index:0{digits}d}.png")
            unfinished.rename(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/gan-metrics")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "gan-metrics-published")
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    dump(arguments.folder, [256, None] if arguments.full else [256])
    missed = 0
    for name, command, sets, keys, published, tolerance in SUBSETS + (FULL if arguments.full else []):
        paths = [str(arguments.folder / one) for one in sets]
        run = subprocess.run([arguments.program, *command, *paths, "--cache", "use", "--json", "--quiet"], stdout=subprocess.PIPE)
        if run.returncode != 0:
            sys.exit(run.returncode)
        value = json.loads(run.stdout)["metrics"]
        for key in keys:
            value = value[key]
        holds = abs(value - published) <= tolerance
        missed += not holds
        print(f"{'holds' if holds else 'MISSED':7} {name:28} published {published:.6f}  here {value:.6f}", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

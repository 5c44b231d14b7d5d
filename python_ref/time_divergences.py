"""Times scipy and POT on the problems of benches/divergence.rs, and with a built benchmark ours by turns with them.

Run from the repository root:

    python python_ref/time_divergences.py                          # the peers alone, in seconds
    cargo bench --no-run --no-default-features --bench divergence  # prints the path of the benchmark
    python python_ref/time_divergences.py target/release/deps/divergence-… [PART OF A NAME]

Each is the best of five rounds; ours and the peer alternate, so that what else the machine does falls on both.
"""

import re
import subprocess
import sys
import timeit

import numpy as np
import ot
from scipy import integrate, special, stats
from scipy.spatial import cKDTree

PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19], dtype=float)
ROUNDS = 5
UNITS = {"ps": 1e-12, "ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def points(n, dim, offset):
    return np.modf(np.outer(np.arange(1, n + 1), np.sqrt(PRIMES[:dim])))[0] + offset


def weights(n, frequency):
    values = 1.1 + np.sin(frequency * np.arange(n))
    return values / values.sum()


def ours(benchmark, name):
    """The lower end of criterion's interval."""
    times = ["--warm-up-time", "0.2", "--measurement-time", "1"]
    command = [benchmark, "--bench", "--noplot", *times, f"^{re.escape(name)}$"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    value, unit = re.search(r"time:\s+\[([0-9.]+) (\S+)", text).groups()
    return float(value) * UNITS[unit]


def peer(function):
    timer = timeit.Timer(function)
    number, taken = timer.autorange()
    return min([taken] + timer.repeat(2, number)) / number


def report(name, function):
    benchmark, *part = sys.argv[1:] or [None]
    if part and part[0] not in name:
        return
    if benchmark is None:
        print(f"{name:32} {min(peer(function) for _ in range(ROUNDS)):.3e} s", flush=True)
        return
    rounds = [(ours(benchmark, name), peer(function)) for _ in range(ROUNDS)]
    mine, theirs = (min(times) for times in zip(*rounds))
    print(f"{name:32} {mine:.3e} s  peer {theirs:.3e} s  ratio {mine / theirs:.2f}", flush=True)


for n in (1_000, 100_000):
    p, q = weights(n, 0.1), weights(n, 0.37)
    mixture = (p + q) / 2
    report(f"discrete/kullback-leibler/{n}", lambda: special.rel_entr(p, q).sum())
    report(f"discrete/jensen-shannon/{n}",
           lambda: (special.rel_entr(p, mixture).sum() + special.rel_entr(q, mixture).sum()) / 2)


def integrand(x):
    p, q = stats.norm.pdf(x), stats.laplace.pdf(x, 0.5)
    return (special.rel_entr(p, (p + q) / 2) + special.rel_entr(q, (p + q) / 2)) / 2


report("quadrature/jensen-shannon", lambda: integrate.quad(integrand, -40, 40, points=[0, 0.5], epsabs=0, epsrel=1e-13,
                                                           limit=200))
for n in (100, 500, 2000):
    cost = ot.dist(points(n, 2, 0.0), points(n, 2, 0.3), "sqeuclidean")
    p, q = weights(n, 0.1), weights(n, 0.37)
    report(f"transport/exact/{n}", lambda: ot.emd2(p, q, cost, numItermax=10_000_000))
x, y = points(20_000, 1, 0.0)[:, 0], points(20_000, 1, 0.3)[:, 0]
report("transport/line/20000", lambda: stats.wasserstein_distance(x, y))
for n in (1_000, 100_000):
    x, y = points(n, 8, 0.0), points(n, 8, 0.3)
    report(f"transport/sliced-100/{n}", lambda: ot.sliced_wasserstein_distance(x, y, n_projections=100, seed=0))


def knn(x, y):
    (n, d), m = x.shape, len(y)
    return np.log(cKDTree(y).query(x, [5])[0] / cKDTree(x).query(x, [6])[0]).sum() * d / n + np.log(m / (n - 1))


for n, dimensions in ((1_000, 8), (20_000, 2)):
    x, y = points(n, dimensions, 0.0), points(n, dimensions, 0.3)
    report(f"transport/knn-kl/{n}", lambda: knn(x, y))

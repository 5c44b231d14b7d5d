"""Times scipy and POT on the problems of benches/divergence.rs; prints one line each, in seconds (best of five).

Run from the repository root: python python_ref/time_divergences.py
"""

import timeit

import numpy as np
import ot
from scipy import integrate, special, stats
from scipy.spatial import cKDTree

PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19], dtype=float)


def points(n, dim, offset):
    return np.modf(np.outer(np.arange(1, n + 1), np.sqrt(PRIMES[:dim])))[0] + offset


def weights(n, frequency):
    values = 1.1 + np.sin(frequency * np.arange(n))
    return values / values.sum()


def report(name, function):
    timer = timeit.Timer(function)
    number, taken = timer.autorange()
    best = min([taken] + timer.repeat(4, number)) / number
    print(f"{name:32} {best:.3e} s")


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
for n in (100, 500):
    cost = ot.dist(points(n, 2, 0.0), points(n, 2, 0.3), "sqeuclidean")
    p, q = weights(n, 0.1), weights(n, 0.37)
    report(f"transport/exact/{n}", lambda: ot.emd2(p, q, cost))
x, y = points(20_000, 1, 0.0)[:, 0], points(20_000, 1, 0.3)[:, 0]
report("transport/line/20000", lambda: stats.wasserstein_distance(x, y))
x, y = points(1000, 8, 0.0), points(1000, 8, 0.3)
report("transport/sliced-100/1000", lambda: ot.sliced_wasserstein_distance(x, y, n_projections=100, seed=0))


def knn():
    return (np.log(cKDTree(y).query(x, [5])[0] / cKDTree(x).query(x, [6])[0]).sum() * 8 / 1000) + np.log(1000 / 999)


report("transport/knn-kl/1000", knn)

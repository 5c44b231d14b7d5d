"""Writes tests/fixtures/divergence/{significance,mutual-information,mixtures}.json: test statistics and p-values of scipy, energy
distance and MMD by numpy, mutual information by scikit-learn's definition in numpy, mixtures of Gaussians by quadrature and POT.

Run from the repository root: python python_ref/make_significance_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import ot
from scipy import optimize, special, stats
from scipy.spatial.distance import cdist, pdist

FOLDER = Path("tests/fixtures/divergence")


def write(name, content):
    (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


# --- tests ------------------------------------------------------------------------------------------------------------


def anderson_darling(x, cdf):
    """The definition, n∫(F_n − F)²/(F(1 − F)) dF, in its usual form."""
    n, u = len(x), np.sort(cdf(x))
    index = np.arange(1, n + 1)
    return -n - np.sum((2 * index - 1) / n * (np.log(u) + np.log1p(-u[::-1])))


def goodness():
    generator = np.random.default_rng(11)
    laws = {"normal(0,1)": stats.norm(0, 1), "logistic(0.2,0.6)": stats.logistic(0.2, 0.6),
            "gamma(2,1)": stats.gamma(2), "0.5*normal(-1,1)+0.5*normal(1,1)": None}
    for density, law in laws.items():
        for n in (5, 40, 300):
            x = generator.normal(0.1, 1.1, n) if "gamma" not in density else generator.gamma(1.8, 1.0, n)
            cdf = law.cdf if law else lambda x: (stats.norm.cdf(x, -1) + stats.norm.cdf(x, 1)) / 2
            ks, cvm = stats.kstest(x, cdf), stats.cramervonmises(x, cdf)
            yield {"density": density, "samples": x.tolist(), "ks": [ks.statistic, ks.pvalue],
                   "cvm": [cvm.statistic, cvm.pvalue], "ad": anderson_darling(x, cdf)}


def mmd(x, y, length):
    def kernel(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * length**2))

    n, m = len(x), len(y)
    within_x, within_y = kernel(x, x), kernel(y, y)
    return ((within_x.sum() - np.trace(within_x)) / (n * (n - 1)) + (within_y.sum() - np.trace(within_y)) / (m * (m - 1))
            - 2 * kernel(x, y).mean())


def two_samples():
    generator = np.random.default_rng(12)
    for n, m, dimensions, shift in [(6, 9, 1, 0.0), (40, 30, 1, 0.5), (25, 60, 1, 0.0), (30, 50, 3, 0.4), (20, 20, 2, 0.0)]:
        x, y = generator.normal(0, 1, (n, dimensions)), generator.normal(shift, 1, (m, dimensions))
        if n == 25:
            x, y = np.round(x, 1), np.round(y, 1)
        case = {"p": x.tolist(), "q": y.tolist()}
        if dimensions == 1:
            ks = stats.ks_2samp(x[:, 0], y[:, 0])
            cvm = stats.cramervonmises_2samp(x[:, 0], y[:, 0])
            # Ties make the p-values of scipy those of another problem.
            case |= {"ks": [ks.statistic, ks.pvalue if n != 25 else None],
                     "cvm": [cvm.statistic, cvm.pvalue if n != 25 else None]}
        energy = np.sqrt(2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean())
        if dimensions == 1:
            assert np.isclose(energy, stats.energy_distance(x[:, 0], y[:, 0]), rtol=1e-12)
        median = np.median(pdist(np.vstack([x, y])))
        yield case | {"energy": energy, "mmd": mmd(x, y, median), "mmd_length_2": mmd(x, y, 2.0)}


write("significance.json", {"goodness": list(goodness()), "two_samples": list(two_samples())})


# --- mutual information -----------------------------------------------------------------------------------------------


def kraskov(x, y, k):
    """Equation 8 of Kraskov et al. (2004), by looking at all pairs."""
    n = len(x)
    of_x, of_y = cdist(x, x, "chebyshev"), cdist(y, y, "chebyshev")
    both = np.maximum(of_x, of_y)
    np.fill_diagonal(both, np.inf)
    distance = np.sort(both, axis=1)[:, k - 1]
    closer = [(of < distance[:, None]).sum(axis=1) - 1 for of in (of_x, of_y)]
    return special.digamma(k) + special.digamma(n) - np.mean(sum(special.digamma(c + 1) for c in closer))


def counted(x, y, bins):
    joint = np.histogram2d(x, y, bins)[0] / len(x)
    product = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return special.rel_entr(joint, product).sum()


def information():
    generator = np.random.default_rng(13)
    for n, d, e, weight in [(30, 1, 1, 0.7), (200, 1, 1, 0.0), (150, 2, 3, 0.9)]:
        x = generator.normal(size=(n, d))
        y = weight * x[:, :1] + generator.normal(size=(n, e))
        case = {"x": x.tolist(), "y": y.tolist(), "knn": {str(k): kraskov(x, y, k) for k in (1, 3, 7)}}
        if d == e == 1:
            case["histogram"] = {str(bins): counted(x[:, 0], y[:, 0], bins) for bins in (2, 5, 11)}
        yield case


write("mutual-information.json", list(information()))


# --- mixtures of Gaussians --------------------------------------------------------------------------------------------


def covariance(generator, d):
    factor = generator.normal(size=(d, d))
    return factor @ factor.T + 0.3 * np.eye(d)


def kl_of_components(a, b):
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    inverse = np.linalg.inv(cov_b)
    shift = mean_b - mean_a
    return 0.5 * (np.trace(inverse @ cov_a) + shift @ inverse @ shift - len(shift)
                  + np.linalg.slogdet(cov_b)[1] - np.linalg.slogdet(cov_a)[1])


def bounds(pi, p, omega, q):
    across = np.array([[kl_of_components(a, b) for b in q] for a in p])
    within = np.array([[kl_of_components(a, b) for b in p] for a in p])
    variational = pi @ (np.log(np.exp(-within) @ pi) - np.log(np.exp(-across) @ omega))
    matched = pi @ (np.log(pi) + (across - np.log(omega)).min(axis=1))

    # The upper bound is a convex problem in φ: here by a general optimiser.
    def bound(parameters):
        shares = special.softmax(parameters.reshape(across.shape), axis=0)
        phi = omega * shares
        return pi @ (np.log(pi) - np.log((phi * np.exp(-across)).sum(axis=1)))

    best = min(optimize.minimize(bound, start, method="BFGS", options={"gtol": 1e-10}).fun
               for start in np.random.default_rng(0).normal(size=(5, across.size)))
    return {"variational": variational, "matched": matched, "upper": best}


def mixtures():
    generator = np.random.default_rng(14)
    for d, k, l in [(1, 2, 2), (2, 3, 2), (2, 2, 4), (5, 3, 3)]:
        pi, omega = (generator.dirichlet(np.ones(size)) for size in (k, l))
        p, q = ([(generator.normal(size=d), covariance(generator, d)) for _ in range(size)] for size in (k, l))
        costs = np.array([[ot.gaussian.bures_wasserstein_distance(a[0], b[0], a[1], b[1]) ** 2 for b in q] for a in p])
        case = {name: {"weights": weights.tolist(), "means": [part[0].tolist() for part in parts],
                       "covariances": [part[1].tolist() for part in parts]}
                for name, weights, parts in [("p", pi, p), ("q", omega, q)]}
        case |= bounds(pi, p, omega, q) | {"wasserstein_2": float(np.sqrt(ot.emd2(pi, omega, costs)))}
        if d <= 2:

            def density(x, weights, parts):
                return sum(w * stats.multivariate_normal.pdf(x, *part) for w, part in zip(weights, parts))

            # The rule of rectangles converges faster than any power for such functions.
            axis = np.linspace(-25, 25, 20_001 if d == 1 else 2_001)
            grid = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1)
            left, right = density(grid, pi, p), density(grid, omega, q)
            cell = (axis[1] - axis[0]) ** d
            middle = (left + right) / 2
            case["kl"] = float(special.rel_entr(left, right)[left > 1e-280].sum() * cell)
            case["js"] = float((special.rel_entr(left, middle) + special.rel_entr(right, middle)).sum() / 2 * cell)
        yield case


write("mixtures.json", list(mixtures()))

"""Sample-quality metrics from their definitions, slow and obvious, in f64: what src/metrics is tested against, beside the
peers' own code. Sets are n×d arrays, real ones first. See docs/metrics.md for the formulas and their sources.
"""

import numpy as np
import torch
from scipy import linalg, stats
from scipy.spatial.distance import cdist


def made_features(seed, n, d, shift=0.0, offset=0.0, scale=1.0):
    """Correlated features of bell shape, the same to the last bit as those of tests/support/made_features.rs: uniform numbers and
    single operations of f64 only, rounded to f32 at the end."""
    u = np.random.RandomState(seed).random_sample((n, d, 4))
    bell = u[..., 0] + u[..., 1] + u[..., 2] + u[..., 3] - 2.0
    column = np.arange(d)
    weight = (1.0 + column % 7) / 8.0
    return ((bell * weight + 0.5 * bell[:, (5 * column + 3) % d] + shift) * scale + offset).astype(np.float32)


# --- Fréchet distance and Inception Score ----------------------------------------------------------------------------


def moments(x):
    x = x.astype(np.float64)
    return x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))


def root(sigma):
    values, vectors = linalg.eigh(sigma)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T


def fid(real, fake):
    (m1, s1), (m2, s2) = moments(real), moments(fake)
    # The singular values of √Σ₁·√Σ₂ are the roots of the eigenvalues of Σ₁Σ₂.
    nuclear = linalg.svdvals(root(s1) @ root(s2)).sum()
    return float(((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * nuclear)


def inception_score(logits, splits=1):
    logits = logits.astype(np.float64)
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    p, n, scores = np.exp(log_p), len(logits), []
    for i in range(splits):
        part = slice(i * n // splits, (i + 1) * n // splits)
        scores.append(np.exp((p[part] * (log_p[part] - np.log(p[part].mean(axis=0)))).sum(axis=1).mean()))
    return scores


def extrapolation_sizes(n, points=15):
    return np.linspace(min(5000, max(n // 10, 2)), n, points).astype("int32")


def at_infinity(n, score, points=15, seed=2020):
    """Intercept and slope of the line through score(rows) against 1/len(rows)."""
    sizes, random = extrapolation_sizes(n, points), np.random.RandomState(seed)
    scores = [score(random.choice(n, size, replace=False)) for size in sizes]
    line = stats.linregress(1.0 / sizes, scores)
    return {"value": line.intercept, "slope": line.slope, "standard_error": line.intercept_stderr, "scores": scores}


# --- kernels -----------------------------------------------------------------------------------------------------------


def polynomial(x, y, degree=3, gamma=None, coef0=1.0):
    base = x @ y.T * (1 / x.shape[1] if gamma is None else gamma) + coef0
    return base * base * base if degree == 3 else base**degree


def gaussian(x, y, sigma=10.0):
    return np.exp(-cdist(x, y, "sqeuclidean") / (2 * sigma**2))


def mmd2(x, y, kernel, biased=False):
    x, y = x.astype(np.float64), y.astype(np.float64)
    kxx, kyy, kxy = kernel(x, x), kernel(y, y), kernel(x, y)
    n, m = len(x), len(y)
    if biased:
        return float(kxx.mean() + kyy.mean() - 2 * kxy.mean())
    within = (kxx.sum() - np.trace(kxx)) / (n * (n - 1)) + (kyy.sum() - np.trace(kyy)) / (m * (m - 1))
    return float(within - 2 * kxy.mean())


def kid(first, second, kernel, subsets, size, seed=2020):
    random = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        x = first[random.choice(len(first), size, replace=False)]
        y = second[random.choice(len(second), size, replace=False)]
        values.append(mmd2(x, y, kernel))
    return {"mean": float(np.mean(values)), "std": float(np.std(values))}


def cmmd(real, fake):
    unit = lambda x: x / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    return 1000 * mmd2(unit(real), unit(fake), gaussian, biased=True)


# --- neighbours --------------------------------------------------------------------------------------------------------


def radii(x, k, metric="euclidean"):
    """Distance of each row to its k-th nearest other row."""
    distances = cdist(x, x, metric)
    np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, k - 1]


def prdc(real, fake, k, closed):
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    distances, real_radii, fake_radii = cdist(real, fake), radii(real, k)[:, None], radii(fake, k)[None, :]
    within = np.less_equal if closed else np.less
    precision = float(within(distances, real_radii).any(axis=0).mean())
    recall = float(within(distances, fake_radii).any(axis=1).mean())
    return {
        "precision": precision,
        "recall": recall,
        "f_score": 2 * precision * recall / max(1e-5, precision + recall),
        "density": float(within(distances, real_radii).sum() / (k * len(fake))),
        "coverage": float(within(distances, real_radii).any(axis=1).mean()),
    }


def nearest_distances(x, y=None):
    """Of each row of x to the nearest row of y, or to the nearest other row of x: index and distance."""
    distances = cdist(x.astype(np.float64), (x if y is None else y).astype(np.float64))
    if y is None:
        np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1), distances.min(axis=1)


def authpct(real, fake):
    """dgm-eval: the share of fake images that are farther from the nearest real image than that one is from its nearest
    other real image, of 100. The first of several nearest images counts."""
    (nearest, distances), (_, spacing) = nearest_distances(fake, real), nearest_distances(real)
    return float(100 * (spacing[nearest] < distances).sum() / len(fake))


def realism(real, fake, k=3):
    """Of each fake image, as in the code of its authors (kynkaat/improved-precision-and-recall-metric): distances are
    squared, and a ball above the median is shrunk to nothing rather than left out."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    balls = radii(real, k, "sqeuclidean")
    balls[balls > np.percentile(balls, 50)] = 0
    return (balls[:, None] / (cdist(real, fake, "sqeuclidean") + 1e-5)).max(axis=0)


def realism_dgm_eval(real, fake, k=5):
    """Of each fake image, as in dgm-eval and in the paper: the balls below the median, none if all are of one size."""
    real, fake = real.astype(np.float64), fake.astype(np.float64)
    balls = radii(real, k)
    kept = balls < np.median(balls)
    return (balls[kept, None] / cdist(real[kept], fake)).max(axis=0)


def mifid_penalty(real, fake, threshold=0.1):
    """torchmetrics: the mean over real images."""
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    kept = lambda x: unit(x[x.sum(axis=1) != 0])
    distance = float((1 - np.abs(kept(real.astype(np.float64)) @ kept(fake.astype(np.float64)).T)).min(axis=1).mean())
    return distance, distance if distance < threshold else 1.0


# --- projections and spectra -------------------------------------------------------------------------------------------


def quantile_distance(x, y):
    """∫(F⁻¹−G⁻¹)² of two samples: each repeated to the least common number."""
    n = np.lcm(len(x), len(y))
    return ((np.repeat(np.sort(x), n // len(x)) - np.repeat(np.sort(y), n // len(y))) ** 2).mean()


def mind(real, fake, directions):
    real, fake, directions = (a.astype(np.float64) for a in (real, fake, directions))
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    distances = [quantile_distance(real @ u, fake @ u) for u in directions]
    scale = 3 * real.shape[1]
    return {"value": scale * np.mean(distances), "standard_error": scale * stats.sem(distances)}


def mind_torch_fidelity(first, second, count=1000, seed=2020):
    """The steps of torch-fidelity, with its draws, in f64."""
    generator = torch.Generator().manual_seed(seed)
    n = min(len(first), len(second))
    cut = lambda x: x if len(x) == n else x[torch.randperm(len(x), generator=generator).numpy()[:n]]
    if len(first) != len(second):
        first, second = cut(first), cut(second)
    directions = torch.randn(count, first.shape[1], generator=generator, dtype=torch.float32).numpy()
    return mind(first, second, directions)


def vendi(x, q=1.0):
    x = x.astype(np.float64)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    shares = linalg.eigvalsh(x @ x.T / len(x))
    shares = shares[shares > len(x) * np.finfo(float).eps * shares.max()]
    if q == 1:
        return float(np.exp(-(shares * np.log(shares)).sum()))
    return float(1 / shares.max()) if np.isinf(q) else float((shares**q).sum() ** (1 / (1 - q)))


# --- uncertainty -------------------------------------------------------------------------------------------------------


def jackknife(real, fake, score, groups=20, level=0.95, seed=2020):
    value, variance, bias = score(real, fake), 0.0, 0.0
    for which, x in enumerate((real, fake)):
        order = np.random.RandomState(seed).permutation(len(x))
        without = []
        for g in range(groups):
            group = order[g * len(x) // groups : (g + 1) * len(x) // groups]
            rest = np.delete(x, group, axis=0)
            without.append(score(*((rest, fake) if which == 0 else (real, rest))))
        without = np.array(without)
        variance += (groups - 1) / groups * ((without - without.mean()) ** 2).sum()
        bias += (groups - 1) * (without.mean() - value)
    reach = stats.t.ppf(0.5 + level / 2, groups - 1) * np.sqrt(variance)
    return {"value": value, "standard_error": np.sqrt(variance), "bias": bias, "lower": value - reach,
            "upper": value + reach}

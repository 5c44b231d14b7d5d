"""Writes tests/fixtures/divergence/*.json: divergences from their definitions with mpmath at 50 digits, transport from POT
and scipy. Inputs are exact f64 values and, like the results, strings: no JSON reader can round them.

Run from the repository root: python python_ref/make_divergence_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import ot
from mpmath import mp, mpf
from scipy import stats
from scipy.spatial import cKDTree

mp.dps = 50
FOLDER = Path("tests/fixtures/divergence")
INFINITY = mpf("inf")


def text(value):
    """An mpmath number with more digits than f64 has, a Python float exactly."""
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return "inf" if mp.isinf(value) else mp.nstr(value, 22)


def texts(values):
    return [text(value) for value in values]


def rows(matrix):
    return [texts(row) for row in np.asarray(matrix)]


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


# --- generators, from their definitions -----------------------------------------------------------------------------


def alpha_generator(a):
    return lambda u: (u**a - 1 - a * (u - 1)) / (a * (a - 1))


def weighted_generator(w):
    return lambda u: w * u * mp.log(u) - (1 - w + w * u) * mp.log(1 - w + w * u)


#: name → (f, f(0+), f'(inf))
GENERATORS = {
    "total-variation": (lambda u: abs(u - 1) / 2, mpf("0.5"), mpf("0.5")),
    "kullback-leibler": (lambda u: u * mp.log(u), mpf(0), INFINITY),
    "reverse-kullback-leibler": (lambda u: -mp.log(u), INFINITY, mpf(0)),
    "jeffreys": (lambda u: (u - 1) * mp.log(u), INFINITY, INFINITY),
    "pearson-chi2": (lambda u: (u - 1) ** 2, mpf(1), INFINITY),
    "neyman-chi2": (lambda u: (1 - u) ** 2 / u, INFINITY, mpf(1)),
    "squared-hellinger": (lambda u: (mp.sqrt(u) - 1) ** 2, mpf(1), mpf(1)),
    "le-cam": (lambda u: (u - 1) ** 2 / (2 * (u + 1)), mpf("0.5"), mpf("0.5")),
    "jensen-shannon": (
        lambda u: (u * mp.log(u) - (u + 1) * mp.log((1 + u) / 2)) / 2, mp.log(2) / 2, mp.log(2) / 2),
    "twice-jensen-shannon": (
        lambda u: u * mp.log(u) - (u + 1) * mp.log((1 + u) / 2), mp.log(2), mp.log(2)),
    "gan": (lambda u: u * mp.log(u) - (u + 1) * mp.log(u + 1), mpf(0), mpf(0)),
    "chi-alpha(3)": (lambda u: abs(u - 1) ** 3, mpf(1), INFINITY),
    "chi-alpha(1.5)": (lambda u: abs(u - 1) ** mpf(1.5), mpf(1), INFINITY),
    "reverse-chi-alpha(3)": (lambda u: abs(1 - u) ** 3 / u**2, INFINITY, mpf(1)),
}
for order in (-1.5, 0.3, 0.999999, 1.5, 3.0):
    exact = mpf(order)
    GENERATORS[f"alpha({order})"] = (
        alpha_generator(exact),
        1 / exact if order > 0 else INFINITY,
        INFINITY if order > 1 else 1 / (1 - exact),
    )
for weight in (0.3, 0.9):
    exact = mpf(weight)
    GENERATORS[f"weighted-jensen-shannon({weight})"] = (
        weighted_generator(exact), -(1 - exact) * mp.log(1 - exact), -exact * mp.log(exact))


def slope_of(f, u):
    """f'(u) by a central difference at 50 digits, far from any kink."""
    step = mpf(10) ** -15 * u
    with mp.workdps(90):
        return (f(u + step) - f(u - step)) / (2 * step)


def generators():
    cases = []
    for name, (f, _, _) in GENERATORS.items():
        for u in (mpf("0.0625"), mpf("0.75"), mpf("1.25"), mpf(3), mpf(100)):
            slope = slope_of(f, u)
            # The conjugate straight from its definition: f is convex, so u maximises u't - f(u') at t = f'(u).
            cases.append({"name": name, "u": text(u), "f": text(f(u)), "slope": text(slope),
                          "conjugate": text(u * slope - f(u))})
    write("generators.json", cases)


# --- discrete distributions -----------------------------------------------------------------------------------------


def f_divergence(name, p, q):
    f, at_zero, recession = GENERATORS[name]
    total = mpf(0)
    for a, b in zip(p, q):
        if a == 0 and b == 0:
            continue
        if b == 0:
            total += a * recession
        elif a == 0:
            total += b * at_zero
        else:
            total += b * f(a / b)
    return total


def log_affinity(order, p, q):
    order = mpf(order)
    if order > 1 and any(a > 0 and b == 0 for a, b in zip(p, q)):
        return INFINITY
    total = mp.fsum(a**order * b ** (1 - order) for a, b in zip(p, q) if a > 0 and b > 0)
    return mp.log(total) if total > 0 else -INFINITY


def all_divergences(p, q):
    values = {name: text(f_divergence(name, p, q)) for name in GENERATORS}
    for order in (0.5, 0.999999, 2.0, 5.0):
        values[f"renyi({order})"] = text(log_affinity(order, p, q) / (mpf(order) - 1))
    values["bhattacharyya"] = text(-log_affinity(0.5, p, q))
    return values


def discrete():
    random = np.random.RandomState(2020)
    tiny = 2.0**-50
    near = [0.5, 0.25, 0.125, 0.125]
    inputs = {
        "two points": ([0.25, 0.75], [0.5, 0.5]),
        "zeros on either side": ([0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]),
        "zeros of P only": ([0.75, 0.25, 0.0], [0.25, 0.5, 0.25]),
        "disjoint": ([1.0, 0.0], [0.0, 1.0]),
        "1e-300 under P": ([1e-300, 0.25, 0.75], [0.5, 0.25, 0.25]),
        "1e-300 under Q": ([0.5, 0.25, 0.25], [1e-300, 0.25, 0.75]),
        "1e-300 under both": ([1e-300, 1.0], [3e-300, 1.0]),
        "subnormal": ([5e-324, 0.3, 0.7], [0.3, 0.7, 5e-324]),
        # Sums are exact, so that the tiny differences are the whole truth.
        "differ by 2^-50": (near, [0.5 + tiny, 0.25 - tiny, 0.125, 0.125]),
        "differ by 2^-30": (near, [0.5 + 2.0**-30, 0.25, 0.125 - 2.0**-31, 0.125 - 2.0**-31]),
        "differ by 2^-10": (near, [0.5 + 2.0**-10, 0.25, 0.125 - 2.0**-10, 0.125]),
        "near and far at once": ([0.5 + tiny, 0.5 - 2 * tiny, tiny], [0.5, 0.5, 0.0]),
        "hundred points": tuple(list(random.dirichlet(np.full(100, 0.3))) for _ in range(2)),
    }
    cases = []
    for title, (p, q) in inputs.items():
        exact_p, exact_q = [mpf(x) for x in p], [mpf(x) for x in q]
        # Logarithms of 1 ± 1e-300 take as many digits.
        with mp.workdps(700):
            # Floats that sum to 1 + 1e-16 are the distribution they are proportional to.
            exact_p = [x / mp.fsum(exact_p) for x in exact_p]
            exact_q = [x / mp.fsum(exact_q) for x in exact_q]
            values = all_divergences(exact_p, exact_q)
        cases.append({"title": title, "p": texts(p), "q": texts(q), "values": values})
    write("discrete.json", cases)


# --- Gaussians --------------------------------------------------------------------------------------------------------


def gaussian():
    random = np.random.RandomState(7)
    cases = []
    for dim, spread in ((1, 1.0), (2, 1.0), (5, 1.0), (5, 1e-4), (8, 0.3)):
        def covariance():
            factor = random.randn(dim, 2 * dim)
            return np.round(factor @ factor.T / (2 * dim), 6)

        first = covariance()
        second = first + spread * np.round(covariance() - first, 6)
        second = (second + second.T) / 2
        means = [np.round(spread * random.randn(dim), 6) for _ in range(2)]
        s1, s2 = mp.matrix(first.tolist()), mp.matrix(second.tolist())
        shift = mp.matrix((means[0]).tolist()) - mp.matrix((means[1]).tolist())

        def kl(a, b):
            inverse = mp.inverse(b)
            trace = mp.fsum((inverse * a)[i, i] for i in range(dim))
            return (trace - dim + (shift.T * inverse * shift)[0] + mp.log(mp.det(b) / mp.det(a))) / 2

        def log_affinity_of(order):
            precision = order * mp.inverse(s1) + (1 - order) * mp.inverse(s2)
            if min(mp.eigsy(precision, eigvals_only=True)) <= 0:
                return INFINITY
            mixed = (1 - order) * s1 + order * s2
            quadratic = (shift.T * mp.inverse(mixed) * shift)[0]
            logs = (1 - order) * mp.log(mp.det(s1)) + order * mp.log(mp.det(s2)) - mp.log(mp.det(mixed))
            return logs / 2 - order * (1 - order) / 2 * quadratic

        root = mp.sqrtm(s1)
        cross = mp.fsum(mp.sqrt(value) for value in mp.eigsy(root * s2 * root, eigvals_only=True))
        traces = mp.fsum(s1[i, i] + s2[i, i] for i in range(dim))
        values = {
            "kullback-leibler": kl(s1, s2),
            "reverse-kullback-leibler": kl(s2, s1),
            "jeffreys": kl(s1, s2) + kl(s2, s1),
            "squared-hellinger": 2 - 2 * mp.exp(log_affinity_of(mpf("0.5"))),
            "bhattacharyya": -log_affinity_of(mpf("0.5")),
            "renyi(0.75)": log_affinity_of(mpf("0.75")) / (mpf("0.75") - 1),
            "renyi(2)": log_affinity_of(mpf(2)),
            "pearson-chi2": mp.exp(log_affinity_of(mpf(2))) - 1,
            "neyman-chi2": mp.exp(log_affinity_of(mpf(-1))) - 1,
            "alpha(1.25)": (mp.exp(log_affinity_of(mpf("1.25"))) - 1) / (mpf("1.25") * mpf("0.25")),
        }
        cases.append({
            "mean_p": texts(means[0]), "mean_q": texts(means[1]),
            "covariance_p": rows(first), "covariance_q": rows(second),
            "values": {name: text(value) for name, value in values.items()},
            "wasserstein_2": text(mp.sqrt((shift.T * shift)[0] + traces - 2 * cross)),
        })
    write("gaussian.json", cases)


# --- densities --------------------------------------------------------------------------------------------------------


def normal(mean, deviation):
    mean, deviation = mpf(mean), mpf(deviation)
    return lambda x: mp.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * mp.sqrt(2 * mp.pi))


def laplace(location, scale):
    location, scale = mpf(location), mpf(scale)
    return lambda x: mp.exp(-abs(x - location) / scale) / (2 * scale)


def logistic(location, scale):
    location, scale = mpf(location), mpf(scale)
    return lambda x: 1 / (scale * (mp.exp((x - location) / scale / 2) + mp.exp(-(x - location) / scale / 2)) ** 2)


def gamma(shape, rate):
    shape, rate = mpf(shape), mpf(rate)
    return lambda x: rate**shape * x ** (shape - 1) * mp.exp(-rate * x) / mp.gamma(shape) if x > 0 else mpf(0)


def beta(a, b):
    a, b = mpf(a), mpf(b)
    return lambda x: x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)


def mixture(*parts):
    return lambda x: mp.fsum(mpf(weight) * density(x) for weight, density in parts)


LINE = [-90, -40, -20, -10, -5, -2, 0, 1, 2, 5, 10, 20, 40, 90]
HALF = [0, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160]
DENSITY_PAIRS = [
    ("normal(0, 1)", "laplace(0, 1)", normal(0, 1), laplace(0, 1), LINE),
    ("normal(0, 1)", "normal(1.5, 2)", normal(0, 1), normal(1.5, 2), LINE),
    ("logistic(0, 1)", "laplace(1, 1.5)", logistic(0, 1), laplace(1, 1.5), LINE),
    ("0.5*normal(-2, 0.5) + 0.5*normal(2, 1)", "logistic(0, 1)",
     mixture((0.5, normal(-2, 0.5)), (0.5, normal(2, 1))), logistic(0, 1), LINE),
    ("gamma(2, 1)", "exponential(0.75)", gamma(2, 1), gamma(1, 0.75), HALF),
    ("beta(2, 3)", "uniform(0, 1)", beta(2, 3), lambda _: mpf(1), [0, 0.1, 0.5, 0.9, 1]),
]
DENSITY_NAMES = ["kullback-leibler", "reverse-kullback-leibler", "squared-hellinger", "jensen-shannon", "le-cam", "gan",
                 "weighted-jensen-shannon(0.3)", "alpha(0.3)"]


def densities():
    mp.dps = 30
    cases = []
    for p_text, q_text, p, q, points in DENSITY_PAIRS:
        values = {}
        for name in DENSITY_NAMES:
            f, at_zero, recession = GENERATORS[name]

            def integrand(x):
                a, b = p(x), q(x)
                return b * f(a / b) if a > 0 and b > 0 else mpf(0)

            value, error = mp.quad(integrand, points, error=True, maxdegree=9)
            # What mpmath cannot settle to 17 digits is no reference.
            if error < mpf(10) ** -17:
                values[name] = text(value)
        cases.append({"p": p_text, "q": q_text, "values": values})
    mp.dps = 50
    # Distribution functions come from scipy.
    distances = []
    for p_text, q_text, p, q in (
        ("normal(0, 1)", "normal(1, 2)", stats.norm(0, 1), stats.norm(1, 2)),
        ("gamma(2.5, 1)", "exponential(0.5)", stats.gamma(2.5), stats.expon(scale=2)),
        ("beta(2, 3)", "beta(4, 1.5)", stats.beta(2, 3), stats.beta(4, 1.5)),
        ("laplace(0, 1)", "logistic(0.5, 2)", stats.laplace(0, 1), stats.logistic(0.5, 2)),
    ):
        points = (-3.5, -0.25, 0.125, 0.5, 0.875, 3.0, 9.0)
        for density_text, frozen in ((p_text, p), (q_text, q)):
            distances.append({"density": density_text, "points": texts(points), "cdf": texts(frozen.cdf(points)),
                              "survival": texts(frozen.sf(points)), "pdf": texts(frozen.pdf(points))})
    write("densities.json", {"pairs": cases, "functions": distances})


# --- transport and samples --------------------------------------------------------------------------------------------


def transport():
    random = np.random.RandomState(11)
    cases = []
    for n, m, dim in ((5, 5, 1), (12, 9, 2), (30, 30, 3)):
        x, y = np.round(random.randn(n, dim), 3), np.round(0.5 + random.randn(m, dim), 3)
        p, q = np.round(random.dirichlet(np.ones(n)), 3), np.round(random.dirichlet(np.ones(m)), 3)
        p[0], q[0] = 1 - p[1:].sum(), 1 - q[1:].sum()
        euclidean, squared = ot.dist(x, y, "euclidean"), ot.dist(x, y, "sqeuclidean")
        projections = np.round(random.randn(dim, 6), 6)
        projections /= np.linalg.norm(projections, axis=0)
        uniform = np.full(n, 1 / n), np.full(m, 1 / m)
        cases.append({
            "x": rows(x), "y": rows(y), "p": texts(p), "q": texts(q),
            "emd_euclidean": text(ot.emd2(p, q, euclidean)),
            "emd_squared": text(ot.emd2(p, q, squared)),
            "emd_uniform": text(ot.emd2(*uniform, euclidean)),
            "regularization": "0.5",
            "sinkhorn": text(float(ot.sinkhorn2(p, q, squared, 0.5, method="sinkhorn_log", stopThr=1e-14,
                                                numItermax=100000))),
            "directions": rows(projections.T),
            "sliced_2": text(float(ot.sliced_wasserstein_distance(x, y, projections=projections, p=2))),
            "first_coordinate_1": text(float(stats.wasserstein_distance(x[:, 0], y[:, 0], p, q))),
            "first_coordinate_squared_2": text(float(ot.wasserstein_1d(x[:, 0], y[:, 0], p, q, p=2))),
        })
    write("transport.json", cases)


def neighbours():
    random = np.random.RandomState(3)
    p, q = np.round(random.randn(40, 3), 4), np.round(0.3 + 1.2 * random.randn(55, 3), 4)
    values = {}
    for k in (1, 3, 7):
        rho = cKDTree(p).query(p, k + 1)[0][:, k]
        nu = np.atleast_2d(cKDTree(q).query(p, [k])[0].T)[0]
        values[str(k)] = text(float(3 * np.mean(np.log(nu / rho)) + np.log(55 / 39)))
    write("neighbours.json", {"p": rows(p), "q": rows(q), "values": values})


if __name__ == "__main__":
    generators()
    discrete()
    gaussian()
    densities()
    transport()
    neighbours()

"""Writes divergences of random pairs of densities, mixtures of one to three normal, Laplace and logistic components, by
means that the library does not share: extended precision, fixed Gauss-Legendre panels that end at every crossing, total
variation and W1 from antiderivatives between crossings, W2 and W3 along x + y.

Run from the repository root:
    python python_ref/make_divergence_pairs.py 6 1 tests/fixtures/divergence/pairs.json    # what the tests read
    python python_ref/make_divergence_pairs.py 2000 2 target/divergence-pairs.json          # what the long test reads
"""

import json
import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from scipy import special

LONG = np.longdouble
NODES, WEIGHTS = (np.array(part, dtype=LONG) for part in np.polynomial.legendre.leggauss(20))
# leggauss is in double precision: Newton steps on the Legendre recurrence, and the weights from its derivative.
for _ in range(3):
    before, value = np.ones_like(NODES), NODES.copy()
    for k in range(2, 21):
        before, value = value, ((2 * k - 1) * NODES * value - (k - 1) * before) / LONG(k)
    slope = 20 * (NODES * value - before) / (NODES * NODES - 1)
    NODES -= value / slope
WEIGHTS = 2 / ((1 - NODES * NODES) * slope * slope)

PI = LONG("3.14159265358979323846264338327950288")


#: Fine where the densities are, and out to where two exponential tails of nearly one rate still cross.
FAR = 40 * LONG("1.002") ** np.arange(1, 1500)
GRID = np.concatenate([-FAR[::-1], np.linspace(-40, 40, 8_001).astype(LONG), FAR])


class Mixture:
    def __init__(self, parts):
        self.parts = parts

    def __str__(self):
        terms = [f"{family}({location}, {scale})" for _, family, location, scale in self.parts]
        if len(terms) == 1:
            return terms[0]
        return " + ".join(f"{weight}*{term}" for (weight, *_), term in zip(self.parts, terms))

    def sum(self, functions, x):
        return sum(LONG(w) * functions[family]((x - LONG(m)) / LONG(s), LONG(s)) for w, family, m, s in self.parts)

    def log_pdf(self, x):
        functions = {
            "normal": lambda z, s: -z * z / 2 - np.log(2 * PI) / 2 - np.log(s),
            "laplace": lambda z, s: -abs(z) - np.log(2 * s),
            "logistic": lambda z, s: -abs(z) - 2 * np.log1p(np.exp(-abs(z))) - np.log(s),
        }
        parts = [np.log(LONG(w)) + functions[family]((x - LONG(m)) / LONG(s), LONG(s)) for w, family, m, s in self.parts]
        return np.logaddexp.reduce(parts)

    def pdf(self, x):
        return np.exp(self.log_pdf(x))

    def cdf(self, x, sign=1):
        """P(X <= x), or P(X > x) for the other sign."""
        return self.sum({
            "normal": lambda z, s: special.ndtr((sign * z).astype(float)).astype(LONG),
            "laplace": lambda z, s: np.where(sign * z < 0, np.exp(-abs(z)) / 2, 1 - np.exp(-abs(z)) / 2),
            "logistic": lambda z, s: 1 / (1 + np.exp(-sign * z)),
        }, x)

    def integral_of_cdf(self, x):
        """The antiderivative of the distribution function that vanishes at minus infinity."""
        return self.sum({
            "normal": lambda z, s: s * (z * special.ndtr(z.astype(float)) + np.exp(-z * z / 2) / np.sqrt(2 * PI)),
            "laplace": lambda z, s: s * (np.maximum(z, 0) + np.exp(-abs(z)) / 2),
            "logistic": lambda z, s: s * (np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))),
        }, x)

    def integral_of_survival(self, x):
        """What is left of the integral of P(X > x) from x on."""
        mirrored = Mixture([(w, family, -m, s) for w, family, m, s in self.parts])
        return mirrored.integral_of_cdf(-x)

    def mean(self):
        return sum(LONG(w) * LONG(m) for w, _, m, _ in self.parts)

    def tail(self):
        """Coefficients of x^2 and |x| of -ln p far out."""
        linear = [1 / s for _, family, _, s in self.parts if family != "normal"]
        return (0, min(linear)) if linear else (min(0.5 / s**2 for *_, s in self.parts), 0)


def random_mixture(random):
    count = random.integers(1, 4)
    weights = random.dirichlet(np.ones(count)).round(3) if count > 1 else np.ones(1)
    weights[-1] = round(1 - weights[:-1].sum(), 3)
    if weights.min() < 0.01:
        return random_mixture(random)
    families = ["normal", "laplace", "logistic"]
    return Mixture([(float(weight), str(random.choice(families)), round(float(random.uniform(-3, 3)), 2),
                     round(float(np.exp(random.uniform(-1.2, 0.7))), 2)) for weight in weights])


def crossings(function, grid):
    values = function(grid)
    found = []
    # A root may be a point of the grid.
    signs = np.where(values < 0, -1, 1)
    for index in np.nonzero(signs[:-1] != signs[1:])[0]:
        low, high, sign = grid[index], grid[index + 1], signs[index]
        for _ in range(80):
            middle = (low + high) / 2
            if np.sign(function(np.array([middle]))[0]) == sign:
                low = middle
            else:
                high = middle
        found.append(low)
    return found


def integral(function, breaks):
    """Panels of 0.2 between the breaks, and panels that grow beyond them until nothing is left."""
    breaks = np.array(breaks, dtype=LONG)

    def cut(ends):
        inside = breaks[(breaks > ends.min()) & (breaks < ends.max())]
        return np.unique(np.concatenate([ends, inside]))

    ends = cut(np.linspace(-40, 40, 401).astype(LONG))
    def panels(ends):
        half, centre = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
        return (function(centre[:, None] + half[:, None] * NODES) * WEIGHTS * half[:, None]).sum(axis=1)
    parts = [panels(ends)]
    for sign in (-1, 1):
        x, step = LONG(40), LONG("0.2")
        while True:
            grown = x + step * np.cumsum(LONG("1.02") ** np.arange(101))
            block = np.concatenate([[x], grown]) * sign
            part = panels(cut(block))
            parts.append(part)
            if not abs(part).max() > LONG("1e-24") * sum(abs(p).sum() for p in parts):
                break
            x, step = grown[-1], step * LONG("1.02") ** 101
    return sum(np.sort(part).sum() for part in parts)


def area_between(p, q, meetings):
    """The integral of |F_p - F_q|, which changes its sign at these points. From either side, so that weights that do not sum
    to 1 to the last digit do not count far out."""
    below = p.integral_of_cdf(meetings) - q.integral_of_cdf(meetings)
    difference = q.mean() - p.mean()
    above = difference + p.integral_of_survival(meetings) - q.integral_of_survival(meetings)
    areas = np.where(p.cdf(meetings) < 0.5, below, above)
    return abs(np.diff(np.concatenate([[LONG(0)], areas, [difference]]))).sum()


def log_affinity(p, q, order):
    a, b = p.tail(), q.tail()
    tail = [order * x + (1 - order) * y for x, y in zip(a, b)]
    tail = [0 if abs(t) < 1e-12 else t for t in tail]
    if tail[0] < 0 or (tail[0] == 0 and tail[1] <= 0):
        return None
    return tail


def log_difference(a, b):
    """ln|p - q|, given the logarithms."""
    return np.maximum(a, b) + np.log(-np.expm1(-abs(a - b)))


def jensen_shannon(a, b, w):
    mixture = np.logaddexp(np.log(w) + a, np.log1p(-w) + b)
    return w * np.exp(a) * (a - mixture) + (1 - w) * np.exp(b) * (b - mixture)


HALF = LONG("0.5")
#: name → the integrand of (ln p, ln q), and the orders of the affinities that have to be finite. Logarithms, because far out
#: powers of densities underflow while their products still count.
F = {
    "kullback-leibler": (lambda a, b: np.exp(a) * (a - b) - np.exp(a) + np.exp(b), []),
    "reverse-kullback-leibler": (lambda a, b: np.exp(b) * (b - a) + np.exp(a) - np.exp(b), []),
    "jeffreys": (lambda a, b: (np.exp(a) - np.exp(b)) * (a - b), []),
    "pearson-chi2": (lambda a, b: np.exp(2 * log_difference(a, b) - b), [2]),
    "neyman-chi2": (lambda a, b: np.exp(2 * log_difference(a, b) - a), [-1]),
    "squared-hellinger": (lambda a, b: (np.exp(a / 2) - np.exp(b / 2))**2, []),
    "le-cam": (lambda a, b: np.exp(2 * log_difference(a, b) - np.logaddexp(a, b)) / 2, []),
    "jensen-shannon": (lambda a, b: jensen_shannon(a, b, HALF), []),
    "alpha(1.5)": (lambda a, b: (np.exp(a + (a - b) / 2) - np.exp(a) - (np.exp(a) - np.exp(b)) / 2) / LONG("0.75"), [1.5]),
    "weighted-jensen-shannon(0.3)": (lambda a, b: jensen_shannon(a, b, LONG(0.3)), []),
    "chi-alpha(3)": (lambda a, b: np.exp(3 * log_difference(a, b) - 2 * b), [3]),
    "chi-alpha(1.5)": (lambda a, b: np.exp(1.5 * log_difference(a, b) - b / 2), [1.5]),
    "reverse-chi-alpha(1.5)": (lambda a, b: np.exp(1.5 * log_difference(a, b) - a / 2), [-0.5]),
}


def case(seed):
    random = np.random.default_rng(seed)
    p, q = random_mixture(random), random_mixture(random)
    grid = GRID
    values = {}
    def log_ratio(x):
        return p.log_pdf(x) - q.log_pdf(x)
    centres = [m for _, _, m, _ in p.parts + q.parts]
    kinks = crossings(log_ratio, grid)
    # Towards the roots of p = q, where powers of |p - q| have no derivatives, and the centres, beside which there may be roots
    # of what the densities would be without their own kinks.
    steps = [sign * LONG("0.1") / LONG(4)**k for k in range(24) for sign in (-1, 1)]
    graded = [rough + step for rough in kinks + centres for step in [0] + steps]
    # Half of the variation of F_p - F_q.
    def tails(x):
        lower, upper = p.cdf(x) - q.cdf(x), q.cdf(x, -1) - p.cdf(x, -1)
        return np.where(p.cdf(x) < 0.5, lower, upper)
    at = np.concatenate([[LONG(0)], tails(np.array(kinks)), [LONG(0)]]) if kinks else np.zeros(2, dtype=LONG)
    values["total-variation"] = abs(np.diff(at)).sum() / 2
    for name, (integrand, orders) in F.items():
        if all(log_affinity(p, q, order) is not None for order in orders):
            def at(x, integrand=integrand):
                return integrand(p.log_pdf(x), q.log_pdf(x))
            values[name] = integral(at, graded)
        else:
            values[name] = np.inf
    # W1 from antiderivatives; from the right side the difference is that of the means.
    meetings = crossings(tails, grid)
    values["wasserstein(1)"] = area_between(p, q, np.array(meetings, dtype=LONG))
    knots = [m + y for m, y in quantile_pairs(p, q)] + [2 * m for m in meetings]
    values["wasserstein(2)"], values["wasserstein(3)"] = transport(p, q, knots)
    return {"p": str(p), "q": str(q), "values": {name: str(np.float64(value)) if np.isinf(value) else
                                               np.format_float_scientific(value, 19) for name, value in values.items()}}


def quantile_pairs(p, q):
    """The rough points of either density and where the monotone coupling takes them."""
    for one, other in ((p, q), (q, p)):
        for _, _, m, _ in one.parts:
            low, high, x = LONG(-80), LONG(80), np.array([LONG(m)])
            sign = 1 if one.cdf(x)[0] < 0.5 else -1
            target = one.cdf(x, sign)[0]
            for _ in range(80):
                middle = (low + high) / 2
                if (other.cdf(np.array([middle]), sign)[0] < target) == (sign > 0):
                    low = middle
                else:
                    high = middle
            yield LONG(m), low


def transport(p, q, breaks):
    """W2 and W3, along v = x + y with F_p(x) = F_q(y), where du = pq/(p + q) dv is smooth even across gaps."""
    far = 90 * LONG("1.01") ** np.arange(1, 180)
    ends = np.unique(np.concatenate([np.linspace(-90, 90, 901).astype(LONG), far, -far, np.array(breaks, dtype=LONG)]))

    def difference(x, v):
        below = p.cdf(x)
        return np.where(below < 0.5, below - q.cdf(v - x), q.cdf(v - x, -1) - p.cdf(x, -1))

    def bisect(v, low, high, steps):
        for _ in range(steps):
            middle = (low + high) / 2
            above = difference(middle, v) > 0
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return low, high

    low, high = bisect(ends, np.full_like(ends, -600), np.full_like(ends, 600), 60)
    half, centre = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    v = centre[:, None] + half[:, None] * NODES
    # Both x and v - x grow with v.
    low, high = low[:-1, None] + 0 * v, high[1:, None] + 0 * v
    low, high = bisect(v, low, high, 5)
    x = (low + high) / 2
    for _ in range(6):
        slope = p.pdf(x) + q.pdf(v - x)
        x = np.clip(x - difference(x, v) / np.maximum(slope, LONG("1e-4000")), low, high)
    a, b = p.pdf(x), q.pdf(v - x)
    density = a * b / np.maximum(a + b, LONG("1e-4000")) * WEIGHTS * half[:, None]
    return [(abs(2 * x - v)**order * density).sum()**(1 / LONG(order)) for order in (2, 3)]


if __name__ == "__main__":
    np.seterr(over="ignore", divide="ignore", invalid="ignore")
    count, seed, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with Pool() as pool:
        cases = list(pool.imap(case, [[seed, index] for index in range(count)]))
    path.write_text(json.dumps(cases, indent=1) + "\n")

"""Writes tests/fixtures/metrics/*.json: sample-quality metrics by definition (metrics_reference.py) and by the peers'
own code (torch-fidelity, pytorch-fid, clean-fid, prdc, PyTorch's generator) on the same features. Features are made by
the same formula here and in the tests, so that only results are stored.

Run from the repository root: python python_ref/make_metrics_fixtures.py
"""

import contextlib
import hashlib
import io
import json
from pathlib import Path

import cleanfid.fid
import numpy as np
import prdc as prdc_package
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

import metrics_reference as reference

FOLDER = Path("tests/fixtures/metrics")

#: name → arguments of made_features for the real set and for the fake set
CASES = {
    "pool": (dict(seed=1, n=1200, d=64, shift=0.3), dict(seed=2, n=1100, d=64, shift=0.35)),
    "equal-sizes": (dict(seed=3, n=300, d=64), dict(seed=4, n=300, d=64, shift=0.1, scale=1.1)),
    "wide": (dict(seed=5, n=80, d=2048), dict(seed=6, n=60, d=2048, shift=0.02)),
    "few": (dict(seed=7, n=9, d=5), dict(seed=8, n=7, d=5, scale=2.0)),
    "same": (dict(seed=9, n=250, d=16), dict(seed=9, n=250, d=16)),
    "offset": (dict(seed=10, n=200, d=64, offset=1e6), dict(seed=11, n=180, d=64, offset=1e6, shift=0.5)),
    "tiny": (dict(seed=12, n=200, d=64, scale=2.0**-70), dict(seed=13, n=180, d=64, scale=2.0**-70)),
    "huge": (dict(seed=14, n=200, d=64, scale=2.0**60), dict(seed=15, n=180, d=64, scale=2.0**60)),
}
#: Where the peers' own arithmetic can be trusted: features of ordinary size.
PEERS = ("pool", "equal-sizes", "wide", "few")


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(json.dumps(content, indent=1) + "\n")


def quiet(function, *args, **kwargs):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **kwargs)


def subsets_of(real, fake):
    """Number and size of the subsets: the defaults of torch-fidelity where there are images enough."""
    return (100, 1000) if len(real) > 1000 else (20, min(len(real), len(fake)) * 2 // 3)


def fewer_subsets_of(real, fake):
    """For the Gaussian kernel and for clean-fid, which are slower."""
    return (10, 150) if len(real) > 1000 else subsets_of(real, fake)


def by_definition(name, real, fake):
    subsets, size = subsets_of(real, fake)
    spread = float(np.sqrt(real.astype(np.float64).var(axis=0).sum()))
    rbf = lambda x, y: reference.gaussian(x, y, 0.7 * spread)
    result = {
        "fid": reference.fid(real, fake),
        "kid_subset_size": size,
        "kid_subsets": subsets,
        "kid_polynomial": reference.kid(fake, real, reference.polynomial, subsets, size),
        "rbf_subsets": fewer_subsets_of(real, fake),
        "rbf_sigma": 0.7 * spread,
        "kid_rbf": reference.kid(real, fake, rbf, *fewer_subsets_of(real, fake), seed=7),
        "mmd_rbf_unbiased": reference.mmd2(real, fake, rbf),
        "mmd_polynomial_biased": reference.mmd2(real, fake, reference.polynomial, biased=True),
        "cmmd": reference.cmmd(real, fake),
        "prdc_closed_3": reference.prdc(real, fake, 3, closed=True),
        "prdc_open_5": reference.prdc(real, fake, 5, closed=False),
        "mind_seeded": reference.mind(real, fake, np.random.RandomState(2020).standard_normal((100, real.shape[1]))),
        "mind_torch_fidelity": reference.mind_torch_fidelity(fake, real),
        "mifid": dict(zip(("distance", "penalty"), reference.mifid_penalty(real, fake))),
        "vendi": [reference.vendi(fake, q) for q in (0.5, 1.0, 2.0, np.inf)],
        "nearest_within": reference.nearest_distances(fake)[0].tolist()[:50],
        "nearest_between": reference.nearest_distances(fake, real)[0].tolist()[:50],
    }
    if name in ("equal-sizes", "pool"):
        infinity = reference.at_infinity(len(fake), lambda rows: reference.fid(real, fake[rows]))
        result["fid_infinity"] = infinity
        result["jackknife_fid"] = reference.jackknife(real, fake, reference.fid, groups=6, level=0.9)
    return result


def by_peers(real, fake):
    (subsets, size), (fewer, smaller) = subsets_of(real, fake), fewer_subsets_of(real, fake)
    first, second = torch.from_numpy(fake), torch.from_numpy(real)
    options = dict(kid_subsets=subsets, kid_subset_size=size, verbose=False)
    statistics = [metric_fid.fid_features_to_statistics(x) for x in (first, second)]
    np.random.seed(11)
    clean = cleanfid.fid.kernel_distance(real, fake, num_subsets=fewer, max_subset_size=smaller)
    result = {
        "clean_fid": {"kid_seed": 11, "kid": clean},
        "torch_fidelity": {
            **metric_fid.fid_statistics_to_metric(*statistics, False),
            **metric_kid.kid_features_to_metric(first, second, **options),
            "rbf": metric_kid.kid_features_to_metric(
                first, second, kid_kernel="rbf", kid_subsets=fewer, kid_subset_size=smaller, verbose=False),
            **metric_prc.prc_features_to_metric(first, second, verbose=False),
        },
        "prdc": {k: float(v) for k, v in quiet(prdc_package.compute_prdc, real, fake, nearest_k=5).items()},
    }
    if min(len(real), len(fake)) > real.shape[1]:
        moments = *reference.moments(real), *reference.moments(fake)
        result["pytorch_fid"] = {"fid": float(calculate_frechet_distance(*moments))}
    return result


def inception_scores():
    logits = 4 * reference.made_features(21, 503, 40)
    peer = metric_isc.isc_features_to_metric(torch.from_numpy(logits))
    order = np.random.RandomState(2020).permutation(len(logits))
    scores = reference.inception_score(logits[order], 10)
    infinity = reference.at_infinity(len(logits), lambda rows: reference.inception_score(logits[rows])[0])
    write("inception_score.json", {
        "factor": 4, "seed": 21, "n": 503, "classes": 40, "torch_fidelity": peer,
        "mean": float(np.mean(scores)), "std": float(np.std(scores)), "infinity": infinity,
    })


def torch_numbers():
    content = []
    for seed, n in ((0, 16), (2020, 1000), (7, 65_537), (2**32 + 5, 40), (3, 15), (4, 1)):
        numbers = torch.randn(n, generator=torch.Generator().manual_seed(seed)).numpy()
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).numpy()
        content.append({
            "seed": seed, "n": n, "first": [float(x) for x in numbers[:4]],
            "randn_sha256": hashlib.sha256(numbers.tobytes()).hexdigest(),
            "randperm_sha256": hashlib.sha256(order.astype("<u8").tobytes()).hexdigest(),
        })
    write("torch_random.json", content)


def main():
    torch.set_num_threads(1)
    torch_numbers()
    inception_scores()
    cases = {}
    for name, (real, fake) in CASES.items():
        arrays = reference.made_features(**real), reference.made_features(**fake)
        cases[name] = {"real": real, "fake": fake, "definition": by_definition(name, *arrays)}
        if name in PEERS:
            cases[name]["peers"] = by_peers(*arrays)
        print(name, flush=True)
    write("sets.json", cases)


if __name__ == "__main__":
    main()

"""Writes tests/fixtures/metrics/*.json: sample-quality metrics by definition (metrics_reference.py) and by the peers'
own code (torch-fidelity, pytorch-fid, clean-fid, prdc, PyTorch's generator) on the same features. Features are made by
the same formula here and in the tests, so that only results are stored.

`scores/NAME.json` is in one format for every score; one test walks them all.

Run from the repository root: python python_ref/make_metrics_fixtures.py
dgm-eval needs old versions of everything, so that it is not among the requirements: `DGM_EVAL` names a clone of
https://github.com/layer6ai-labs/dgm-eval, of which two files are loaded. Without it, `scores/` stays as it is.
"""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
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


# --- one format for every score ----------------------------------------------------------------------------------------

DGM_EVAL = "dgm-eval 0.1.0 (74c79f7)"
KYNKAAT = "kynkaat/improved-precision-and-recall-metric (b0247ea), its steps in NumPy"

#: name → arguments of made_features, as above. Copies come from equal seeds: the rows of the shorter set are in both.
#: Near 2²¹ an f32 is a multiple of a quarter, so that distances in five dimensions are often equal.
SCORE_CASES = {
    "even": (dict(seed=31, n=300, d=64), dict(seed=32, n=300, d=64, shift=0.05)),
    "odd-fewer-fakes": (dict(seed=33, n=301, d=16), dict(seed=34, n=90, d=16, scale=1.2)),
    "more-fakes": (dict(seed=35, n=91, d=8), dict(seed=36, n=250, d=8, scale=0.8)),
    "wide": (dict(seed=5, n=80, d=2048), dict(seed=6, n=60, d=2048, shift=0.02)),
    "offset": (dict(seed=10, n=200, d=64, offset=1e6), dict(seed=11, n=180, d=64, offset=1e6, shift=0.5)),
    "ties": (dict(seed=37, n=60, d=5, offset=2.0**21), dict(seed=38, n=75, d=5, offset=2.0**21, shift=0.5)),
    "copies": (dict(seed=39, n=100, d=16), dict(seed=39, n=130, d=16)),
    "all-copies": (dict(seed=40, n=120, d=16), dict(seed=40, n=50, d=16)),
}
#: Where the peers' f32 can be trusted: distances are the difference of squares of ordinary size, and not zero.
SCORE_PEERS = ("even", "odd-fewer-fakes", "more-fakes", "wide")


def dgm_eval(name):
    """A module of dgm-eval's metrics, without the rest of the package."""
    path = Path(os.environ["DGM_EVAL"]) / "dgm_eval" / "metrics" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"dgm_eval_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def realism_kynkaat(real, fake, k):
    """What the TensorFlow code of the authors does, in its precision."""
    squares = lambda x: np.square(x).sum(axis=1, dtype=np.float32)
    distances = lambda x, y: np.maximum(squares(x)[:, None] - 2 * (x @ y.T) + squares(y)[None, :], np.float32(0))
    balls = np.partition(distances(real, real), np.arange(k + 1), axis=1)[:, k]
    balls[balls > np.percentile(balls, 50)] = 0
    return (balls / (distances(fake, real) + np.float32(1e-5))).max(axis=1)


def realism_quantities(values):
    return {"realism": float(np.mean(values, dtype=np.float64)), "realism-median": float(np.median(values)),
            "values": [float(x) for x in values[:10]]}


def checked(case, peer):
    """The case with the peer's result, which has to agree: all tolerances are relative to numbers of at least 1."""
    for key, expected in peer["expected"].items():
        error = np.abs(np.subtract(case["expected"][key], expected)) / np.maximum(np.abs(expected), 1)
        assert (error <= peer["tolerance"]).all(), (case["name"], key, error)
    return {**case, "peer": peer}


def authpct_case(name, preset):
    real, fake = SCORE_CASES[name]
    arrays = reference.made_features(**real), reference.made_features(**fake)
    case = {"name": f"{name}, {preset}", "real": real, "fake": fake, "preset": preset, "parameters": {},
            "expected": {"authpct": reference.authpct(*arrays)}}
    if name not in SCORE_PEERS:
        return case
    return checked(case, {
        "name": DGM_EVAL, "expected": {"authpct": dgm_eval("authpct").compute_authpct(*arrays)}, "tolerance": 1e-6,
        "why": "the same images counted, divided in f32"})


def realism_case(name, preset, k=None):
    real, fake = SCORE_CASES[name]
    arrays = reference.made_features(**real), reference.made_features(**fake)
    followed = preset == "dgm-eval"
    values = (reference.realism_dgm_eval if followed else reference.realism)(*arrays, **({"k": k} if k else {}))
    assert np.isfinite(values).all(), name
    case = {"name": f"{name}, {preset}" + (f", k = {k}" if k else ""), "real": real, "fake": fake, "preset": preset,
            "parameters": {"k": str(k)} if k else {}, "expected": realism_quantities(values)}
    if name not in SCORE_PEERS and not (followed and name == "ties"):
        return case
    if followed:
        values = quiet(dgm_eval("prdc").compute_prdc, *arrays, nearest_k=k or 5, realism=True)["realism"]
        peer = {"name": DGM_EVAL, "tolerance": 1e-6, "why": "distances from products in f64, rounded to f32"}
    else:
        values = realism_kynkaat(*arrays, k or 3)
        peer = {"name": KYNKAAT, "tolerance": 2e-5, "why": "squared distances from products in f32"}
    return checked(case, {**peer, "expected": realism_quantities(values)})


def scores():
    if "DGM_EVAL" not in os.environ:
        print(f"{FOLDER}/scores stays as it is: DGM_EVAL names no clone of dgm-eval")
        return
    (FOLDER / "scores").mkdir(parents=True, exist_ok=True)
    write("scores/authpct.json", {
        "tolerance": 1e-12, "why": "whole numbers, divided once; relative, to numbers of at least 1",
        "cases": [authpct_case(name, "torch-fidelity") for name in SCORE_CASES] + [authpct_case("even", "dgm-eval")]})
    plain = [name for name in SCORE_CASES if "copies" not in name]
    write("scores/realism.json", {
        "tolerance": 1e-12, "why": "a mean of quotients of distances in f64; relative, to numbers of at least 1",
        "cases": [realism_case(name, "torch-fidelity") for name in SCORE_CASES]
        + [realism_case(name, "torch-fidelity", k=5) for name in ("even", "more-fakes", "ties")]
        # A copy is infinitely real there.
        + [realism_case(name, "dgm-eval") for name in plain]
        + [realism_case(name, "dgm-eval", k=3) for name in ("odd-fewer-fakes", "ties")]
        + [realism_case("even", preset) for preset in ("pytorch-fid", "clean-fid", "adm")]})


def main():
    torch.set_num_threads(1)
    scores()
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

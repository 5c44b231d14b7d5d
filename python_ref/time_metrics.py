"""Times torch-fidelity, pytorch-fid, clean-fid and prdc on the problems of benches/metrics.rs; prints one line each, in
seconds (the best of three).

Run from the repository root: python python_ref/time_metrics.py [part of a name]...
"""

import contextlib
import io
import sys
import time

import numpy as np
import prdc as prdc_package
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity import metric_fid, metric_kid, metric_prc


def pool3(n, d, seed):
    """Of the kind that benches/metrics.rs makes."""
    random, mixing = np.random.default_rng(seed), np.random.default_rng(1)
    weights = (mixing.random((64, d), dtype=np.float32) - 0.4) / np.arange(1, 65, dtype=np.float32)[:, None]
    noise = random.random((n, d), dtype=np.float32)
    return random.random((n, 64), dtype=np.float32) @ weights + 0.2 * noise


def report(name, function, repeat=3):
    wanted = sys.argv[1:]
    if wanted and not any(part in name for part in wanted):
        return
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            function()
        times.append(time.perf_counter() - start)
    print(f"{name:44} {min(times):9.3f} s", flush=True)


def moments(x):
    return x.mean(axis=0), np.cov(x, rowvar=False)


def main():
    a, b = pool3(10_000, 2048, 2), pool3(10_000, 2048, 3)
    real, fake = moments(a[:6000]), moments(b[:6000])
    report("fid/algebra/2048 pytorch-fid", lambda: calculate_frechet_distance(*real, *fake))
    statistics = [{"mu": mu, "sigma": sigma} for mu, sigma in (real, fake)]
    report("fid/algebra/2048 torch-fidelity", lambda: metric_fid.fid_statistics_to_metric(*statistics, False))
    first, second = torch.from_numpy(a), torch.from_numpy(b)
    report("kid/100x1000/2000x2048 torch-fidelity",
           lambda: metric_kid.kid_features_to_metric(first[:2000], second[:2000], verbose=False), 1)
    report("kid/100x1000/10000x2048 torch-fidelity",
           lambda: metric_kid.kid_features_to_metric(first, second, verbose=False), 1)
    report("prdc/10000x2048 torch-fidelity", lambda: metric_prc.prc_features_to_metric(first, second, verbose=False), 1)
    report("prdc/10000x2048 prdc", lambda: prdc_package.compute_prdc(a, b, nearest_k=5), 1)
    del first, second
    if not sys.argv[1:] or any(part in "fid/features/50000x2048" for part in sys.argv[1:]):
        a, b = torch.from_numpy(pool3(50_000, 2048, 2)), torch.from_numpy(pool3(50_000, 2048, 3))
        features_to = metric_fid.fid_features_to_statistics
        report("fid/features/50000x2048 torch-fidelity",
               lambda: metric_fid.fid_statistics_to_metric(features_to(a), features_to(b), False), 1)
        report("fid/features/50000x2048 pytorch-fid",
               lambda: calculate_frechet_distance(*moments(a.numpy()), *moments(b.numpy())), 1)


if __name__ == "__main__":
    main()

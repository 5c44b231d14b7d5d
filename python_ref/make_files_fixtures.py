"""Files as other tools write them, and what they hold: tests/fixtures/files.

Features and statistics come with the Fréchet distance to `other.npy` by the formula of pytorch-fid; images are those of `images.npy`.
"""

import json
import os
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import scipy.linalg

FOLDER = Path("tests/fixtures/files")


def distance(mu1, sigma1, mu2, sigma2):
    """pytorch-fid's calculate_frechet_distance, of well-conditioned covariances."""
    root = scipy.linalg.sqrtm(sigma1 @ sigma2).real
    return float(np.sum((mu1 - mu2) ** 2) + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(root))


def statistics(features):
    features = np.asarray(features, dtype="f8")
    return features.mean(0), np.cov(features, rowvar=False)


def features(random):
    rows = random.randn(20, 4).astype("f4") * [1, 2, 3, 4] + 1
    rows = rows.astype("f4")
    half = rows.astype("f2")
    np.savez(FOLDER / "lone.npz", rows)
    np.savez(FOLDER / "dgm_eval.npz", model="inception", reps=rows.astype("f8"), hparams=np.array({"a": 1}, dtype=object))
    np.savez(FOLDER / "score_sde.npz", pool_3=rows, logits=random.randn(20, 10).astype("f4"))
    np.savez_compressed(FOLDER / "feats.npz", feats=rows, labels=np.arange(20), other=random.randn(20, 3))
    np.savez(FOLDER / "act.npz", act=rows, other=random.randn(20, 3))
    np.savez(FOLDER / "axes.npz", features=rows[:, :, None, None])
    np.savez(FOLDER / "names.npz", features=rows, names=np.array([f"cat/{i}.png" for i in range(20)]))
    np.savez(FOLDER / "class_names.npz", features=rows, names=np.array(["cat", "dog"]))
    np.savez(FOLDER / "asked.npz", first=random.randn(20, 4), second=rows)
    np.save(FOLDER / "half.npy", half)
    np.save(FOLDER / "fortran.npy", np.asfortranarray(rows))
    np.save(FOLDER / "big_endian.npy", rows.astype(">f4"))
    names = ["lone.npz", "dgm_eval.npz", "score_sde.npz", "feats.npz", "act.npz", "axes.npz", "names.npz", "class_names.npz"]
    names += ["asked.npz", "fortran.npy", "big_endian.npy"]
    return {name: rows for name in names} | {"half.npy": half}


def statistics_files(random):
    mu, sigma = statistics(random.randn(50, 4) * [1, 2, 3, 4] + 1)
    half = mu.astype("f2"), sigma.astype("f2")
    single = mu.astype("f4"), sigma.astype("f4")
    # A covariance that is symmetric in f16 and f32, since rounding is.
    for name, arrays in {
        "mu_row.npz": {"mu": mu[None], "sigma": sigma},
        "mean_cov.npz": {"mean": mu, "cov": sigma},
        "m_s.npz": {"m": mu, "s": sigma},
        "half_statistics.npz": {"mu": half[0], "sigma": half[1]},
        "single_statistics.npz": {"mu": single[0], "sigma": single[1]},
        "adm_statistics.npz": {"mu": mu, "sigma": sigma, "mu_s": mu[:3], "sigma_s": sigma[:3, :3]},
    }.items():
        np.savez(FOLDER / name, **arrays)
    np.save(FOLDER / "dictionary.npy", {"mu": mu, "sigma": sigma}, allow_pickle=True)
    with open(FOLDER / "edm2.pkl", "wb") as file:
        pickle.dump({"num_images": 50, "fid": {"mu": mu, "sigma": sigma}}, file, protocol=4)
    exact = ["mu_row.npz", "mean_cov.npz", "m_s.npz", "adm_statistics.npz"]
    widened = {"half_statistics.npz": half, "single_statistics.npz": single}
    widened = {name: tuple(array.astype("f8") for array in pair) for name, pair in widened.items()}
    return {name: (mu, sigma) for name in exact} | widened


class Command:
    """Would run a command if anybody executed the pickle."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def classes():
    """The classes of StyleGAN whose names pickles have: one is a dict, the other is not."""

    class EasyDict(dict):
        pass

    class FeatureStats:
        pass

    for module, found in {"dnnlib.util": EasyDict, "metrics.metric_utils": FeatureStats}.items():
        found.__module__, found.__qualname__ = module, found.__name__
        for name in (module.split(".")[0], module):
            sys.modules.setdefault(name, types.ModuleType(name))
        setattr(sys.modules[module], found.__name__, found)
    return EasyDict, FeatureStats


def sums(rows):
    """FeatureStats of StyleGAN3, by its append."""
    rows = rows.astype("f4").astype("f8")
    found = {"capture_all": False, "capture_mean_cov": True, "max_items": None, "num_items": len(rows), "num_features": 4}
    return found | {"all_features": [], "raw_mean": rows.sum(0), "raw_cov": rows.T @ rows}


def pickles(random):
    """Pickles of statistics, and in `pickles.npz` those that they hold; the distances of those that have one."""
    rows, others = random.randn(50, 4) * [1, 2, 3, 4] + 1, random.randn(50, 3)
    mu, sigma = statistics(rows)
    fid, dino = {"mu": mu, "sigma": sigma}, dict(zip(["mu", "sigma"], statistics(others)))
    single, half = ([array.astype(kind) for array in (mu, sigma)] for kind in ("f4", "f2"))
    held = sums(rows)
    n, mean = held["num_items"], held["raw_mean"] / held["num_items"]
    of_sums = mean, held["raw_cov"] / n - np.outer(mean, mean)
    np.savez(FOLDER / "pickles.npz", mu=mu, sigma=sigma, dino_mu=dino["mu"], dino_sigma=dino["sigma"], sums_mu=of_sums[0], sums_sigma=of_sums[1])
    easy, stats = classes()
    of_class = stats()
    of_class.__dict__.update(held)
    # No covariance, but its order in memory can be told.
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    files = {
        "protocol2.pkl": (2, fid),
        "protocol4.pkl": (4, fid),
        "protocol5.pkl": (5, fid),
        "single_protocol5.pkl": (5, {"mean": single[0], "cov": np.asfortranarray(single[1]), "size": np.int64(256), "path": "x.lmdb"}),
        "half.pkl": (4, dict(zip(["mu", "sigma"], half))),
        "big_endian.pkl": (4, {"mu": mu.astype(">f8"), "sigma": sigma.astype(">f4").astype(">f8")}),
        "edm2_both.pkl": (4, {"num_images": 50, "fid": fid, "fd_dinov2": dino}),
        "edm2_dino.pkl": (5, {"fd_dinov2": dino}),
        "several.pkl": (4, {"first": fid, "second": dino}),
        "sums.pkl": (4, held),
        "easy_dict.pkl": (4, easy(held)),
        "features_alone.pkl": (4, held | {"capture_mean_cov": False, "all_features": [rows]}),
        "class.pkl": (4, of_class),
        "command.pkl": (4, {"mu": Command(), "sigma": sigma}),
        "command_alone.pkl": (2, Command()),
        "other.pkl": (4, {b"data": random.randint(0, 256, (2, 3)).astype("u1"), b"labels": [1, 2]}),
        "columns_protocol4.pkl": (4, {"mu": mu, "sigma": columns}),
        "columns_protocol5.pkl": (5, {"mu": mu, "sigma": columns}),
        "complex.pkl": (4, {"mu": mu, "sigma": sigma.astype("c16")}),
        "list.pkl": (4, {"mu": mu.tolist(), "sigma": sigma}),
    }
    for name, (protocol, value) in files.items():
        (FOLDER / name).write_bytes(pickle.dumps(value, protocol))
    # NumPy 1 had its functions in `numpy.core`.
    old = pickle.dumps({"mu": mu, "sigma": np.asfortranarray(sigma)}, 2).replace(b"numpy._core.", b"numpy.core.")
    (FOLDER / "numpy1.pkl").write_bytes(old)
    double = [array.astype("f8") for array in single], [array.astype("f8") for array in half]
    names = ["protocol2.pkl", "protocol4.pkl", "protocol5.pkl", "edm2_both.pkl", "numpy1.pkl"]
    found = {name: (mu, sigma) for name in names} | {"single_protocol5.pkl": double[0], "half.pkl": double[1]}
    found |= {"big_endian.pkl": (mu, sigma.astype("f4").astype("f8")), "sums.pkl": of_sums, "easy_dict.pkl": of_sums}
    of_files = [np.load(FOLDER / "dictionary.npy", allow_pickle=True).item(), pickle.loads((FOLDER / "edm2.pkl").read_bytes())["fid"]]
    return found | {name: (d["mu"], d["sigma"]) for name, d in zip(["dictionary.npy", "edm2.pkl"], of_files)}


def images(random):
    levels = random.randint(0, 256, (6, 5, 4, 3)).astype("u1")
    np.save(FOLDER / "images.npy", levels)
    np.savez(FOLDER / "unit.npz", (levels / 255).astype("f4"))
    np.save(FOLDER / "signed.npy", (levels / 127.5 - 1).transpose(0, 3, 1, 2).copy())
    np.savez(FOLDER / "channels_first.npz", levels.transpose(0, 3, 1, 2).copy())
    np.savez_compressed(FOLDER / "samples.npz", samples=levels, labels=np.arange(6) % 2, other=levels[::-1])
    np.savez(FOLDER / "labelled.npz", levels, np.arange(6) % 3)
    np.savez(FOLDER / "one_hot.npz", images=levels, labels=np.eye(3)[np.arange(6) % 3])
    mu, sigma = statistics(random.randn(50, 3))
    mu_s, sigma_s = statistics(random.randn(50, 4))
    np.savez(FOLDER / "adm_reference.npz", arr_0=levels, mu=mu, sigma=sigma, mu_s=mu_s, sigma_s=sigma_s)
    np.savez(FOLDER / "adm_samples.npz", random.randint(0, 200, (6, 5, 4, 3)).astype("u1"), np.arange(6))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(20)
    other = random.randn(30, 4) * [2, 1, 4, 3]
    np.save(FOLDER / "other.npy", other.astype("f4"))
    reference = statistics(other.astype("f4"))
    found = {name: distance(*statistics(rows), *reference) for name, rows in features(random).items()}
    found |= {name: distance(*pair, *reference) for name, pair in statistics_files(random).items()}
    images(random)
    found |= {name: distance(*pair, *reference) for name, pair in pickles(np.random.RandomState(21)).items()}
    (FOLDER / "distances.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

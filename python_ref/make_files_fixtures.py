"""Files as other tools write them, and what they hold: tests/fixtures/files.

Features and statistics come with the Fréchet distance to `other.npy` by the formula of pytorch-fid; images are those of `images.npy`.
"""

import json
import pickle
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
    (FOLDER / "distances.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

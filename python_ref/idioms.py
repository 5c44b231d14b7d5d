"""The same lines with torchmetrics, torch-fidelity and clean-fid, and with gan_metrics in their place: numbers and seconds, as a table.

    python python_ref/make_seeded_inception.py seeded.pth
    python python_ref/idioms.py seeded.pth REAL/ FAKE/

Both folders hold images of one size. Each pair runs one after the other in one process, on the CPU, with as many threads each.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

BATCH = 32


def tensors(folder):
    """All images of a folder, N×3×height×width."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    return torch.stack([torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1) for path in files])


def of_torchmetrics(kind, checkpoint, sets):
    metric = kind(feature_extractor_weights_path=checkpoint)
    for images, real in zip(sets, (True, False)):
        for batch in images.split(BATCH):
            metric.update(batch, real=real)
    return {"FID": metric.compute().item()}


def of_torch_fidelity(calculate_metrics, checkpoint, folders):
    size = min(len(list(Path(folder).iterdir())) for folder in folders) // 2
    return calculate_metrics(
        input1=folders[1], input2=folders[0], isc=True, fid=True, kid=True, prc=True, kid_subset_size=min(1000, size), cuda=False,
        feature_extractor="inception-v3-compat", feature_extractor_weights_path=checkpoint, cache=False, verbose=False,
        batch_size=BATCH,
    )  # fmt: skip


def pairs(checkpoint, folders):
    """Name, the peer's run and ours."""
    import cleanfid.fid
    import torch_fidelity
    from torchmetrics.image.fid import FrechetInceptionDistance

    import gan_metrics.cleanfid
    import gan_metrics.fidelity
    import gan_metrics.torch
    from inception_v3 import InceptionV3

    sets = [tensors(folder) for folder in folders]
    network = InceptionV3().eval()
    network.load_state_dict(torch.load(checkpoint))
    options = {"num_workers": 0, "device": torch.device("cpu"), "use_dataparallel": False, "verbose": False}
    yield (
        "torchmetrics",
        lambda: of_torchmetrics(FrechetInceptionDistance, checkpoint, sets),
        lambda: of_torchmetrics(gan_metrics.torch.FrechetInceptionDistance, checkpoint, sets),
    )
    yield (
        "torch-fidelity",
        lambda: of_torch_fidelity(torch_fidelity.calculate_metrics, checkpoint, folders),
        lambda: of_torch_fidelity(gan_metrics.fidelity.calculate_metrics, checkpoint, folders),
    )
    with torch.no_grad():
        yield (
            "clean-fid",
            lambda: {
                "FID": cleanfid.fid.compute_fid(
                    folders[1], folders[0], custom_feat_extractor=lambda batch: network((batch - 128) / 128)["pool3"], **options
                )
            },
            lambda: {
                "FID": gan_metrics.cleanfid.compute_fid(folders[1], folders[0], feature_extractor_weights_path=checkpoint)
            },
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("real")
    parser.add_argument("fake")
    arguments = parser.parse_args()
    print("| instead of | score | the peer | gan_metrics | difference | seconds, the peer | seconds, gan_metrics |\n|---|---|---|---|---|---|---|")
    for name, theirs, ours in pairs(arguments.checkpoint, [arguments.real, arguments.fake]):
        found, seconds = [], []
        for run in (theirs, ours):
            started = time.perf_counter()
            found.append(run())
            seconds.append(time.perf_counter() - started)
        for row, (score, value) in enumerate(found[0].items()):
            times = f"{seconds[0]:.1f} | {seconds[1]:.1f}" if row == 0 else " | "
            print(f"| {name} | {score} | {value:.9f} | {found[1][score]:.9f} | {abs(found[1][score] - value):.1e} | {times} |", flush=True)


if __name__ == "__main__":
    main()

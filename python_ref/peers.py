"""Runs the peers on two folders of images with a given checkpoint: their scores, times and peak memory, as JSON.

    python python_ref/make_seeded_inception.py seeded.pth
    python python_ref/peers.py seeded.pth REAL/ FAKE/ [--tools torch-fidelity pytorch-fid clean-fid] [--device cuda]

* torch-fidelity and pytorch-fid run their own code from decoding to score; only the file of their weights is another.
* clean-fid's network is a program of its own that takes no other weights: it is given the network of inception_v3.py with
  the checkpoint as its `custom_feat_extractor`, and does everything else.

Each tool runs in a process of its own, so that peak memory and import times are its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time


def torch_fidelity(checkpoint, real, fake, device):
    from torch_fidelity import calculate_metrics

    # Of half the smaller set, so that subsets differ; at most what the tool takes by itself.
    kid_subset_size = min(1000, count(real) // 2, count(fake) // 2)
    # Its first input is the generated set: the one that the Inception Score is of, and that KID draws from first. Left
    # to itself, it computes precision and recall on another network, VGG-16.
    scores = calculate_metrics(
        input1=fake, input2=real, isc=True, fid=True, kid=True, prc=True, kid_subset_size=kid_subset_size,
        feature_extractor="inception-v3-compat", feature_extractor_weights_path=checkpoint,
        cuda=device == "cuda", samples_find_deep=True, cache=False, verbose=False, batch_size=32,
    )
    return {name: float(value) for name, value in scores.items()}


def pytorch_fid(checkpoint, real, fake, device):
    import torch
    from pytorch_fid import fid_score, inception

    inception.load_state_dict_from_url = lambda url, progress: torch.load(checkpoint)
    paths = [flat(real), flat(fake)]
    return {"fid": float(fid_score.calculate_fid_given_paths(paths, 50, device, 2048, num_workers=0))}


def clean_fid(checkpoint, real, fake, device):
    import torch
    from cleanfid import fid

    from inception_v3 import InceptionV3

    network = InceptionV3().eval().to(device)
    network.load_state_dict(torch.load(checkpoint))
    return {"fid": float(fid.compute_fid(
        real, fake, mode="clean", num_workers=0, batch_size=32, device=torch.device(device), use_dataparallel=False,
        custom_feat_extractor=lambda batch: network((batch - 128) / 128)["pool3"], verbose=False,
    ))}


TOOLS = {"torch-fidelity": torch_fidelity, "pytorch-fid": pytorch_fid, "clean-fid": clean_fid}


def files(folder):
    found = [os.path.join(root, name) for root, _, names in os.walk(folder) for name in names]
    return sorted(found)


def count(folder):
    return len(files(folder))


def flat(folder):
    """pytorch-fid does not look into sub-folders."""
    link = folder.rstrip("/") + ".flat"
    if not os.path.isdir(link):
        os.mkdir(link)
        for path in files(folder):
            os.symlink(os.path.abspath(path), os.path.join(link, os.path.relpath(path, folder).replace("/", "_")))
    return link


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("real")
    parser.add_argument("fake")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--run", choices=TOOLS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        import torch

        torch.set_num_threads(arguments.threads)
        scores = TOOLS[arguments.run](arguments.checkpoint, arguments.real, arguments.fake, arguments.device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"scores": scores, "peak_mib": round(peak)}))
        return
    images = count(arguments.real) + count(arguments.fake)
    for tool in arguments.tools:
        started = time.time()
        command = [sys.executable, __file__, arguments.checkpoint, arguments.real, arguments.fake]
        command += ["--device", arguments.device, "--threads", str(arguments.threads), "--run", tool]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        seconds = time.time() - started
        result = json.loads(output.splitlines()[-1])
        result |= {"tool": tool, "seconds": round(seconds, 1), "images_per_second": round(images / seconds, 2)}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()

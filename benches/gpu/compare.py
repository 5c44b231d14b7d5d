"""CUDA against the CPU and against PyTorch, on a checkpoint of Inception-v3 and a folder of images.

    pip install onnxruntime-gpu torch numpy
    cargo build --release
    python python_ref/make_seeded_inception.py seeded.pth
    python benches/gpu/compare.py seeded.pth IMAGES/ [--program target/release/gan-metrics] [--batch 64]

Prints one line of JSON for each of three questions, and exits with 1 when an answer is no:

* features: is pool3 of the CUDA provider, TF32 off, within 1e-4 of that of the CPU (the largest relative error of an image)?
* nodes: did every node of the graph run on CUDA, by ONNX Runtime's own profile?
* speed: images/s of the whole program on CUDA, and of the network alone in PyTorch on the same card (TF32 off), at one batch
  size. A figure, not a question.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

TOLERANCE = 1e-4
REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "python_ref"


def library_folder():
    import onnxruntime

    return pathlib.Path(onnxruntime.__file__).parent / "capi"


def gan_metrics(program, *arguments):
    environment = os.environ | {"ORT_DYLIB_PATH": str(library_folder())}
    return subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.PIPE, env=environment).stdout


def features(program, model, images, device, batch, to):
    flags = ["--model", model, "--engine", "onnxruntime", "--device", device, "--batch-size", batch, "-o", to, "--quiet"]
    started = time.perf_counter()
    gan_metrics(program, "features", images, *flags)
    seconds = time.perf_counter() - started
    return np.load(to)["features"], seconds


def relative_error(found, expected):
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    return float((np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)).max())


def nodes_by_provider(model, folder, batch):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    providers = [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(str(model), options, providers=providers)
    session.run(["pool3"], {session.get_inputs()[0].name: np.zeros((batch, 3, 299, 299), np.float32)})
    events = json.loads(pathlib.Path(session.end_profiling()).read_text())
    ran = {}
    for event in events:
        provider = event.get("args", {}).get("provider")
        if event.get("cat") == "Node" and provider:
            ran.setdefault(provider, set()).add(event["name"])
    return {provider: len(names) for provider, names in ran.items()}


def pytorch_images_per_second(checkpoint, batch, repeat=20):
    import torch

    sys.path.insert(0, str(REFERENCE))
    from inception_v3 import InceptionV3

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    network = InceptionV3().eval().cuda()
    network.load_state_dict(torch.load(checkpoint))
    images = torch.rand(batch, 3, 299, 299, device="cuda") * 2 - 1
    with torch.no_grad():
        for _ in range(3):
            network(images)
        torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(repeat):
            network(images)
        torch.cuda.synchronize()
    return repeat * batch / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("images")
    parser.add_argument("--program", default="target/release/gan-metrics")
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "inception.onnx"
        gan_metrics(arguments.program, "model", "convert", arguments.checkpoint, "-o", model)
        run = lambda device: features(  # noqa: E731
            arguments.program, model, arguments.images, device, arguments.batch, folder / f"{device}.npz")
        (on_cpu, _), (on_cuda, seconds) = run("cpu"), run("cuda")
        error = relative_error(on_cuda, on_cpu)
        print(json.dumps({"features": error, "tolerance": TOLERANCE, "ok": error <= TOLERANCE}), flush=True)
        nodes = nodes_by_provider(model, folder, arguments.batch)
        only_cuda = list(nodes) == ["CUDAExecutionProvider"]
        print(json.dumps({"nodes": nodes, "ok": only_cuda}), flush=True)
        ours, theirs = len(on_cuda) / seconds, pytorch_images_per_second(arguments.checkpoint, arguments.batch)
        print(json.dumps({"images_per_second": {"gan-metrics, whole program": ours, "PyTorch, network alone": theirs}}))
    sys.exit(0 if error <= TOLERANCE and only_cuda else 1)


if __name__ == "__main__":
    main()

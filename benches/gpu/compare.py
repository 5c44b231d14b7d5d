"""CUDA against the CPU and against PyTorch, on a checkpoint of Inception-v3 and a folder of images.

    pip install onnxruntime-gpu torch numpy
    cargo build --release
    python python_ref/make_seeded_inception.py seeded.pth
    python benches/gpu/compare.py seeded.pth IMAGES/ [--program target/release/gan-metrics] [--batch 64]

Prints one line of JSON for each of three questions, and exits with 1 when an answer is no:

* features: is pool3 of the CUDA provider, TF32 off, within 1e-4 of that of the CPU (the largest relative error of an image)?
* nodes: did every node of the graph run on CUDA, by ONNX Runtime's own profile?
* speed: images/s of the whole program on CUDA (`is`, from its start to its report), of its passes through the network alone,
  and of the network alone in PyTorch on the same card, at one batch size, with TF32 off and as PyTorch has it by default
  (on, for convolutions). A figure, not a question.

The peers on the same card: python_ref/peers.py --device cuda.
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


def flags(model, device, batch):
    return ["--model", model, "--engine", "onnxruntime", "--device", device, "--batch-size", batch, "--quiet"]


def features(program, model, images, device, batch, to):
    gan_metrics(program, "features", images, *flags(model, device, batch), "-o", to)
    return np.load(to)["features"]


def images_per_second(program, model, images, batch):
    started = time.perf_counter()
    report = json.loads(gan_metrics(program, "is", images, *flags(model, "cuda", batch), "--json"))
    seconds = time.perf_counter() - started
    assert report["extractor"]["engine"]["provider"] == "cuda:0", report["extractor"]
    measured = report["sets"][0]
    return measured["images"] / seconds, measured["images"] / measured["seconds"]["network"]


def relative_error(found, expected):
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    return float((np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)).max())


def nodes_by_provider(model, folder, batch):
    import onnxruntime

    onnxruntime.preload_dlls()
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


def pytorch_images_per_second(checkpoint, batch, tf32, repeat=20):
    import torch

    sys.path.insert(0, str(REFERENCE))
    from inception_v3 import InceptionV3

    torch.backends.cudnn.allow_tf32 = tf32
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
        on_cpu, on_cuda = run("cpu"), run("cuda")
        error = relative_error(on_cuda, on_cpu)
        print(json.dumps({"features": error, "tolerance": TOLERANCE, "ok": error <= TOLERANCE}), flush=True)
        nodes = nodes_by_provider(model, folder, arguments.batch)
        only_cuda = list(nodes) == ["CUDAExecutionProvider"]
        print(json.dumps({"nodes": nodes, "ok": only_cuda}), flush=True)
        whole, network = images_per_second(arguments.program, model, arguments.images, arguments.batch)
        print(json.dumps({"images_per_second": {
            "gan-metrics, whole program": whole,
            "gan-metrics, network": network,
            "PyTorch, network": pytorch_images_per_second(arguments.checkpoint, arguments.batch, tf32=False),
            "PyTorch, network, TF32": pytorch_images_per_second(arguments.checkpoint, arguments.batch, tf32=True),
        }}))
    sys.exit(0 if error <= TOLERANCE and only_cuda else 1)


if __name__ == "__main__":
    main()

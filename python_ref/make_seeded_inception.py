"""Writes a generated checkpoint of the FID Inception-v3: not trained, for tests and benchmarks.

    python python_ref/make_seeded_inception.py OUTPUT.pth [--seed 0] [--format zip|legacy]

The peers load it like the published one. `seeded_state_dict` in Rust gives the same tensors bit by bit; how a value is
made is said there (src/extractor/weights/inception_v3/seeded.rs).
"""

import argparse
import collections
import hashlib

import numpy as np
import torch

import inception_v3
from weights_images import GAMMA, MASK, splitmix64

CONVOLUTION_GAIN = 2.0
CLASSIFIER_GAIN = 36.0


def odd_integers(seed, tensor, count):
    """`count` odd integers in (−2²⁴, 2²⁴) of the stream of a tensor."""
    start = splitmix64(np.uint64((seed + (tensor + 1) * GAMMA) & MASK))
    with np.errstate(over="ignore"):
        states = start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA)
    return 2 * (splitmix64(states) >> np.uint64(40)).astype(np.int64) + 1 - 2**24


def weights(integers, shape, gain):
    """Uniform of variance gain/fan-in, row sums zero except where the inputs are the images' channels."""
    rows = integers.reshape(shape[0], -1)
    fan_in = rows.shape[1]
    sums = rows.sum(1, keepdims=True) if shape[1] != 3 else 0
    return (rows * fan_in - sums) * (np.sqrt(3 * gain / fan_in) / (fan_in * 2.0**24))


def values(name, integers, shape):
    uniform = integers / 2.0**24
    if name == "fc.weight":
        return weights(integers, shape, CLASSIFIER_GAIN)
    if name == "fc.bias":
        return uniform / 2
    if name.endswith("conv.weight"):
        return weights(integers, shape, CONVOLUTION_GAIN)
    if name.endswith("bn.bias"):
        return 0.5 + uniform / 4
    if name.endswith("running_mean"):
        return uniform / 8
    return 1 + uniform / 4


def state_dict(seed):
    """Name to float32 tensor, in the order of the network."""
    tensors = collections.OrderedDict()
    for name, like in inception_v3.InceptionV3().state_dict().items():
        if not name.endswith("num_batches_tracked"):
            shape = tuple(like.shape)
            integers = odd_integers(seed, len(tensors), like.numel())
            array = values(name, integers, shape).reshape(shape).astype(np.float32)
            tensors[name] = torch.from_numpy(np.ascontiguousarray(array))
    return tensors


def digest(tensors):
    """sha256 over the names and the little-endian values, ordered by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def network(seed):
    """The network with the generated weights, for inference."""
    model = inception_v3.InceptionV3().eval()
    model.load_state_dict(state_dict(seed))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=("zip", "legacy"), default="zip")
    arguments = parser.parse_args()
    tensors = state_dict(arguments.seed)
    torch.save(tensors, arguments.output, _use_new_zipfile_serialization=arguments.format == "zip")
    print(f"{arguments.output}: {len(tensors)} tensors, sha256 of the values {digest(tensors)}")


if __name__ == "__main__":
    main()

"""Writes tests/fixtures/weights: checkpoints for the reader of PyTorch files, and the outputs of both networks.

    python python_ref/make_weights_fixtures.py

The legacy files name their storages after memory addresses, so two runs differ in those names and in nothing else.
"""

import collections
import os
import pathlib

import numpy as np
import torch

import make_efficientnet_lite0
import make_seeded_inception
import weights_images

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "weights"


def state_dict():
    """Every layout and type that the reader handles; the values are written out again in the Rust test."""
    ramp = torch.arange(24, dtype=torch.float32)
    tensors = collections.OrderedDict(
        [
            ("contiguous", ramp.reshape(2, 3, 4) - 0.5),
            ("transposed", ramp.reshape(4, 6).t()),
            ("permuted", ramp.reshape(2, 3, 4).permute(2, 0, 1)),
            ("offset", ramp[7:19].reshape(3, 4)[:, 1:3]),
            ("step", ramp[1::5]),
            ("expanded", torch.tensor([3.5, -2.0]).reshape(2, 1).expand(2, 3)),
            ("half", torch.tensor([0.1, -65504.0, 6e-8], dtype=torch.float16)),
            ("bfloat", torch.tensor([0.1, 3e38], dtype=torch.bfloat16)),
            ("double", torch.tensor([0.1, 1e-3], dtype=torch.float64)),
            ("scalar", torch.tensor(2.25)),
            ("empty", torch.zeros(0, 3)),
            ("parameter", torch.nn.Parameter(torch.tensor([1.0, 2.0]))),
            ("short", torch.tensor([-32768, 12], dtype=torch.int16)),
            ("bn.num_batches_tracked", torch.tensor(1234)),
        ]
    )
    tensors["tied"] = tensors["contiguous"]
    # What `Module.state_dict()` attaches.
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    return tensors


class Forbidden:
    """Would run a command if anybody executed the pickle."""

    def __reduce__(self):
        return os.system, ("exit 1",)


def write_checkpoints():
    tensors = state_dict()
    torch.save(tensors, FIXTURES / "state_dict_zip.pth")
    torch.save(tensors, FIXTURES / "state_dict_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(tensors, FIXTURES / "state_dict_zip_protocol4.pth", pickle_protocol=4)
    torch.save(
        tensors, FIXTURES / "state_dict_legacy_protocol5.pth", pickle_protocol=5, _use_new_zipfile_serialization=False
    )
    one = torch.tensor([1.0])
    torch.save({"epoch": 3, "state_dict": {"weight": one}, "lr": 0.1}, FIXTURES / "nested.pth")
    torch.save({"weight": one, "hook": Forbidden()}, FIXTURES / "forbidden.pth")
    torch.save([one], FIXTURES / "list.pth")
    torch.save({"weight": torch.tensor([1, 2])}, FIXTURES / "integers.pth")
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(FIXTURES / "torchscript.pt"))


def images(seeds, size):
    return torch.from_numpy(np.stack([weights_images.image(seed, size) for seed in seeds]))


def write_efficientnet_lite0():
    """Features and logits of the original, in single precision."""
    network = make_efficientnet_lite0.original()
    features, logits = make_efficientnet_lite0.outputs(network, images(range(3), 224))
    np.savez(FIXTURES / "efficientnet_lite0.npz", features=features.numpy(), logits=logits.numpy())


def write_seeded_inception():
    """Digest of the generated checkpoint of seed 0, and every output of the network that has it."""
    digest = make_seeded_inception.digest(make_seeded_inception.state_dict(0))
    (FIXTURES / "seeded_inception.sha256").write_text(digest + "\n")
    outputs = make_seeded_inception.network(0)((images(range(2), 299).float() - 128) / 128)
    np.savez(FIXTURES / "seeded_inception.npz", **{name: output.numpy() for name, output in outputs.items()})


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    write_checkpoints()
    write_efficientnet_lite0()
    write_seeded_inception()

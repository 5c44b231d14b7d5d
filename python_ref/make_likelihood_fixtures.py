"""Writes tests/fixtures/gan/likelihood.json with PyTorch: one step of gradient descent of every model that learns by itself
(variational autoencoders, MADE, PixelCNN, RealNVP, DDPM, GSN), in float64, from given images, noise and weights.

Run from the repository root: python python_ref/make_likelihood_fixtures.py
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from metrics_reference import made_features

PATH = Path("tests/fixtures/gan/likelihood.json")
BATCH = 3

#: So many values of a tensor are written, and of all of them how far they moved.
SHOWN = 64


def short(values):
    """Nine digits tell any two numbers of f32 apart."""
    return [float(f"{float(value):.9g}") for value in values]


def dump(tensor):
    return {"shape": list(tensor.shape), "values": short(tensor.flatten())}


class Weights:
    """Weights in the order in which networks take them, made by the formula that the tests share (metrics_reference.py):
    a seed, a scale and an offset say all of a tensor."""

    def __init__(self, seed):
        self.seed, self.made, self.at = seed, [], 0

    def take(self, shape, scale, offset=0.0):
        if self.at == len(self.made):
            count, seed = math.prod(shape), self.seed + self.at
            values = made_features(seed, 1, count, offset=offset, scale=scale).reshape(shape)
            tensor = torch.from_numpy(values).double().requires_grad_()
            self.made.append((tensor, {"shape": list(shape), "seed": seed, "scale": scale, "offset": offset}))
        self.at += 1
        return self.made[self.at - 1][0]

    def weight(self, shape, fan_in):
        # The formula's numbers have a deviation of about 0.5.
        return self.take(shape, round(2.0 / math.sqrt(fan_in), 3))

    def bias(self, count):
        return self.take((count,), 0.3)

    def linear(self, x, outputs, mask=1.0):
        weight = self.weight((outputs, x.shape[1]), x.shape[1])
        return F.linear(x, weight * mask, self.bias(outputs))

    def conv(self, x, outputs, kernel, stride=1, padding=None, mask=1.0):
        weight = self.weight((outputs, x.shape[1], kernel, kernel), x.shape[1] * kernel**2)
        padding = kernel // 2 if padding is None else padding
        return F.conv2d(x, weight * mask, self.bias(outputs), stride, padding)

    def conv_transpose(self, x, outputs):
        weight = self.weight((x.shape[1], outputs, 4, 4), 4 * x.shape[1])
        return F.conv_transpose2d(x, weight, self.bias(outputs), 2, 1)

    def group_norm(self, x):
        channels = x.shape[1]
        return F.group_norm(x, 8, self.take((channels,), 0.3, 1.0), self.bias(channels))


def nats(logits, x):
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def bits(images):
    return (images >= 0.5).double()


# --- variational autoencoders -----------------------------------------------------------------------------------------


def elbo(encode, decode):
    def loss(w, spec, images, draw):
        noise = draw.normal((BATCH, spec["latent"]))
        hidden = encode(w, spec, images)
        mean, log_variance = w.linear(hidden, spec["latent"]), w.linear(hidden, spec["latent"])
        logits = decode(w, spec, mean + (log_variance / 2).exp() * noise)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)
        return (nats(logits, images) + divergence).mean()
    return loss


def encode_mlp(w, spec, images):
    return F.relu(w.linear(images.flatten(1), spec["width"]))


def decode_mlp(w, spec, z):
    image = (spec["channels"], spec["size"], spec["size"])
    return w.linear(F.relu(w.linear(z, spec["width"])), math.prod(image)).reshape(-1, *image)


def channels_of(spec):
    halvings = {16: 2, 32: 3}[spec["size"]]
    return [spec["width"] * 2**i for i in range(halvings)]


def encode_conv(w, spec, images):
    x = images
    for channels in channels_of(spec):
        x = F.relu(w.conv(x, channels, 4, 2, 1))
    x = x.flatten(1)
    return F.relu(w.linear(x, 4 * spec["width"])) if spec["size"] == 16 else x


def decode_conv(w, spec, z):
    channels = channels_of(spec)
    x = F.relu(w.linear(z, 4 * spec["width"])) if spec["size"] == 16 else z
    x = w.linear(x, channels[-1] * 16).reshape(-1, channels[-1], 4, 4)
    for outputs in [*channels[-2::-1], spec["channels"]]:
        x = w.conv_transpose(F.relu(x), outputs)
    return x


# --- pixels given those before them ------------------------------------------------------------------------------------


def made(w, spec, images, draw):
    x = bits(images)
    pixels, width = spec["size"] ** 2, spec["width"]
    degrees, hidden = np.arange(pixels), np.arange(width) * (pixels - 1) // width
    into = torch.from_numpy(degrees[None, :] <= hidden[:, None]).double()
    out = torch.from_numpy(hidden[None, :] < degrees[:, None]).double()
    logits = w.linear(F.relu(w.linear(x.flatten(1), width, into)), pixels, out)
    return nats(logits.reshape(x.shape), x).mean()


def mask(kernel, sees_itself):
    m = torch.zeros(kernel, kernel).double()
    m[: kernel // 2] = 1
    m[kernel // 2, : kernel // 2 + sees_itself] = 1
    return m


def pixelcnn(w, spec, images, draw):
    x, h = bits(images), spec["width"]
    y = w.conv(x, 2 * h, 7, mask=mask(7, False))
    for _ in range(5):
        z = w.conv(F.relu(y), h, 1)
        z = w.conv(F.relu(z), h, 3, mask=mask(3, True))
        y = y + w.conv(F.relu(z), 2 * h, 1)
    y = w.conv(F.relu(w.conv(F.relu(y), 2 * h, 1)), 1, 1)
    return nats(y, x).mean()


# --- RealNVP ------------------------------------------------------------------------------------------------------------


def coupling(w, x, kept, width):
    y = w.conv(x * kept, width, 3)
    for _ in range(2):
        y = y + w.conv(F.relu(w.conv(F.relu(y), width, 3)), width, 3)
    y = F.relu(y)
    channels = x.shape[1]
    s = torch.tanh(w.conv(y, channels, 1))
    s = s * w.take((channels,), 0.3, 1.0).reshape(-1, 1, 1) * (1 - kept)
    t = w.conv(y, channels, 1) * (1 - kept)
    return kept * x + (1 - kept) * (x * s.exp() + t), s.flatten(1).sum(1)


def checkerboard(x, odd):
    rows, columns = np.indices(x.shape[2:])
    return torch.from_numpy((rows + columns) % 2 == odd).double().expand(x.shape[1:])


def half_of_channels(x, second):
    kept = torch.zeros(x.shape[1:]).double()
    half = x.shape[1] // 2
    kept[half:] = second
    kept[:half] = 1 - second
    return kept


def realnvp(w, spec, images, draw):
    u = (torch.round(images * 255) + draw.uniform(images.shape)) / 256
    p = 0.05 + 0.9 * u
    x = y = torch.log(p) - torch.log1p(-p)
    log_det = (0.9 / (p * (1 - p))).log().flatten(1).sum(1)
    width = spec["width"]

    def through(x, kept_of, count, width):
        nonlocal log_det
        for i in range(count):
            x, change = coupling(w, x, kept_of(x, i % 2), width)
            log_det = log_det + change
        return x

    x = through(x, checkerboard, 3, width)
    x = through(F.pixel_unshuffle(x, 2), half_of_channels, 3, 2 * width)
    x, done = x.chunk(2, 1)
    x = through(x, checkerboard, 4, 2 * width)
    z = torch.cat([x, done], 1).flatten(1)
    log_p = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1) + log_det - z.shape[1] * math.log(256)
    return -log_p.mean()


# --- DDPM ---------------------------------------------------------------------------------------------------------------


def residual(w, x, time, outputs):
    y = w.conv(F.silu(w.group_norm(x)), outputs, 3)
    y = y + w.linear(F.silu(time), outputs)[:, :, None, None]
    y = w.conv(F.silu(w.group_norm(y)), outputs, 3)
    return (x if x.shape[1] == outputs else w.conv(x, outputs, 1)) + y


def attention(w, x):
    n, c, height, width = x.shape
    h = w.group_norm(x)
    q, k, v = (w.conv(h, c, 1).reshape(n, 1, c, height * width).transpose(2, 3) for _ in range(3))
    h = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(x.shape)
    return x + w.conv(h, c, 1)


def ddpm(w, spec, images, draw):
    steps, width = 200, spec["width"]
    times = draw.below(steps, BATCH)
    noise = draw.normal(images.shape)
    beta = np.linspace(1e-4 * 5, 0.02 * 5, steps)
    left = torch.from_numpy(np.cumprod(1 - beta))[times.long()].reshape(-1, 1, 1, 1)
    x = left.sqrt() * images + (1 - left).sqrt() * noise
    half = width // 2
    angles = times[:, None] * 5 * 10000.0 ** (-torch.arange(half).double() / (half - 1))
    time = torch.cat([angles.sin(), angles.cos()], 1)
    time = w.linear(F.silu(w.linear(time, 4 * width)), 4 * width)

    channels = [width, 2 * width, 2 * width]
    x = w.conv(x, width, 3)
    skips = [x]
    for level, outputs in enumerate(channels):
        x = residual(w, x, time, outputs)
        if level == 2:
            x = attention(w, x)
        skips.append(x)
        if level < 2:
            x = w.conv(x, outputs, 3, 2)
            skips.append(x)
    x = residual(w, attention(w, residual(w, x, time, channels[2])), time, channels[2])
    for level in (2, 1, 0):
        for _ in range(2):
            x = residual(w, torch.cat([x, skips.pop()], 1), time, channels[level])
            if level == 2:
                x = attention(w, x)
        if level > 0:
            x = w.conv(F.interpolate(x, scale_factor=2, mode="nearest"), channels[level], 3)
    assert not skips
    seen = w.conv(F.silu(w.group_norm(x)), spec["channels"], 3)
    return F.mse_loss(seen, noise)


# --- GSN ----------------------------------------------------------------------------------------------------------------


def gsn(w, spec, images, draw):
    x = bits(images).flatten(1)
    pixels = x.shape[1]
    weight, bias = w.weight((spec["width"], pixels), pixels), w.bias(spec["width"])
    output_bias = w.bias(pixels)

    def corrupted(x):
        u = draw.uniform(images.shape).flatten(1)
        return torch.where(u < 0.2, 0.0, torch.where(u < 0.4, 1.0, x))

    loss, clean = 0.0, x
    for step in range(5):
        if step > 0:
            r = torch.sigmoid(logits.detach())
            u = draw.uniform(images.shape).flatten(1)
            assert (u - r).abs().min() > 1e-5, "a draw that rounding may decide: take another seed"
            clean = (u < r).double()
        logits = torch.sigmoid(corrupted(clean) @ weight.T + bias) @ weight + output_bias
        loss = loss + F.binary_cross_entropy_with_logits(logits, x)
    return loss


# --- steps --------------------------------------------------------------------------------------------------------------


class Draw:
    """Noise in the order in which it is asked for."""

    def __init__(self, seed):
        self.random, self.drawn = np.random.RandomState(seed), []

    def note(self, values):
        self.drawn.append(torch.from_numpy(np.asarray(values).astype(np.float32)).double())
        return self.drawn[-1]

    def normal(self, shape):
        return self.note(self.random.standard_normal(tuple(shape)))

    def uniform(self, shape):
        return self.note(self.random.random_sample(tuple(shape)))

    def below(self, n, count):
        return self.note(self.random.randint(0, n, count))


def one_step(loss_of, learning_rate, symmetric=False, **spec):
    spec = {"size": 4, "channels": 1, "latent": 1, **spec}
    index = len(CASES)
    shape = (BATCH, spec["channels"], spec["size"], spec["size"])
    levels = np.random.RandomState(index).randint(0, 256, shape).astype(np.float32)
    images = torch.from_numpy(levels / np.float32(127.5) - np.float32(1) if symmetric else levels / np.float32(255)).double()
    weights, draw = Weights(1000 * (index + 1)), Draw(100 + index)
    loss = loss_of(weights, spec, images, draw)
    tensors = [tensor for tensor, _ in weights.made]
    gradients = torch.autograd.grad(loss, tensors)
    after = []
    for (tensor, how), gradient in zip(weights.made, gradients):
        moved = learning_rate * gradient
        values = (tensor - moved).detach().flatten()
        if moved.abs().max() < 1e-4:
            # Softmax does not see the biases of keys.
            print(spec["model"], how["shape"], "hardly moves:", float(moved.abs().max()))
        after.append({**how, "moved": float(moved.norm()), "values": short(values[:: -(-len(values) // SHOWN)])})
    norm = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    CASES.append({"networks": spec, "learning_rate": learning_rate, "images": dump(images),
                  "noise": [dump(noise) for noise in draw.drawn], "loss": loss.item(), "gradient": norm, "after": after})
    print(spec["model"], f"loss {loss.item():.4f}, gradient {norm:.4f}")


CASES = []


def main():
    torch.set_num_threads(1)
    one_step(elbo(encode_mlp, decode_mlp), 0.05, model="vae", latent=3, width=6)
    one_step(elbo(encode_conv, decode_conv), 0.01, model="vae-conv", size=16, latent=3, width=2)
    one_step(elbo(encode_conv, decode_conv), 0.002, model="vae-conv", size=32, channels=3, latent=3, width=2)
    one_step(made, 0.05, model="made", width=12)
    one_step(pixelcnn, 0.02, model="pixelcnn", width=3)
    one_step(realnvp, 0.002, model="realnvp", channels=3, width=3)
    one_step(ddpm, 0.5, symmetric=True, model="ddpm", size=8, channels=3, width=16)
    one_step(gsn, 0.5, model="gsn", width=7)
    PATH.write_text(json.dumps(CASES, separators=(",", ":")) + "\n")


main()

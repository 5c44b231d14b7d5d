"""Writes tests/fixtures/gan/family.json with PyTorch in float64: steps of the GANs that are more than a generator and a critic with a
loss. Weights, images and noise are made by the formula that the tests share (metrics_reference.py) from seeds in the file; of what
comes out, large tensors are kept in part.

Run from the repository root: python python_ref/make_family_fixtures.py
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

from make_gan_fixtures import xoshiro
from metrics_reference import made_features

PATH = Path("tests/fixtures/gan/family.json")
BATCH = 4
#: Tensors of more values than this are kept in part.
WHOLE, EVERY = 256, 37


def short(values):
    """Nine digits tell any two numbers of f32 apart."""
    return [float(f"{float(value):.9g}") for value in values]


def whole(tensor):
    return {"shape": list(tensor.shape), "values": short(tensor.detach().flatten())}


def thinned(tensor):
    every = EVERY if tensor.numel() > WHOLE else 1
    return {"shape": list(tensor.shape), "every": every, "values": short(tensor.detach().flatten()[::every])}


class Recipes:
    """Tensors made from seeds that are used once."""

    def __init__(self):
        self.seed = 1000

    def made(self, shape, scale=1.0, offset=0.0):
        self.seed += 1
        recipe = {"seed": self.seed, "shape": list(shape), "scale": scale, "offset": offset}
        values = made_features(self.seed, 1, math.prod(shape), offset=offset, scale=scale)
        return recipe, torch.from_numpy(values).double().reshape(*shape)


RECIPES = Recipes()

# --- layers, registered in the order of the nodes of src/gan ---------------------------------------------------------------


class Scaled(nn.Module):
    """γ·x."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.gain * x


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)

    def forward(self, x, labels):
        row = lambda table: table(labels)[:, :, None, None]
        return self.norm(x) * row(self.scale) + row(self.shift)


class MinibatchDiscrimination(nn.Module):
    def __init__(self, inputs, kernels=32, dimensions=5):
        super().__init__()
        self.kernels = kernels
        self.tensor = nn.Parameter(torch.zeros(kernels * dimensions, inputs))
        self.bias = nn.Parameter(torch.zeros(kernels))

    def forward(self, x):
        m = (x @ self.tensor.T).reshape(len(x), self.kernels, -1)
        distances = (m[:, None] - m[None, :]).abs().sum(3)
        others = 1 - torch.eye(len(x), dtype=x.dtype)
        return torch.cat([x, (torch.exp(-distances) * others[:, :, None]).sum(1) + self.bias], 1)


class MinibatchDeviation(nn.Module):
    def forward(self, x):
        deviation = (x.var(0, correction=0) + 1e-8).sqrt().mean()
        return torch.cat([x, deviation.expand(len(x), 1)], 1)


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        depth, values = max(channels // 8, 1), max(channels // 2, 1)
        conv = lambda inputs, outputs: spectral_norm(nn.Conv2d(inputs, outputs, 1, bias=False))
        self.theta, self.phi, self.g = conv(channels, depth), conv(channels, depth), conv(channels, values)
        self.o, self.gain = conv(values, channels), Scaled()

    def forward(self, x):
        n, _, h, w = x.shape
        queries = self.theta(x).flatten(2)
        keys = F.max_pool2d(self.phi(x), 2).flatten(2)
        values = F.max_pool2d(self.g(x), 2).flatten(2)
        shares = F.softmax(queries.transpose(1, 2) @ keys, dim=-1)
        seen = (values @ shares.transpose(1, 2)).reshape(n, -1, h, w)
        return x + self.gain(self.o(seen))


# --- networks --------------------------------------------------------------------------------------------------------------


def one_hot(labels, classes):
    return F.one_hot(labels, classes).double()


class DcganGenerator(nn.Module):
    """Of 16×16."""

    def __init__(self, inputs, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(inputs, 2 * width, 4, 1, 0, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, 2, 1, bias=False), nn.Tanh())

    def forward(self, z, condition=None):
        row = z.flatten(1) if condition is None else torch.cat([z.flatten(1), condition], 1)
        return self.layers(row[:, :, None, None])


class DcganDiscriminator(nn.Module):
    """Of 16×16, with the heads that are asked for."""

    def __init__(self, width, classes=0, judges=False, tells="", normal="batch", minibatch=None):
        super().__init__()
        sn = spectral_norm if normal == "spectral" else lambda layer: layer
        channels = 1 + (classes if judges else 0)
        norm = [nn.BatchNorm2d(2 * width)] if normal == "batch" else []
        self.trunk = nn.Sequential(
            sn(nn.Conv2d(channels, width, 4, 2, 1, bias=False)), nn.LeakyReLU(0.2),
            sn(nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False)), *norm, nn.LeakyReLU(0.2))
        self.tells, self.length, self.judges, self.minibatch = tells, 32 * width, judges, minibatch
        if minibatch == "discrimination":
            self.statistic = MinibatchDiscrimination(self.length)
            self.verdict = nn.Linear(self.length + 32, 1)
        elif minibatch == "deviation":
            self.statistic = MinibatchDeviation()
            self.verdict = nn.Linear(self.length + 1, 1)
        elif tells != "sorts":
            self.verdict = sn(nn.Conv2d(2 * width, 1, 4, bias=False))
        if tells in ("class", "sorts"):
            self.classes = nn.Linear(self.length, classes)
        if tells == "code":
            self.hidden = nn.Linear(self.length, 128)
            self.classes, self.mean, self.variance = nn.Linear(128, classes), nn.Linear(128, 2), nn.Linear(128, 2)

    def forward(self, x, condition=None):
        if self.judges:
            x = torch.cat([x, condition[:, :, None, None].expand(-1, -1, 16, 16)], 1)
        map = self.trunk(x)
        out = {"features": map.flatten(1)}
        if self.minibatch:
            out["logit"] = self.verdict(self.statistic(map.flatten(1))).flatten()
        elif self.tells != "sorts":
            out["logit"] = self.verdict(map).flatten()
        if self.tells in ("class", "sorts"):
            out["classes"] = self.classes(map.flatten(1))
        if self.tells == "code":
            hidden = F.leaky_relu(self.hidden(map.flatten(1)), 0.1)
            out.update(classes=self.classes(hidden), mean=self.mean(hidden),
                       log_variance=self.variance(hidden).clamp(-5, 5))
        return out


class Dropped(nn.Module):
    """Dropout by the numbers of a stream."""

    def __init__(self, share, numbers):
        super().__init__()
        self.share, self.numbers = share, numbers

    def forward(self, x):
        if not self.training:
            return x
        drawn = torch.tensor([next(self.numbers) for _ in range(x.numel())]).double().reshape(x.shape)
        return x * (drawn >= self.share) / (1 - self.share)


class SsganDiscriminator(nn.Module):
    """Of 16×16; the numbers are those of the step."""

    def __init__(self, width, classes):
        super().__init__()
        numbers = xoshiro(0, 2)
        halving = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
                                           Dropped(0.5, numbers)]
        self.features = nn.Sequential(Dropped(0.2, numbers), *halving(1, width), *halving(width, 2 * width), nn.Flatten(),
                                      nn.Linear(32 * width, 128), nn.LeakyReLU(0.2))
        self.classes = nn.Linear(128, classes)

    def forward(self, x):
        features = self.features(x)
        return {"features": features, "classes": self.classes(features)}


class MlpGenerator(nn.Module):
    def __init__(self, latent, width, side):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, side * side), nn.Sigmoid(),
                                    nn.Unflatten(1, (1, side, side)))

    def forward(self, z, condition=None):
        return self.layers(z)


class MlpDiscriminator(nn.Module):
    def __init__(self, width, side):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(side * side, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, x, condition=None):
        return {"logit": self.layers(x).flatten()}


class SnCnn(nn.Module):
    """Table 3 of Miyato et al. 2018 for 16×16."""

    def __init__(self, width):
        super().__init__()
        sn, slope = spectral_norm, nn.LeakyReLU(0.1)
        layers = []
        channels = 1
        for w in (width, 2 * width):
            layers += [sn(nn.Conv2d(channels, w, 3, 1, 1)), slope, sn(nn.Conv2d(w, w, 4, 2, 1)), slope]
            channels = w
        self.layers = nn.Sequential(*layers, sn(nn.Conv2d(channels, 4 * width, 3, 1, 1)), slope, nn.Flatten(),
                                    sn(nn.Linear(4 * width * 16, 1)))

    def forward(self, x, condition=None):
        return {"logit": self.layers(x).flatten()}


def conv3(inputs, outputs):
    return spectral_norm(nn.Conv2d(inputs, outputs, 3, 1, 1))


class Up(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        norm = (lambda: ConditionalBatchNorm(channels, classes)) if classes else (lambda: nn.BatchNorm2d(channels))
        self.norm1, self.conv1 = norm(), conv3(channels, channels)
        self.norm2, self.conv2 = norm(), conv3(channels, channels)
        self.shortcut = spectral_norm(nn.Conv2d(channels, channels, 1))

    def forward(self, x, *labels):
        y = self.conv1(F.interpolate(F.relu(self.norm1(x, *labels)), scale_factor=2))
        y = self.conv2(F.relu(self.norm2(y, *labels)))
        return y + self.shortcut(F.interpolate(x, scale_factor=2))


class SaganGenerator(nn.Module):
    """Of 16×16: attention at 8×8."""

    def __init__(self, latent, width, classes=0):
        super().__init__()
        self.width, self.conditional = width, classes > 0
        self.start = spectral_norm(nn.Linear(latent, 16 * width))
        self.up1, self.attention, self.up2 = Up(width, classes), Attention(width), Up(width, classes)
        self.norm, self.end = nn.BatchNorm2d(width), conv3(width, 1)

    def forward(self, z, condition=None):
        labels = [condition.argmax(1)] if self.conditional else []
        x = self.start(z).reshape(-1, self.width, 4, 4)
        x = self.up2(self.attention(self.up1(x, *labels)), *labels)
        return torch.tanh(self.end(F.relu(self.norm(x))))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = conv3(channels, channels), conv3(channels, channels)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class First(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.conv2 = conv3(1, channels), conv3(channels, channels)
        self.shortcut = spectral_norm(nn.Conv2d(1, channels, 1))

    def forward(self, x):
        y = F.avg_pool2d(self.conv2(F.relu(self.conv1(x))), 2)
        return y + self.shortcut(F.avg_pool2d(x, 2))


class SaganDiscriminator(nn.Module):
    """Of 16×16: one pool, attention at 8×8, two blocks."""

    def __init__(self, width, classes=0):
        super().__init__()
        self.layers = nn.Sequential(First(width), Attention(width), Block(width), Block(width), nn.ReLU())
        self.verdict = spectral_norm(nn.Linear(width, 1))
        if classes:
            self.rows = spectral_norm(nn.Embedding(classes, width))

    def forward(self, x, condition=None):
        h = self.layers(x).sum((2, 3))
        v = self.verdict(h).flatten()
        if hasattr(self, "rows"):
            v = v + (self.rows(condition.argmax(1)) * h).sum(1)
        return {"logit": v}


class BiganGenerator(nn.Module):
    def __init__(self, latent, width, side):
        super().__init__()
        hidden = lambda inputs: [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU()]
        self.layers = nn.Sequential(*hidden(latent), *hidden(width), nn.Linear(width, side * side), nn.Sigmoid(),
                                    nn.Unflatten(1, (1, side, side)))

    def forward(self, z):
        return self.layers(z)


class BiganRows(nn.Module):
    """The encoder, and the discriminator of images and codes."""

    def __init__(self, inputs, width, outputs, norm=nn.BatchNorm1d):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, width),
                                    norm(width), nn.LeakyReLU(0.2), nn.Linear(width, outputs))

    def forward(self, x, *z):
        return self.layers(torch.cat([x.flatten(1), *z], 1))


# --- what a network holds ---------------------------------------------------------------------------------------------------

PARAMETERS = ["weight", "weight_orig", "tensor", "bias", "gain"]
BUFFERS = ["running_mean", "running_var", "weight_u", "weight_v"]


def parts(network, names, own):
    """(module, name) of tensors, module after module."""
    return [(module, name) for module in network.modules() for name in names
            if getattr(module, own).get(name) is not None]


def parameters(network):
    return [getattr(*place) for place in parts(network, PARAMETERS, "_parameters")]


def buffers(network):
    return [getattr(*place) for place in parts(network, BUFFERS, "_buffers")]


def start(networks):
    """Fills networks by recipes, which are returned with the buffers."""
    before = {}
    for name, network in networks.items():
        network.double().train()
        recipes = []
        for module, part in parts(network, PARAMETERS, "_parameters"):
            tensor = getattr(module, part)
            if isinstance(module, nn.Embedding) and part == "weight":
                # Scales and shifts of classes: both away from what they start with.
                settings = dict(scale=0.5, offset=0.8)
            elif part == "gain":
                settings = dict(scale=0.1, offset=0.7)
            elif tensor.dim() > 1:
                settings = dict(scale=2.5 / math.sqrt(tensor.numel() / len(tensor)))
            elif part == "weight":
                settings = dict(scale=0.3, offset=1.0)
            else:
                settings = dict(scale=0.3)
            recipe, values = RECIPES.made(tensor.shape, **settings)
            recipes.append(recipe)
            tensor.data.copy_(values)
        for buffer in buffers(network):
            buffer.copy_(buffer.float().double())
        before[name] = {"parameters": recipes, "buffers": [whole(buffer) for buffer in buffers(network)]}
    return before


def end(networks):
    return {name: {"parameters": [thinned(p) for p in parameters(network)],
                   "buffers": [thinned(b) for b in buffers(network)]} for name, network in networks.items()}


def norm(gradients):
    return float(torch.stack([g.norm() for g in gradients]).norm())


def descend(networks, loss, rate):
    """A step of plain gradient descent: the loss and the norm of its gradient."""
    weights = [p for network in networks for p in parameters(network)]
    gradients = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients):
            weight -= rate * gradient
    return loss.item(), norm(gradients)


# --- games ------------------------------------------------------------------------------------------------------------------


def non_saturating():
    critic = lambda real, fake: F.softplus(-real["logit"]).mean() + F.softplus(fake["logit"]).mean()
    return critic, lambda fake: F.softplus(-fake["logit"]).mean()


def hinge():
    critic = lambda real, fake: F.relu(1 - real["logit"]).mean() + F.relu(1 + fake["logit"]).mean()
    return critic, lambda fake: -fake["logit"].mean()


def share_told(logits, labels):
    return float((logits.argmax(1) == labels).double().mean())


class Case:
    """One game: what happens in it is written down as it happens."""

    def __init__(self, name, model, networks, side=16, range=(-1, 1), objective="non-saturating", regularizers=(), rate=0.1,
                 **spec):
        self.networks, self.side, self.range, self.rate = networks, side, range, rate
        self.generator, self.discriminator = networks.get("generator"), networks["discriminator"]
        rule = {"rule": "sgd", "learning_rate": rate, "momentum": 0.0}
        self.case = {
            "name": name,
            "config": {"seed": 0, "batch_size": BATCH, "objective": objective, "regularizers": list(regularizers),
                       "real_label": 1.0, "latent": "normal",
                       "rules": {player: rule for player in ("generator", "discriminator") if player in networks},
                       "networks": {"model": model, "size": side, "channels": 1, **spec}},
            "before": start(networks), "steps": []}
        self.classes = spec.get("classes", 0)

    def images(self):
        # Of a deviation and a mean that suit the range.
        low, high = self.range
        recipe, images = RECIPES.made((BATCH, 1, self.side, self.side), scale=0.5 * (high - low), offset=(low + high) / 2)
        return recipe, images

    def batch(self, labels):
        recipe, images = self.images()
        return {"images": recipe, "classes": None if labels is None else labels.tolist()}, images

    def noise(self, *shape):
        recipe, values = RECIPES.made(shape, scale=2.0)
        return recipe, values

    def step(self, labels=None, play=None, labelled=None, z=(5, 1, 1), codes=()):
        batch, real = self.batch(labels)
        recipe, z = self.noise(BATCH, *z) if z else (None, None)
        step = {"batch": batch, "noise": [recipe] if recipe else [], "labelled": None}
        step["noise"] += [code for code, _ in codes]
        given = []
        if labelled is not None:
            step["labelled"], images = self.batch(labelled)
            given = [images]
        step["values"] = play(real, z, *given)
        self.case["steps"].append(step)

    def done(self):
        return {**self.case, "after": end(self.networks)}

    def adversarial(self, game, condition=None, extra=lambda real, fake, values: 0.0, penalty=None):
        """Algorithm 1 with one step of each player."""
        critic_loss, generator_loss = game
        judged = [] if condition is None else [condition]

        def play(real, z):
            values = {}
            fake = self.generator(z, *judged)
            judge = lambda x: self.discriminator(x, *judged)
            of_real, of_fake = judge(real), judge(fake.detach())
            loss = critic_loss(of_real, of_fake) + extra(of_real, of_fake, values)
            if penalty:
                loss = loss + penalty("discriminator", real, judge)
            values["discriminator_loss"], values["discriminator_gradient"] = descend([self.discriminator], loss, self.rate)
            of_fake = judge(fake)
            loss = generator_loss(of_fake) + extra(None, of_fake, values)
            if penalty:
                loss = loss + penalty("generator", real, judge)
            values["generator_loss"], values["generator_gradient"] = descend([self.generator], loss, self.rate)
            return values

        return play


LABELS = torch.tensor([2, 0, 1, 2])
CLASSES = 3
SIZES = dict(latent=5, width=2)


def pair(inputs=5, **heads):
    return {"generator": DcganGenerator(inputs, 2), "discriminator": DcganDiscriminator(2, **heads)}


def cgan():
    case = Case("cgan", "cgan", pair(5 + CLASSES, classes=CLASSES, judges=True), classes=CLASSES, **SIZES)
    case.step(LABELS, case.adversarial(non_saturating(), one_hot(LABELS, CLASSES)), z=(5,))
    return case.done()


def acgan():
    case = Case("acgan", "acgan", pair(5 + CLASSES, classes=CLASSES, tells="class"), classes=CLASSES, **SIZES)

    def told(real, fake, values):
        loss = F.cross_entropy(fake["classes"], LABELS)
        if real is not None:
            values["class_accuracy"] = share_told(real["classes"], LABELS)
            loss = loss + F.cross_entropy(real["classes"], LABELS)
        return loss

    case.step(LABELS, case.adversarial(non_saturating(), one_hot(LABELS, CLASSES), extra=told), z=(5,))
    return case.done()


def infogan():
    case = Case("infogan", "infogan", pair(5 + CLASSES + 2, classes=CLASSES, tells="code"), classes=CLASSES, rate=0.02, **SIZES)
    numbers, drawn = RECIPES.made((BATCH, 2), scale=0.9)
    category = {"shape": [BATCH], "values": [float(label) for label in LABELS]}
    code = torch.cat([one_hot(LABELS, CLASSES), drawn], 1)

    def information(real, fake, values):
        category = math.log(CLASSES) - F.cross_entropy(fake["classes"], LABELS)
        normal = torch.distributions.Normal(fake["mean"], torch.exp(fake["log_variance"] / 2))
        numbers = (normal.log_prob(drawn) + math.log(2)).sum(1).mean()
        values["category_information"], values["number_information"] = category.item(), numbers.item()
        # Numbers count a tenth.
        return -(category + 0.1 * numbers)

    case.step(None, case.adversarial(non_saturating(), code, extra=information), z=(5,),
              codes=[(category, None), (numbers, None)])
    return case.done()


def catgan():
    case = Case("catgan", "catgan", pair(classes=CLASSES, tells="sorts"), classes=CLASSES, **SIZES)
    entropy = lambda p: -(p * torch.log(p)).sum(-1)
    each = lambda out: entropy(out["classes"].softmax(1)).mean()
    of_mean = lambda out: entropy(out["classes"].softmax(1).mean(0))
    game = (lambda real, fake: -of_mean(real) + each(real) - each(fake), lambda fake: each(fake) - of_mean(fake))

    def certainty(real, fake, values):
        if real is not None:
            values["certainty"] = (of_mean(real) - each(real)).item()
        return 0.0

    case.step(None, case.adversarial(game, extra=certainty))
    return case.done()


def spectral():
    """Twice: the second step begins with the vectors of the first."""
    case = Case("spectral normalisation", "dcgan", pair(normal="spectral"), objective="hinge",
                critic_normalization="spectral", **SIZES)
    for _ in range(2):
        case.step(None, case.adversarial(hinge()))
    return case.done()


def discrimination():
    return minibatch("discrimination")


def minibatch(statistic):
    case = Case(f"minibatch {statistic}", "dcgan", pair(minibatch=statistic), minibatch_statistic=statistic, **SIZES)
    case.step(None, case.adversarial(non_saturating()))
    return case.done()


def small():
    return {"generator": MlpGenerator(3, 4, 4), "discriminator": MlpDiscriminator(4, 4)}


def dragan():
    case = Case("dragan", "mlp", small(), side=4, range=(0, 1), regularizers=["dragan:10"], latent=3, width=4)
    numbers = xoshiro(0, 2)

    def penalty(player, real, judge):
        if player == "generator":
            return 0.0
        share = torch.tensor([next(numbers) for _ in range(real.numel())]).double().reshape(real.shape)
        around = (real + (share - 0.5) * real.std(correction=0)).requires_grad_()
        slope, = torch.autograd.grad(judge(around)["logit"].sum(), around, create_graph=True)
        return 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()

    case.step(None, case.adversarial(non_saturating(), penalty=penalty), z=(3,))
    return case.done()


def historical():
    """The mean of the weights differs from the weights from the third step on."""
    case = Case("historical averaging", "mlp", small(), side=4, range=(0, 1), regularizers=["historical-averaging:0.5"],
                latent=3, width=4)
    means = {}

    def penalty(player, real, judge):
        network = case.networks[player]
        if player not in means:
            return 0.0
        return 0.5 * sum(((p - mean) ** 2).sum() for p, mean in zip(parameters(network), means[player]))

    def play(real, z):
        values = case.adversarial(non_saturating(), penalty=penalty)(real, z)
        steps = len(case.case["steps"]) + 1
        for player, network in case.networks.items():
            now = [p.detach().clone() for p in parameters(network)]
            before = means.get(player, now)
            means[player] = [mean + (p - mean) / steps for p, mean in zip(now, before)]
        return values

    for _ in range(4):
        case.step(None, play, z=(3,))
    return case.done()


def bigan(r1=0):
    """With R1 by images and codes, the discriminator is normalised by layers."""
    judge = BiganRows(19, 4, 1, nn.LayerNorm) if r1 else BiganRows(19, 4, 1)
    networks = {"generator": BiganGenerator(3, 4, 4), "encoder": BiganRows(16, 4, 3), "discriminator": judge}
    case = Case(f"bigan r1:{r1}" if r1 else "bigan", "bigan", networks, side=4, range=(0, 1), latent=3, width=4,
                regularizers=[f"r1:{r1}"] if r1 else [])
    generator, encoder, discriminator = networks.values()

    def play(real, z):
        fake, code = generator(z), encoder(real)
        of_real, of_fake = discriminator(torch.cat([real, fake]), torch.cat([code, z])).chunk(2)
        of_judge = F.softplus(-of_real).mean() + F.softplus(of_fake).mean()
        of_makers = F.softplus(of_real).mean() + F.softplus(-of_fake).mean()
        if r1:
            at = [real.detach().requires_grad_(), code.detach().requires_grad_()]
            slopes = torch.autograd.grad(discriminator(*at).sum(), at, create_graph=True)
            of_judge = of_judge + r1 / 2 * sum((slope ** 2).flatten(1).sum(1).mean() for slope in slopes)
        judges, makers = parameters(discriminator), parameters(generator) + parameters(encoder)
        gradients = [torch.autograd.grad(loss, weights, retain_graph=True)
                     for loss, weights in ((of_judge, judges), (of_makers, makers))]
        with torch.no_grad():
            for weights, of_weights in zip((judges, makers), gradients):
                for weight, gradient in zip(weights, of_weights):
                    weight -= case.rate * gradient
        return {"discriminator_loss": of_judge.item(), "generator_loss": of_makers.item(),
                "discriminator_gradient": norm(gradients[0]), "generator_gradient": norm(gradients[1]),
                "real_score": torch.sigmoid(of_real).mean().item(),
                "fake_score_before": torch.sigmoid(of_fake).mean().item()}

    for _ in range(2):
        case.step(None, play, z=(3,))
    return case.done()


def label_loss(case, labels, images, real, true, values):
    case.discriminator.eval()
    values["accuracy"] = share_told(case.discriminator(real)["classes"], true)
    case.discriminator.train()
    return F.cross_entropy(case.discriminator(images)["classes"], labels)


LABELLED = torch.tensor([0, 1, 2, 1])


def ssgan():
    networks = {"generator": DcganGenerator(5, 2), "discriminator": SsganDiscriminator(2, CLASSES)}
    case = Case("ssgan", "ssgan", networks, classes=CLASSES, labels=6, rate=0.01, **SIZES)
    z_of = lambda out: torch.logsumexp(out["classes"], 1)

    def play(real, z, labelled):
        values = {}
        fake = case.generator(z)
        supervised = label_loss(case, LABELLED, labelled, real, LABELS, values)
        values["label_loss"] = supervised.item()
        of_real, of_fake = z_of(case.discriminator(real)), z_of(case.discriminator(fake.detach()))
        # −ln(1 − p(K+1|x)) and −ln p(K+1|x) of the softmax with ℓ_{K+1} = 0.
        loss = supervised + F.softplus(-of_real).mean() + F.softplus(of_fake).mean()
        values["discriminator_loss"], values["discriminator_gradient"] = descend([case.discriminator], loss, case.rate)
        of_fake, of_real = case.discriminator(fake), case.discriminator(real)
        gap = of_real["features"].mean(0).detach() - of_fake["features"].mean(0)
        loss = (gap**2).sum() + F.softplus(-z_of(of_fake)).mean()
        values["generator_loss"], values["generator_gradient"] = descend([case.generator], loss, case.rate)
        return values

    for _ in range(2):
        case.step(LABELS, play, labelled=LABELLED)
    return case.done()


def classifier():
    networks = {"discriminator": SsganDiscriminator(2, CLASSES)}
    case = Case("classifier", "classifier", networks, classes=CLASSES, labels=6, **SIZES | {"latent": 1})

    def play(real, _, labelled):
        values = {}
        loss = label_loss(case, LABELLED, labelled, real, LABELS, values)
        values["discriminator_loss"], values["discriminator_gradient"] = descend([case.discriminator], loss, case.rate)
        return values

    case.step(LABELS, play, labelled=LABELLED, z=())
    return case.done()


def sngan():
    networks = {"generator": DcganGenerator(5, 2), "discriminator": SnCnn(2)}
    case = Case("sngan", "sngan", networks, objective="hinge", **SIZES)
    for _ in range(2):
        case.step(None, case.adversarial(hinge()))
    return case.done()


def sagan():
    networks = {"generator": SaganGenerator(5, 4), "discriminator": SaganDiscriminator(4)}
    case = Case("sagan", "sagan", networks, objective="hinge", rate=1e-3, latent=5, width=4)
    for _ in range(2):
        case.step(None, case.adversarial(hinge()), z=(5,))
    return case.done()


def sagan_class():
    networks = {"generator": SaganGenerator(5, 4, CLASSES), "discriminator": SaganDiscriminator(4, CLASSES)}
    case = Case("sagan-class", "sagan-class", networks, objective="hinge", rate=1e-3, classes=CLASSES, latent=5, width=4)
    for _ in range(2):
        case.step(LABELS, case.adversarial(hinge(), one_hot(LABELS, CLASSES)), z=(5,))
    return case.done()


if __name__ == "__main__":
    torch.manual_seed(0)
    cases = [make() for make in (cgan, acgan, infogan, catgan, spectral, discrimination, dragan, historical, bigan, ssgan,
                                 classifier, sngan, sagan, sagan_class)]
    cases += [bigan(r1=0.5), minibatch("deviation")]
    PATH.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    for case in cases:
        print(case["name"], [{name: round(value, 4) for name, value in step["values"].items()} for step in case["steps"]])

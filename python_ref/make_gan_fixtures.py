"""Writes tests/fixtures/gan/*.json with PyTorch: values, gradients and second derivatives of operations, trajectories of
optimizers, one full step of a GAN, and twenty steps for each objective. The full step runs in float32, all else in float64.

Run from the repository root: python python_ref/make_gan_fixtures.py [names of the files to write, or all]
"""

import copy
import json
import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from metrics_reference import made_features

FOLDER = Path("tests/fixtures/gan")


def dump(tensor):
    return {"shape": list(tensor.shape), "values": [float(value) for value in tensor.detach().double().flatten()]}


def write(name, content):
    if sys.argv[1:] and name not in sys.argv[1:]:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


def operation(name, function, *shapes, **options):
    """⟨r, f(x)⟩ differentiated once, and ⟨s, its gradient⟩ differentiated again."""
    inputs = [torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in shapes]
    output = function(*inputs)
    direction = torch.randn_like(output)
    gradients = torch.autograd.grad((direction * output).sum(), inputs, create_graph=True)
    directions = [torch.randn_like(gradient) for gradient in gradients]
    product = sum((s * g).sum() for s, g in zip(directions, gradients))
    if product.requires_grad:
        seconds = torch.autograd.grad(product, inputs, allow_unused=True, materialize_grads=True)
    else:
        seconds = [torch.zeros_like(x) for x in inputs]
    return {
        "operation": name,
        "options": options,
        "inputs": [dump(x) for x in inputs],
        "output": dump(output),
        "direction": dump(direction),
        "gradients": [dump(g) for g in gradients],
        "directions": [dump(s) for s in directions],
        "second_gradients": [dump(g) for g in seconds],
    }


def operations():
    cases = []
    for stride, padding in [(1, 0), (2, 1), (3, 2)]:
        cases.append(operation("conv2d", lambda x, w: F.conv2d(x, w, stride=stride, padding=padding),
                               (2, 2, 7, 6), (3, 2, 3, 4), stride=stride, padding=padding))
    for stride, padding, output_padding in [(1, 0, 0), (2, 1, 0), (2, 1, 1), (3, 2, 2)]:
        cases.append(operation(
            "conv_transpose2d",
            lambda x, w: F.conv_transpose2d(x, w, stride=stride, padding=padding, output_padding=output_padding),
            (2, 3, 3, 4), (3, 2, 4, 3), stride=stride, padding=padding, output_padding=output_padding))
    cases.append(operation("batch_norm", lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True), (4, 3, 2, 2),
                           (3,), (3,)))
    cases.append(operation("layer_norm", lambda x, g, b: F.layer_norm(x, x.shape[1:], g, b), (3, 2, 3), (2, 3), (2, 3)))
    cases.append(operation("linear", F.linear, (3, 4), (2, 4), (2,)))
    cases.append(operation("leaky_relu", lambda x: F.leaky_relu(x, 0.2) ** 2, (3, 4)))
    cases.append(operation("tanh", torch.tanh, (3, 4)))
    cases.append(operation("sigmoid", torch.sigmoid, (3, 4)))
    cases.append(operation("softplus", F.softplus, (3, 4)))
    cases.append(operation("upsample", lambda x: F.interpolate(x, scale_factor=2, mode="nearest") ** 2, (2, 2, 2, 3)))
    # Numbers of their own, so that what is drawn afterwards does not depend on how many there are.
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return cases + more_operations()


def translate(x, offsets, fill):
    """Of every image by its own offset, [down, right]."""
    moved = []
    for image, (down, right) in zip(x, offsets):
        height, width = image.shape[1:]
        wide = F.pad(image, (width, width, height, height), value=fill)
        moved.append(wide[:, height - down:2 * height - down, width - right:2 * width - right])
    return torch.stack(moved)


def group_norm_by_sample(x, scale, shift):
    """Conditional normalisation: each sample with a scale and a shift of its own."""
    return F.group_norm(x, 2) * scale[:, :, None, None] + shift[:, :, None, None]


def cross_entropy_to(logits, weights):
    """To the probabilities that belong to `weights`."""
    return F.cross_entropy(logits, torch.softmax(weights, 1), reduction="none")


def more_operations():
    image = (2, 4, 4, 6)
    cases = [
        operation("abs", lambda x: x.abs() ** 3, (3, 4)),
        operation("clamp", lambda x: x.clamp(-0.5, 0.7) ** 2 * x, (4, 5)),
        operation("elu", lambda x: F.elu(x, 0.7), (4, 5)),
        operation("silu", F.silu, (4, 5)),
        operation("permute", lambda x: x.permute(0, 2, 3, 1) ** 2, image),
        operation("space_to_depth", lambda x: F.pixel_unshuffle(x, 2) ** 2, image),
        operation("depth_to_space", lambda x: F.pixel_shuffle(x, 2) ** 2, image),
        operation("avg_pool2d", lambda x: F.avg_pool2d(x, 2) ** 2, image),
        operation("max_pool2d", lambda x: F.max_pool2d(x, 2) ** 2, image),
        operation("group_norm", lambda x, g, b: F.group_norm(x, 2, g, b), image, (4,), (4,)),
        operation("sample_affine", group_norm_by_sample, image, (2, 4), (2, 4)),
        operation("translate", lambda x: translate(x, [(1, -2), (-3, 1)], 0.5) ** 2, image),
        operation("batched_matmul", torch.bmm, (3, 2, 4), (3, 4, 5)),
        operation("batched_matmul_tn", lambda a, b: torch.bmm(a.transpose(1, 2), b), (3, 4, 2), (3, 4, 5)),
        operation("batched_matmul_nt", lambda a, b: torch.bmm(a, b.transpose(1, 2)), (3, 2, 4), (3, 5, 4)),
        operation("pairwise_l1", lambda m: torch.exp(-(m[:, None] - m[None, :]).abs().sum(3)), (5, 2, 3)),
        operation("cross_entropy", cross_entropy_to, (4, 5), (4, 5)),
    ]
    for axis in range(3):
        shape, other = [2, 3, 4], [2, 3, 4]
        other[axis] = 5
        cases += [
            operation("concat", lambda x, y: torch.cat([x, y, x], axis) ** 2, shape, other, axis=axis),
            operation("slice", lambda x: x.narrow(axis, 1, 3) ** 2, other, axis=axis),
            operation("sum_axes", lambda x: x.sum(axis) ** 2, shape, axis=axis),
            operation("mean_axes_kept", lambda x: x * x.mean(axis, keepdim=True), shape, axis=axis),
            operation("max_axis", lambda x: x.max(axis).values ** 2, shape, axis=axis),
            operation("log_sum_exp", lambda x: x.logsumexp(axis), shape, axis=axis),
            operation("softmax", lambda x: x.softmax(axis), shape, axis=axis),
            operation("log_softmax", lambda x: x.log_softmax(axis), shape, axis=axis),
        ]
    return cases


def trajectories():
    target = torch.randn(6, dtype=torch.float64)
    start = torch.randn(6, dtype=torch.float64)
    cases = []

    def run(rule, make, **settings):
        w = start.clone().requires_grad_()
        optimizer = make([w])
        steps = []
        for _ in range(10):
            optimizer.zero_grad()
            ((w - target) ** 4).sum().backward()
            optimizer.step()
            steps.append(dump(w))
        cases.append({"rule": {"rule": rule, **settings}, "steps": steps})

    rate = 0.01
    run("sgd", lambda p: torch.optim.SGD(p, lr=rate), learning_rate=rate, momentum=0.0)
    run("sgd", lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9), learning_rate=rate, momentum=0.9)
    run("rms-prop", lambda p: torch.optim.RMSprop(p, lr=rate, alpha=0.9), learning_rate=rate, alpha=0.9, epsilon=1e-8)
    run("adam", lambda p: torch.optim.Adam(p, lr=rate, betas=(0.5, 0.999)), learning_rate=rate, beta1=0.5, beta2=0.999,
        epsilon=1e-8, weight_decay=0.0)
    run("adam", lambda p: torch.optim.AdamW(p, lr=rate, betas=(0.9, 0.99), weight_decay=0.1), learning_rate=rate, beta1=0.9,
        beta2=0.99, epsilon=1e-8, weight_decay=0.1)
    return {"start": dump(start), "target": dump(target), "cases": cases}


def dcgan(size, channels, latent, width):
    start, doublings = {16: (4, 2), 28: (7, 2), 32: (4, 3), 64: (4, 4), 128: (4, 5)}[size]
    current = width << (doublings - 1)
    generator = [nn.ConvTranspose2d(latent, current, start, 1, 0, bias=False), nn.BatchNorm2d(current), nn.ReLU()]
    discriminator = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for i in range(1, doublings):
        generator += [nn.ConvTranspose2d(current, current // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(current // 2), nn.ReLU()]
        current //= 2
        discriminator += [nn.Conv2d(width << (i - 1), width << i, 4, 2, 1, bias=False), nn.BatchNorm2d(width << i),
                          nn.LeakyReLU(0.2)]
    generator += [nn.ConvTranspose2d(current, channels, 4, 2, 1, bias=False), nn.Tanh()]
    discriminator += [nn.Conv2d(width << (doublings - 1), 1, start, 1, 0, bias=False)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def mlp(size, channels, latent, hidden):
    pixels = channels * size * size
    generator = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid(),
                              nn.Unflatten(1, (channels, size, size)))
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))
    return generator, discriminator


def state(network):
    return {name: dump(value) for name, value in network.state_dict().items() if value.is_floating_point()}


def norm(network):
    """Euclidean norm of all gradients together."""
    return float(torch.stack([p.grad.norm() for p in network.parameters()]).norm())


def play(pair, real, z, optimizers):
    """One step of each player, as the DCGAN example of PyTorch takes it."""
    generator, discriminator = pair
    of_generator, of_discriminator = [make(network.parameters()) for make, network in zip(optimizers, pair)]
    ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
    loss = nn.BCEWithLogitsLoss()
    fake = generator(z)
    on_real = loss(discriminator(real).flatten(), ones)
    on_fake = loss(discriminator(fake.detach()).flatten(), zeros)
    of_discriminator.zero_grad()
    (on_real + on_fake).backward()
    of_discriminator.step()
    discriminator_gradient = norm(discriminator)
    of_generator.zero_grad()
    generator_loss = loss(discriminator(fake).flatten(), ones)
    generator_loss.backward()
    of_generator.step()
    return {
        "after": {"generator": state(generator), "discriminator": state(discriminator)},
        "discriminator_loss": (on_real + on_fake).item(),
        "generator_loss": generator_loss.item(),
        "discriminator_gradient": discriminator_gradient,
        "generator_gradient": norm(generator),
    }


def gan_step(networks, pair, latent_shape):
    """The same step by Adam, which forgets how long a gradient is, and by plain gradient descent, which does not."""
    generator, discriminator = pair
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            # Larger than DCGAN's 0.02, so that a small network has gradients that matter.
            nn.init.normal_(module.weight, 0.0, 0.2)
    before = {"generator": state(generator), "discriminator": state(discriminator)}
    real = torch.rand(latent_shape[0], networks["channels"], networks["size"], networks["size"]) * 2 - 1
    z = torch.randn(latent_shape)
    again = copy.deepcopy(pair)
    adam = lambda p: torch.optim.Adam(p, lr=2e-4, betas=(0.5, 0.999))
    sgd = lambda p: torch.optim.SGD(p, lr=0.1)
    step = {"networks": networks, "real": dump(real), "z": dump(z), "before": before,
            **play(pair, real, z, (adam, adam))}
    return {**step, "sgd": {"learning_rate": 0.1, **play(again, real, z, (sgd, sgd))}}


# --- twenty steps for each objective -----------------------------------------------------------------------------------

#: Of the networks, and of the game. Images and z are made by the formula that the tests share (metrics_reference.py),
#: with the seeds that follow for each batch.
GAME = {
    "networks": {"model": "mlp", "size": 8, "channels": 1, "latent": 4, "hidden": 4},
    "real": dict(seed=100, n=6, d=64, shift=2.5, scale=0.2),
    "z": dict(seed=900, n=6, d=4),
}
STEPS = 20


def shared_features(d, n, seed, batch, **made):
    return torch.from_numpy(made_features(seed + batch, n, d, **made)).double()


def xoshiro(seed, purpose):
    """Uniform numbers of src/gan/random.rs: xoshiro256++ seeded through SplitMix64, for a stream of a seed."""
    mask = 2**64 - 1
    rotate = lambda x, k: (x << k | x >> (64 - k)) & mask

    def states(z):
        for _ in range(4):
            z = (z + 0x9E3779B97F4A7C15) & mask
            x = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
            x = (x ^ x >> 27) * 0x94D049BB133111EB & mask
            yield x ^ x >> 31

    def bits(s):
        result = (rotate((s[0] + s[3]) & mask, 23) + s[0]) & mask
        shifted = s[1] << 17 & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotate(s[3], 45)
        return result

    state = list(states(bits(list(states(seed))) ^ (purpose * 0xD1342543DE82EF95 & mask)))
    while True:
        yield (bits(state) >> 11) * 2.0**-53


def f_gan(activation, conjugate):
    """Of Nowozin, Cseke and Tomioka 2016: the generator minimises −E T(G(z))."""
    critic = lambda real, fake: conjugate(activation(fake)).mean() - activation(real).mean()
    return critic, lambda fake: -activation(fake).mean()


def cross_entropy(label):
    """−E t·ln σ(v(x)) + (1−t)·ln(1−σ(v(x))) − E ln(1−σ(v(G(z))))."""
    def critic(real, fake):
        labels = torch.full_like(real, label)
        return F.binary_cross_entropy_with_logits(real, labels) - F.logsigmoid(-fake).mean()
    return critic


def f_gan_minimax(activation, conjugate):
    """The generator minimises the bound itself, −E f*(T(G(z)))."""
    critic, _ = f_gan(activation, conjugate)
    return critic, lambda fake: -conjugate(activation(fake)).mean()


def relativistic(critic, generator):
    """Of Jolicoeur-Martineau 2018: outputs against the mean of the other side, in both steps."""
    def loss(terms):
        return lambda real, fake: sum(term.mean() for term in terms(real - fake.mean(), fake - real.mean())) / 2
    return loss(critic), RealToo(loss(generator))


class RealToo:
    """A generator's loss that depends on the critic's outputs on real images."""
    def __init__(self, loss):
        self.loss = loss


class Whole:
    """Losses of the whole critic and of images, not of its outputs alone: `critic(network, real, fake)`, and so the
    generator's."""
    def __init__(self, critic, generator):
        self.critic, self.generator = critic, generator


def feature_matching():
    features = lambda network, images: network[:-1](images).mean(0)
    generator = lambda network, real, fake: (
        (features(network, real).detach() - features(network, fake)) ** 2).mean()
    return Whole(lambda network, real, fake: cross_entropy(1.0)(network(real), network(fake)), generator)


def ebgan(margin):
    """Of Zhao, Mathieu and LeCun 2016, with mean squared errors and the pulling-away term of the codes."""
    energy = lambda network, images: ((network(images) - images) ** 2).flatten(1).mean(1)

    def alike(network, images):
        directions = F.normalize(network[:4](images), dim=1)
        cosines = directions @ directions.T
        n = len(images)
        return ((cosines**2).sum() - n) / (n * (n - 1))

    critic = lambda network, real, fake: (
        energy(network, real).mean() + F.relu(margin - energy(network, fake)).mean())
    return Whole(critic, lambda network, real, fake: energy(network, fake).mean() + 0.1 * alike(network, fake))


def began(gamma):
    """Of Berthelot, Schumm and Metz 2017; k moves after the generator's step."""
    error = lambda network, images: (network(images) - images).abs().mean()
    state = {"k": 0.0, "real": 0.0}

    def critic(network, real, fake):
        state["real"] = error(network, real)
        return state["real"] - state["k"] * error(network, fake)

    def generator(network, real, fake):
        loss = error(network, fake)
        state["k"] = min(max(state["k"] + 1e-3 * (gamma * state["real"].item() - loss.item()), 0.0), 1.0)
        return loss

    return Whole(critic, generator)


WASSERSTEIN = (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean())
NON_SATURATING = lambda fake: -F.logsigmoid(fake).mean()

#: objective → what the critic and the generator minimise, from the critic's outputs on real and on generated images
OBJECTIVES = {
    "minimax": (cross_entropy(1.0), lambda fake: F.logsigmoid(-fake).mean()),
    "non-saturating": (cross_entropy(1.0), NON_SATURATING),
    "f-gan:kl": f_gan(lambda v: v, lambda t: torch.exp(t - 1)),
    "f-gan:reverse-kl": f_gan(lambda v: -torch.exp(-v), lambda t: -1 - torch.log(-t)),
    "f-gan:pearson": f_gan(lambda v: v, lambda t: t**2 / 4 + t),
    "f-gan:squared-hellinger": f_gan(lambda v: 1 - torch.exp(-v), lambda t: t / (1 - t)),
    "f-gan:2js": f_gan(lambda v: math.log(2) + F.logsigmoid(v), lambda t: -torch.log(2 - torch.exp(t))),
    "f-gan:gan": f_gan(F.logsigmoid, lambda t: -torch.log(1 - torch.exp(t))),
    "f-gan-minimax:reverse-kl": f_gan_minimax(lambda v: -torch.exp(-v), lambda t: -1 - torch.log(-t)),
    "f-gan-minimax:2js": f_gan_minimax(lambda v: math.log(2) + F.logsigmoid(v), lambda t: -torch.log(2 - torch.exp(t))),
    "wasserstein:0.2": WASSERSTEIN,
    "wasserstein-gp:10": WASSERSTEIN,
    "least-squares": (lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
                      lambda fake: ((fake - 1) ** 2).mean() / 2),
    "hinge": (lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(), lambda fake: -fake.mean()),
    "relativistic": relativistic(lambda r, f: (F.softplus(-r), F.softplus(f)), lambda r, f: (F.softplus(r), F.softplus(-f))),
    "relativistic-least-squares": relativistic(lambda r, f: ((r - 1) ** 2, (f + 1) ** 2), lambda r, f: ((r + 1) ** 2, (f - 1) ** 2)),
    "feature-matching": feature_matching(),
    "ebgan:0.1": ebgan(0.1),
    "began:0.5": began(0.5),
}

SGD = {"rule": "sgd", "learning_rate": 0.03, "momentum": 0.5}
ADAM = {"rule": "adam", "learning_rate": 2e-3, "beta1": 0.5, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}
RMS_PROP = {"rule": "rms-prop", "learning_rate": 2e-3, "alpha": 0.99, "epsilon": 1e-8}
MAKE = {
    "sgd": lambda p, r: torch.optim.SGD(p, lr=r["learning_rate"], momentum=r["momentum"]),
    "adam": lambda p, r: torch.optim.Adam(p, lr=r["learning_rate"], betas=(r["beta1"], r["beta2"]), eps=r["epsilon"]),
    "rms-prop": lambda p, r: torch.optim.RMSprop(p, lr=r["learning_rate"], alpha=r["alpha"], eps=r["epsilon"]),
}


def short(values):
    """Nine digits tell any two numbers of f32 apart."""
    return [float(f"{float(value):.9g}") for value in values]


#: regularizer → what it adds to the critic's loss, from the critic and the images
def squared_slope(discriminator, images):
    images = images.detach().requires_grad_()
    slope, = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)
    return (slope**2).flatten(1).sum(1).mean()


def autoencoder(hidden, side, code=32):
    """The critic of `mlp` where its objective wants an autoencoder."""
    pixels = side * side
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, code),
                         nn.Linear(code, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid(),
                         nn.Unflatten(1, (1, side, side)))


def trajectory(start, objective, rule=SGD, real_label=1.0, critic_steps=1, clip_norm=None, regularizers=()):
    pair = mlp(8, 1, 4, 4)
    is_autoencoder = objective.startswith(("ebgan", "began"))
    if is_autoencoder:
        pair = (pair[0], autoencoder(4, 8))
        values = {name: (2 * value.detach()).float().double() for name, value in pair[1].state_dict().items()}
        start = [start[0], values]
    for network, values in zip(pair, start):
        network.double().load_state_dict(values)
    generator, discriminator = pair
    steppers = [MAKE[rule["rule"]](network.parameters(), rule) for network in pair]
    game = OBJECTIVES[objective]
    critic_loss, generator_loss = (game.critic, game.generator) if isinstance(game, Whole) else game
    if real_label != 1.0:
        critic_loss = cross_entropy(real_label)
    shares, (name, _, parameter) = xoshiro(0, 2), objective.partition(":")

    def descend(network, stepper, loss):
        for each in steppers:
            each.zero_grad()
        loss.backward()
        length = norm(network)
        if clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
        stepper.step()
        return [loss.item(), length]

    events = []
    for step in range(STEPS):
        for batch in range(step * critic_steps, (step + 1) * critic_steps):
            real = shared_features(batch=batch, **GAME["real"]).reshape(-1, 1, 8, 8)
            fake = generator(shared_features(batch=batch, **GAME["z"]))
            if isinstance(game, Whole):
                loss = critic_loss(discriminator, real, fake.detach())
            else:
                loss = critic_loss(discriminator(real), discriminator(fake.detach()))
            for regularizer, weight in regularizers:
                images = {"r1": real, "r2": fake}[regularizer]
                loss = loss + weight / 2 * squared_slope(discriminator, images)
            if name == "wasserstein-gp":
                share = torch.tensor([next(shares) for _ in real]).double().reshape(-1, 1, 1, 1)
                between = (fake.detach() + share * (real - fake.detach())).requires_grad_()
                slope, = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
                loss = loss + float(parameter) * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
            of_critic = descend(discriminator, steppers[1], loss)
            if name == "wasserstein":
                with torch.no_grad():
                    for values in discriminator.parameters():
                        values.clamp_(-float(parameter), float(parameter))
        if isinstance(game, Whole):
            loss = generator_loss(discriminator, real, fake)
        elif isinstance(generator_loss, RealToo):
            loss = generator_loss.loss(discriminator(real), discriminator(fake))
        else:
            loss = generator_loss(discriminator(fake))
        events.append(short(of_critic + descend(generator, steppers[0], loss)))
    moved = [max(float((value - values[name]).abs().max()) for name, value in network.state_dict().items())
             for network, values in zip(pair, start)]
    assert min(moved) > 1e-3, (objective, moved)
    own_start = {"discriminator_start": weights_of(start[1])} if is_autoencoder else {}
    return {**own_start, "regularizers": [f"{name}:{weight}" for name, weight in regularizers],
            "objective": objective, "rule": rule, "real_label": real_label, "critic_steps": critic_steps,
            "clip_norm": clip_norm, "events": events, "end": [weights(network) for network in pair]}


def weights(network):
    return weights_of(network.state_dict())


def weights_of(values):
    return {name: {"shape": list(value.shape), "values": short(value.flatten())} for name, value in values.items()}


def games():
    pair = mlp(8, 1, 4, 4)
    # Larger than PyTorch's own, so that the images and the verdicts differ from the first step on.
    start = [{name: (2 * value.detach()).float().double() for name, value in network.state_dict().items()}
             for network in pair]
    for network, values in zip(pair, start):
        network.double().load_state_dict(values)
    cases = [trajectory(start, objective) for objective in OBJECTIVES]
    cases.append(trajectory(start, "non-saturating", ADAM))
    cases.append(trajectory(start, "wasserstein:0.2", RMS_PROP, critic_steps=2))
    cases.append(trajectory(start, "minimax", real_label=0.9, clip_norm=0.05))
    cases.append(trajectory(start, "non-saturating", regularizers=[("r1", 2.0), ("r2", 0.5)]))
    # A second derivative of the activation and the conjugate.
    cases.append(trajectory(start, "f-gan:squared-hellinger", regularizers=[("r1", 1.0)]))
    return {**GAME, "start": [weights(network) for network in pair], "cases": cases}


def counts():
    cases = []
    for size in (16, 28, 32, 64, 128):
        for channels in (1, 3):
            pair = dcgan(size, channels, 100, 64)
            cases.append({"networks": {"model": "dcgan", "size": size, "channels": channels, "latent": 100,
                                       "generator_width": 64, "discriminator_width": 64},
                          "counts": [sum(p.numel() for p in network.parameters()) for network in pair]})
    pair = mlp(28, 1, 128, 256)
    cases.append({"networks": {"model": "mlp", "size": 28, "channels": 1, "latent": 128, "hidden": 256},
                  "counts": [sum(p.numel() for p in network.parameters()) for network in pair]})
    return cases


def main():
    torch.manual_seed(6)
    torch.set_num_threads(1)
    write("operations.json", operations())
    write("optimizers.json", trajectories())
    write("counts.json", counts())
    write("steps.json", [
        gan_step({"model": "dcgan", "size": 16, "channels": 1, "latent": 6, "generator_width": 3, "discriminator_width": 3},
                 dcgan(16, 1, 6, 3), (5, 6, 1, 1)),
        gan_step({"model": "mlp", "size": 8, "channels": 1, "latent": 4, "hidden": 12}, mlp(8, 1, 4, 12), (5, 4)),
    ])
    write("games.json", games())


if __name__ == "__main__":
    main()

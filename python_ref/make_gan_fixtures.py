"""Writes tests/fixtures/gan/*.json with PyTorch: values, gradients and second derivatives of operations, trajectories of
optimizers, and one full step of a GAN. Operations and optimizers run in float64, the step in float32.

Run from the repository root: python python_ref/make_gan_fixtures.py
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

FOLDER = Path("tests/fixtures/gan")


def dump(tensor):
    return {"shape": list(tensor.shape), "values": [float(value) for value in tensor.detach().double().flatten()]}


def write(name, content):
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
    seconds = torch.autograd.grad(product, inputs, allow_unused=True, materialize_grads=True)
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


def gan_step(networks, pair, latent_shape):
    """One step of each player, as the DCGAN example of PyTorch takes it."""
    generator, discriminator = pair
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            # Larger than DCGAN's 0.02, so that a small network has gradients that matter.
            nn.init.normal_(module.weight, 0.0, 0.2)
    before = {"generator": state(generator), "discriminator": state(discriminator)}
    batch = latent_shape[0]
    real = torch.rand(batch, networks["channels"], networks["size"], networks["size"]) * 2 - 1
    z = torch.randn(latent_shape)
    adam = [torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999)) for network in (generator, discriminator)]
    ones, zeros = torch.ones(batch), torch.zeros(batch)
    loss = nn.BCEWithLogitsLoss()
    fake = generator(z)
    on_real = loss(discriminator(real).flatten(), ones)
    on_fake = loss(discriminator(fake.detach()).flatten(), zeros)
    adam[1].zero_grad()
    (on_real + on_fake).backward()
    adam[1].step()
    adam[0].zero_grad()
    of_generator = loss(discriminator(fake).flatten(), ones)
    of_generator.backward()
    adam[0].step()
    return {
        "networks": networks,
        "real": dump(real),
        "z": dump(z),
        "before": before,
        "after": {"generator": state(generator), "discriminator": state(discriminator)},
        "discriminator_loss": float(on_real + on_fake),
        "generator_loss": float(of_generator),
    }


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


main()

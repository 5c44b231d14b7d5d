"""Times the steps of benches/gan.rs in PyTorch on the CPU, in both memory formats: images per second, best of five rounds.

Run from the repository root, with OMP_NUM_THREADS set to the threads to use: python python_ref/time_gan.py
"""

import time

import torch
from torch import nn


def dcgan(size, channels, latent=100, width=64):
    start, doublings = {28: (7, 2), 32: (4, 3), 64: (4, 4)}[size]
    current = width << (doublings - 1)
    generator = [nn.ConvTranspose2d(latent, current, start, 1, 0, bias=False), nn.BatchNorm2d(current), nn.ReLU(True)]
    discriminator = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for i in range(1, doublings):
        generator += [nn.ConvTranspose2d(current, current // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(current // 2),
                      nn.ReLU(True)]
        current //= 2
        discriminator += [nn.Conv2d(width << (i - 1), width << i, 4, 2, 1, bias=False), nn.BatchNorm2d(width << i),
                          nn.LeakyReLU(0.2, True)]
    generator += [nn.ConvTranspose2d(current, channels, 4, 2, 1, bias=False), nn.Tanh()]
    discriminator += [nn.Conv2d(width << (doublings - 1), 1, start, 1, 0, bias=False)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


def best_rate(size, channels, batch, memory_format, rounds=5):
    """One round is three steps, as the DCGAN example of PyTorch takes them."""
    steps = 3
    generator, discriminator = (network.to(memory_format=memory_format) for network in dcgan(size, channels))
    adam = [torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999)) for network in (generator, discriminator)]
    real = torch.rand(batch, channels, size, size).to(memory_format=memory_format)
    ones, zeros = torch.ones(batch), torch.zeros(batch)
    loss = nn.BCEWithLogitsLoss()

    def step():
        adam[1].zero_grad()
        loss(discriminator(real).flatten(), ones).backward()
        fake = generator(torch.randn(batch, 100, 1, 1))
        loss(discriminator(fake.detach()).flatten(), zeros).backward()
        adam[1].step()
        adam[0].zero_grad()
        loss(discriminator(fake).flatten(), ones).backward()
        adam[0].step()

    step()
    rates = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(steps):
            step()
        rates.append(steps * batch / (time.perf_counter() - started))
    return max(rates)


torch.manual_seed(1)
print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
for case in [(64, 3, 64), (64, 3, 16), (32, 3, 64), (28, 1, 64)]:
    for name, memory_format in [("NCHW", torch.contiguous_format), ("channels_last", torch.channels_last)]:
        size, channels, batch = case
        print(f"{size}x{size}x{channels}/batch{batch} {name:13} {best_rate(*case, memory_format):8.1f} images/s")

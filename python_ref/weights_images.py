"""Images of natural-looking statistics from integer arithmetic alone, the same in Python and in Rust.

Value noise: lattices of pseudo-random levels, interpolated bilinearly and summed over octaves with weights that fall
with the frequency, as the spectra of photographs do. A channel mixes a common lattice with its own, so that colours
are correlated. The Rust side is tests/support/networks.rs.
"""

import numpy as np

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def splitmix64(state):
    """The output function of SplitMix64 (Steele, Lea & Flood 2014) on an array of 64-bit states."""
    state = np.asarray(state, dtype=np.uint64)
    with np.errstate(over="ignore"):
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _lattice(seed, plane, cell, rows, columns):
    """Levels 0..255 of the lattice points, indexed (row, column)."""
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    key = (row * 65536 + column).astype(np.uint64)
    with np.errstate(over="ignore"):
        start = np.uint64((seed * 1000003 + plane * 1009 + cell) & MASK)
        state = (start * np.uint64(1 << 32) + key + np.uint64(1)) * np.uint64(GAMMA)
    return (splitmix64(state) >> np.uint64(56)).astype(np.int64)


def _noise(seed, plane, size):
    """One plane of levels 0..255 (size, size)."""
    position = np.arange(size)
    total = np.zeros((size, size), dtype=np.int64)
    weights = 0
    for cell in (128, 64, 32, 16, 8, 4, 2):
        lattice = _lattice(seed, plane, cell, size // cell + 2, size // cell + 2)
        low, part = position // cell, position % cell
        top = lattice[low][:, low] * (cell - part) + lattice[low][:, low + 1] * part
        bottom = lattice[low + 1][:, low] * (cell - part) + lattice[low + 1][:, low + 1] * part
        level = (top * (cell - part)[:, None] + bottom * part[:, None]) // (cell * cell)
        total += level * cell
        weights += cell
    return total // weights


def image(seed, size):
    """A (3, size, size) uint8 image: the common plane and the channel's own, three to two, contrast doubled."""
    common = _noise(seed, 0, size)
    planes = [(3 * common + 2 * _noise(seed, 1 + channel, size)) // 5 for channel in range(3)]
    return np.clip(2 * np.stack(planes) - 128, 0, 255).astype(np.uint8)

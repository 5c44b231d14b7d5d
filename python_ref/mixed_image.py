"""The image that the fixtures of resizing are made of."""

import numpy as np


def mix(width, height):
    """The image to resize: bytes of a hash of their index. tests/library/image_resize.rs has the same."""
    x = np.arange(width * height * 3, dtype=np.uint64) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(2246822519) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(13)
    return (x & np.uint64(255)).astype(np.uint8).reshape(height, width, 3)

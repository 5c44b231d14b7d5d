"""Adds what this Pillow makes of images in clean-fid's resize to tests/fixtures/image/pillow_orders.json.

Since Pillow 13 the vertical pass of a resize comes first where that saves work, which moves the last digits. Needs numpy and Pillow; run it
under Pillow 12.3.0 and under 13.0.0, whose results it keeps side by side: {version: {"source target": SHA-256 of planes R, G, B, little-endian f32}}.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
from mixed_image import mix
from PIL import Image

FILE = Path(__file__).resolve().parent.parent / "tests/fixtures/image/pillow_orders.json"

SIZES = [
    ((427, 640), (224, 224)),
    ((640, 427), (224, 224)),
    ((100, 400), (299, 299)),
    ((320, 480), (299, 299)),
    ((300, 301), (299, 299)),
    ((512, 512), (299, 299)),
    ((178, 218), (299, 299)),
    ((20, 33), (16, 16)),
    ((40, 49), (36, 40)),
    ((40, 48), (36, 40)),
    ((10, 60), (40, 60)),
]


def clean(image, width, height):
    """What clean-fid's make_resizer("PIL", False, "bicubic", …) does to each channel."""
    planes = []
    for channel in range(3):
        plane = Image.fromarray(image[:, :, channel].astype(np.float32))
        plane = plane.resize((width, height), resample=Image.Resampling.BICUBIC)
        planes.append(np.asarray(plane).clip(0, 255))
    return np.stack(planes).astype("<f4")


def main():
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    known[PIL.__version__] = {
        f"{source[0]}x{source[1]} {target[0]}x{target[1]}": hashlib.sha256(
            clean(mix(*source), *target).tobytes()
        ).hexdigest()
        for source, target in SIZES
    }
    FILE.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


if __name__ == "__main__":
    main()

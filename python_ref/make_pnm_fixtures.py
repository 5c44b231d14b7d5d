"""Portable anymaps, and what Pillow makes of them: tests/fixtures/image/pnm and pnm.npz.

    python python_ref/make_pnm_fixtures.py            from the root of the repository

`refused.json` there names the files that Pillow refuses, with its words.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path("tests/fixtures/image")
FOLDER = ROOT / "pnm"


def plain(values, separator=b" "):
    return separator.join(str(value).encode() for value in np.ravel(values)) + b"\n"


def files():
    rng = np.random.default_rng(19)
    gray, colour = rng.integers(0, 256, (5, 7)), rng.integers(0, 256, (5, 7, 3))
    bits = rng.integers(0, 2, (5, 11))
    packed = np.packbits(bits, axis=1).tobytes()
    deep = rng.integers(0, 65536, (5, 7))
    deep[0, :4] = 0, 128, 255, 256
    floats = (rng.random((5, 7)) * 400 - 60).astype("f4")
    floats[0, :3] = 0.5, 254.9, 255.0
    yield "p1.pbm", b"P1\n11 5\n" + plain(bits)
    yield "p1_packed.pbm", b"P1 11 5 " + plain(bits, b"") + b"# the end"
    yield "p2.pgm", b"P2\n# a comment\n7 5\n255\n" + plain(gray, b"\n")
    yield "p2_comments.pgm", b"P2 7 #w\n5 # 3 3\n255\n" + plain(gray[:2]) + b"# between\n" + plain(gray[2:])
    yield "p2_maxval_100.pgm", b"P2 7 5 100\n" + plain(gray % 101)
    yield "p2_maxval_1000.pgm", b"P2 7 5 1000\n" + plain(deep % 1001)
    yield "p3.ppm", b"P3 7 5 255\n" + plain(colour)
    yield "p3_maxval_7.ppm", b"P3 7 5 7\n" + plain(colour % 8)
    yield "p3_maxval_65535.ppm", b"P3 7 5 65535\n" + plain(np.stack([deep] * 3, 2))
    yield "p4.pbm", b"P4\n11 5\n" + packed
    yield "p5.pgm", b"P5\n7 5\n255\n" + gray.astype("u1").tobytes()
    yield "p5_comment.pgm", b"P5\n# made by hand\n7 5\n255\n" + gray.astype("u1").tobytes()
    yield "p5_trailing.pgm", b"P5 7 5 255 " + gray.astype("u1").tobytes() + b"more"
    yield "p5_maxval_15.pgm", b"P5 7 5 15\n" + (gray % 16).astype("u1").tobytes()
    yield "p5_above_maxval.pgm", b"P5 7 5 100\n" + gray.astype("u1").tobytes()
    yield "p5_maxval_65535.pgm", b"P5 7 5 65535\n" + deep.astype(">u2").tobytes()
    yield "p5_maxval_4095.pgm", b"P5 7 5 4095\n" + (deep % 4096).astype(">u2").tobytes()
    yield "p6.ppm", b"P6\n7 5\n255\n" + colour.astype("u1").tobytes()
    yield "p6_maxval_200.ppm", b"P6 7 5 200\n" + (colour % 201).astype("u1").tobytes()
    yield "p6_maxval_65535.ppm", b"P6 7 5 65535\n" + np.stack([deep, deep // 2, 65535 - deep], 2).astype(">u2").tobytes()
    yield "p6_maxval_1023.ppm", b"P6 7 5 1023\n" + (np.stack([deep] * 3, 2) % 1024).astype(">u2").tobytes()
    yield "pf_little.pfm", b"Pf\n7 5\n-1.0\n" + floats[::-1].astype("<f4").tobytes()
    yield "pf_big.pfm", b"Pf\n7 5\n2.5\n" + floats[::-1].astype(">f4").tobytes()
    # Refused.
    yield "truncated.ppm", b"P6\n7 5\n255\n" + colour.astype("u1").tobytes()[:-1]
    yield "truncated_deep.pgm", b"P5 7 5 4095\n" + deep.astype(">u2").tobytes()[:-1]
    yield "truncated.pbm", b"P1 11 5 " + plain(bits[:4])
    yield "truncated_header.pgm", b"P5\n7 "
    yield "above_maxval.pgm", b"P2 7 5 100\n" + plain(gray % 101 + 1)
    yield "no_maxval.pgm", b"P5 7 5 0\n" + gray.astype("u1").tobytes()
    yield "large_maxval.pgm", b"P5 7 5 65536\n" + gray.astype("u1").tobytes()
    yield "letters.ppm", b"P3 7 5 255\n" + b"red " * 35
    yield "colour.pfm", b"PF\n7 5\n-1.0\n" + np.stack([floats] * 3, 2).astype("<f4").tobytes()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    decoded, refused = {}, {}
    for name, content in files():
        (FOLDER / name).write_bytes(content)
        try:
            decoded[name] = np.asarray(Image.open(FOLDER / name).convert("RGB"))
        except Exception as error:
            words = str(error).replace(str(FOLDER) + "/", "")
            refused[name] = f"{type(error).__name__}: {words.splitlines()[0]}"
    np.savez_compressed(ROOT / "pnm.npz", **decoded)
    (FOLDER / "refused.json").write_text(json.dumps(refused, indent=1) + "\n")


if __name__ == "__main__":
    main()

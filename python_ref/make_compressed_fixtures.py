"""Makes tests/fixtures/image/compressed with Python's own gzip, bz2 and lzma, and zstandard. Needs numpy, Pillow and zstandard.

text.gz, .bz2, .xz, .zst           2,000 square numbers, a line each
streams.xz                          the same eight times, in three streams of which the last has padding behind it
images.tar.gz, .bz2, .xz, .zst     four 4×4 PNGs of the levels 0, 10, 20 and 30 in the folders cat and dog, and labels.csv
images.npy.xz                      three images of 4×4 pixels of the levels 1, 2 and 3
"""

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import zstandard
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "tests/fixtures/image/compressed"

COMPRESSIONS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}


def png(level):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), level, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def tar():
    buffer = io.BytesIO()
    files = {f"{kind}/{number}.png": png(10 * number) for number, kind in enumerate(["cat", "cat", "dog", "dog"])}
    rows = "".join(f"{name},{number % 2}\r\n" for number, name in enumerate(files))
    files["labels.csv"] = ("file_name,label\r\n" + rows).encode()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{number * number}\n" for number in range(2000)).encode()
    array = io.BytesIO()
    np.save(array, np.repeat(np.arange(1, 4, dtype=np.uint8), 48).reshape(3, 4, 4, 3))
    for extension, compress in COMPRESSIONS.items():
        (FOLDER / f"text.{extension}").write_bytes(compress(text))
        (FOLDER / f"images.tar.{extension}").write_bytes(compress(tar()))
    streams = lzma.compress(text * 3) + lzma.compress(text) + lzma.compress(text * 4)
    (FOLDER / "streams.xz").write_bytes(streams + bytes(8))
    (FOLDER / "images.npy.xz").write_bytes(lzma.compress(array.getvalue()))


if __name__ == "__main__":
    main()

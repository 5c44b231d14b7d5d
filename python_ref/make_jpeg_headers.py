"""Makes tests/fixtures/image/jpeg_headers.json: what Pillow writes before the Huffman tables, in hexadecimal.

    python python_ref/make_jpeg_headers.py            from the root of the repository

It holds the quantisation tables and the sampling factors, by which an encoding is known. Names are those that the encoding
is to be shown by; Pillow's own tables by name and tables of somebody's own belong to no quality.
"""

import io
import json
from pathlib import Path

from PIL import Image

QUALITIES = (1, 2, 3, 10, 24, 25, 49, 50, 51, 60, 74, 75, 76, 85, 90, 92, 95, 98, 99, 100)
SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def header(mode="RGB", **options):
    buffer = io.BytesIO()
    Image.new(mode, (16, 16)).save(buffer, "JPEG", **options)
    content = buffer.getvalue()
    return content[: content.index(b"\xff\xc4")].hex()


def main():
    headers = {}
    for quality in QUALITIES:
        for name, subsampling in SUBSAMPLINGS.items():
            if subsampling == 2 or quality in (75, 90):
                headers[f"JPEG quality {quality} {name}"] = header(quality=quality, subsampling=subsampling)
        headers[f"JPEG quality {quality} gray"] = header("L", quality=quality)
    tables = [[(16 + 3 * i) % 256 or 1 for i in range(64)], [17] * 64]
    headers["JPEG custom tables 4:2:0"] = header(qtables=tables, subsampling=2)
    headers["JPEG custom tables 4:4:4"] = header(quality="web_high", subsampling=0)
    path = Path("tests/fixtures/image/jpeg_headers.json")
    path.write_text(json.dumps(headers, indent=1) + "\n")


if __name__ == "__main__":
    main()

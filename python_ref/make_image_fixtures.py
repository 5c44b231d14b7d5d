"""Makes tests/fixtures/image: encoded files with the RGB that Pillow decodes, and what the reference resizers give.

    python python_ref/make_image_fixtures.py            from the root of the repository

decode/            encoded files, small and seeded
decoded.npz        per file what `Image.open(file).convert("RGB")` gives, height x width x 3 bytes
refused.json       the files of decode/ that Pillow refuses, with its words
resized.json       per resize mode and size the SHA-256 of the whole result (planes R, G, B, little-endian f32)
resized.npz        every 997th value of the same results

The images to resize are not stored: `mix` makes them here and in the tests. The resizers are the peers' own code:
torch-fidelity's `interpolate_bilinear_2d_like_tensorflow1x`, clean-fid's `make_resizer`, and what pytorch-fid and torchmetrics call.
"""

import hashlib
import io
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from cleanfid.resize import make_resizer
from PIL import Image
from mixed_image import mix
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

ROOT = Path("tests/fixtures/image")
DECODE = ROOT / "decode"
SAMPLE_STRIDE = 997


def photograph(width, height, seed=0):
    """Smooth colour with edges and some noise: what a photograph asks of a codec."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for _ in range(3):
        a, b, c, d = rng.uniform(0.05, 0.35, 4)
        plane = 128 + 70 * np.sin(a * x + b * y + 6 * c) + 45 * np.cos(d * x - c * y)
        plane += 60 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) > rng.uniform(-8, 8))
        planes.append(plane + rng.normal(0, 6, plane.shape))
    return np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8)


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


# --------------------------------------------------------------------------------------------------------------- PNG


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, before=b"", interlace=0, end=True):
    """A PNG file from rows of packed samples, each without filter."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), 9))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + (chunk(b"IEND", b"") if end else b"")


def packed_rows(samples, depth):
    """Rows of samples of 1, 2, 4, 8 or 16 bits, filled up to bytes."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in samples]
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1)).tobytes() for row in bits]


def adam7_rows(samples, depth):
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    return [row for y, x, dy, dx in passes if samples[y::dy, x::dx].size for row in packed_rows(samples[y::dy, x::dx], depth)]


def png_files():
    rng = np.random.default_rng(1)
    w, h = 19, 11
    rgb = photograph(w, h)
    files = {"rgb.png": encoded(Image.fromarray(rgb), "PNG"), "photo.png": encoded(Image.fromarray(photograph(37, 23)), "PNG")}
    for depth in (1, 2, 4, 8, 16):
        gray = rng.integers(0, 1 << depth, (h, w))
        files[f"gray{depth}.png"] = png(w, h, depth, 0, packed_rows(gray, depth))
        files[f"gray{depth}_transparent.png"] = png(
            w, h, depth, 0, packed_rows(gray, depth), chunk(b"tRNS", struct.pack(">H", int(gray[0, 0])))
        )
        files[f"gray{depth}_interlaced.png"] = png(w, h, depth, 0, adam7_rows(gray, depth), interlace=1)
    ramp = np.array([[0, 1, 127, 128, 254, 255, 256, 257, 300, 511, 512, 4095, 32767, 32768, 65280, 65535]])
    files["gray16_ramp.png"] = png(16, 1, 16, 0, packed_rows(ramp, 16))
    for depth in (1, 2, 4, 8):
        entries = min(1 << depth, 200)
        index = rng.integers(0, entries, (h, w))
        palette = chunk(b"PLTE", rng.integers(0, 256, 3 * entries, dtype=np.uint8).tobytes())
        files[f"palette{depth}.png"] = png(w, h, depth, 3, packed_rows(index, depth), palette)
        alpha = chunk(b"tRNS", rng.integers(0, 256, min(entries, 5), dtype=np.uint8).tobytes())
        files[f"palette{depth}_alpha.png"] = png(w, h, depth, 3, packed_rows(index, depth), palette + alpha)
        one = chunk(b"tRNS", b"\xff\x00")
        files[f"palette{depth}_one_transparent.png"] = png(w, h, depth, 3, packed_rows(index, depth), palette + one)
    index = rng.integers(0, 16, (h, w))
    short = chunk(b"PLTE", rng.integers(1, 256, 9, dtype=np.uint8).tobytes())
    files["palette4_too_short.png"] = png(w, h, 4, 3, packed_rows(index, 4), short)
    for depth in (8, 16):
        for name, colour, channels in (("rgb", 2, 3), ("gray_alpha", 4, 2), ("rgba", 6, 4)):
            samples = rng.integers(0, 1 << depth, (h, w, channels))
            files[f"{name}{depth}.png"] = png(w, h, depth, colour, packed_rows(samples, depth))
            files[f"{name}{depth}_interlaced.png"] = png(w, h, depth, colour, adam7_rows(samples, depth), interlace=1)
        samples = rng.integers(0, 1 << depth, (h, w, 3))
        key = chunk(b"tRNS", struct.pack(">HHH", *map(int, samples[0, 0])))
        files[f"rgb{depth}_transparent.png"] = png(w, h, depth, 2, packed_rows(samples, depth), key)
    rows = packed_rows(rgb, 8)
    files["gamma.png"] = png(w, h, 8, 2, rows, chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"cHRM", bytes(32)))
    files["icc_broken.png"] = png(w, h, 8, 2, rows, chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")))
    exif = Image.Exif()
    exif[0x0112] = 6
    files["exif_rotated.png"] = encoded(Image.fromarray(rgb), "PNG", exif=exif)
    frames = [Image.fromarray(photograph(w, h, seed)) for seed in (3, 4)]
    files["animated.png"] = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    files["animated_default.png"] = encoded(
        Image.fromarray(rgb), "PNG", save_all=True, append_images=frames, default_image=True
    )
    files["without_end.png"] = png(w, h, 8, 2, rows, end=False)
    files["one_pixel.png"] = png(1, 1, 8, 2, packed_rows(np.array([[[1, 2, 3]]]), 8))
    whole = files["photo.png"]
    files["truncated.png"] = whole[: len(whole) // 2]
    data = whole.index(b"IDAT")
    files["bad_crc.png"] = whole[: data + 40] + bytes([whole[data + 40] ^ 1]) + whole[data + 41 :]
    files["no_pixels.png"] = png(0, 4, 8, 2, [])
    return files


# -------------------------------------------------------------------------------------------------------------- JPEG


def with_sampling(jpeg, factors, size):
    """The same entropy-coded blocks under other sampling factors of the first component, and another size."""
    at = next(jpeg.index(bytes([0xFF, kind])) for kind in (0xC0, 0xC2) if bytes([0xFF, kind]) in jpeg)
    header = bytearray(jpeg)
    header[at + 5 : at + 9] = struct.pack(">HH", size[1], size[0])
    header[at + 11] = factors[0] << 4 | factors[1]
    return bytes(header)


def jpeg_files():
    files = {}
    photo = Image.fromarray(photograph(35, 27, 5))
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        for kind, progressive in (("", False), ("_progressive", True)):
            files[f"{name}{kind}.jpg"] = encoded(
                photo, "JPEG", quality=80, subsampling=subsampling, progressive=progressive
            )
        for width, height in ((1, 1), (3, 2), (16, 16), (17, 33)):
            small = Image.fromarray(photograph(width, height, 6))
            files[f"{name}_{width}x{height}.jpg"] = encoded(small, "JPEG", subsampling=subsampling)
    # At 2x1 the image has 3x4 units of two luminance blocks, at 2x2 3x2 units of four.
    files["440.jpg"] = with_sampling(files["422.jpg"], (1, 2), (30, 46))
    files["440_progressive.jpg"] = with_sampling(
        encoded(photo, "JPEG", quality=80, subsampling=1, progressive=True), (1, 2), (30, 46)
    )
    files["411.jpg"] = with_sampling(files["420.jpg"], (4, 1), (62, 21))
    files["1x4.jpg"] = with_sampling(files["420.jpg"], (1, 4), (21, 62))
    for quality in (10, 50, 95, 100):
        files[f"quality{quality}.jpg"] = encoded(photo, "JPEG", quality=quality)
    gray = photo.convert("L")
    files["gray.jpg"] = encoded(gray, "JPEG")
    files["gray_progressive.jpg"] = encoded(gray, "JPEG", progressive=True)
    cmyk = Image.fromarray(np.dstack([photograph(29, 21, 7), photograph(29, 21, 8)[..., :1]]), "CMYK")
    files["cmyk.jpg"] = encoded(cmyk, "JPEG", quality=90)
    adobe = files["cmyk.jpg"].index(b"Adobe")
    ycck = bytearray(files["cmyk.jpg"])
    ycck[adobe + 11] = 2
    files["ycck.jpg"] = bytes(ycck)
    without = bytearray(files["cmyk.jpg"])
    without[adobe : adobe + 5] = b"Other"
    files["cmyk_without_adobe.jpg"] = bytes(without)
    files["rgb.jpg"] = encoded(photo, "JPEG", keep_rgb=True)
    files["restart.jpg"] = encoded(photo, "JPEG", restart_marker_blocks=3)
    files["optimised.jpg"] = encoded(photo, "JPEG", optimize=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    files["exif_rotated.jpg"] = encoded(photo, "JPEG", exif=exif)
    files["icc.jpg"] = encoded(photo, "JPEG", icc_profile=b"no profile at all")
    whole, progressive = files["420.jpg"], files["420_progressive.jpg"]
    files["truncated.jpg"] = whole[: len(whole) // 2]
    files["truncated_progressive.jpg"] = progressive[: 2 * len(progressive) // 3]
    files["truncated_header.jpg"] = whole[:200]
    files["without_end.jpg"] = whole[:-2]
    files["without_end_progressive.jpg"] = progressive[:-2]
    files["more_after_end.jpg"] = whole + b"appended"
    damaged = bytearray(whole)
    for at in range(len(damaged) - 400, len(damaged) - 100, 37):
        damaged[at] ^= 0x55
    files["damaged_scan.jpg"] = bytes(damaged)
    return files


# ------------------------------------------------------------------------------------------------- WebP, GIF, BMP, TIFF


def webp_files():
    files = {}
    photo = Image.fromarray(photograph(35, 27, 9))
    for quality in (20, 75, 95):
        files[f"lossy{quality}.webp"] = encoded(photo, "WEBP", quality=quality)
    files["lossless.webp"] = encoded(photo, "WEBP", lossless=True)
    for width, height in ((1, 1), (2, 3), (17, 16)):
        files[f"lossy_{width}x{height}.webp"] = encoded(Image.fromarray(photograph(width, height, 10)), "WEBP")
    rgba = Image.fromarray(np.dstack([photograph(33, 25, 11), photograph(33, 25, 12)[..., 0]]), "RGBA")
    files["lossy_alpha.webp"] = encoded(rgba, "WEBP", quality=80, exact=True)
    files["lossless_alpha.webp"] = encoded(rgba, "WEBP", lossless=True, exact=True)
    frames = [Image.fromarray(photograph(33, 25, seed)) for seed in (13, 14)]
    files["animated.webp"] = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=80)
    files["gray.webp"] = encoded(photo.convert("L"), "WEBP")
    files["truncated.webp"] = files["lossy75.webp"][:500]
    files["truncated_lossless.webp"] = files["lossless.webp"][:500]
    return files


def gif_files():
    photo = Image.fromarray(photograph(37, 23, 15))
    indexed = photo.quantize(50)
    files = {
        "palette.gif": encoded(indexed, "GIF", interlace=0),
        "interlaced.gif": encoded(indexed, "GIF", interlace=1),
        "transparent.gif": encoded(indexed, "GIF", transparency=7),
        "gray.gif": encoded(photo.convert("L"), "GIF"),
        "two_colours.gif": encoded(photo.convert("1"), "GIF"),
    }
    frames = [Image.fromarray(photograph(37, 23, seed)) for seed in (16, 17)]
    files["animated.gif"] = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    for name in ("palette.gif", "transparent.gif"):
        larger = bytearray(files[name])
        larger[6:10] = struct.pack("<HH", 45, 31)
        at = larger.index(b"\x2c" + struct.pack("<HHHH", 0, 0, 37, 23))
        larger[at + 1 : at + 5] = struct.pack("<HH", 5, 3)
        files[f"offset_{name}"] = bytes(larger)
    smaller = bytearray(files["palette.gif"])
    smaller[6:10] = struct.pack("<HH", 20, 10)
    files["over_its_screen.gif"] = bytes(smaller)
    files["truncated.gif"] = files["palette.gif"][: len(files["palette.gif"]) // 2]
    return files


def bmp(width, height, bits, rows, palette=b"", compression=0, masks=b"", header=40):
    """A BMP file from rows, bottom first, filled up to four bytes here unless compressed."""
    data = rows if compression in (1, 2) else b"".join(row + bytes(-len(row) % 4) for row in rows)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, 0, 0)
    offset = 14 + len(info) + len(masks) + len(palette)
    return struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + info + masks + palette + data


def bmp_files():
    rng = np.random.default_rng(18)
    w, h = 13, 9
    photo = Image.fromarray(photograph(w, h, 19))
    files = {
        "rgb.bmp": encoded(photo, "BMP"),
        "gray.bmp": encoded(photo.convert("L"), "BMP"),
        "palette.bmp": encoded(photo.quantize(40), "BMP"),
        "two_colours.bmp": encoded(photo.convert("1"), "BMP"),
        "rgba.bmp": encoded(Image.fromarray(rng.integers(0, 256, (h, w, 4), dtype=np.uint8), "RGBA"), "BMP"),
    }
    for bits in (1, 4, 8):
        palette = rng.integers(0, 256, 4 << bits, dtype=np.uint8).tobytes()
        files[f"palette{bits}.bmp"] = bmp(w, h, bits, packed_rows(rng.integers(0, 1 << bits, (h, w)), bits), palette)
    index = rng.integers(0, 256, (h, w))
    files["os2.bmp"] = bmp(w, h, 8, packed_rows(index, 8), rng.integers(0, 256, 768, dtype=np.uint8).tobytes(), header=12)
    words = [row.astype("<u2").tobytes() for row in rng.integers(0, 1 << 16, (h, w))]
    files["unsupported_555.bmp"] = bmp(w, h, 16, words)
    files["unsupported_565.bmp"] = bmp(w, h, 16, words, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    quads = [row.astype("<u4").tobytes() for row in rng.integers(0, 1 << 32, (h, w))]
    files["xrgb.bmp"] = bmp(w, h, 32, quads)
    files["bitfields32.bmp"] = bmp(w, h, 32, quads, compression=3, masks=struct.pack("<III", 0xFF0000, 0xFF00, 0xFF))
    triples = packed_rows(photograph(w, h, 20), 8)
    files["top_down.bmp"] = bmp(w, -h, 24, triples)
    palette = rng.integers(0, 256, 1024, dtype=np.uint8).tobytes()
    runs = b"".join(bytes([5, 17 + y, 8, 200 - y, 0, 0]) for y in range(h)) + b"\0\1"
    files["rle8.bmp"] = bmp(w, h, 8, runs, palette, compression=1)
    literal = b"".join(b"\0\x05" + bytes([y, 2, 3, 4, 5]) + b"\0" + bytes([8, 9]) + b"\0\0" for y in range(h)) + b"\0\1"
    files["rle8_literal.bmp"] = bmp(w, h, 8, literal, palette, compression=1)
    runs4 = b"".join(bytes([13, 0x10 + y, 0, 0]) for y in range(h)) + b"\0\1"
    files["rle4.bmp"] = bmp(w, h, 4, runs4, palette[:64], compression=2)
    files["truncated.bmp"] = files["rgb.bmp"][:-40]
    return files


def tiff(width, height, bits, photometric, data, extra=()):
    """A little-endian, uncompressed TIFF of one strip, or one per plane."""
    samples = len(bits)
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, bits), (259, 3, [1]), (262, 3, [photometric])]
    strips = len(bits) if (284, 3, [2]) in extra else 1
    length = len(data) // strips
    tags += [(273, 4, [8 + length * strip for strip in range(strips)]), (279, 4, [length] * strips)]
    tags += [(277, 3, [samples]), (278, 3, [height]), *extra]
    data += bytes(len(data) % 2)
    directory = 8 + len(data)
    spill = directory + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, kind, values in sorted(tags):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, more = struct.pack("<I", spill + len(more)), more + packed
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", directory) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + more


def tiff_files():
    rng = np.random.default_rng(21)
    w, h = 13, 9
    photo = Image.fromarray(photograph(w, h, 22))
    rgba = Image.fromarray(rng.integers(0, 256, (h, w, 4), dtype=np.uint8), "RGBA")
    files = {f"rgb_{name}.tif": encoded(photo, "TIFF", compression=name) for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")}
    files["gray.tif"] = encoded(photo.convert("L"), "TIFF")
    files["two_colours.tif"] = encoded(photo.convert("1"), "TIFF")
    files["rgba.tif"] = encoded(rgba, "TIFF")
    files["gray_alpha.tif"] = encoded(rgba.convert("LA"), "TIFF")
    files["cmyk.tif"] = encoded(rgba.copy().convert("CMYK"), "TIFF")
    files["gray16.tif"] = encoded(Image.fromarray(rng.integers(0, 600, (h, w), dtype=np.uint16)), "TIFF")
    for bits in (2, 4, 8):
        gray = b"".join(packed_rows(rng.integers(0, 1 << bits, (h, w)), bits))
        files[f"gray{bits}_black_is_zero.tif"] = tiff(w, h, [bits], 1, gray)
    for bits in (1, 8):
        gray = b"".join(packed_rows(rng.integers(0, 1 << bits, (h, w)), bits))
        files[f"gray{bits}_white_is_zero.tif"] = tiff(w, h, [bits], 0, gray)
    wide = rng.integers(0, 1 << 16, (h, w, 4), dtype=np.uint16)
    files["rgb16.tif"] = tiff(w, h, [16] * 3, 2, wide[..., :3].astype("<u2").tobytes())
    files["rgba16.tif"] = tiff(w, h, [16] * 4, 2, wide.astype("<u2").tobytes(), [(338, 3, [2])])
    files["rgbx.tif"] = tiff(w, h, [8] * 4, 2, np.asarray(rgba).tobytes(), [(338, 3, [0])])
    for orientation in range(2, 9):
        files[f"orientation{orientation}.tif"] = encoded(photo, "TIFF", tiffinfo={274: orientation})
    files["pages.tif"] = encoded(photo, "TIFF", save_all=True, append_images=[rgba.convert("RGB")])
    files["truncated.tif"] = files["gray8_black_is_zero.tif"][:60]
    files["unsupported_palette.tif"] = encoded(photo.quantize(20), "TIFF")
    files["unsupported_jpeg.tif"] = encoded(photo, "TIFF", compression="jpeg")
    files["unsupported_premultiplied.tif"] = tiff(w, h, [8] * 4, 2, np.asarray(rgba).tobytes(), [(338, 3, [1])])
    planar = np.asarray(photo).transpose(2, 0, 1).tobytes()
    files["unsupported_planar.tif"] = tiff(w, h, [8] * 3, 2, planar, [(284, 3, [2])])
    return files


# ------------------------------------------------------------------------------------------------------------- resize


def tf1(image, width, height):
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].to(torch.float32)
    return interpolate_bilinear_2d_like_tensorflow1x(batch, size=(height, width), align_corners=False)[0].numpy()


def torch_bilinear(image, width, height):
    """pytorch-fid: ToTensor, then interpolate; brought back to 0-255 in f64, which adds no error of its own."""
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].to(torch.float32).div(255)
    small = torch.nn.functional.interpolate(batch, size=(height, width), mode="bilinear", align_corners=False)
    return small[0].numpy()


def torch_antialias(image, width, height):
    """torchmetrics since 1.8, on 0-255."""
    batch = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].to(torch.float32)
    options = {"mode": "bilinear", "align_corners": False, "antialias": True}
    return torch.nn.functional.interpolate(batch, size=(height, width), **options)[0].numpy()


def clean(image, width, height):
    return make_resizer("PIL", False, "bicubic", (width, height))(image).transpose(2, 0, 1)


RESIZERS = {"tf1": tf1, "torch": torch_bilinear, "torch-antialias": torch_antialias, "clean": clean}
SIZES = [
    ((32, 32), (299, 299)),
    ((28, 28), (224, 224)),
    ((640, 480), (299, 299)),
    ((299, 299), (299, 299)),
    ((7, 5), (299, 299)),
    ((512, 512), (299, 299)),
    ((1, 1), (299, 299)),
    ((299, 150), (299, 299)),
    ((150, 299), (299, 299)),
    ((1000, 3), (17, 224)),
]


def resize_fixtures():
    hashes, samples = {}, {}
    for source, target in SIZES:
        image = mix(*source)
        for name, resize in RESIZERS.items():
            out = np.ascontiguousarray(resize(image, *target), dtype="<f4")
            assert out.shape == (3, target[1], target[0])
            key = f"{name} {source[0]}x{source[1]} {target[0]}x{target[1]}"
            hashes[key] = hashlib.sha256(out.tobytes()).hexdigest()
            samples[key] = out.reshape(-1)[::SAMPLE_STRIDE]
    return hashes, samples


def main():
    torch.set_num_threads(1)
    DECODE.mkdir(parents=True, exist_ok=True)
    for old in DECODE.iterdir():
        old.unlink()
    decoded, refused = {}, {}
    for files in (png_files(), jpeg_files(), webp_files(), gif_files(), bmp_files(), tiff_files()):
        for name, content in files.items():
            (DECODE / name).write_bytes(content)
            try:
                with Image.open(io.BytesIO(content)) as image:
                    decoded[name] = np.asarray(image.convert("RGB"))
            except Exception as error:  # noqa: BLE001 - whatever Pillow raises is its refusal
                words = re.sub(r" <.*>", "", str(error))
                refused[name] = f"{type(error).__name__}: {words}"
    np.savez_compressed(ROOT / "decoded.npz", **decoded)
    (ROOT / "refused.json").write_text(json.dumps(refused, indent=1) + "\n")
    hashes, samples = resize_fixtures()
    (ROOT / "resized.json").write_text(json.dumps(hashes, indent=1) + "\n")
    np.savez_compressed(ROOT / "resized.npz", **samples)


if __name__ == "__main__":
    main()

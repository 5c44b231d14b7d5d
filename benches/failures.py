"""What each score makes of the ways in which a generated set can be wrong: the pictures of docs/choosing.md and docs/scores/.

    cargo build
    python benches/failures.py run results.jsonl [--program target/debug/gan-metrics] [--jobs 1]
    python benches/failures.py draw results.jsonl docs/pictures

`run` spoils images of the first of the two shipped sets of digits in nine ways, each at several strengths, and scores them against as
many of the second.
The network sees each image once; its features are kept beside the results (results.npz) and used again when they are there.
Needs numpy and pillow.
"""

import argparse
import concurrent.futures
import functools
import gzip
import hashlib
import io
import json
import math
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image, ImageFilter

DIGITS = pathlib.Path("tests/data/digits")
REAL = DIGITS / "second.idx.gz"
SCORES = "fid,kid,is,prdc,authpct,realism,mind,mifid,mmd,vendi,is-infinity,duplicates"
# Scores that are computed of single faults only: the first is slow, the second needs classes.
MORE_SCORES = {"fewer images": ",fid-infinity", "one class blurred": ",per-class"}
IMAGES = 1024
# What a picture draws at its upper end: the realism of a copy is as good as infinite.
CEILINGS = {"realism": 2}
SEED = 0


def idx(path):
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)[:IMAGES]


def each(images, change):
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])


def blurred(images, labels, sigma):
    return each(images, lambda image: image.filter(ImageFilter.GaussianBlur(sigma)))


def noisy(images, labels, deviation):
    noise = np.random.RandomState(SEED).normal(0, deviation, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def jpeg(images, labels, quality):
    def change(image):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return each(images, change)


def without_classes(images, labels, missing):
    """As many images as before, of the classes that are left, repeated."""
    kept = images[labels >= missing]
    return kept[np.arange(len(images)) % len(kept)]


def one_image_a_class(images, labels, share):
    """A share of each class is one and the same image of it."""
    changed, random = images.copy(), np.random.RandomState(SEED)
    for label in range(10):
        places = np.flatnonzero(labels == label)
        changed[places[random.rand(len(places)) < share]] = images[places[0]]
    return changed


def copied(images, labels, share):
    """A share of the images are those of the real set."""
    changed, count = images.copy(), round(share * len(images))
    changed[:count] = idx(REAL)[:count]
    return changed


def broken(images, labels, share):
    """A share of the images are noise."""
    changed, count = images.copy(), round(share * len(images))
    changed[:count] = np.random.RandomState(SEED).randint(256, size=changed[:count].shape)
    return changed


def fewer(images, labels, count):
    return images[: int(count)]


def one_class_blurred(images, labels, sigma):
    """The class whose images are blurred is that of the threes."""
    changed = images.copy()
    changed[labels == 3] = blurred(images[labels == 3], None, sigma)
    return changed


# What is wrong, its strength in words, how to do it, and the strengths; the first of each changes nothing, or next to nothing.
FAULTS = [
    ("blur", "σ in pixels", blurred, [0, 0.5, 1, 1.5]),
    ("noise", "σ, of 255", noisy, [0, 8, 16, 32]),
    ("JPEG", "quality", jpeg, [100, 75, 50, 25]),
    ("missing classes", "of 10", without_classes, [0, 1, 5, 9]),
    ("one image a class", "share of the set", one_image_a_class, [0, 0.25, 0.5, 1]),
    ("copies of the real set", "share of the set", copied, [0, 0.25, 0.5, 1]),
    ("broken images", "share of the set", broken, [0, 0.01, 0.1, 0.25]),
    ("fewer images", "number", fewer, [1024, 512, 256, 128]),
    ("one class blurred", "σ in pixels", one_class_blurred, [0, 0.5, 1, 1.5]),
]
# Numbers that are drawn: title, where a report has them, and the value below which a logarithmic scale ends, or nothing for a linear one.
FID = ("FID", ("fid", "value"), 1)
KID = ("KID", ("kid", "mean"), 1e-4)
IS = ("Inception Score", ("inception_score", "mean"), None)
PRECISION = ("precision", ("prdc", "precision"), None)
RECALL = ("recall", ("prdc", "recall"), None)
COVERAGE = ("coverage", ("prdc", "coverage"), None)
AUTHPCT = ("AuthPct", ("authpct", "value"), None)
REALISM = ("realism", ("realism", "median"), None)
MIND = ("MIND", ("mind", "value"), 0.1)
VENDI = ("Vendi score", ("vendi", "value"), None)
# The picture of all faults: a row a number.
ROWS = [FID, KID, MIND, IS, VENDI, PRECISION, RECALL, COVERAGE, REALISM, AUTHPCT]
# The picture of a score: its numbers, and the faults that are drawn of it, or nothing for all.
PICTURES = {
    "fid": ([FID], None),
    "is": ([IS], None),
    "kid": ([KID], None),
    "prdc": ([PRECISION, RECALL, COVERAGE], None),
    "authpct": ([AUTHPCT], None),
    "realism": ([REALISM], None),
    "mind": ([MIND], None),
    "mifid": ([("MiFID", ("mifid", "value"), 1), FID], None),
    "mmd": ([("MMD", ("mmd", "value"), 1e-3)], None),
    "vendi": ([VENDI], None),
    "fid-infinity": ([("FID∞", ("fid_infinity", "value"), 0.1), FID], ["fewer images"]),
    "is-infinity": ([("IS∞", ("inception_score_infinity", "value"), None), IS], None),
    "duplicates": ([("like another one", ("duplicates", "within_fake", "images"), None), ("like a real one", ("duplicates", "between", "images"), None)], None),
    "per-class": ([("threes", ("per_class_fid", 3, "fid"), 1), ("fours", ("per_class_fid", 4, "fid"), 1), ("whole set", ("fid", "value"), 1)], ["one class blurred"]),
}


def features_of(program, sets, kept):
    """Features and logits of the images of every set, from one pass over the distinct images of all of them."""
    distinct, places = np.unique(np.concatenate(sets), axis=0, return_inverse=True)
    if not kept.exists():
        with tempfile.TemporaryDirectory() as folder:
            images = pathlib.Path(folder) / "distinct.npy"
            np.save(images, distinct[..., None])
            command = [program, "features", images, "--extractor", "efficientnet-lite0", "--threads", "1", "--quiet", "-o", kept]
            subprocess.run([str(part) for part in command], check=True)
    found = np.load(kept)
    assert len(found["features"]) == len(distinct), f"{kept} is of other images: delete it"
    features, logits, provenance = found["features"], found["logits"], json.loads(bytes(found["provenance"]))
    for places in np.split(places.reshape(-1), np.cumsum([len(images) for images in sets])[:-1]):
        yield features[places], logits[places], provenance


def save(path, images, labels, found):
    """A feature file as the program writes it of these images, each class in a folder."""
    features, logits, provenance = found
    content = hashlib.sha256(images.tobytes()).hexdigest()
    provenance = provenance | {"n": len(images), "census": provenance["census"] | {"content": content}}
    names = [f"{label}/{number:05}.png" for number, label in enumerate(labels)]
    texts = {name: np.frombuffer(json.dumps(text).encode(), np.uint8) for name, text in [("provenance", provenance), ("names", names)]}
    np.savez(path, features=features, logits=logits, **texts)


def without_lists(found):
    """What a report says of scores, without what it says of single images."""
    if isinstance(found, dict):
        return {key: without_lists(value) for key, value in found.items() if not (isinstance(value, list) and len(value) > 20)}
    return found


def one_run(program, fake, scores):
    report = fake.with_suffix(f".{len(scores)}.json")
    command = [program, "score", fake.parent / "real.npz", fake, "--metrics", scores, "--json", "-o", report, "--quiet"]
    command += ["--kid-subset-size", min(1000, len(np.load(fake)["features"]) // 2)]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if report.exists():
        return {"metrics": without_lists(json.loads(report.read_text())["metrics"])}
    return {"failed": done.stdout[-2000:]}


def run(arguments):
    images, labels = idx(DIGITS / "first.idx.gz"), idx(DIGITS / "first-labels.idx.gz")
    asked = [(fault, strength) for fault in FAULTS for strength in fault[3]]
    made = [change(images, labels, strength) for (_, _, change, _), strength in asked]
    features = features_of(arguments.program, [idx(REAL), *made], pathlib.Path(arguments.results).with_suffix(".npz"))
    with tempfile.TemporaryDirectory() as folder, open(arguments.results, "w") as out:
        folder = pathlib.Path(folder)
        save(folder / "real.npz", idx(REAL), idx(DIGITS / "second-labels.idx.gz"), next(features))
        for number, (images, found) in enumerate(zip(made, features)):
            save(folder / f"{number}.npz", images, labels[: len(images)], found)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:

            @functools.cache
            def scores_of(content, scores):
                return pool.submit(one_run, arguments.program, folder / f"{contents.index(content)}.npz", scores)

            # What changes nothing is scored once.
            contents = [(len(images), images.tobytes()) for images in made]
            scored = [scores_of(content, SCORES + MORE_SCORES.get(fault[0], "")) for content, (fault, _) in zip(contents, asked)]
            for ((fault, *_), strength), found in zip(asked, scored):
                print(json.dumps({"fault": fault, "strength": strength} | found.result()), file=out, flush=True)


COLOURS = ["#1f5fa8", "#c8541f", "#3a8a4d"]


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{words}</text>'


def at(report, path):
    for key in path:
        report = report[key]
    return report


class Scale:
    """One scale for the numbers of a picture over all faults, so that panels compare."""

    def __init__(self, numbers, results):
        ceiling = CEILINGS.get(numbers[0][0], math.inf)
        every = [min(at(report, path), ceiling) for report in results.values() for _, path, _ in numbers if path[0] in report]
        self.floor = numbers[0][2]
        if self.floor:
            self.low, self.high = self.floor, 10 ** math.ceil(math.log10(max(every)))
            tens = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
            self.ticks = [10.0**ten for ten in tens][:: 2 if len(tens) > 4 else 1]
        else:
            step = 10 ** math.floor(math.log10(max(every) - min(every)))
            step *= next(factor for factor in [0.2, 0.5, 1, 2, 5, 10] if (max(every) - min(every)) / (factor * step) <= 3)
            self.low, self.high = math.floor(min(every) / step) * step, math.ceil(max(every) / step) * step
            self.ticks = [self.low + step * i for i in range(round((self.high - self.low) / step) + 1)]

    def share(self, value):
        """Where a value lies between the ends of the scale, 0 to 1."""
        value = min(value, self.high)
        if self.floor:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def panel(place, size, numbers, scale, fault, results, named):
    (left, top), (width, height) = place, size
    strengths = fault[3]
    across = [left + width * i / (len(strengths) - 1) for i in range(len(strengths))]
    down = lambda value: top + height * (1 - scale.share(value))
    for tick in scale.ticks:
        yield f'<path d="M{left:.1f} {down(tick):.1f}h{width:.1f}" stroke="#ddd"/>'
        if named:
            yield text(left - 4, down(tick) + 3.5, f"{tick:g}", "end")
    for (_, path, _), colour in zip(numbers, COLOURS):
        found = [(x, results.get((fault[0], strength), {})) for x, strength in zip(across, strengths)]
        points = [(x, down(at(report, path))) for x, report in found if path[0] in report]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{colour}"/>' for x, y in points)


def strengths_below(left, width, y, fault):
    """The weakest and the strongest, and what they are."""
    first, last = fault[3][0], fault[3][-1]
    ends = [text(left, y, f"{first:g}", "start"), text(left + width, y, f"{last:g}", "end")]
    return [*ends, text(left + width / 2, y + 13, fault[1])]


def write(path, width, height, parts):
    size = f'width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="10.5" fill="#222">'
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, f'<rect {size} fill="#fff"/>', *parts, "</svg>"]) + "\n")


def draw_all(results, path):
    faults, columns, rows, left, top = FAULTS[:8], 90, 74, 100, 34
    parts = []
    for column, fault in enumerate(faults):
        x = left + column * columns
        words = fault[0].split(" ")
        half = (len(words) + 1) // 2
        for line, part in enumerate([" ".join(words[:half]), " ".join(words[half:])]):
            parts.append(text(x + 36, 14 + 12 * line, part, more=' font-weight="bold"'))
        for row, number in enumerate(ROWS):
            scale = Scale([number], {key: report for key, report in results.items() if key[0] in [fault[0] for fault in faults]})
            parts.extend(panel((x, top + row * rows), (columns - 18, rows - 18), [number], scale, fault, results, column == 0))
        parts.extend(strengths_below(x, columns - 18, top + len(ROWS) * rows + 2, fault))
    for row, (title, _, _) in enumerate(ROWS):
        words = title.replace("Inception Score", "Inception\nScore").split("\n")
        for line, part in enumerate(words):
            parts.append(text(2, top + row * rows + 30 + 12 * line, part, "start", ' font-weight="bold"'))
    write(path, left + len(faults) * columns, top + len(ROWS) * rows + 24, parts)


def draw_one(results, numbers, chosen, path):
    faults = [fault for fault in FAULTS if (fault[0] in chosen if chosen else fault in FAULTS[:8])]
    across, columns, rows, left, top = min(4, len(faults)), 178, 152, 44, 30
    scale, parts = Scale(numbers, {key: report for key, report in results.items() if not chosen or key[0] in chosen}), []
    for place, fault in enumerate(faults):
        x, y = left + place % across * columns, top + place // across * rows
        parts.append(text(x + 70, y - 8, fault[0], more=' font-weight="bold"'))
        parts.extend(panel((x, y), (140, 86), numbers, scale, fault, results, place % across == 0))
        parts.extend(strengths_below(x, 140, y + 102, fault))
    width, height = left + across * columns - 16, top + -(-len(faults) // across) * rows - 22
    named = list(zip(numbers, COLOURS)) if len(numbers) > 1 else []
    # Beneath many panels, beside a single one.
    beside = len(faults) == 1
    for place, ((title, _, _), colour) in enumerate(named):
        x, y = (left + columns - 10, top + 20 + 20 * place) if beside else (left + 130 * place, height + 8)
        parts.append(f'<path d="M{x} {y}h18" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(x + 24, y + 4, title, "start"))
    write(path, width + (100 if named and beside else 0), height + (22 if named and not beside else 0), parts)


def draw_spatial(path):
    """What sFID looks at, beside what FID looks at: no numbers."""
    parts, side = [], 8
    for left, title, below in [(20, "features of sFID", "7 channels at each of 17 × 17 places"), (250, "features of FID", "2,048 channels, each its mean over all places")]:
        parts.append(text(left + 68, 16, title, more=' font-weight="bold"'))
        parts.append(text(left + 68, 180, below))
        for row in range(17) if left == 20 else []:
            for column in range(17):
                shape = (row - 5) ** 2 + (column - 6) ** 2 < 18
                fill = COLOURS[0] if shape else "#e8eef6"
                parts.append(f'<rect x="{left + side * column}" y="{26 + side * row}" width="{side - 1}" height="{side - 1}" fill="{fill}"/>')
    parts.append(f'<rect x="250" y="26" width="135" height="135" fill="{COLOURS[0]}" fill-opacity="0.28"/>')
    write(path, 440, 190, parts)


def draw(results, folder):
    lines = [json.loads(line) for line in pathlib.Path(results).read_text().splitlines()]
    found = {(line["fault"], line["strength"]): line.get("metrics", {}) for line in lines}
    folder = pathlib.Path(folder)
    draw_all(found, folder / "failures.svg")
    draw_spatial(folder / "scores" / "sfid.svg")
    for score, (numbers, chosen) in PICTURES.items():
        draw_one(found, numbers, chosen, folder / "scores" / f"{score}.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "draw"])
    parser.add_argument("results")
    parser.add_argument("pictures", nargs="?", default="docs/pictures")
    parser.add_argument("--program", default="target/debug/gan-metrics")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.what == "run":
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        run(arguments)
    else:
        draw(arguments.results, arguments.pictures)


if __name__ == "__main__":
    main()

"""Trains every system on the shipped digits and scores what it makes: the table of docs/gans.md.

    cargo build
    python benches/gans.py run results.jsonl [--program target/debug/gan-metrics] [--jobs 1] [--seeds 0,1,2] [--only NAME,...]
    python benches/gans.py table results.jsonl
    python benches/gans.py picture gans.png --samples FOLDER
    python benches/gans.py strips FOLDER --samples FOLDER
    python benches/gans.py print [--only NAME,...]

A run is a `train`, a `generate` and a `score` of the program, one thread each; `print` shows them as commands. A line of the
results is one run; runs that a file already has, as benches/gans.jsonl has those of the page, are not repeated. What all
runs have in common: 28×28 digits, batches of 32, and, among networks of a kind, how many real images they see. `table` prints the median of the seeds, and the range of the FID;
seconds are those of one processor that training took. `picture` puts the grids of all systems beside each other, `strips` makes a
file of each one's first two rows. Needs Python alone, for pictures pillow.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import typing

DIGITS = pathlib.Path("tests/data/digits")
TRAINED_ON, COMPARED_WITH = DIGITS / "first.idx.gz", DIGITS / "second.idx.gz"
BATCH = 32
SCORES = "fid,kid,prdc,vendi"
# The columns of the table: title, number of the report, digits.
COLUMNS = [
    ("FID", "fid", 1),
    ("KID ×10³", "kid", 2),
    ("precision", "precision", 2),
    ("recall", "recall", 2),
    ("coverage", "coverage", 2),
    ("Vendi", "vendi", 1),
]
# How many real images networks see: those of convolutions take twenty times as long for each.
SEEN_BY_CONNECTED, SEEN_BY_CONVOLUTIONAL = 320_000, 28_800
# Of the picture: grids in a row, and pixels between them; rows of images in a strip, and gray levels, which make small files.
ACROSS, GAP = 5, 4
STRIP_ROWS, LEVELS = 2, 8


def connected(name, *flags, critic_steps=1):
    return Row(name, [*flags, "--width", "128"], critic_steps, SEEN_BY_CONNECTED)


def convolutional(name, *flags, width=16):
    return Row(name, [*flags, "--width", width], 1, SEEN_BY_CONVOLUTIONAL)


class Row(typing.NamedTuple):
    """A line of the table: its name, flags of `train`, steps of the critic for one of the generator, each of which sees a batch, and images seen."""

    name: str
    flags: list
    critic_steps: int
    seen: int


OBJECTIVES = ["minimax", "f-gan:kl", "f-gan:pearson-chi2", "f-gan:jensen-shannon", "least-squares", "hinge", "relativistic"]
OBJECTIVES += ["relativistic-least-squares", "feature-matching", "ebgan", "began"]
ROWS = [
    connected("mlp", "--model", "mlp"),
    *(connected(f"mlp {objective}", "--model", "mlp", "--objective", objective) for objective in OBJECTIVES),
    connected("mlp wasserstein", "--model", "mlp", "--objective", "wasserstein", critic_steps=5),
    connected("mlp wasserstein-gp", "--model", "mlp", "--objective", "wasserstein-gp", critic_steps=5),
    *(connected(f"mlp {penalty}", "--model", "mlp", "--regularizer", penalty) for penalty in ["r1", "dragan", "historical-averaging"]),
    *(connected(f"mlp minibatch-{name}", "--model", "mlp", "--minibatch-statistic", name) for name in ["discrimination", "deviation"]),
    *(connected(model, "--model", model) for model in ["bigan", "vae", "made", "gsn"]),
    *(convolutional(model, "--model", model) for model in ["dcgan", "cgan", "acgan", "infogan", "catgan", "ssgan", "vae-conv"]),
    convolutional("sngan", "--model", "sngan", "--critic-steps", "1"),
    *(convolutional(model, "--model", model) for model in ["sagan", "sagan-class"]),
    convolutional("ddpm", "--model", "ddpm"),
    # Many convolutions at full size.
    *(convolutional(model, "--model", model, width=8) for model in ["realnvp", "pixelcnn"]),
]


def commands(program, row, seed, images, folder, reference):
    """The three commands of a run."""
    steps = row.seen // (BATCH * row.critic_steps)
    train = [program, "train", "--data", TRAINED_ON, "--size", "28", *row.flags, "--batch-size", BATCH, "--steps", steps]
    train += ["--seed", seed, "--threads", "1", "--out", folder / "run"]
    generate = [program, "generate", "--checkpoint", folder / "run" / "checkpoint.safetensors", "-n", images]
    generate += ["--seed", seed, "-o", folder / "fake.npz", "--quiet"]
    score = [program, "score", reference, folder / "fake.npz", "--metrics", SCORES, "--extractor", "efficientnet-lite0"]
    score += ["--kid-subset-size", "256", "--threads", "1", "--json", "-o", folder / "scores.json", "--quiet"]
    return [[str(part) for part in command] for command in (train, generate, score)]


def finished(command, output):
    """How a command ended, what it printed, and the seconds of a processor that it took, which other work on the machine does not change."""
    with output.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), output.read_text(), used.ru_utime + used.ru_stime


def one_run(row, seed, arguments, reference):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        seconds = {}
        asked = commands(arguments.program, row, seed, arguments.images, folder, reference)
        for step, command in zip(("train", "generate", "score"), asked):
            status, said, seconds[step] = finished(command, folder / "said.txt")
            if status != 0:
                return {"row": row.name, "seed": seed, "failed": step, "said": said[-2000:]}
        report = json.loads((folder / "scores.json").read_text())
        if arguments.samples is not None and seed == arguments.seeds[0]:
            grid = max((folder / "run" / "samples").glob("*.png"))
            (arguments.samples / f"{slug(row.name)}.png").write_bytes(grid.read_bytes())
        return {"row": row.name, "seed": seed, "seen": row.seen, "numbers": numbers(report), "seconds": seconds}


def numbers(report):
    """The numbers of a report by their names, whatever score they belong to."""
    metrics = report["metrics"]
    found = {name: metrics[name]["value"] for name in ("fid", "vendi")}
    found["kid"] = 1e3 * metrics["kid"]["mean"]
    for name in ("precision", "recall", "coverage"):
        found[name] = metrics["prdc"][name]
    return found


def run(arguments):
    results = pathlib.Path(arguments.results)
    known = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(line["row"], line["seed"]) for line in known if "failed" not in line}
    rows = [row for row in ROWS if not arguments.only or row.name in arguments.only]
    if arguments.samples is not None:
        arguments.samples.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        # The features of the real images are computed once for all runs.
        reference = arguments.reference or pathlib.Path(folder) / "real.npz"
        if arguments.reference is None:
            features = [arguments.program, "features", COMPARED_WITH, "--extractor", "efficientnet-lite0", "-o", reference]
            subprocess.run([str(part) for part in features], check=True, stdout=subprocess.DEVNULL)
        # Every row once before any twice.
        asked = [(row, seed) for seed in arguments.seeds for row in rows if (row.name, seed) not in done]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool, results.open("a") as out:
            runs = [pool.submit(one_run, row, seed, arguments, reference) for row, seed in asked]
            for finished in concurrent.futures.as_completed(runs):
                print(json.dumps(finished.result()), file=out, flush=True)


def show(arguments):
    for row in ROWS:
        if not arguments.only or row.name in arguments.only:
            for command in commands("gan-metrics", row, 0, arguments.images, pathlib.Path("runs") / slug(row.name), COMPARED_WITH):
                print(shlex.join(command))


def slug(name):
    return name.replace(" ", "-").replace(":", "-")


def table(results):
    lines = [json.loads(line) for line in pathlib.Path(results).read_text().splitlines()]
    runs = {}
    for line in lines:
        if "failed" in line:
            print(f"{line['row']}, seed {line['seed']}: {line['failed']} failed: {line['said'][-300:]}", file=sys.stderr)
        else:
            runs.setdefault(line["row"], {})[line["seed"]] = line
    print("| system | " + " | ".join(title for title, _, _ in COLUMNS) + " | seconds | seeds |")
    print("|---|" + "---|" * (len(COLUMNS) + 2))
    for name in [row.name for row in ROWS]:
        if name not in runs:
            continue
        seeds = list(runs[name].values())
        cells = [f"`{name}`"]
        for _, number, digits in COLUMNS:
            values = [seed["numbers"][number] for seed in seeds]
            cell = f"{statistics.median(values):.{digits}f}"
            if number == "fid" and len(seeds) > 1:
                cell += f" ({min(values):.{digits}f}–{max(values):.{digits}f})"
            cells.append(cell)
        cells.append(f"{statistics.median(seed['seconds']['train'] for seed in seeds):.0f}")
        cells.append(str(len(seeds)))
        print("| " + " | ".join(cells) + " |")


def samples(folder):
    """The grids of a folder with the names of their rows."""
    from PIL import Image

    found = [(row.name, folder / f"{slug(row.name)}.png") for row in ROWS]
    return [(name, Image.open(path).convert("L")) for name, path in found if path.exists()]


def strips(arguments):
    """The first rows of each grid, side by side: the images are squares of 28 with a seam between them."""
    from PIL import Image

    folder = pathlib.Path(arguments.results)
    folder.mkdir(parents=True, exist_ok=True)
    seam = 2
    high = 28 + seam
    for name, grid in samples(arguments.samples):
        strip = Image.new("L", (STRIP_ROWS * (grid.width + seam), high))
        for row in range(STRIP_ROWS):
            strip.paste(grid.crop((0, row * high, grid.width, (row + 1) * high)), (row * (grid.width + seam), 0))
        strip.quantize(LEVELS).save(folder / f"{slug(name)}.png", optimize=True)


def picture(arguments):
    """Grids of samples, each under its name."""
    from PIL import Image, ImageDraw

    grids = samples(arguments.samples)
    side, title = max(grid.width for _, grid in grids) + GAP, 12 + GAP
    high = max(grid.height for _, grid in grids) + title
    sheet = Image.new("L", (side * ACROSS, high * -(-len(grids) // ACROSS)), 255)
    for index, (name, grid) in enumerate(grids):
        left, top = side * (index % ACROSS), high * (index // ACROSS)
        ImageDraw.Draw(sheet).text((left, top), name, fill=0)
        sheet.paste(grid, (left, top + title))
    sheet.quantize(LEVELS).save(arguments.results, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "print", "table", "picture", "strips"])
    parser.add_argument("results", nargs="?")
    parser.add_argument("--program", default="target/debug/gan-metrics")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--images", type=int, default=512, help="generated images that are scored")
    parser.add_argument("--samples", type=pathlib.Path, help="folder for the last grid of the first seed of each row")
    parser.add_argument("--reference", type=pathlib.Path, help="features of the real images [default: computed]")
    arguments = parser.parse_args()
    if arguments.what == "print":
        show(arguments)
    elif arguments.results is None:
        parser.error("name the file")
    elif arguments.what in ("picture", "strips"):
        if arguments.samples is None:
            parser.error("name the folder of --samples")
        {"picture": picture, "strips": strips}[arguments.what](arguments)
    elif arguments.what == "run":
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        run(arguments)
    else:
        table(arguments.results)


if __name__ == "__main__":
    main()

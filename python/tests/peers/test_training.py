"""Loggers and loops of training, the packages themselves."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import gan_metrics
from gan_metrics.loggers import log
from gan_metrics.torch import GeneratorScores
from sets import NETWORK, images

NUMBERS = {"fid": 12.5, "f-score": 0.75}


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        log(NUMBERS, writer, step=3, prefix="eval/")
    events = EventAccumulator(str(tmp_path)).Reload()
    found = {name: [(event.step, event.value) for event in events.Scalars(name)] for name in events.Tags()["scalars"]}
    assert found == {"eval/fid": [(3, 12.5)], "eval/f-score": [(3, 0.75)]}


def test_mlflow(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.create_experiment("e", artifact_location=str(tmp_path / "artifacts"))
    mlflow.set_experiment("e")
    with mlflow.start_run() as run:
        log(NUMBERS, mlflow, step=3, prefix="eval/")
    assert mlflow.get_run(run.info.run_id).data.metrics == {"eval/fid": 12.5, "eval/f-score": 0.75}


def test_wandb(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(mode="offline", dir=str(tmp_path), project="p") as run:
        log(NUMBERS, run, step=3, prefix="eval/")
        log({"kid": 0.625}, wandb, step=3)
    (written,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    # Records of protocol buffers, with names and values as text.
    for text in ("eval/fid", "12.5", "eval/f-score", "0.75", "kid", "0.625"):
        assert text.encode() in written.read_bytes(), text


def generator() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 3 * 8 * 8), torch.nn.Unflatten(1, (3, 8, 8)), torch.nn.Tanh())


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "real.npz"
    gan_metrics.Extractor(**NETWORK).statistics(images(1)).save(path)
    return path


def test_a_generator_is_scored_as_its_images(reference):
    made = []

    def generate(count: int) -> torch.Tensor:
        made.append(net(torch.randn(count, 8)))
        assert not made[-1].requires_grad
        return made[-1]

    net = generator()
    scores = GeneratorScores(generate, "fid", reference=reference, images=10, batch_size=4, range=(-1, 1), **NETWORK)
    for _ in range(2):
        made.clear()
        found = scores()
        assert [len(batch) for batch in made] == [4, 4, 2]
        expected = gan_metrics.score(str(reference), torch.cat(made), "fid", range=(-1, 1), **NETWORK)
        assert found["fid"] == pytest.approx(expected["fid"], rel=1e-12)
    wrong = GeneratorScores(lambda count: torch.zeros(3, 3, 8, 8, dtype=torch.uint8), "vendi", images=4, **NETWORK)
    with pytest.raises(gan_metrics.InputError, match="asked for 4 images and returned 3"):
        wrong()


def test_lightning_logs_and_follows_the_scores(reference, tmp_path):
    lightning = pytest.importorskip("lightning")
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.loggers import CSVLogger

    from gan_metrics.lightning import GeneratorScores as Callback

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.modes = generator(), []

        def training_step(self, batch, _):
            return self.net(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    def generate(module, count: int):
        module.modes.append(module.training)
        return module.net(torch.randn(count, 8))

    scores = Callback(generate, ["fid"], reference=reference, images=8, range=(-1, 1), every_n_epochs=2, prefix="val_", **NETWORK)
    kept = ModelCheckpoint(dirpath=tmp_path / "kept", monitor="val_fid", every_n_epochs=2)
    logger = CSVLogger(str(tmp_path))
    trainer = lightning.Trainer(
        max_epochs=4, accelerator="cpu", logger=logger, callbacks=[scores, kept], enable_progress_bar=False,
        enable_model_summary=False, log_every_n_steps=1,
    )  # fmt: skip
    module = Module()
    trainer.fit(module, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(4, 8)), batch_size=2))
    assert module.modes == [False, False] and module.training
    assert trainer.callback_metrics["val_fid"].item() == pytest.approx(scores.report["fid"], rel=1e-6)
    assert kept.best_model_score.item() <= trainer.callback_metrics["val_fid"].item()
    log(scores.report, logger, step=9)
    logger.save()
    rows = [line for line in open(f"{logger.log_dir}/metrics.csv")]
    assert sum("val_fid" in row for row in rows[:1]) == 1 and len(rows) > 2


def in_two_processes(script, folder):
    """By torchrun, which Accelerate understands too: its own launcher starts one process on a CPU."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *script]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)


WORKER = """
import json, sys, torch, gan_metrics
from accelerate import Accelerator
from gan_metrics.loggers import log
from gan_metrics.torch import GeneratorScores
accelerator = Accelerator(cpu=True, log_with=[], project_dir=".")
images = torch.from_numpy(__import__("numpy").load(sys.argv[2])).permute(0, 3, 1, 2)
# Rank r of w makes the images r, r + w, …
mine = iter(images[accelerator.process_index :: accelerator.num_processes])
scores = GeneratorScores(
    lambda count: torch.stack([next(mine) for _ in range(count)]), ["fid", "vendi"], reference=sys.argv[1],
    images=len(images), batch_size=4, extractor="efficientnet-lite0",
)
report = scores()
log(report, accelerator, step=1)
print(json.dumps([accelerator.num_processes, report["fid"], report["vendi"]]))
"""


def test_processes_of_accelerate_make_shares(reference, tmp_path):
    pytest.importorskip("accelerate")
    fake = images(2, count=13)
    np.save(tmp_path / "fake.npy", fake)
    (tmp_path / "worker.py").write_text(WORKER)
    found = in_two_processes(["worker.py", str(reference), "fake.npy"], tmp_path)
    assert found.returncode == 0, found.stderr
    told = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("[")]
    expected = gan_metrics.score(str(reference), fake, "fid", **NETWORK)["fid"]
    vendi = gan_metrics.score(None, fake, "vendi", **NETWORK)["vendi"]
    assert [one[0] for one in told] == [2, 2]
    for _, fid, of_vendi in told:
        assert fid == pytest.approx(expected, rel=1e-9) and of_vendi == vendi


def test_torchrun_as_in_the_documentation(tmp_path):
    from recipes import blocks, changed

    real, fake = images(1, count=15), images(2, count=14)
    np.savez(tmp_path / "sets.npz", real=real, fake=fake)
    (recipe,) = blocks("torchrun", "python")
    recipe = changed(
        recipe, ("f\"cuda:{os.environ['LOCAL_RANK']}\"", '"cpu"'), ("normalize=True", 'normalize=True, extractor="efficientnet-lite0"')
    )
    # A little above, since levels are cut as in torchmetrics.
    sets = "import numpy as np, torch\nsets = np.load('sets.npz')\n" + "".join(
        f"{name} = torch.from_numpy(np.float32(sets['{of}'].transpose(0, 3, 1, 2) / 254.9999).clip(0, 1))\n"
        for name, of in (("held_out", "real"), ("generated", "fake"))
    )
    (tmp_path / "evaluate.py").write_text(sets + recipe)
    found = in_two_processes(["evaluate.py"], tmp_path)
    assert found.returncode == 0, found.stderr
    told = [float(line) for line in found.stdout.split()]
    # The sampler repeats an image of the set that does not divide evenly.
    repeated = np.concatenate([real, real[:1]])
    expected = gan_metrics.score(repeated, fake, "fid", resize="torch-antialias", **NETWORK)["fid"]
    assert told == [pytest.approx(expected, rel=1e-6)] * 2

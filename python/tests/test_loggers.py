"""Reports in the logs of training runs. peers/test_training.py has the loggers themselves."""

from __future__ import annotations

import numpy as np
import pytest

import gan_metrics
from gan_metrics.loggers import log
from sets import NETWORK


class Recording:
    """What a logger was told."""

    def __init__(self) -> None:
        self.told: list = []


class TensorBoard(Recording):
    def add_scalar(self, tag, scalar_value, global_step=None):
        self.told.append((tag, scalar_value, global_step))


class Lightning(Recording):
    def log_metrics(self, metrics, step=None):
        self.told += [(name, value, step) for name, value in metrics.items()]


class Wandb(Recording):
    def log(self, data, step=None):
        self.told += [(name, value, step) for name, value in data.items()]


def test_every_number_is_logged_with_its_interval(real, fake):
    # Intervals need more images than the sets of most tests have.
    many = [np.concatenate([images, 255 - images]) for images in (real, fake)]
    report = gan_metrics.score(*many, ["fid", "prdc"], ci=90, **NETWORK)
    assert "fid" in report.intervals
    for logger in (TensorBoard(), Lightning(), Wandb()):
        log(report, logger, step=7, prefix="eval/")
        numbers = {name: value for name, value, _ in logger.told}
        assert {step for _, _, step in logger.told} == {7}
        assert {f"eval/{name}" for name in report} <= set(numbers)
        assert numbers["eval/fid"] == report["fid"]
        interval = report.intervals["fid"]
        assert (numbers["eval/fid-lower"], numbers["eval/fid-upper"]) == (interval.lower, interval.upper)
    plain = TensorBoard()
    log({"fid": 1}, plain)
    assert plain.told == [("fid", 1.0, None)]


def test_what_is_not_a_logger_is_refused():
    with pytest.raises(gan_metrics.InputError, match="to is of type list, .*add_scalar .TensorBoard"):
        log({"fid": 1.0}, [])

"""Tests that fail when a generator got worse.

>>> report = gan_metrics.score("tests/real.npz", samples, ["fid", "prdc"], ci=95)  # doctest: +SKIP
>>> gan_metrics.testing.assert_no_worse(report, "tests/baseline.json", tolerance="2%,recall=0.01")  # doctest: +SKIP

With ``GAN_METRICS_BLESS=1`` in the environment the baseline is written instead, to be looked at and committed. Tests of pytest have the
fixture ``no_worse``, which keeps the baseline of each test beside it, and the option ``--gan-metrics-bless``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional, Union

from .errors import InputError
from .report import Report

__all__ = ["assert_no_worse"]

BLESS = "GAN_METRICS_BLESS"
#: The exit code of `gan-metrics check` for a number that is worse.
_WORSE = 1


def assert_no_worse(
    report: Report,
    baseline: Union[str, "os.PathLike[str]"],
    tolerance: Optional[str] = None,
    *,
    bless: Optional[bool] = None,
) -> None:
    """Raises :class:`AssertionError`, with a table, where a number is worse than the baseline's by more than its tolerance.

    Judges as ``gan-metrics check`` does (docs/regression-tests.md): ``tolerance`` is ``"2%"``, ``"0.01"``, ``"3sigma"``, or by name,
    ``"fid=2%,kid=0.001"``; left out, it is three standard errors, for which both reports need ``ci=95``. Reports that cannot be compared
    raise :class:`~gan_metrics.InputError`. ``bless`` writes the baseline instead; left out, ``GAN_METRICS_BLESS=1`` does.
    """
    path = Path(baseline)
    if os.environ.get(BLESS) == "1" if bless is None else bless:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report.to_json(), encoding="utf-8")
        return
    if not path.exists():
        raise AssertionError(f"there is no baseline at {path}: run once with {BLESS}=1, look at it, and commit it")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run.json"
        run.write_text(report.to_json(), encoding="utf-8")
        # The program writes to the streams of its process.
        command = [sys.executable, "-m", "gan_metrics", "check", str(run), "--baseline", str(path)]
        command += [] if tolerance is None else ["--tolerance", tolerance]
        judged = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if judged.returncode == _WORSE:
        raise AssertionError(f"worse than {path}\n{judged.stdout}{judged.stderr}")
    if judged.returncode != 0:
        raise InputError((judged.stderr or judged.stdout).strip())

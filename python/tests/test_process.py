"""The program, signals, threads and forks: what concerns the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import gan_metrics

#: Long enough that work is in full swing, and short beside it.
HEAD_START = 1.5

#: A second, and what else the machine may be busy with.
SOON = 3.0

LONG_PASS = """
import sys, time, numpy as np, gan_metrics
run = gan_metrics.Evaluator("vendi", extractor="efficientnet-lite0")
run.update(np.zeros((2, 8, 8, 3), np.uint8))
images = np.broadcast_to(np.zeros((1, 64, 64, 3), np.uint8), (200_000, 64, 64, 3))
print("ready", flush=True)
try:
    run.update(images)
except KeyboardInterrupt:
    print("interrupted with", run.images(), flush=True)
    run.update(np.zeros((2, 8, 8, 3), np.uint8))
    print("goes on with", run.images(), flush=True)
"""


def interrupted(process: subprocess.Popen) -> float:
    assert process.stdout.readline().strip() == "ready"
    time.sleep(HEAD_START)
    process.send_signal(signal.SIGINT)
    return time.monotonic()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_a_pass_within_a_second_and_loses_nothing():
    process = subprocess.Popen([sys.executable, "-c", LONG_PASS], stdout=subprocess.PIPE, text=True)
    asked = interrupted(process)
    assert process.stdout.readline().strip() == "interrupted with 2"
    assert time.monotonic() - asked < SOON
    assert process.stdout.readline().strip() == "goes on with 4"
    assert process.wait(30) == 0


LONG_SCORE = """
import numpy as np, gan_metrics
rows = np.random.default_rng(0).normal(size=(2, 20_000, 256)).astype(np.float32)
print("ready", flush=True)
gan_metrics.score_features(rows[0], rows[1], ["prdc", "mmd", "vendi"])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops_scores():
    process = subprocess.Popen([sys.executable, "-c", LONG_SCORE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    asked = interrupted(process)
    _, said = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in said and time.monotonic() - asked < SOON


OTHER_THREADS = """
import threading, time, numpy as np, gan_metrics
run = gan_metrics.Evaluator("vendi", extractor="efficientnet-lite0")
ticks, done = [], threading.Event()
def tick():
    while not done.is_set():
        ticks.append(time.monotonic()); time.sleep(0.01)
threading.Thread(target=tick).start()
started = time.monotonic()
run.update(np.zeros((200, 64, 64, 3), np.uint8))
seconds = time.monotonic() - started
done.set()
gaps = [later - earlier for earlier, later in zip(ticks, ticks[1:])]
print(len(ticks), seconds, max(gaps))
"""


def test_other_threads_run_during_a_pass():
    found = subprocess.run([sys.executable, "-c", OTHER_THREADS], check=True, stdout=subprocess.PIPE, text=True).stdout
    ticks, seconds, gap = (float(number) for number in found.split())
    assert ticks >= 10 * seconds and gap < 0.5


def run(program, *arguments, **options):
    return subprocess.run([*program, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def test_the_program_is_that_of_the_binary(program, folders, tmp_path):
    assert run(program, "--version").stdout.split() == ["gan-metrics", gan_metrics.__version__]
    found = run(program, "fid", *folders, "--extractor", "efficientnet-lite0")
    assert found.returncode == 0 and "FID" in found.stdout
    assert run(program, "fid", folders[0], tmp_path / "none").returncode == 2
    missed = run(program, "fid", *folders, "--extractor", "efficientnet-lite0", "--fail-above", "0.001")
    assert missed.returncode == 1
    assert run(program, "fid", *folders).returncode == 3, "the weights are not installed"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_the_program(program, tmp_path):
    rng = np.random.default_rng(0)
    sets = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for path in sets:
        np.save(path, rng.normal(size=(30_000, 512)).astype(np.float32))
    command = [*program, "score", *sets, "--metrics", "prdc,mmd", "--output", tmp_path / "report.txt"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # The output is claimed, by a temporary file, when Python's own start is over.
    while len(list(tmp_path.iterdir())) == len(sets) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(HEAD_START)
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and time.monotonic() - asked < SOON, said
    assert sorted(tmp_path.iterdir()) == sets


def test_onnx_runtime_of_the_environment_is_found():
    pytest.importorskip("onnxruntime")
    code = "import gan_metrics; print(gan_metrics.Extractor('efficientnet-lite0').info['engine'])"
    environment = {name: value for name, value in os.environ.items() if name not in ("ORT_DYLIB_PATH", "VIRTUAL_ENV", "PATH")}
    found = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    assert "'name': 'onnxruntime'" in found and "site-packages" in found

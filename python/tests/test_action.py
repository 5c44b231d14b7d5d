"""The action of GitHub, with its steps run as they are written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def action():
    return yaml.safe_load((ROOT / "action.yml").read_text())


@pytest.fixture
def score(action, tmp_path, folders, program_folder):
    """Runs the step that scores, with some inputs; gives its exit code, what it printed, and the report."""
    def run(**inputs: str) -> tuple[int, str, dict]:
        given = {name: one.get("default", "") for name, one in action["inputs"].items()}
        given |= {"real": str(folders[0]), "fake": str(folders[1]), **inputs}
        values = {f"inputs.{name}": value for name, value in given.items()} | {"runner.temp": str(tmp_path)}
        (step,) = [step for step in action["runs"]["steps"] if step.get("id") == "run"]

        def filled(text: str) -> str:
            return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: values[found[1]], text)

        output = tmp_path / "output"
        output.write_text("")
        environment = {**os.environ, "PATH": f"{program_folder}{os.pathsep}{os.environ['PATH']}", "GITHUB_OUTPUT": str(output)}
        environment |= {name: filled(text) for name, text in step["env"].items()}
        # As GitHub runs a step with `shell: bash`.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
        report = Path(output.read_text().strip().removeprefix("report="))
        told = json.loads(report.read_text()) if report.is_file() else {}
        return found.returncode, found.stdout + found.stderr, told

    return run


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash")
def test_it_scores_and_judges(score, tmp_path):
    network = "--extractor efficientnet-lite0"
    code, said, report = score(args=f"{network} --metrics fid,prdc")
    assert code == 0, said
    assert report["metrics"]["fid"]["value"] > 0
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(report))
    code, said, judged = score(baseline=str(baseline), tolerance="1%", junit="quality.xml", args=network)
    assert code == 0 and judged["passed"], said
    assert (tmp_path / "quality.xml").read_text().startswith("<?xml")
    code, said, _ = score(args=f"{network} --metrics fid --fail-above fid=0.001")
    assert code == 1, said
    report["metrics"]["fid"]["value"] /= 2
    baseline.write_text(json.dumps(report))
    code, said, judged = score(baseline=str(baseline), tolerance="1%", args=network)
    assert code == 1 and not judged["passed"] and "::error" in said, said
    assert score(tolerance="1%", args=network)[0] == 2


def test_steps_refer_to_inputs_and_steps_that_there_are(action):
    steps = action["runs"]["steps"]
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.(\w+)", text)) == set(action["inputs"])
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= {step.get("id") for step in steps}
    assert all(step["shell"] == "bash" for step in steps if "run" in step)

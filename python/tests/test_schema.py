"""The published schema of reports: it describes real ones, all of each, and refuses what is none."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


def closed(schema):
    """The schema without room for fields that it does not name."""
    if isinstance(schema, dict):
        schema = {name: closed(part) for name, part in schema.items()}
        return {"additionalProperties": False, **schema} if "properties" in schema else schema
    return [closed(part) for part in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(closed(schema))


@pytest.fixture(scope="module")
def report(program, folders, tmp_path_factory):
    lite = ["--extractor", "efficientnet-lite0"]

    def of(*arguments: str) -> dict:
        done = subprocess.run([*program, *arguments, "--json", "--quiet"], stdout=subprocess.PIPE, check=False)
        assert done.returncode in (0, 1), done
        return json.loads(done.stdout)

    statistics = tmp_path_factory.mktemp("statistics") / "real.npz"
    subprocess.run([*program, "stats", str(folders[0]), *lite, "-o", str(statistics), "--quiet"], check=True)
    real, fake = map(str, folders)
    return {
        "images": of("score", real, fake, *lite, "--metrics", "all", "--kid-subset-size", "10", "--is-splits", "2"),
        "statistics and a bound": of("fid", str(statistics), fake, *lite, "--fail-above", "1e-9"),
        "one set": of("vendi", fake, *lite),
        "some images": of("is", fake, *lite, "--splits", "2", "--num", "20"),
    }


@pytest.mark.parametrize("kind", ["images", "statistics and a bound", "one set", "some images"])
def test_the_schema_names_every_field_of_a_report(validator, report, kind):
    assert [error.message for error in validator.iter_errors(report[kind])] == []


def test_the_schema_refuses_what_is_no_report(validator, report):
    def broken(change) -> dict:
        other = copy.deepcopy(report["images"])
        change(other)
        return other

    for change in (
        lambda report: report.pop("sets"),
        lambda report: report["sets"][0].pop("path"),
        lambda report: report["metrics"]["fid"].update(value="12"),
        lambda report: report.update(schema=2),
        lambda report: report.update(preset="mine"),
        lambda report: report["extractor"].update(model_sha256="abc"),
    ):
        assert not validator.is_valid(broken(change))

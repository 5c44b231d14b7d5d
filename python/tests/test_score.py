"""Two sets in one call, beside the command line."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import gan_metrics
from sets import NETWORK
from gan_metrics import InputError

SCORES = ["fid", "is", "prdc"]


def of_program(program, folders, *flags: str) -> dict:
    command = [*program, "score", *map(str, folders), "--extractor", "efficientnet-lite0", "--json", "--quiet", *flags]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def test_the_numbers_are_those_of_the_command_line(program, folders, real, fake):
    expected = of_program(program, folders, "--metrics", ",".join(SCORES), "--prdc-k", "5")
    parameters = {"prdc": {"k": 5}}
    report = gan_metrics.score(*folders, SCORES, parameters=parameters, **NETWORK)
    assert report.to_dict()["metrics"] == expected["metrics"]
    assert [warning["code"] for warning in report.warnings] == [warning["code"] for warning in expected["warnings"]]
    in_memory = gan_metrics.score(real, fake, SCORES, parameters=parameters, **NETWORK)
    assert in_memory.to_dict()["metrics"] == expected["metrics"]
    assert {"few-images", "own-extractor"} <= {warning["code"] for warning in in_memory.warnings}
    mixed = gan_metrics.score(folders[0], (batch for batch in np.array_split(fake, 5)), SCORES, parameters=parameters, **NETWORK)
    assert dict(mixed) == dict(report)


def test_measured_sets_may_be_the_real_one(tmp_path, folders, extractor, real, fake):
    expected = gan_metrics.score(*folders, "fid", **NETWORK)["fid"]
    statistics = extractor.statistics(real)
    statistics.save(tmp_path / "real.npz")
    for known in (statistics, extractor.partial(real), tmp_path / "real.npz"):
        judged = folders[1] if known is statistics else fake
        assert gan_metrics.score(known, judged, "fid", **NETWORK)["fid"] == pytest.approx(expected, rel=1e-9)


def test_scores_of_one_set(folders, fake):
    report = gan_metrics.score(None, folders[1], ["is", "vendi"], **NETWORK)
    assert set(report) == {"is", "vendi"}
    assert dict(gan_metrics.score(None, fake, ["is", "vendi"], **NETWORK)) == dict(report)
    assert "is" in gan_metrics.score(None, fake, **NETWORK), "the scores of the preset that one set allows"


def test_intervals_choice_and_progress(folders, real, fake):
    many = np.concatenate([real, 255 - real])
    report = gan_metrics.score(many, np.concatenate([fake, 255 - fake]), "fid", ci=90, **NETWORK)
    interval = report.intervals["fid"]
    assert interval.lower < report["fid"] < interval.upper and interval.standard_error > 0
    seen = []
    chosen = gan_metrics.score(*folders, "fid", num=20, seed=3, progress=lambda *told: seen.append(told), **NETWORK)
    assert [one["images"] for one in chosen.to_dict()["sets"]] == [20, 20]
    assert chosen["fid"] != gan_metrics.score(*folders, "fid", num=20, seed=4, **NETWORK)["fid"]
    assert seen[0] == ("real", 0, 20) and seen[-1] == ("fake", 20, 20)


def test_features_are_cached(folders):
    first = gan_metrics.score(*folders, "fid", cache="use", **NETWORK).to_dict()
    second = gan_metrics.score(*folders, "fid", cache="use", **NETWORK).to_dict()
    assert [[one["cache"] for one in report["sets"]] for report in (first, second)] == [["stored"] * 2, ["hit"] * 2]
    assert first["metrics"] == second["metrics"]


def test_reports_are_read_in_many_ways(folders):
    report = gan_metrics.score(*folders, SCORES, pictures=True, **NETWORK)
    assert report.svg.startswith("<svg") and report.to_html().startswith("<!doctype html>")
    html = report._repr_html_()
    assert f"{report['fid']:.6f}" in html and "own-extractor" in html and "<table>" in html
    assert f"{report['recall']:.6f}" in repr(report)
    assert json.loads(report.to_json())["metrics"]["fid"]["value"] == report["fid"]
    with pytest.raises(gan_metrics.MissingScore, match="kid was not computed"):
        report["kid"]
    with pytest.raises(KeyError, match="no number is called `x`"):
        report["x"]
    pandas = pytest.importorskip("pandas")
    frame = report.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and frame.loc["fid", "value"] == report["fid"]
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    figure, axes = report.plot()
    assert len(axes) == len(report) and "fid" in axes[0].get_title()


def test_arguments_without_effect_are_refused(folders, real, fake):
    for arguments, options, message in (
        (folders, {"layout": "NCHW"}, "layout would have no effect"),
        ((real, fake), {"num": 3}, "num would have no effect"),
        ((real, fake), {"range": (0, 1)}, "range would have no effect"),
        ((real, fake), {"pictures": True}, "pictures"),
        ((real, fake), {"cache": "use"}, "cache"),
        ((real, fake), {"cache": "maybe"}, "'off', 'use' or 'refresh'"),
        (folders, {"num": 0}, "num is 0"),
        ((folders[0], folders[0] / "none"), {}, "none"),
        (folders, {"metrics": "kid"}, "needs at least 1000"),
    ):
        with pytest.raises(InputError) as raised:
            gan_metrics.score(*arguments, **{"metrics": "fid", **options}, **NETWORK)
        assert message in str(raised.value), (message, str(raised.value))


def test_features_at_hand(extractor, real, fake):
    features = extractor.extract(real), extractor.extract(fake)
    found = gan_metrics.score_features(
        features[0].features, features[1].features, SCORES, fake_logits=features[1].logits
    )
    report = gan_metrics.score(real, fake, SCORES, **NETWORK).to_dict()["metrics"]
    assert found == report
    with pytest.raises(InputError, match="needs at least 2"):
        gan_metrics.score_features(features[0].features, features[1].features[:1], "fid")
    with pytest.raises(InputError, match="one row an image"):
        gan_metrics.score_features(features[0].features, features[1].features[0])

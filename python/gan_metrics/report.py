"""What a run found."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Optional

from . import _native
from .errors import Error, MissingScore

__all__ = ["Interval", "Report"]


class Interval(NamedTuple):
    """The confidence interval of a number."""

    lower: float
    upper: float
    standard_error: float
    #: What few images add to the number, by estimate.
    bias: float


class _Number(NamedTuple):
    name: str
    score: str
    title: str
    better: str
    #: Where it is in the JSON: keys of the score and of the number.
    key: str
    field: str
    #: Its key among the intervals.
    interval: str


@functools.cache
def registry() -> list[dict[str, Any]]:
    """Every score: names, numbers, parameters."""
    scores: list[dict[str, Any]] = json.loads(_native.registry())
    return scores


@functools.cache
def _numbers() -> dict[str, _Number]:
    found = {}
    for score in registry():
        for number in score["numbers"]:
            interval = score["key"] if len(score["numbers"]) == 1 else number["field"]
            found[number["name"]] = _Number(
                number["name"], score["name"], score["title"], number["better"], score["key"], number["field"], interval
            )
    return found


class Report(Mapping[str, float]):
    """The scores of a run, by name, with all that is needed to reproduce them.

    It is a mapping from the names of numbers to their values, so that loggers take it as it is (``wandb.log(dict(report))``).

    >>> import gan_metrics, numpy as np
    >>> real, fake = np.random.default_rng(0).integers(0, 256, (2, 12, 8, 8, 3), dtype=np.uint8)
    >>> report = gan_metrics.score(real, fake, metrics=["fid", "prdc"], extractor="efficientnet-lite0")
    >>> sorted(report)
    ['coverage', 'density', 'f-score', 'fid', 'precision', 'recall']
    >>> report["fid"] > 0 and report.to_dict()["metrics"]["fid"]["value"] == report["fid"]
    True
    """

    def __init__(self, found: dict[str, Any], *, svg: Optional[str] = None, page: Optional[str] = None) -> None:
        self._found = found
        self._page = page
        #: All pictures of the sets, where they were asked for (``pictures=True``).
        self.svg = svg
        metrics = found["metrics"]
        # Fields that a definition does not have are null.
        self._values = {
            number.name: float(metrics[number.key][number.field])
            for number in _numbers().values()
            if isinstance(metrics.get(number.key), dict) and metrics[number.key].get(number.field) is not None
        }

    def __getitem__(self, name: str) -> float:
        if name in self._values:
            return self._values[name]
        number = _numbers().get(name)
        if number is None:
            raise MissingScore(f"no number is called `{name}`; this report has {', '.join(self._values) or 'none'}")
        reason = self.failed.get(number.score)
        raise MissingScore(f"{name}: {reason}" if reason else f"{name} was not computed; this report has {', '.join(self._values)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def failed(self) -> dict[str, str]:
        """The scores that could not be computed, with the reason."""
        return {failure["score"]: failure["reason"] for failure in self._found["failed"]}

    def check(self) -> Report:
        """The report itself; raises where a score could not be computed."""
        for score, reason in self.failed.items():
            raise MissingScore(f"{score}: {reason}")
        return self

    @property
    def warnings(self) -> list[dict[str, str]]:
        """What to be careful about: ``code``, ``message`` and ``remedy`` of each."""
        return list(self._found["warnings"])

    @property
    def intervals(self) -> dict[str, Interval]:
        """Confidence intervals by the names of their numbers, where they were asked for."""
        found = (self._found["metrics"].get("intervals") or {}).get("scores", {})
        named = ((number.name, found.get(number.interval)) for number in _numbers().values())
        return {
            name: Interval(one["lower"], one["upper"], one["standard_error"], one["bias"])
            for name, one in named
            if one and name in self._values
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole report, as ``gan-metrics score --json`` prints it (docs/json.md)."""
        copied: dict[str, Any] = json.loads(json.dumps(self._found))
        return copied

    def to_json(self) -> str:
        """The whole report as JSON, which ``gan-metrics check`` and ``compare`` read."""
        return json.dumps(self._found, indent=2) + "\n"

    def to_pandas(self) -> Any:
        """A data frame: a row a number."""
        import pandas

        rows = []
        for name, value in self._values.items():
            number, interval = _numbers()[name], self.intervals.get(name)
            ends = (None, None, None) if interval is None else (interval.lower, interval.upper, interval.standard_error)
            rows.append((name, value, *ends, number.better, number.title))
        columns = ["number", "value", "lower", "upper", "standard_error", "better", "score"]
        return pandas.DataFrame(rows, columns=columns).set_index("number")

    def to_html(self) -> str:
        """A page that needs nothing beside it; with all pictures where they were asked for (``pictures=True``)."""
        return self._page or f"<!doctype html>\n<meta charset=\"utf-8\">\n{self._repr_html_()}"

    def plot(self, axes: Any = None) -> Any:
        """Draws each number with its interval, with matplotlib; returns the figure and its axes."""
        import matplotlib.pyplot as plt

        names = list(self._values)
        if not names:
            raise MissingScore("there is no number to plot")
        if axes is None:
            _, axes = plt.subplots(1, len(names), figsize=(1.8 * len(names) + 0.6, 2.8), squeeze=False, layout="constrained")
            axes = list(axes[0])
        axes = [axes] if hasattr(axes, "plot") else list(axes)
        if len(axes) != len(names):
            raise Error(f"there are {len(names)} numbers and {len(axes)} axes")
        for ax, name in zip(axes, names):
            value, interval = self._values[name], self.intervals.get(name)
            around = None if interval is None else [[max(0.0, value - interval.lower)], [max(0.0, interval.upper - value)]]
            ax.errorbar([0], [value], yerr=around, fmt="o", capsize=6)
            ax.set_xticks([])
            ax.set_title(f"{name}\n{value:.5g}", fontsize=10)
            ax.set_xlabel(f"{_numbers()[name].better} is better", fontsize=8)
            ax.margins(y=0.4)
        return axes[0].figure, axes

    def __repr__(self) -> str:
        lines = []
        for name, value in self._values.items():
            interval = self.intervals.get(name)
            ends = "" if interval is None else f"   [{interval.lower:.6g}, {interval.upper:.6g}]"
            lines.append(f"{name:<18} {value:.6f}{ends}")
        lines += [f"{score:<18} failed: {reason}" for score, reason in self.failed.items()]
        lines += [f"warning: {warning['code']}: {warning['message']}; {warning['remedy']}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = []
        for name, value in self._values.items():
            number, interval = _numbers()[name], self.intervals.get(name)
            ends = "" if interval is None else f"{interval.lower:.6g} to {interval.upper:.6g}"
            right = 'style="text-align: right"'
            cells.append(
                f"<tr><td>{html.escape(number.title)}</td><td>{html.escape(name)}</td><td {right}>{value:.6f}</td>"
                f"<td {right}>{ends}</td><td>{number.better}</td></tr>"
            )
        for score, reason in self.failed.items():
            cells.append(f'<tr><td>{html.escape(score)}</td><td colspan="4">failed: {html.escape(reason)}</td></tr>')
        head = "".join(f"<th>{title}</th>" for title in ("score", "number", "value", "interval", "better"))
        notes = "".join(
            f"<li><b>{html.escape(warning['code'])}</b>: {html.escape(warning['message'])}; {html.escape(warning['remedy'])}</li>"
            for warning in self.warnings
        )
        about = [f"gan-metrics {html.escape(self._found['version'])}", f"definitions of {html.escape(self._found['preset'])}"]
        if self._found.get("extractor"):
            about.append(html.escape(self._found["extractor"]["name"]))
        about += [f"{html.escape(str(one['path']))}: {one['images']} images" for one in self._found["sets"]]
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
            + f"<p><small>{' · '.join(about)}</small></p>"
        )

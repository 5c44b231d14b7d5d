"""The fixture ``no_worse`` and the option ``--gan-metrics-bless`` of pytest, which finds this module by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Optional

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.getgroup("gan-metrics").addoption(
        "--gan-metrics-bless", action="store_true", help="write the baselines of no_worse instead of judging by them"
    )


@pytest.fixture
def no_worse(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``no_worse(report, tolerance="2%")`` fails the test where a number is worse than in ``baselines/TEST.json`` beside it.

    ``baseline=`` names another file, from the folder of the test. With ``--gan-metrics-bless`` the file is written.
    """
    from .testing import assert_no_worse

    folder = request.path.parent

    def judge(report: Any, tolerance: Optional[str] = None, *, baseline: Optional[str] = None) -> None:
        name = baseline or f"baselines/{request.path.stem}.{re.sub(r'[^A-Za-z0-9_-]+', '-', request.node.name).strip('-')}.json"
        bless = True if request.config.getoption("--gan-metrics-bless") else None
        assert_no_worse(report, folder / name, tolerance, bless=bless)

    return judge

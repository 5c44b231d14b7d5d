"""The recipes of docs/scale.md, out of the page."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()


def blocks(title: str, language: str) -> list[str]:
    """The code in a language under a heading."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def changed(code: str, *changes: tuple[str, str]) -> str:
    """Code with what must differ in a test; everything else is run as it is written."""
    for before, after in changes:
        assert before in code, f"the recipe no longer has {before!r}"
        code = code.replace(before, after)
    return code

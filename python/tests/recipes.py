"""The code of the documentation, out of its pages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(title: str, language: str, page: str = "docs/scale.md") -> list[str]:
    """The code in a language under a heading."""
    text = (ROOT / page).read_text()
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def changed(code: str, *changes: tuple[str, str]) -> str:
    """Code with what must differ in a test; everything else is run as it is written."""
    for before, after in changes:
        assert before in code, f"the recipe no longer has {before!r}"
        code = code.replace(before, after)
    return code

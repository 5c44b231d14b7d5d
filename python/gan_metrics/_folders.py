"""Folders as the Python tools look at them: which of their files are images, and in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Union

from .errors import InputError

#: Images of a batch: decoding uses all cores, and holds no more than these in memory.
_BATCH = 64


def files_of(folder: Union[str, "os.PathLike[str]"], extensions: Sequence[str], deep: bool) -> list[Path]:
    """The images of a folder, sorted by their paths."""
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{root} is not a folder")
    found = root.rglob("*") if deep else root.glob("*")
    ends = {extension.lower() for extension in extensions}
    files = sorted(path for path in found if path.suffix[1:].lower() in ends and path.is_file())
    if not files:
        where = "or its subfolders" if deep else "(subfolders are not searched)"
        raise InputError(f"{root} holds no images: no file in it {where} ends in {', '.join(sorted(ends))}")
    return files


def encoded(files: Sequence[Path]) -> Iterator[list[bytes]]:
    """Batches of files as bytes."""
    for start in range(0, len(files), _BATCH):
        yield [path.read_bytes() for path in files[start : start + _BATCH]]

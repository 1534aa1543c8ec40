"""Files that a drill names: they stay below its own folder, or in the catalogue's shared one."""

from __future__ import annotations

import os
from pathlib import Path

from drills.errors import BadInput
from drills.spec.reader import Node

CATALOGUE = Path(__file__).parents[1] / "catalogue"
SHARED = CATALOGUE / "runbooks"
"""Runbooks that many drills share."""


def named(node: Node, what: str) -> Path:
    """The file whose name this value holds, ``what`` in words; BadInput where there is none or it lies elsewhere.

    Wherever a symbolic link leads to: a drill from a stranger must not have other files read, and printed.
    """
    folder = node.doc.file.parent
    file = folder / node.text(what)
    if not os.path.isfile(file):  # unlike Path.is_file, False for names no file can have
        raise node.bad(f"{node.name}: no such file: {file}")
    real = file.resolve()
    if not any(real.is_relative_to(each.resolve()) for each in (folder, SHARED)):
        raise node.bad(f"{node.name}: {real} lies outside of {folder}")
    return file


def beside(folder: Path, name: str) -> Path | None:
    """The file of this name in the folder, None where there is none; BadInput where a link leads elsewhere."""
    file = folder / name
    if not file.is_file():
        return None
    real = file.resolve()
    if not real.is_relative_to(folder.resolve()):
        raise BadInput(file, 1, f"{real} lies outside of {folder}")
    return file

"""What the mail agent has delivered, a file a notice, off the spool's volume."""

from __future__ import annotations

import json
from pathlib import Path

from targets.brokerage.bookfile import Row
from targets.brokerage.config import Config


def delivered_folder(folder: Path) -> Path:
    """Where delivered execution notices lie in a stack's folder."""
    return folder / "delivered"


def read_book(config: Config) -> list[Row]:
    """The delivered notices as of now; OSError when they cannot be read."""
    return read_delivered(delivered_folder(Path(config.folder)))


def read_delivered(folder: Path) -> list[Row]:
    """The delivered notices, by file name."""
    if not folder.exists():
        return []
    return [_notice(path) for path in sorted(folder.glob("[!.]*.json"), key=lambda path: path.name)]


def _notice(path: Path) -> Row:
    body = json.loads(path.read_bytes())
    return {"kind": "notice", "t_ns": body["t_ns"], "id": path.name, "key": body["exec_id"], "account": body["account"]}

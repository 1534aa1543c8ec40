"""At which loopback address of this machine something of a system answers, kept in its folder for any process."""

from __future__ import annotations

from pathlib import Path

from targets.loopback import IPV4


def known(folder: Path, port: int) -> str | None:
    """The address kept for the port; None where nothing has answered yet."""
    try:
        return (folder / "hosts" / str(port)).read_text()
    except FileNotFoundError:
        return None


def host(folder: Path, port: int) -> str:
    """The address kept for the port, 127.0.0.1 as long as nothing has answered."""
    return known(folder, port) or IPV4


def keep(folder: Path, port: int, address: str) -> None:
    """Remember it; whoever reads meanwhile sees the old one or the new one."""
    (folder / "hosts").mkdir(exist_ok=True)
    part = folder / "hosts" / f"{port}.part"
    part.write_text(address)
    part.replace(folder / "hosts" / str(port))

"""Writes ``compose.yaml``: ``python -m compose.generate``, or ``make compose.yaml``.

A service for each component that has a container, as it declares itself (``targets.brokerage.components``); the images
are those of ``images.yaml``, and what all have in common is in ``fixed.yaml``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from targets.brokerage.config import LOOPBACK
from targets.brokerage.declaration import BROKERAGE_IMAGE, QUERIES, Component, Container, Folder, Volume
from targets.brokerage.topology import TOPOLOGY, Topology
from targets.containers import variables

HERE = Path(__file__).parent
FILE = HERE / "compose.yaml"
MAKE_IT = "python -m compose.generate"
SAYS = f"# Generated from the components' own declarations; not to be edited. After a change of one: {MAKE_IT}\n"
STACK = "/stack"
LOOK = {"interval": "30s", "timeout": "2s"}


class GenerateError(ValueError):
    """A declaration from which no service can be made; the message names it."""


def main() -> None:
    """Entry point: write the file, say whether it has changed."""
    made = text()
    changed = not FILE.exists() or FILE.read_text(encoding="utf-8") != made
    FILE.write_text(made, encoding="utf-8")
    print(f"{FILE}: {'written' if changed else 'as it was'}")


def text(topology: Topology = TOPOLOGY) -> str:
    """The whole file."""
    images = yaml.safe_load((HERE / "images.yaml").read_text(encoding="utf-8"))["services"]
    parts = [topology.components[name] for name in topology.containers]
    services = "\n".join("".join(_service(topology, part, images)) for part in parts)
    volumes = "".join(_volume(name) for name in ("", *(each for part in parts for each in part.volumes)))
    volumes += "".join(_limited(each) for each in topology.limited.values())
    fixed = (HERE / "fixed.yaml").read_text(encoding="utf-8")
    folders = "# Folders of the run's own stack folder: the harness reads the books there.\n"
    return f"{SAYS}{fixed}\nservices:\n{services}\n{folders}volumes:\n{volumes}"


def _service(topology: Topology, part: Component, images: Mapping[str, Any]) -> Iterator[str]:
    assert part.container is not None
    if part.container.image not in images:
        known = ", ".join(images)
        raise GenerateError(f"{part.name}: images.yaml has no image {part.container.image}; there are: {known}")
    yield f"  {part.name}:\n    <<: *part\n"
    keys = {
        "networks": {"drill": {"ipv4_address": f"${{{variables.address(part.name)}:?}}"}},
        **_image(part.container),
        **_command(part, part.container),
        **({"stop_signal": part.stop.name} if part.stop.name != "SIGTERM" else {}),
        **part.container.compose,
        **_health(part, part.container),
        **({"volumes": found} if (found := [*_mounts(topology, part, part.container)]) else {}),
        **({"ports": found} if (found := [*_published(topology, part)]) else {}),
    }
    for key, value in keys.items():
        yield f"    {key}:{_shown(key, value)}\n"


def _image(container: Container) -> dict[str, Any]:
    return {} if container.image == BROKERAGE_IMAGE else {"image": f"kunren/{container.image}:${{KUNREN_TAG:?}}"}


def _command(part: Component, container: Container) -> dict[str, Any]:
    """The brokerage's image is told which service to be."""
    own = (part.name,) if container.image == BROKERAGE_IMAGE else ()
    return {"command": list(container.command or own)} if container.command or own else {}


def _health(part: Component, container: Container) -> dict[str, Any]:
    """Our own services are asked by HTTP; of others the first port must accept connections."""
    if not part.health:
        return {"healthcheck": {"disable": True}}
    if part.health == QUERIES or container.ready:
        accepts = f"exec 3<>/dev/tcp/127.0.0.1/{_value(variables.port(part.ports[0]))}"
        return {"healthcheck": {**LOOK, "test": ["CMD", "bash", "-c", accepts]}}
    asked = {"HEALTH_PORT": _value(variables.port(part.http)), "HEALTH_PATH": part.health}
    return {"environment": asked, "healthcheck": "*http-health"}


def _mounts(topology: Topology, part: Component, container: Container) -> Iterator[str]:
    """A limited volume is in the operators' container too: they work on it, and it is there while its owner is not."""
    if container.folder == Folder.READ:
        yield f"stack:{STACK}:ro"
    if container.folder == Folder.WRITE:
        yield f"stack:{STACK}"
    yield from (f"{each}:{STACK}/{each}" for each in part.volumes)
    own = (*(each.name for each in part.limited), *part.shares)
    limited = topology.limited if part.name == topology.operators_host else own
    yield from (f"{each}:{STACK}/{each}" for each in limited)


def _published(topology: Topology, part: Component) -> Iterator[str]:
    links = topology.links if part.name == topology.proxy else ()
    for name in (*(variables.port(each) for each in part.ports), *(variables.link(each) for each in links)):
        yield f"{LOOPBACK}:{_value(name)}:{_value(name)}"


def _volume(name: str) -> str:
    """A folder of the stack's, or with an empty name all of it."""
    where = f"${{KUNREN_INSIDE:?}}{name and f'/{name}'}"
    options = f'{{type: none, o: bind, device: "{where}"}}'
    return f"  {name or 'stack'}:\n    labels: *labels\n    driver_opts: {options}\n"


def _limited(volume: Volume) -> str:
    """In memory, as large as it is declared."""
    size = f"size={volume.kilobytes}k,nr_inodes={volume.inodes},mode=1777"
    options = f'{{type: tmpfs, device: tmpfs, o: "{size}"}}'
    return f"  {volume.name}:\n    labels: *labels\n    driver_opts: {options}\n"


def _value(variable: str) -> str:
    return f"${{{variable}}}"


def _shown(key: str, value: Any) -> str:
    """A value as YAML: an anchor's name as it is, longer lists with a line for each."""
    if isinstance(value, str) and value.startswith("*"):
        return f" {value}"
    if isinstance(value, list) and len(value) > 1 and key != "tmpfs":
        return "".join(f"\n      - {json.dumps(each, ensure_ascii=False)}" for each in value)
    return f" {json.dumps(value, ensure_ascii=False)}"


if __name__ == "__main__":
    main()

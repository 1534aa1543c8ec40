"""The system under drill that ``--target`` means: a runtime of this package by its name, or a target file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from drills.errors import Refused, UnknownName
from drills.spec.targetfile import load_target
from drills.spec.vocabulary import Vocabulary, vocabulary
from loadprofiles import PROFILES, Profile, Url, by_url
from targets.registry import RUNTIMES, UnknownTarget, described, runtime
from targets.runtime import Runtime
from targets.target import Capabilities
from targets.visible import is_text


def system(name: str) -> Runtime:
    """The runtime; BadInput for a file that cannot be taken, UnknownName says which there are."""
    if is_file(name):
        return _from_file(Path(name))
    try:
        return runtime(name)
    except UnknownTarget:
        raise UnknownName("target", name, (*RUNTIMES, "or a FILE.yaml")) from None


def words_of(name: str) -> Vocabulary:
    """The names that a drill for this target may use."""
    runtime = system(name)
    return vocabulary(runtime.capabilities(), runtime.name if runtime.source is None else None)


def profile_of(load: str, capabilities: Capabilities) -> Profile:
    """Who comes: to a target that says itself what is asked of it by URL, those; else the profile of that name."""
    if not capabilities.loads:
        return PROFILES[load]
    asked = capabilities.loads[load]
    urls = {service: Url(each.method, each.path, each.expect) for service, each in asked.items()}
    return by_url(load, {service: each.rate for service, each in asked.items()}, urls)


def is_file(name: str) -> bool:
    """Whether a target's name means a file."""
    return "/" in name or Path(name).suffix in (".yaml", ".yml")


@cache
def _from_file(file: Path) -> Runtime:
    """Read once a command: what is checked is what runs."""
    if not is_text(file.resolve()):  # its hooks are told the folder, as text
        raise Refused(f"the path of {file} is not UTF-8", "move it to another folder")
    return described(*load_target(file))

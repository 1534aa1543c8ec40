"""The form of a target file: its keys, and what may stand under each.

Arguments are what stands there: ``3.10`` is no number, ``yes`` no truth value. Which names in braces an argument may
hold, and which service a key may name, depends on the rest of the file: ``drills.spec.targetfile`` asks that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec
from msgspec import Meta, field

from drills.record.unsupported import THINGS
from drills.spec.forms import Kind, Schema, decode, keys_of, kind, schema_of
from drills.spec.reader import UNITS, Node
from drills.spec.values import AS_WRITTEN, NAME, TEXT, TIME, ByName, Slug, enum, listed
from drills.spec.vocabulary import Vocabulary
from targets.description import ARGUMENT, Argv, Handshake
from targets.inputs import matching
from targets.target import Fetch

METHODS = ("get", "post", "head")

FASTEST = 500
"""Requests/s of one service; a drill needs a score of them."""

LONGEST_START = 120

PATH: Schema = {"type": "string", "pattern": "^/[!-~]*$"}


def _argv(node: Node) -> Argv:
    """A command as a list, each argument as it was written: a shell never reads it."""
    return tuple(map(_word, node.items("a command as a list, such as [notes, --port, '{port}']", least=1)))


def _word(node: Node) -> str:
    word = node.written
    if word is None or (not word and node.value is None):
        raise node.expected("text or a number; an empty argument is written ''")
    return word


def _path(node: Node, what: str) -> str:
    text = node.text(what)
    if not text.startswith("/") or not text.isascii() or any(character <= " " for character in text):
        raise node.expected(what)
    return text


def _health(node: Node) -> str:
    return "tcp" if node.written == "tcp" else _path(node, "tcp, or a path such as /healthz")


def _start_time(node: Node) -> float:
    seconds = node.time(positive=True) / UNITS["s"]
    if seconds > LONGEST_START:
        raise node.expected(f"at most {LONGEST_START}s")
    return seconds


def _not_offered(node: Node) -> tuple[str, ...]:
    found = node.names(THINGS, "thing")
    for thing in THINGS:
        if thing not in found:
            raise node.bad(f"{node.name}: {thing} cannot be taken from a target file by this version; list it here")
    return found


def _input(node: Node) -> str:
    """A file, a folder or a pattern below the target file's folder, which names something that is there."""
    pattern = node.text("a file, a folder or a pattern such as src/**/*.py")
    here = node.doc.file.resolve().parent
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise node.expected("a path below the target file's folder")
    if not any(matching(here, pattern)):
        raise node.bad(f"{node.name}: '{pattern}' names nothing that is in {here}")
    return pattern


class _Request(Kind):
    """What a service is asked for, by one method."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Fetch:
        asked = [name for name in node.fields(*keys_of(RequestForm)) if name in METHODS]
        if len(asked) != 1:
            raise node.bad(f"{node.name}: exactly one of {', '.join(METHODS)} says what is asked for")
        form = decode(RequestForm, node)
        return Fetch(asked[0].upper(), getattr(form, asked[0]), form.expect, float(form.rate))

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        whole = schema_of(RequestForm)
        return {"anyOf": [_of_one_method(whole, method) for method in METHODS]}


def _of_one_method(whole: Schema, method: str) -> Schema:
    properties = {name: each for name, each in whole["properties"].items() if name == method or name not in METHODS}
    return {**whole, "properties": properties, "required": [method, *whole["required"]]}


class _Handshake(Kind):
    """What a service answers, or what a command prints."""

    @classmethod
    def read(cls, node: Node, words: Vocabulary | None) -> Handshake:
        if isinstance(node.value, dict) and "run" in node.value:
            return Handshake(run=decode(Printed, node).run)
        form = decode(Answered, node)
        return Handshake(form.service, form.path)

    @classmethod
    def schema(cls, words: Vocabulary | None) -> Schema:
        return {"anyOf": [schema_of(Answered), schema_of(Printed)]}


if TYPE_CHECKING:
    Command: TypeAlias = Argv
    Path: TypeAlias = str
    Health: TypeAlias = str
    Port: TypeAlias = int
    StartTime: TypeAlias = float
    Rate: TypeAlias = float
    StatusCode: TypeAlias = int
    ServiceName: TypeAlias = str
    LinkName: TypeAlias = str
    Upstream: TypeAlias = str
    NotOffered: TypeAlias = tuple[str, ...]
    Input: TypeAlias = str
    Request: TypeAlias = Fetch
    Shown: TypeAlias = Handshake
else:
    Command = kind("command", _argv, listed({"type": [*AS_WRITTEN, "null"], "pattern": ARGUMENT}))
    Path = kind("path", lambda node: _path(node, "a path such as /notes"), PATH)
    Health = kind("path", _health, {"anyOf": [{"const": "tcp"}, PATH]})
    Port = kind("port", lambda node: node.integer(1024, 65535), {"type": "integer", "minimum": 1024, "maximum": 65535})
    StartTime = kind("time", _start_time, TIME)
    Rate = kind("rate", lambda node: node.number(0.1, FASTEST), {"type": "number", "minimum": 0.1, "maximum": FASTEST})
    StatusCode = kind(
        "status", lambda node: node.integer(100, 599), {"type": "integer", "minimum": 100, "maximum": 599}
    )
    ServiceName = kind("service", lambda node: node.text("a service"), NAME)
    LinkName = kind("link", lambda node: node.text("a link"), NAME)
    Upstream = kind(
        "upstream",
        lambda node: node.text("a service, or an address such as 127.0.0.1:5432"),
        {
            "anyOf": [
                NAME,
                {"type": "string", "pattern": r"^(127(\.\d{1,3}){3}|\[::1\]|localhost):\d{1,5}$"},
            ]
        },
    )
    NotOffered = kind("things", _not_offered, {**listed(enum(THINGS), least=len(THINGS)), "uniqueItems": True})
    Input = kind("input", _input, {**TEXT, "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))[^\x00]*$"})
    Request, Shown = _Request, _Handshake


class ServiceForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service by its hooks."""

    start: Command
    health: Health
    stop: Command | None = None
    port: Port | None = None
    within_s: StartTime = field(name="within", default=30.0)


class LinkForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link through the proxy."""

    upstream: Upstream
    listen: Port | None = None


class RequestForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request that customers make; one of the methods."""

    rate: Rate
    get: Path | None = None
    post: Path | None = None
    head: Path | None = None
    expect: StatusCode = 200


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The handshake that a service answers."""

    service: ServiceName
    path: Path


class Printed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The handshake that a command prints."""

    run: Command


class TargetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target file as it is written, in the order of its keys."""

    name: Slug = field(name="target")
    services: ByName[ServiceForm]
    links: ByName[LinkForm]
    customers: LinkName
    loads: ByName[ByName[Request]]
    handshake: Shown
    unsupported: NotOffered
    prepare: Annotated[tuple[Command, ...], Meta(description="a list of commands")] = ()
    prepare_inputs: Annotated[tuple[Input, ...], Meta(description="a list of files, folders or patterns")] = ()

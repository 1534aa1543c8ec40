"""What the API takes and gives: bodies, decoded or refused with 400.

Decoding is as lenient as Go's: a key may be in any letters, ``null`` is as good as absent, unknown keys are ignored.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from faults.proxy.toxics import Toxic

T = TypeVar("T")


class ApiError(Exception):
    """What the client gets to see: words and an HTTP status."""

    def __init__(self, says: str, status: int) -> None:
        super().__init__(says)
        self.status = status


class ProxyBody(msgspec.Struct):
    """Body of a proxy's creation; it is opened at once unless told otherwise."""

    name: str = ""
    listen: str = ""
    upstream: str = ""
    enabled: bool = True


class ProxyChange(msgspec.Struct):
    """Body of a proxy's update; what is absent stays."""

    listen: str | UnsetType = UNSET
    upstream: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class ToxicBody(msgspec.Struct):
    """Body of a toxic's creation."""

    name: str = ""
    type: str = ""
    stream: str = "downstream"
    toxicity: float = 1.0
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)


class ToxicChange(msgspec.Struct):
    """Body of a toxic's update; attributes that are absent stay."""

    toxicity: float | UnsetType = UNSET
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)


def answer(data: object, status: int = 200) -> Response:
    """JSON."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def parsed(raw: bytes, into: type[T]) -> T:
    """Decode an object, or 400."""
    return shaped(decoded(raw), into)


def parsed_list(raw: bytes, into: type[T]) -> list[T]:
    """Decode a list of objects, or 400."""
    value = decoded(raw)
    if not isinstance(value, list | None):
        raise ApiError("bad request body: want a list", 400)
    return [shaped(each, into) for each in value or []]


def decoded(raw: bytes) -> Any:
    """JSON with keys in small letters and nothing that is null but the whole and members of lists, or 400."""
    try:
        return _present(msgspec.json.decode(raw))
    except msgspec.DecodeError as error:
        raise ApiError(f"bad request body: {error}", 400) from None


def shaped(value: Any, into: type[T]) -> T:
    """The decoded object as a record, or 400."""
    try:
        return msgspec.convert({} if value is None else value, into)
    except msgspec.ValidationError as error:
        raise ApiError(f"bad request body: {error}", 400) from None


def merged(toxic: Toxic, attributes: dict[str, Any]) -> Toxic:
    """The attributes with some of them replaced, or 400."""
    return shaped(msgspec.structs.asdict(toxic) | attributes, type(toxic))


def checked(body: ProxyBody, where: str) -> None:
    """400 when a proxy has no name or no upstream."""
    for field in ("name", "upstream"):
        if not getattr(body, field):
            raise ApiError(f"missing required field: {field}{where}", 400)


def _present(value: Any) -> Any:
    if isinstance(value, list):
        return [_present(each) for each in value]
    if isinstance(value, dict):
        return {key.lower(): _present(each) for key, each in value.items() if each is not None}
    return value

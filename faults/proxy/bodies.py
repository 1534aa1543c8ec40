"""What the API takes and gives: bodies, decoded or refused with 400."""

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
    """Body of a proxy's creation; without ``enabled`` it is opened at once."""

    name: str = ""
    listen: str = ""
    upstream: str = ""
    enabled: bool | None = None


class ProxyChange(msgspec.Struct):
    """Body of a proxy's update; what is absent stays."""

    listen: str | UnsetType = UNSET
    upstream: str | UnsetType = UNSET
    enabled: bool | UnsetType | None = UNSET


class ToxicBody(msgspec.Struct):
    """Body of a toxic's creation."""

    name: str = ""
    type: str = ""
    stream: str = "downstream"
    toxicity: float = 1.0
    attributes: msgspec.Raw = msgspec.Raw(b"{}")


class ToxicChange(msgspec.Struct):
    """Body of a toxic's update; attributes that are absent stay."""

    toxicity: float | UnsetType = UNSET
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)


def answer(data: object, status: int = 200) -> Response:
    """JSON."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")


def parsed(raw: bytes | msgspec.Raw, into: type[T]) -> T:
    """Decode a body or 400."""
    try:
        return msgspec.json.decode(raw, type=into)
    except msgspec.DecodeError as error:
        raise ApiError(f"bad request body: {error}", 400) from None


def merged(toxic: Toxic, attributes: dict[str, Any]) -> Toxic:
    """The attributes with some of them replaced, or 400."""
    try:
        return msgspec.convert(msgspec.structs.asdict(toxic) | attributes, type(toxic))
    except msgspec.ValidationError as error:
        raise ApiError(f"bad request body: {error}", 400) from None


def checked(body: ProxyBody, where: str) -> None:
    """400 when a proxy has no name or no upstream."""
    for field in ("name", "upstream"):
        if not getattr(body, field):
            raise ApiError(f"missing required field: {field}{where}", 400)

"""JSON as it is written to a run folder, to files and to standard output."""

from __future__ import annotations

from typing import Any

import msgspec

from targets.visible import visible, visible_json

ENCODER = msgspec.json.Encoder()


def encode(document: object) -> bytes:
    """On one line, UTF-8. What a terminal or a reader of lines would act on is escaped, as JSON allows.

    A name that is no UTF-8, as that of a file may be, has no place in JSON: it stands there as ``visible`` shows it.
    """
    try:
        whole = ENCODER.encode(document)
    except UnicodeEncodeError:
        whole = ENCODER.encode(_shown(msgspec.to_builtins(document)))
    return visible_json(whole.decode()).encode()


def encode_indented(document: object) -> bytes:
    """The same, deterministic: indented by 2, fields in the order of the schema, a newline at the end."""
    return msgspec.json.format(encode(document), indent=2) + b"\n"


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {_shown(key): _shown(each) for key, each in value.items()}
    return value

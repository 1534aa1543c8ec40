"""Messages of the session and their bytes: one JSON object a line, with FIX's own names for messages and fields."""

from __future__ import annotations

from typing import Any

import msgspec

Message = dict[str, Any]

ADMIN = frozenset({"Logon", "Logout", "Heartbeat", "TestRequest", "ResendRequest", "SequenceReset"})
"""Messages of the session itself; all others are the application's."""

LINE_LIMIT = 16 * 1024 * 1024
"""Longest line in bytes; the exchange's list of trades is one message."""


class Garbled(ValueError):
    """What came is not a message."""


class _Header(msgspec.Struct):
    MsgType: str
    MsgSeqNum: int = 0
    BeginSeqNo: int = 0
    EndSeqNo: int = 0
    NewSeqNo: int = 0


_decoder = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """A line, newline included."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """The message in a line; Garbled when it is none, or lacks what its type needs."""
    if not line:
        raise Garbled("the connection ended")
    try:
        message = _decoder.decode(line)
        header = msgspec.convert(message, _Header)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Garbled(f"not a message: {error}") from error
    if header.MsgType == "SequenceReset" and not header.NewSeqNo > header.MsgSeqNum:
        raise Garbled("SequenceReset without a NewSeqNo ahead of it")
    if header.MsgType == "ResendRequest" and header.BeginSeqNo < 1:
        raise Garbled("ResendRequest without a BeginSeqNo")
    return (
        {"MsgSeqNum": 0, "EndSeqNo": 0, **message} if header.MsgType == "ResendRequest" else {"MsgSeqNum": 0, **message}
    )


def gap_fill(begin: int, new: int) -> Message:
    """Instead of the messages ``begin`` up to ``new`` (excluded), which are not sent again."""
    fill = {"MsgType": "SequenceReset", "GapFillFlag": "Y", "PossDupFlag": "Y"}
    return {**fill, "MsgSeqNum": begin, "NewSeqNo": new}

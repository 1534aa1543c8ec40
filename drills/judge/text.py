"""A text for people, in English and Japanese, with ``{places}`` to be filled in: the same ones in both."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True):
    """Templates as ``str.format`` takes them."""

    en: str
    ja: str


def counted(en: str, ja: str) -> Text:
    """The words of a count, made from what is counted."""
    return Text(f"{{bad}} of {{of}} {en}", f"{ja} {{bad}}/{{of}} 件")

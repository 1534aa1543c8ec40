"""What a listener shows to whoever comes, valid or not: a handshake from outside, as a scan makes it."""

from __future__ import annotations

import socket
import ssl
from typing import Any


def chain_served(where: tuple[str, int], within_s: float) -> list[bytes]:
    """The chain in DER, leaf first; OSError (ssl.SSLError, TimeoutError) where there is no handshake.

    Nothing of it is verified: what has expired must be seen as well.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(where, timeout=within_s) as plain,
        context.wrap_socket(plain, server_hostname=where[0]) as secured,
    ):
        return _chain(secured)


def _chain(secured: ssl.SSLSocket) -> list[bytes]:
    inner: Any = secured
    if hasattr(inner, "get_unverified_chain"):  # public from Python 3.13 on
        return [bytes(each) for each in inner.get_unverified_chain()]
    return [each.public_bytes(ssl._ssl.ENCODING_DER) for each in inner._sslobj.get_unverified_chain()]  # type: ignore[attr-defined]

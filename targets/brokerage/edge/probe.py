"""Handshakes with a listener from outside: what it shows, valid or not, and whether a customer would take it."""

from __future__ import annotations

import socket
import ssl
from typing import Any


def chain_served(where: tuple[str, int], within_s: float, name: str = "") -> list[bytes]:
    """The chain in DER, leaf first, that who asks for ``name`` is shown; without a name, who asks for none.

    OSError (ssl.SSLError, TimeoutError) where there is no handshake. Nothing of it is verified: what has expired must
    be seen as well.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(where, timeout=within_s) as plain,
        context.wrap_socket(plain, server_hostname=name or where[0]) as secured,
    ):
        return _chain(secured)


def refusal_of(where: tuple[str, int], within_s: float, name: str, context: ssl.SSLContext) -> str | None:
    """Why a client with this context does not take what it is shown under ``name``; None where it does.

    A certificate that it does not accept, a handshake that fails, a listener that is not there.
    """
    try:
        with (
            socket.create_connection(where, timeout=within_s) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__


def _chain(secured: ssl.SSLSocket) -> list[bytes]:
    inner: Any = secured
    if hasattr(inner, "get_unverified_chain"):  # public from Python 3.13 on
        return [bytes(each) for each in inner.get_unverified_chain()]
    return [each.public_bytes(ssl._ssl.ENCODING_DER) for each in inner._sslobj.get_unverified_chain()]  # type: ignore[attr-defined]

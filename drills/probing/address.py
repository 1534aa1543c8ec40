"""What a probe asks for: a URL taken apart, and the request as it goes on the wire."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from drills.errors import Refused

DEFAULT_PORTS = {"http": 80, "https": 443}
METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Address:
    """``host`` is a name or an address without brackets; ``request`` is what is sent each time."""

    url: str
    host: str
    port: int
    tls: bool
    request: bytes
    head_only: bool


def address(url: str, method: str = "GET") -> Address:
    """Refused where the URL is none that can be asked for."""
    parts = _split(url)
    fix = "such as http://127.0.0.1:8080/healthz"
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise Refused(f"{url}: no address that can be probed", fix)
    if parts.username is not None or parts.password is not None:
        raise Refused(f"{parts.hostname}: a password in a URL would stand in the output", "leave it out")
    if method not in METHODS:
        raise Refused(f"method {method!r} may change something there; known: {', '.join(METHODS)}")
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise Refused(f"{url}: {error}", fix) from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        request = (
            f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: kunren-probe\r\nAccept: */*\r\n\r\n"
        ).encode("ascii")
    except UnicodeEncodeError as error:
        raise Refused(f"{url}: not all of it is ASCII", "write it percent-encoded") from error
    if any(each <= " " for each in path):
        raise Refused(f"{url!r}: a blank in it", "write it percent-encoded")
    return Address(url, parts.hostname, port, parts.scheme == "https", request, method == "HEAD")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Refused(f"{url}: {error}") from error


def context(authority: Path | None, *, verify: bool) -> ssl.SSLContext:
    """Whose certificates are good: those of the machine's authorities, or of the one in the file. Refused."""
    try:
        made = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ssl.SSLError) as error:
        raise Refused(f"{authority}: no certificates of an authority: {error}") from error
    if not verify:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made

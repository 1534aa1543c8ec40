"""Lets ``brokerctl`` start and end services from inside a container: the launcher's control port, answered out here.

The operators' container has no access to the engine. It has a Unix socket in the stack's folder, behind which the
harness does what the launcher of an embedded stack does, and only for the services of this stack.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from targets.target import TargetError
from targets.unixsocket import short_path

SOCKET = "socket"
REQUEST_S = 5.0
LONGEST = 65_536


class Switchboard:
    """Serves ``folder/socket`` in a thread from ``open`` until ``close``; one request, one answer a connection."""

    def __init__(self, folder: Path, token: str, control: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self._folder = folder
        self._token = token
        self._control = control
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, name="switchboard", daemon=True)

    def open(self) -> None:
        """Begin to serve. OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with short_path(self._folder, SOCKET) as path:
            self._listener.bind(path)
        (self._folder / SOCKET).chmod(0o666)  # other users of this machine still need the token
        self._listener.listen(16)
        self._thread.start()

    def close(self) -> None:
        """Serve no more; a request under way is answered."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join(REQUEST_S)

    @property
    def serves(self) -> bool:
        """Whether it does, or has not begun to."""
        return self._thread.is_alive() or self._thread.ident is None

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed; or it cannot any more, and then it is seen not to serve
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(REQUEST_S)
                line = connection.makefile("rb").readline(LONGEST)
                connection.sendall(json.dumps(self.answer(line)).encode() + b"\n")

    def answer(self, line: bytes) -> dict[str, Any]:
        """What is done about one request; what goes wrong is in ``error``."""
        try:
            request = json.loads(line)
            if not hmac.compare_digest(str(request.pop("token", "")), self._token):
                return {"ok": False, "error": "wrong or missing token"}
            return {"ok": True, **self._control(request)}
        except (ValueError, TypeError, KeyError, AttributeError, TargetError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

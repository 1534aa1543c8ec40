"""Driving a Toxiproxy-compatible server through toxiproxy-python.

The library keeps host and port in a class for everyone, waits for ever, and takes a 5xx for success. Here each client
has an API class of its own (two stacks in one process), each call a time-out, everything that is not 2xx is an error,
and after each change the state is read back. Errors, all of them ``targets.target.TargetError``::

    ProxyError                 the server did not do what was asked
    ├── ProxyUnreachable       it does not answer, or not in time
    └── ProxyNotFound          it knows no such proxy or toxic
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from toxiproxy import exceptions as library
from toxiproxy.api import APIConsumer
from toxiproxy.proxy import Proxy
from toxiproxy.toxic import Toxic

from targets.ports import resolved
from targets.proxy_engine import engine_command, listens
from targets.target import TargetError

__all__ = ["ProxyError", "ProxyNotFound", "ProxyUnreachable", "ToxiproxyClient", "engine_command"]

TIMEOUT_S = 5.0
NO_DETOUR = {"http": None, "https": None, "all": None}  # $http_proxy must not get between us and 127.0.0.1
"""The library opens a session a call, so that ``trust_env`` is out of reach; this and ``_as_it_is`` say the same."""


class ProxyError(TargetError):
    """The proxy server did not do what was asked."""


class ProxyUnreachable(ProxyError):
    """The proxy server does not answer, or not in time."""


class ProxyNotFound(ProxyError):
    """The proxy server knows no such proxy or toxic."""


def api_class(host: str, port: int) -> type[APIConsumer]:
    """The library's API, bound to one server: it keeps the address in the class, so each server gets its own."""
    return type("OneServer", (APIConsumer,), {"host": host, "port": port})


class ToxiproxyClient:
    """Drives one server; is a ``targets.target.Proxies``. Every address is a number, never ``localhost``.

    (The server resolves ``localhost`` when it compares addresses, and so would take it for a change; as an upstream it
    would mean whichever address the server's resolver names first.)
    """

    def __init__(self, host: str, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._where = f"{host}:{port}"
        self._port = port
        self._api = api_class(host, port)
        self._timeout_s = timeout_s
        self._seen: dict[str, dict[str, Any]] = {}  # as last shown, for when the server hangs

    def engine(self) -> str:
        """Name and version, such as ``embedded 2.12.0`` or ``toxiproxy 2.12.0``."""
        version = str(self._call("get", "/version").json()["version"])
        number, _, ours = version.partition("-")
        return f"embedded {number}" if ours == "kunren" else f"toxiproxy {version}"

    def wait_ready(self, within_s: float = 10.0, pid: int | None = None) -> None:
        """Wait until the server answers; ProxyUnreachable when it does not in time.

        With ``pid`` it must be that process that listens: another one may have had the port before ours came.
        """
        until = time.monotonic() + within_s
        while True:
            try:
                self.engine()
                break
            except ProxyUnreachable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        if pid is not None and not listens(pid, self._port):
            raise ProxyUnreachable(f"what answers at {self._where} is not the process {pid}")

    def proxies(self) -> dict[str, Proxy]:
        """Name -> the library's Proxy (``listen``, ``upstream``, ``enabled``): plain data, not to be called."""
        return {name: Proxy(**values) for name, values in self._call("get", "/proxies").json().items()}

    def listen(self, link: str) -> str:
        """The address at which the link's proxy listens, or would."""
        return str(self._proxy(link)["listen"])

    def create(self, name: str, listen: str, upstream: str) -> str:
        """A new proxy, open; the address it listens on (``listen`` may have port 0)."""
        body = {"name": name, "listen": local(listen), "upstream": reached(upstream), "enabled": True}
        self._call("post", "/proxies", json=body)
        shown = self._proxy(name)
        if shown["upstream"] != body["upstream"] or not shown["enabled"]:
            raise ProxyError(f"proxy {name} was created but reads back as {shown}")
        return str(shown["listen"])

    def destroy(self, name: str) -> None:
        """Remove a proxy; removing what is not there is no error."""
        try:
            self._call("delete", f"/proxies/{name}")
        except ProxyNotFound:
            return
        if name in self.proxies():
            raise ProxyError(f"proxy {name} is still there after being deleted")

    def populate(self, wanted: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Create what is missing, replace what differs: rows of name, listen, upstream -> name to listening address."""
        bodies = [{**each, "listen": local(each["listen"]), "upstream": reached(each["upstream"])} for each in wanted]
        self._call("post", "/populate", json=bodies)
        there = self.proxies()
        missing = [body["name"] for body in bodies if body["name"] not in there]
        if missing:
            raise ProxyError(f"not there after populate: {', '.join(missing)}")
        return {body["name"]: str(there[body["name"]].listen) for body in bodies}

    def reset(self) -> None:
        """Open every proxy and remove every toxic."""
        self._call("post", "/reset", json={})
        shown = self._call("get", "/proxies").json()
        left = [name for name, values in shown.items() if values["toxics"] or not values["enabled"]]
        if left:
            raise ProxyError(f"still closed or toxic after reset: {', '.join(sorted(left))}")

    def enabled(self, link: str) -> bool:
        """Whether the link's proxy accepts connections."""
        return bool(self._proxy(link)["enabled"])

    def set_enabled(self, link: str, enabled: bool) -> None:
        """Open or close the link's proxy; closing drops its connections."""
        self._call("post", f"/proxies/{link}", json={"enabled": enabled})
        if self.enabled(link) is not enabled:
            raise ProxyError(f"proxy {link} reads back as {'disabled' if enabled else 'enabled'}")

    def lead_to(self, link: str, upstream: str) -> None:
        """Let the link lead to another upstream; its connections are dropped, its toxics stay."""
        wanted = reached(upstream)
        self._call("post", f"/proxies/{link}", json={"upstream": wanted})
        shown = self._proxy(link)["upstream"]
        if shown != wanted:
            raise ProxyError(f"proxy {link} reads back as leading to {shown}, asked for {wanted}")

    def toxics(self, link: str) -> dict[str, dict[str, Any]]:
        """Toxic name -> type, stream, toxicity, attributes."""
        found = [Toxic(**each) for each in self._call("get", f"/proxies/{link}/toxics").json()]
        fields = ("type", "stream", "toxicity", "attributes")
        return {toxic.name: {field: getattr(toxic, field) for field in fields} for toxic in found}

    def add_toxic(
        self, link: str, name: str, kind: str, stream: str, toxicity: float, attributes: Mapping[str, float]
    ) -> None:
        """Add one toxic; ProxyError if it is not there afterwards, as asked for."""
        wanted = {"type": kind, "stream": stream, "toxicity": toxicity, "attributes": dict(attributes)}
        self._call("post", f"/proxies/{link}/toxics", json={"name": name, **wanted})
        self._read_back(link, name, wanted)

    def update_toxic(self, link: str, name: str, toxicity: float, attributes: Mapping[str, float]) -> None:
        """Change a toxic's toxicity and some of its attributes (the library cannot)."""
        wanted = {"toxicity": toxicity, "attributes": dict(attributes)}
        # POST, not PATCH: the library has no PATCH, and both engines take either.
        self._call("post", f"/proxies/{link}/toxics/{name}", json=wanted)
        self._read_back(link, name, wanted)

    def remove_toxic(self, link: str, name: str) -> None:
        """Remove one toxic; removing what is not there is no error.

        In the original server this can hang, and the whole link with it, while a connection's reader does not read
        (its issue 558); closing the proxy does not free it. What does: delete the proxy, which drops its connections,
        and create it anew as it was, without the toxic.
        """
        try:
            if name not in {toxic["name"] for toxic in self._proxy(link)["toxics"]}:
                return
            self._call("delete", f"/proxies/{link}/toxics/{name}")
        except ProxyUnreachable:
            if link not in self._seen:
                raise
            self._renew(self._seen[link], without=name)
        if name in self.toxics(link):
            raise ProxyError(f"toxic {name} on {link} is still there after being removed")

    def _renew(self, before: Mapping[str, Any], without: str) -> None:
        self._call("delete", f"/proxies/{before['name']}")
        fields = ("name", "listen", "upstream", "enabled")
        self._call("post", "/proxies", json={field: before[field] for field in fields})
        for toxic in before["toxics"]:
            if toxic["name"] != without:
                self._call("post", f"/proxies/{before['name']}/toxics", json=toxic)

    def _proxy(self, name: str) -> dict[str, Any]:
        self._seen[name] = self._call("get", f"/proxies/{name}").json()
        return self._seen[name]

    def _read_back(self, link: str, name: str, wanted: Mapping[str, Any]) -> None:
        shown = self.toxics(link).get(name)
        if shown is None:
            raise ProxyError(f"toxic {name} is not on {link} after being added")
        for field, value in wanted.items():
            if not matches(value, shown[field]):
                raise ProxyError(f"toxic {name} on {link}: {field} reads back as {shown[field]}, asked for {value}")

    def _call(self, method: str, path: str, **body: Any) -> requests.Response:
        what = f"{method.upper()} {path} at {self._where}"
        try:
            answer: requests.Response = getattr(self._api, method)(
                path, timeout=self._timeout_s, proxies=NO_DETOUR, auth=_as_it_is, **body
            )
        except library.NotFound as error:
            raise ProxyNotFound(f"{what}: {words(error)}") from error
        except (library.ProxyExists, library.InvalidToxic) as error:
            raise ProxyError(f"{what}: {words(error)}") from error
        except requests.RequestException as error:
            raise ProxyUnreachable(f"{what}: no answer within {self._timeout_s} s ({error})") from error
        if not answer.ok:
            raise ProxyError(f"{what}: {answer.status_code} {answer.text.strip()}")
        return answer


def matches(asked: Any, shown: Any) -> bool:
    """Whether what reads back is what was asked for; attributes that were not asked for may be anything."""
    if isinstance(asked, Mapping):
        return all(key in shown and matches(value, shown[key]) for key, value in asked.items())
    if isinstance(asked, float):
        return bool(abs(asked - shown) < 1e-6)  # the original keeps the toxicity in 32 bits
    return bool(asked == shown)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: where none are named ``requests`` takes those of the user's ``.netrc``."""
    return request


def words(error: Exception) -> str:
    """The server's own words; the library hands its bytes on."""
    said = error.args[0] if error.args else b""
    return (said.decode(errors="replace") if isinstance(said, bytes) else str(said)).strip()


def local(address: str) -> str:
    """The address with ``localhost`` written as 127.0.0.1: where we listen."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host == "localhost" else address


def reached(address: str) -> str:
    """The address with ``localhost`` written as the one that accepts connections, 127.0.0.1 if none does."""
    host, _, _ = address.rpartition(":")
    return resolved(address) or local(address) if host == "localhost" else address

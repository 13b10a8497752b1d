"""Ports: is one free, and which one is; which addresses are this machine's own."""

import contextlib
import errno
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from spanloop.errors import ServiceError

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own, which no proxy may be asked for."""
    return urlsplit(url).hostname in LOOPBACK


def past_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables with which this machine's own servers are asked directly, whatever proxy the environment names.

    Programs read `NO_PROXY` or `no_proxy`; both get what either of them says, and the loopback addresses. Brackets of
    IPv6 addresses go, which httpx cannot read there.
    """
    said = [part.strip(" []") for name in ("NO_PROXY", "no_proxy") for part in environ.get(name, "").split(",")]
    direct = ",".join(dict.fromkeys(filter(None, [*said, *sorted(LOOPBACK)])))
    return {"NO_PROXY": direct, "no_proxy": direct}


def unusable_proxies(environ: Mapping[str, str]) -> list[str]:
    """The variables that name a SOCKS proxy, where the package for it is missing: httpx fails of them, asked or not."""
    named = [name for name in environ if name.lower() in _PROXIES and environ[name].lower().startswith("socks")]
    return named if named and not find_spec("socksio") else []


def local_url(host: str, port: int) -> str:
    """The address under which this machine reaches a server of its own that listens on `host:port`."""
    near = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server can listen on `host:port` at this moment."""
    try:
        require_free(host, port, "")
    except ServiceError:
        return False
    return True


def require_free(host: str, port: int, flag: str) -> None:
    """Check that a server can listen on `host:port`.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        flag: The option that chooses another port; part of the error's message.

    Raises:
        ServiceError: The port is taken or not allowed, or the address is not one of this machine.
    """
    if not 0 < port < 65536:
        raise ServiceError(f"port {port} is none; choose one from 1024 to 65535 with {flag}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServiceError(
                f"port {port} on {host} is taken by another program; choose another one with {flag}"
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ServiceError(f"port {port} on {host} is not allowed; choose one above 1023 with {flag}") from None
        raise ServiceError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
